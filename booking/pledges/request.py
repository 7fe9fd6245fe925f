"""The pledge that a request is answered by its deadline, for kinds that promise it: begun with the request, met by the
provider's word (another time that it proposes is one), ended by the customer's own, broken by the clock.

The request itself ends at the same deadline (booking.exchange): its unit goes back and its customer is told, with the
nearest other times, by that; so a broken pledge says nothing of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.models import Booking
from booking.pledges.models import REQUEST_ANSWER
from booking.pledges.pledge import Promise, Subject, begin, cancel, meet
from marketplace.catalog.kinds import kind

SUBJECT = "booking"
_ANSWERING = ("provider", "system")
"""Actors whose move out of waiting is an answer: the provider, or what settles what its system said."""


def pledged(code: str) -> dict[str, Any]:
    """What a booking's snapshot says of it, of a kind by its code: nothing where nothing is promised."""
    return {"pledge": {"units": 0}} if kind(code).traits.answer_pledged else {}


def begin_request(session: Session, booking: Booking, *, now: datetime) -> None:
    """Begin it for a booking that has just been sent to its provider (booking/hold/submit_booking.sql does the same).
    Nothing where nothing was promised, or less than a second is left."""
    promised = booking.snapshot.get("pledge")
    if promised is None or booking.answer_due_at is None:
        return
    seconds = int((booking.answer_due_at - now).total_seconds())
    if seconds >= 1:
        promise = Promise(REQUEST_ANSWER, seconds, int(promised["units"]))
        begin(session, promise, Subject(SUBJECT, booking.public_id), booking, now=now)


def end_request(session: Session, booking: Booking, *, actor: Actor, now: datetime) -> None:
    """End it for a locked booking that no longer waits for its provider; or whose provider proposed another time."""
    if "pledge" not in booking.snapshot:
        return
    if actor.kind in _ANSWERING:
        meet(session, REQUEST_ANSWER, Subject(SUBJECT, booking.public_id), now=now)
    else:
        cancel(session, booking, now=now)
