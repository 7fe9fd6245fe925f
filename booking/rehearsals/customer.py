"""What test customers do in a rehearsal: they book a time that can still be cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.hold.place import HoldRequest, hold
from booking.hold.submit import NotHeld, submit
from booking.idempotency import Repeatable, earlier
from booking.offers.bookable import Rule
from booking.refusals import AlreadyBooked, SlotFull, TooManyHeld
from booking.twins.customers import StandIn, customers
from booking.twins.place import request_for_test
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound, Refusal
from vip.entitlements.ledger import EntitlementExhausted

MOST_SLOTS = 10
"""So many times are tried, the earliest first, where a test customer has another booking at the first one."""
LEFT = timedelta(hours=3)
"""So long before the customer can't cancel any more a test booking is made: longer than any rehearsal takes."""


class NoPlaceToTry(Refusal):
    """The offer has no free place that could be booked and cancelled again: publish some first."""

    code = "no_place_to_try"
    field = "offer"


def book_as_customer(twin_id: int, offer: str, *, key: str, number: int, now: datetime) -> str:
    """A test customer books the offer (a public id) at the first time that she can still cancel for long enough; the
    booking's public id. With the same `key` it is made once. The test customers take turns by `number`; where one can't
    book a time, the next one tries, and then the next time.

    Raises NotFound, NoPlaceToTry, and what refused the one whose turn it was where nobody can book: AlreadyBooked then
    says `customer`, her number.
    """
    people = customers(twin_id)
    if not people:
        raise NotFound(field="customer")
    first = (number - 1) % len(people)
    turns = _who_began(people, key) or [*people[first:], *people[:first]]
    refused: Refusal | None = None
    for slot in _slots(twin_id, offer, now):
        for who in turns:
            try:
                return _book(who, request_for_test(twin_id, offer, slot, who.person), key, now)
            except AlreadyBooked as busy:
                refused = refused or AlreadyBooked(**busy.facts, customer=who.number)
            except (EntitlementExhausted, TooManyHeld, SlotFull) as none_left:
                refused = refused or none_left
    raise refused or NoPlaceToTry()


def _book(who: StandIn, request: HoldRequest, key: str, now: datetime) -> str:
    held = hold(who.principal, request, key=key, fingerprint=b"", now=now)
    try:
        submit(who.principal, held.public_id, now=now)
    except NotHeld:
        if not held.replayed:
            raise
    return held.public_id


def _who_began(people: Sequence[StandIn], key: str) -> list[StandIn]:
    """Who has made the booking with this key before, if anybody: she alone is given it again."""
    with reading() as session:
        return [who for who in people if _made(session, who, key)]


def _made(session: Session, who: StandIn, key: str) -> bool:
    return earlier(session, Repeatable(who.principal.public_id, key, b"")) is not None


_NOW = "CAST(:now AS timestamptz)"
_RULE = Rule("s", "o", "si", _NOW, "CAST(:twin AS bigint)")
_FIRST = text(
    f"""
    SELECT s.public_id FROM offer o {at_place("o", "si")} JOIN slot s ON s.pool_id = o.pool_id
     WHERE o.provider_id = :twin AND o.public_id = :offer AND {_RULE.allows()}
       AND {_RULE.starts_at} - o.cancel_hours * interval '1 hour' > {_NOW} + CAST(:left AS interval)
     ORDER BY {_RULE.starts_at}, s.id LIMIT :most
    """
)


def _slots(twin_id: int, offer: str, now: datetime) -> list[str]:
    """The first slots that can be booked, and cancelled for long enough."""
    with reading() as session:
        wanted = {"twin": twin_id, "offer": offer, "now": now, "left": LEFT, "most": MOST_SLOTS}
        return [str(each) for each in session.scalars(_FIRST, wanted)]
