"""A consultation in the books: a booking without a slot, and what is known of its conversation beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox import bookings
from providers.sandbox.bookings import DEAD, Desk, Reply, once
from providers.sandbox.consultations.doctors import LANGUAGES
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem
from providers.sandbox.slots import Slot

REOPEN_FOR = timedelta(hours=24)
"""How long after its end a customer may go on with a consultation."""
REASONS = ("closed", "idle", "cancelled")
_JOINED = (
    "SELECT c.*, b.our_reference, b.status, b.person, b.answers AS told FROM consultation c"
    " JOIN booking b USING (account, reference)"
)
IN_HAND = f"c.account = ? AND c.closed_at IS NULL AND b.status NOT IN {DEAD}"
"""Of the two joined: what is going on."""


def open_case(desk: Desk, key: str, wish: Mapping[str, Any]) -> Reply:
    """Begin a consultation: 201 in the doctors' queue, 202 to be decided, 409 refused with a code."""
    return once(desk, key, {"open": wish}, lambda tx: _open(desk, tx, wish))


def _open(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Reply:
    practice = desk.account.consultations
    if practice is None or wish["offer"] not in practice.offers:
        raise Problem(409, "closed", "The offer is not on sale")
    if wish["language"] not in LANGUAGES:
        raise Problem(422, "invalid", f"language is one of {', '.join(LANGUAGES)}")
    today = desk.ledger.now().astimezone(ZoneInfo(desk.account.time_zone)).date()
    row = bookings.enter(desk, tx, wish, Slot("", "", today.isoformat(), None, None, 1, False, 0))
    before = tx.execute("SELECT count(*) FROM consultation WHERE account = ?", (desk.account.code,)).fetchone()[0]
    tx.execute(
        "INSERT INTO consultation (account, reference, number, department, language, flagged)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            *(desk.account.code, row["reference"], before + 1),
            *(wish["department"], wish["language"], int(wish.get("flagged") is True)),
        ),
    )
    return Reply(201 if row["status"] == "confirmed" else 202, bookings.shown(row), row["reference"])


def close_case(desk: Desk, key: str, reference: str, wish: Mapping[str, Any]) -> Reply:
    """It is over at the customer's side: 200, also where it was over here."""
    return once(desk, key, {"close": wish, "reference": reference}, lambda tx: _close(desk, tx, reference, wish))


def _close(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Reply:
    if wish["reason"] not in REASONS:
        raise Problem(422, "invalid", f"reason is one of {', '.join(REASONS)}")
    case = find_own(desk, tx, {**wish, "reference": reference})
    if case["closed_at"] is None and case["status"] not in DEAD:
        end(desk, tx, case, wish["reason"])
    return Reply(200, bookings.shown(bookings.find(desk, tx, reference)), reference)


def end(desk: Desk, tx: Transaction, case: Row, by: str) -> None:
    """Close it: the doctor is free again, and the booking is fulfilled, or cancelled where nobody answered."""
    alter(desk, tx, case["reference"], closed_at=stamp(desk), closed_by=by, answer_due=None, waits_since=None)
    status = "fulfilled" if case["status"] == "in_service" and by != "cancelled" else "cancelled"
    if case["status"] != status:
        row = bookings.write(desk, tx, case["reference"], {"status": status})
        bookings.announce(desk, tx, f"booking.{status}", row)


def reopen(desk: Desk, tx: Transaction, case: Row) -> Row:
    """Go on with one that was closed. Raises Problem 409 where it is too long ago, or was cancelled."""
    over = datetime.fromisoformat(case["closed_at"]) + REOPEN_FOR <= desk.ledger.now()
    if over or case["status"] != "fulfilled":
        raise Problem(409, "closed", "The consultation is over")
    row = bookings.write(desk, tx, case["reference"], {"status": "in_service"})
    bookings.announce(desk, tx, "booking.in_service", row)
    alter(desk, tx, case["reference"], closed_at=None, closed_by="", answers=0)
    return find(desk, tx, case["reference"])


def alter(desk: Desk, tx: Transaction, reference: str, **values: Any) -> None:
    """Change columns of the conversation; nobody is told."""
    columns = ", ".join(f"{name} = ?" for name in values)
    tx.execute(
        f"UPDATE consultation SET {columns} WHERE account = ? AND reference = ?",
        [*values.values(), desk.account.code, reference],
    )


def get(tx: Transaction, account: str, reference: str) -> Row | None:
    """Both halves of it, or None."""
    row: Row | None = tx.execute(f"{_JOINED} WHERE c.account = ? AND c.reference = ?", (account, reference)).fetchone()
    return row


def find(desk: Desk, tx: Transaction, reference: str) -> Row:
    """Both halves of it. Raises Problem 404."""
    row = get(tx, desk.account.code, reference)
    if row is None:
        raise Problem(404, "unknown_booking", "There is no such consultation")
    return row


def find_own(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Row:
    """The same by both references, which have to agree. Raises Problem 404."""
    row = find(desk, tx, wish["reference"])
    if row["our_reference"] != wish["our_reference"]:
        raise Problem(404, "unknown_booking", "There is no such consultation")
    return row


def select(tx: Transaction, condition: str, parameters: tuple[Any, ...]) -> list[Row]:
    """Those that a condition over c (consultation) and b (booking) finds, with its ORDER BY."""
    return tx.execute(f"{_JOINED} WHERE {condition}", parameters).fetchall()


def stamp(desk: Desk) -> str:
    """The present moment as it is written."""
    return desk.ledger.now().isoformat(timespec="milliseconds")
