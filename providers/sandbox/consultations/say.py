"""A doctor's lines: numbered from 1 in their consultation, listed, and told by an event."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from providers.sandbox import bookings
from providers.sandbox.bookings import Desk
from providers.sandbox.consultations import cases
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

TOLD_AS = "consultation.message"
LINE_FAULTS = ("line_twice", "line_changed", "line_unreadable", "line_stranger", "line_gap")
STRANGER = "NOBODY"
"""A code that stands on no roster."""


def say(desk: Desk, tx: Transaction, case: Row, clinician: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Add a line with `text`, `picture` or `summary`, as the account's faults want it, and tell it. Returns it."""
    fault = desk.faults.take("line", LINE_FAULTS, case["our_reference"])
    strikes = fault.fault if fault is not None else ""
    number = last_number(tx, case) + (2 if strikes == "line_gap" else 1)
    line = {
        "id": "line_" + secrets.token_hex(10),
        "reference": case["reference"],
        "our_reference": case["our_reference"],
        "seq": number,
        "kind": next(iter(content)),
        "clinician": STRANGER if strikes == "line_stranger" else clinician,
        "sent_at": cases.stamp(desk),
        **content,
    }
    if strikes == "line_unreadable":
        line["kind"] = "voice"
    tx.execute(
        "INSERT INTO said VALUES (?, ?, ?, ?)",
        (case["account"], case["reference"], number, json.dumps(line, ensure_ascii=False)),
    )
    tell(desk, tx, line)
    if strikes == "line_twice":
        tell(desk, tx, line)
    if strikes == "line_changed" and fault is not None:
        bookings.plan(desk, tx, case["reference"], f"consultation.reword:{number}", fault.seconds)
    return line


def tell(desk: Desk, tx: Transaction, line: Mapping[str, Any]) -> None:
    """Queue an event that brings the line."""
    desk.sender.queue(tx, TOLD_AS, {"message": line})


def draw(desk: Desk, tx: Transaction, case: Row, content: bytes) -> dict[str, Any]:
    """Keep a picture; what a line says of it."""
    known = {"id": "pic_" + secrets.token_hex(8), "sha256": hashlib.sha256(content).hexdigest()}
    tx.execute("INSERT INTO drawing VALUES (?, ?, ?, ?)", (case["account"], case["reference"], known["id"], content))
    return {"picture": known}


def reword(desk: Desk, tx: Transaction, case: Row, number: int, text: str) -> dict[str, Any]:
    """What no provider may do: other words under a number that was told, listed and told again. Raises Problem."""
    row = tx.execute(
        "SELECT line FROM said WHERE account = ? AND reference = ? AND number = ?",
        (case["account"], case["reference"], number),
    ).fetchone()
    if row is None:
        raise Problem(404, "unknown_line", "There is no such line")
    line = {**json.loads(row["line"]), "kind": "text", "text": text}
    tx.execute(
        "UPDATE said SET line = ? WHERE account = ? AND reference = ? AND number = ?",
        (json.dumps(line, ensure_ascii=False), case["account"], case["reference"], number),
    )
    tell(desk, tx, line)
    return line


def lines_after(tx: Transaction, case: Row, number: int, most: int) -> Sequence[dict[str, Any]]:
    """At most so many lines after a number, by number."""
    rows = tx.execute(
        "SELECT line FROM said WHERE account = ? AND reference = ? AND number > ? ORDER BY number LIMIT ?",
        (case["account"], case["reference"], number, most),
    )
    return [json.loads(row["line"]) for row in rows]


def picture(tx: Transaction, case: Row, identifier: str) -> bytes | None:
    """The bytes of a picture that was sent in this consultation."""
    row = tx.execute(
        "SELECT content FROM drawing WHERE account = ? AND reference = ? AND id = ?",
        (case["account"], case["reference"], identifier),
    ).fetchone()
    return None if row is None else bytes(row["content"])


def last_number(tx: Transaction, case: Row) -> int:
    """The number of the newest line of a booking, 0 without any."""
    found = tx.execute(
        "SELECT max(number) FROM said WHERE account = ? AND reference = ?", (case["account"], case["reference"])
    ).fetchone()[0]
    return int(found or 0)
