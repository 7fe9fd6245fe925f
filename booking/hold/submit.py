"""The customer submits a held booking: it goes to the provider, or is firm at once where places were allotted.

One statement, as for the hold: the SQL function `submit_booking` writes what `transition.move` would, and the same
round trip brings what the answer contains.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.eligibility.entitled import firm_at_once
from booking.models import Booking, BookingHistory
from booking.notices.kinds import rule_of
from booking.ownership import customer_of
from booking.states import SUBMITTED, BookingState
from booking.transition import move
from marketplace.catalog.models import Provider
from marketplace.catalog.one_place.sql import placed
from marketplace.core.database.db import statements
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)


class HoldExpired(Refusal):
    """The time to submit is over; place and unit were given back (or will be in a moment)."""

    code = "hold_expired"


class NotHeld(Refusal):
    """Only a held booking can be submitted; `state` says what it is now."""

    code = "not_held"


@dataclass(frozen=True)
class Submitted:
    """A booking as its submission left it, with what a page shows beside it. The rows belong to no session, and hold
    what an answer needs. `history` is whole: the hold and the submission."""

    booking: Booking
    beneficiary: Beneficiary
    entitlement: str
    no_show_uses: bool
    longitude: float | None
    latitude: float | None
    allotment: bool
    answer_hours: int
    history: tuple[BookingHistory, BookingHistory]


_ANSWERED = (
    "public_id",
    "reference",
    "version",
    "kind",
    "service_date",
    "starts_at",
    "ends_at",
    "time_zone",
    "hold_expires_at",
    "answer_due_at",
    "cause",
    "price_minor",
    "currency",
    "snapshot",
    "report_state",
    "report_due_at",
    "created_at",
    "updated_at",
)
"""Columns of the booking that an answer contains, besides its state."""

# What is joined to the booking is read as it was when the statement began: none of it is changed by a submission.
_SUBMIT = f"""
    SELECT done.moved, (done.result).state, {", ".join(f"(done.result).{name}" for name in _ANSWERED)},
           b.public_id AS beneficiary, b.name, b.relation, e.public_id AS entitlement, e.no_show_uses,
           s.longitude, s.latitude, p.allotment, p.answer_hours,
           h.at AS held_at, h.actor_kind AS held_as, h.cause AS held_cause
      FROM submit_booking(%(now)s, %(customer)s, %(booking)s, %(actor)s,
                          %(task)s, %(key)s, %(notice)s, %(channels)s, %(deliveries)s) AS done
      LEFT JOIN beneficiary b ON b.id = (done.result).beneficiary_id
      LEFT JOIN entitlement e ON e.id = (done.result).entitlement_id
      LEFT JOIN offer o ON o.id = (done.result).offer_id
      {placed("coalesce((done.result).venue_id, o.site_id)", "s", outer=True)}
      LEFT JOIN provider p ON p.id = (done.result).provider_id
      LEFT JOIN LATERAL (SELECT * FROM booking_history h
                          WHERE h.booking_id = (done.result).id ORDER BY h.version LIMIT 1) AS h ON true
"""


def submit(principal: Principal, public_id: str, *, now: datetime) -> Submitted | None:
    """Submit the booking. Asking again after it was submitted changes nothing and succeeds, and returns None: by then
    it may have moved on. None also where more than the hold was written of it before: this knows those two lines only.

    Raises NotFound, HoldExpired, NotHeld, Busy.
    """
    channels = list(rule_of("confirmed").channels)
    values = {
        "now": now,
        "customer": customer_of(principal),
        "booking": public_id,
        "actor": principal.public_id,
        "task": new_id("tsk"),
        "key": str(uuid.uuid4()),
        "notice": new_id("ntf"),
        "channels": channels,
        "deliveries": [new_id("ntd") for _ in channels],
    }
    with statements() as cursor:
        row = cursor.execute(_SUBMIT, values, prepare=True).fetchone()
    if row is None or row.state is None:
        raise NotFound(field="booking_id")
    state = BookingState(row.state)
    if not row.moved:
        _check_submitted(state)
        return None
    log.info("booking.submitted", booking=public_id)
    return _submitted(row, state, now) if row.version == 2 else None


def _check_submitted(state: BookingState) -> None:
    """Nothing was moved: it had been submitted before, or it cannot be any more. Raises HoldExpired, NotHeld."""
    if state in SUBMITTED:
        return
    if state in (BookingState.HELD, BookingState.EXPIRED):  # held, and its time is over: not swept yet
        raise HoldExpired()
    raise NotHeld(state=state.value)


def _submitted(row: Any, state: BookingState, now: datetime) -> Submitted:
    return Submitted(
        booking=Booking(state=state, **{name: getattr(row, name) for name in _ANSWERED}),
        beneficiary=Beneficiary(public_id=row.beneficiary, name=row.name, relation=row.relation),
        entitlement=row.entitlement,
        no_show_uses=row.no_show_uses,
        longitude=row.longitude,
        latitude=row.latitude,
        allotment=firm_at_once(row.snapshot, row.allotment),
        answer_hours=row.answer_hours,
        history=(
            BookingHistory(
                at=row.held_at, to_state="held", actor_kind=row.held_as, cause=row.held_cause, version=1, facts={}
            ),
            BookingHistory(at=now, to_state=state.value, actor_kind="customer", cause=row.cause, version=2, facts={}),
        ),
    )


def submit_for(session: Session, booking: Booking, *, actor: Actor, cause: str, now: datetime) -> None:
    """`submit` as part of the caller's transaction, for a locked booking that is held, recorded as `actor`'s doing and
    with a `cause` of its own."""
    allotment = session.scalar(select(Provider.allotment).where(Provider.id == booking.provider_id))
    firm = firm_at_once(booking.snapshot, bool(allotment))
    to = BookingState.CONFIRMED if firm else BookingState.AWAITING_PROVIDER
    move(session, booking, to, actor=actor, now=now, cause=cause)
