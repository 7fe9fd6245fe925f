"""Files of policies, each another person's."""

from __future__ import annotations

import csv
import io

from vip.policies.bulk import COLUMNS

EXAMPLE = {column.code: column.example for column in COLUMNS if column.example}


def line(which: int, **changes: str) -> dict[str, str]:
    """The template's example as somebody else's policy."""
    own = {"key": f"P-{which}", "number": f"86-2026-{which:06}", "holder_phone": f"138{which:08}"}
    return {**EXAMPLE, "insured_1_name": f"王{chr(0x4E00 + which)}", **own, **changes}


def file(*lines: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, [column.code for column in COLUMNS])
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()
