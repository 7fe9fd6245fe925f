"""Take the place: the SQL function `hold_booking`, asked once, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError

from booking.capacity.occupied import occupying
from booking.hold.agreement import with_agreement
from booking.offers.bookable import NO_PLACE, check_bookable, judge
from booking.refusals import AlreadyBooked, SlotFull, SlotMoved, TooManyHeld
from marketplace.core.database import db
from marketplace.core.errors import IdempotencyKeyReused, NotFound
from vip.entitlements.ledger import EntitlementExhausted

HOLD = timedelta(minutes=10)
MOST_HELD = 10
"""Places held for one customer at a time; hold_booking.sql counts them."""

_CALL = """
    SELECT outcome, booking FROM hold_booking(
      %(now)s, %(insurer)s, %(customer)s, %(beneficiary)s, CAST(%(entitlements)s AS bigint[]), %(offer)s, %(provider)s,
      %(kind)s, %(slot)s, %(slot_starts)s, %(public_id)s, %(reference)s, %(service_date)s, %(ends)s, %(time_zone)s,
      tstzrange(%(from)s, %(until)s), %(hold_expires)s, %(price)s, %(currency)s, CAST(%(snapshot)s AS jsonb),
      %(details)s, %(actor_kind)s, %(actor)s, %(scope)s, %(key)s, %(fingerprint)s, %(most_held)s,
      %(venue)s, %(consent)s, %(consent_id)s)
"""

_CALL_AGREED = with_agreement(_CALL)

_KNOWN_KEY = """
    SELECT fingerprint, resource, created_at FROM idempotency_key WHERE scope = %(scope)s AND key = %(key)s
"""


@dataclass(frozen=True)
class Held:
    """A place kept until `expires_at`. `replayed` when the idempotency key had made this booking before; then that is
    what it was kept until at first."""

    public_id: str
    expires_at: datetime
    replayed: bool


@dataclass(frozen=True)
class Repeat:
    """What makes a hold repeatable: the caller's key, and the hash of what she sent with it."""

    key: str
    fingerprint: bytes


def take(ask: db.Ask, values: Mapping[str, Any], repeat: Repeat) -> Held:
    """Run the function with its arguments. A rival may take the last unit of the entitlement it chose while another
    still has some: then it is asked again, at most once per entitlement; without any it is not asked at all."""
    entitlements = values["entitlements"]
    # As PostgreSQL reads it: the driver's way with a list takes as long as ten other values.
    sent = {**values, "entitlements": "{" + ",".join(map(str, entitlements)) + "}"}
    for left in range(len(entitlements) - 1, -1, -1):
        try:
            rows = ask(_CALL_AGREED if values["consent"] else _CALL, sent)
        except DBAPIError as failed:
            reason = db.violated(failed)
            if reason == "entitlement_exhausted" and left:
                continue
            if reason == "ex_booking_one_place_at_a_time":
                raise AlreadyBooked(**_in_the_way(ask, values)) from failed
            if reason in ("slot_full", "ck_slot_taken"):
                _refuse_place(ask, values, failed)
            _refuse(reason, failed)
        if rows and rows[0].outcome == "replayed":
            known = made_before(ask, values["scope"], repeat)
            if known is not None:
                return known
        elif rows:
            return Held(rows[0].booking, values["hold_expires"], replayed=False)
    raise EntitlementExhausted()


def _in_the_way(ask: db.Ask, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return occupying(
        ask, customer=values["customer"], person=values["beneficiary"], starts=values["from"], ends=values["until"]
    )


def _refuse_place(ask: db.Ask, values: Mapping[str, Any], failed: DBAPIError) -> NoReturn:
    """No place was left when it was taken: the last one had gone, or the slot had been closed since it was read."""
    found = judge(ask, slot_id=values["slot"], offer_id=values["offer"], now=values["now"])
    if found.reason not in NO_PLACE:
        check_bookable(found)
    raise SlotFull(starts_at=found.starts_at, service_date=found.service_date.isoformat()) from failed


def _refuse(reason: str | None, failed: DBAPIError) -> NoReturn:
    match reason:
        case "entitlement_exhausted" | "ck_entitlement_not_negative" | "ck_entitlement_balance":
            raise EntitlementExhausted() from failed
        case "too_many_held":
            raise TooManyHeld(most=MOST_HELD) from failed
        case "idempotency_key_reused":
            raise IdempotencyKeyReused() from failed
        case "beneficiary_gone":
            raise NotFound(field="beneficiary_id") from failed
        case "slot_moved":
            raise SlotMoved() from failed
    raise failed


def made_before(ask: db.Ask, scope: str, repeat: Repeat) -> Held | None:
    """What an earlier request with this key made, None if there was none. Raises IdempotencyKeyReused."""
    found = ask(_KNOWN_KEY, {"scope": scope, "key": repeat.key})
    if not found:
        return None
    if found[0].fingerprint != repeat.fingerprint:
        raise IdempotencyKeyReused()
    return Held(found[0].resource, found[0].created_at + HOLD, replayed=True)
