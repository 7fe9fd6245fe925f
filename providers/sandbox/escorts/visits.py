"""An escort in the books: a booking of a window, and beside it who goes, by which word, and what she did."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from providers.sandbox import bookings
from providers.sandbox.bookings import DEAD, Desk
from providers.sandbox.consultations.say import last_number
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

TOLD_AS = "escort.line"
LINE_FAULTS = ("line_twice", "line_changed", "line_unreadable", "line_stranger", "line_gap")
STRANGER = "NOBODY"
"""A code that none of the staff has."""
CHANGED = "这句话后来被改过。"
_JOINED = (
    "SELECT v.*, b.our_reference, b.offer, b.pool, b.status, b.starts_at, b.ends_at, b.answers, b.venue"
    " FROM visit v JOIN booking b USING (account, reference)"
)
LIVE = f"b.status NOT IN {(*DEAD, 'fulfilled', 'no_show')}"


def find(desk: Desk, tx: Transaction, reference: str) -> Row:
    """Both halves of it. Raises Problem 404."""
    rows = select(tx, "v.account = ? AND v.reference = ?", (desk.account.code, reference))
    if not rows:
        raise Problem(404, "unknown_booking", "There is no such escort")
    return rows[0]


def select(tx: Transaction, condition: str, parameters: tuple[Any, ...]) -> list[Row]:
    """Those that a condition over v (visit) and b (booking) finds, with its ORDER BY."""
    return tx.execute(f"{_JOINED} WHERE {condition}", parameters).fetchall()


def alter(desk: Desk, tx: Transaction, reference: str, **values: Any) -> Row:
    """Change columns of the visit; nobody is told."""
    columns = ", ".join(f"{name} = ?" for name in values)
    tx.execute(
        f"UPDATE visit SET {columns} WHERE account = ? AND reference = ?",
        [*values.values(), desk.account.code, reference],
    )
    return find(desk, tx, reference)


def add(desk: Desk, tx: Transaction, visit: Row, kind: str, escort: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Add a line, as the account's faults want it, and tell it. Returns it."""
    fault = desk.faults.take("line", LINE_FAULTS, visit["our_reference"])
    strikes = fault.fault if fault is not None else ""
    number = last_number(tx, visit) + (2 if strikes == "line_gap" else 1)
    line = {
        "id": "deed_" + secrets.token_hex(10),
        "reference": visit["reference"],
        "our_reference": visit["our_reference"],
        "seq": number,
        "kind": "sang" if strikes == "line_unreadable" else kind,
        "escort": STRANGER if strikes == "line_stranger" else escort,
        "at": desk.ledger.now().isoformat(timespec="milliseconds"),
        **content,
    }
    tx.execute(
        "INSERT INTO said VALUES (?, ?, ?, ?)",
        (visit["account"], visit["reference"], number, json.dumps(line, ensure_ascii=False)),
    )
    _tell(desk, tx, line)
    if strikes == "line_twice":
        _tell(desk, tx, line)
    if strikes == "line_changed" and fault is not None:
        bookings.plan(desk, tx, visit["reference"], f"escort.reword:{number}", fault.seconds)
    return line


def reword(desk: Desk, tx: Transaction, visit: Row, number: int, content: Mapping[str, Any]) -> dict[str, Any]:
    """What no provider may do: another content under a number that was told, listed and told again; another time and
    other words, if none is given. Raises Problem."""
    row = tx.execute(
        "SELECT line FROM said WHERE account = ? AND reference = ? AND number = ?",
        (visit["account"], visit["reference"], number),
    ).fetchone()
    if row is None:
        raise Problem(404, "unknown_line", "There is no such line")
    line: dict[str, Any] = json.loads(row["line"])
    words = {"words": CHANGED} if "words" in line else {}
    line |= dict(content) or {"at": desk.ledger.now().isoformat(timespec="milliseconds"), **words}
    tx.execute(
        "UPDATE said SET line = ? WHERE account = ? AND reference = ? AND number = ?",
        (json.dumps(line, ensure_ascii=False), visit["account"], visit["reference"], number),
    )
    _tell(desk, tx, line)
    return line


def _tell(desk: Desk, tx: Transaction, line: Mapping[str, Any]) -> None:
    desk.sender.queue(tx, TOLD_AS, {"line": line})
