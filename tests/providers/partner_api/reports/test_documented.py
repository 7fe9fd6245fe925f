"""The handbook for providers names every reason for which a file is refused, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from booking.reports.persons.same import ANOTHER_PERSON
from marketplace.core.config import ROOT
from tests.conventions.sources import modules, parsed


def reasons() -> Iterator[str]:
    """Every reason that the examination of a file gives: written out, or one of two."""
    for _, tree in parsed(modules("booking/reports"), about="Refused"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refused", "FileRefused"):
                [given] = node.args
                either = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
                yield from (each.value for each in either if isinstance(each, ast.Constant))


def test_every_reason_for_refusing_a_file_is_in_the_handbook() -> None:
    text = (ROOT / "docs" / "partner" / "reports.md").read_text(encoding="utf-8")
    said = text.partition("Reasons of `report_file_refused`:")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`([a-z_]+)`", said)) == sorted({*reasons(), ANOTHER_PERSON})
