"""Rows that break the contract, in a page that is good otherwise."""

from __future__ import annotations

import json
import random
from typing import Any

from flask import Response

LISTS = {
    "bookings": ("reference", "status", "version"),
    "slots": ("pool", "slot", "service_date", "offered"),
    "orders": ("orderNo", "orderStatus", "scheduleDate", "updateTime", "orgCode", "createTime"),
    "messages": ("id", "reference", "seq", "kind", "clinician", "sent_at"),
    "lines": ("id", "reference", "seq", "kind", "escort", "at"),
    "clinicians": ("code", "name", "title_zh", "title_en", "licence"),
    "schedules": ("orgCode", "scheduleDate", "total", "status"),
    "reports": (
        *("reference", "booking", "version", "status", "issued_at"),
        *("reportNo", "orderNo", "reportVersion", "reportStatus", "reportTime"),
    ),
}
"""The lists of both protocols, each with fields that no row of it is right without."""

NO_ROWS: tuple[Any, ...] = (None, 17, "rubbish", [], {})
NO_VALUES: tuple[Any, ...] = (None, [], {"of": "another kind"}, "\0", 10**30, -1.5, True)
"""What is right in none of those fields, whatever their type."""


def poison(response: Response, dice: random.Random) -> None:
    """Spoil one row of the list in the answer; an answer without rows stays as it is."""
    document = response.get_json(silent=True)
    found = document.get("data", document) if isinstance(document, dict) else None
    name = next((name for name in LISTS if isinstance(found, dict) and found.get(name)), None)
    if name is None or not isinstance(found, dict):
        return
    rows = found[name]
    chosen = dice.randrange(len(rows))
    rows[chosen] = spoilt(rows[chosen], name, dice)
    response.set_data(json.dumps(document))


def spoilt(row: dict[str, Any], name: str, dice: random.Random) -> Any:
    """The row of that list with one field wrong, or something that is no row at all."""
    fields = [field for field in LISTS[name] if field in row]
    if dice.random() < 0.2 or not fields:
        return dice.choice(NO_ROWS)
    return {**row, dice.choice(fields): dice.choice(NO_VALUES)}
