"""What every page of the console is given."""

from __future__ import annotations

from typing import Any

from marketplace.web.console.session import DOOR
from tests.marketplace.web.samples.everyday import Context, zh_en
from vip.operators.operators import OperatorView


def console_page(here: str, role: str = "admin", **context: Any) -> Context:
    me = OperatorView("opr_1", "lin", zh_en("林默", "Lin Mo"), role)
    return {"door": DOOR, "me": me, "here": here, "counts": {"snapshots": 2}, **context}
