"""Another time that the provider proposes for a booking: made, taken back, declined, or over by the clock.

Any other change of the booking ends it too (see bookings.write); accepting it is a change to its slot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from providers.sandbox import slots
from providers.sandbox.bookings import (
    CANCELLABLE,
    Desk,
    Reply,
    announce,
    end_proposal,
    find,
    find_own,
    once,
    plan,
    shown,
    write,
)
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

LONGEST = 30 * 86400.0


def propose(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Row:
    """Propose `slot` for the booking, to be answered within `seconds` (a day); `reason` in the provider's words.
    Raises Problem: 404 unknown booking or slot, 409 when the booking is past that, 422."""
    row = find(desk, tx, reference)
    if row["status"] not in CANCELLABLE or not row["slot"]:
        raise Problem(409, "wrong_state", f"No time can be proposed for a booking that is {row['status']}")
    seconds = wish.get("seconds", 86400)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST:
        raise Problem(422, "invalid", "seconds is a number above 0, of 30 days at most")
    found = slots.find(tx, desk.account.code, str(wish.get("slot", "")), desk.ledger.now())
    if found is None:
        raise Problem(404, "unknown_slot", "There is no such slot")
    slot = found[1]
    proposal = {
        "slot": slot.slot,
        "service_date": slot.service_date,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "expires_at": (desk.ledger.now() + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"),
        "reason": str(wish.get("reason", "")),
    }
    row = write(desk, tx, reference, {"proposal": json.dumps(proposal, ensure_ascii=False)})
    announce(desk, tx, "booking.time_proposed", row)
    plan(desk, tx, reference, "end_proposal", seconds)
    return row


def withdraw_proposal(desk: Desk, tx: Transaction, reference: str) -> Row:
    """Take the proposal back; nothing if there is none. Raises Problem 404."""
    row = find(desk, tx, reference)
    return row if row["proposal"] is None else end_proposal(desk, tx, reference)


def decline(desk: Desk, key: str, reference: str, wish: Mapping[str, Any]) -> Reply:
    """The customer does not want it. What is over already, or another one by now, is left as it is."""
    return once(desk, key, {"decline": wish, "reference": reference}, lambda tx: _decline(desk, tx, reference, wish))


def _decline(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Reply:
    row = find_own(desk, tx, {**wish, "reference": reference})
    if row["proposal"] is not None and json.loads(row["proposal"])["slot"] == wish["slot"]:
        row = end_proposal(desk, tx, reference)
    return Reply(200, shown(row), reference)
