"""Escorts that don't take place because nobody came: the benefit is given back with the plan's grace, the customer is
told, with the nearest other times, and a person calls her. She is never the one who missed them.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, Select, and_, case, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from booking.actors import CLOCK, Actor
from booking.attendance import no_show
from booking.attendance.complained import has_complaint
from booking.attendance.early import has_early_status
from booking.discrepancies import Discrepancy, may_be_unreadable, open_discrepancy
from booking.escort.evidence.counting import WITH_THE_PERSON, counted
from booking.escort.evidence.kinds import ENDING
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import EscortAssignment, EscortSearch, EscortWorker
from booking.exchange.follow import go_to
from booking.listening import has_gaps, not_read_since, read_since, told_by_lines
from booking.models import Booking, ChangeRequest
from booking.outbox import enqueue
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import answering_here

log = get_logger(__name__)
_S = BookingState

LOST_AFTER = timedelta(hours=1)
"""So long after it was to begin an escort to which nobody is assigned does not take place any more."""
UNHEARD_FOR = timedelta(hours=24)
"""So long a list is waited for that can't be read after the moment that decides; then a person asks."""
CAUSE = "nobody_came"
"""Nobody of the provider's came; its customer had a confirmed date."""
_MET = WITH_THE_PERSON | ENDING
"""Deeds of which one was done with the person; where one that ends it is among them, its customer is asked."""
LOST = "escort_lost"
"""The kind of the case that nobody is known to have come. Facts: `cancelled`, whether the booking was; else it is for a
person to find out whether somebody went: where the desk chooses workers by itself it may send one by telephone, and
where a line of a provider's own system could not be used it may be the one that says so."""
CAME_AFTER_ALL = "escort_came_after_all"
"""The kind of the case of a booking that was cancelled as nobody came, and of which a phone without a network told
later that they had met: the service was given, the unit was given back."""


def somebody_was_to_come() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) our books say who was to come to it, or that somebody was looked for: then they say
    who was missed, too, and not a provider's silence. Of a provider whose own system sends people they do where what
    it says of them could be read."""
    this_time = func.lower(EscortAssignment.period) == Booking.starts_at
    here = and_(
        exists().where(Provider.id == Booking.provider_id, Provider.adapter.in_(answering_here())).correlate(Booking),
        or_(
            exists().where(EscortAssignment.booking_id == Booking.id, this_time),
            exists().where(EscortSearch.booking_id == Booking.id),
        ),
    )
    return and_(Booking.kind.in_(dispatched()), or_(here, told_by_lines()))


def end_lost(*, now: datetime, limit: int = 100) -> dict[str, int]:
    """End the confirmed escorts that did not take place; returns counts. To which nobody is assigned LOST_AFTER their
    beginning: lost. Of which nothing was heard until a no-show is called: lost as well, unless she had arrived and did
    not meet the person, who is a no-show then. What a change or a cancel is asked of waits for the answer, what the
    customer complains of or its provider's books leave open for a person."""
    with reading() as session:
        due = session.scalars(_did_not_take_place(now).order_by(Booking.service_date, Booking.id).limit(limit)).all()
    return dict(one_by_one("escorts_lost", due, lambda booking_id: _end(booking_id, now)))


def give_back(session: Session, booking: Booking, actor: Actor, *, now: datetime) -> bool:
    """A locked booking does not take place, as nobody came: its unit is given back with the plan's grace, its customer
    told with other times, and nothing of it stands at the provider. False where it can't end like that."""
    if not go_to(session, booking, _S.CANCELLED, actor, CAUSE, now):
        return False
    enqueue(session, booking, "cancel", now=now, facts={"compensating": True, "reason": CAUSE})
    return True


def came_after_all(session: Session, booking: Booking, kinds: Set[str], *, now: datetime) -> bool:
    """Bring a locked booking before a person of which a worker tells these kinds of deeds, if it was cancelled as
    nobody came and they say that the person was met, or that it was handed over and signed; returns whether that is
    new."""
    met = kinds & WITH_THE_PERSON or kinds >= ENDING
    if booking.state is not _S.CANCELLED or booking.cause != CAUSE or not met:
        return False
    return open_discrepancy(
        session, booking.provider_id, CAME_AFTER_ALL, booking.public_id, now=now, booking_id=booking.id
    )


def _did_not_take_place(now: datetime) -> Select[int]:
    begins, assigned, decides = _begins(), _assigned(), _decides_at()
    known = exists().where(  # of this time, also where the person has closed it
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == LOST, Discrepancy.opened_at >= begins
    )
    return (
        select(Booking.id)
        .join(Provider, Provider.id == Booking.provider_id)
        .where(
            Booking.state == _S.CONFIRMED,
            Booking.service_date <= now.date() + timedelta(days=1),
            begins <= now - LOST_AFTER,
            # Her phone may be without a network: what she does is told later.
            or_(~assigned, no_show.no_show_after_sql() <= now),
            somebody_was_to_come(),
            or_(
                ~told_by_lines(),
                read_since(decides),
                and_(not_read_since(decides), decides <= now - UNHEARD_FOR),
            ),
            ~exists().where(ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open"),
            ~counted(_MET).exists(),
            ~has_complaint(),
            ~has_early_status(),
            ~may_be_unreadable(),
            ~known,
        )
    )


def _begins() -> ColumnElement[datetime]:
    midnight = func.timezone(Booking.time_zone, cast(Booking.service_date, DateTime))
    return func.coalesce(Booking.starts_at, midnight)


def _assigned() -> ColumnElement[bool]:
    return exists().where(EscortAssignment.booking_id == Booking.id, EscortAssignment.live)


def _decides_at() -> ColumnElement[datetime]:
    """When (SQL, of a Booking) it is decided that nobody came."""
    return case((_assigned(), no_show.no_show_after_sql()), else_=_begins() + LOST_AFTER)


def _end(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        verdict = _verdict(session, booking, now)
        if verdict == "no_show":
            move(session, booking, _S.NO_SHOW, actor=CLOCK, now=now, cause=no_show.CAUSE)
        elif verdict == "lost" and not give_back(session, booking, CLOCK, now=now):
            return "waits"
        if verdict in ("lost", "for_a_person"):
            facts = {"cancelled": verdict == "lost"}
            open_discrepancy(
                session, booking.provider_id, LOST, booking.public_id, now=now, booking_id=booking.id, facts=facts
            )
    if verdict != "waits":
        log.info("escort.did_not_take_place", booking=booking.public_id, verdict=verdict)
    return verdict


def _verdict(session: Session, booking: Booking, now: datetime) -> str:
    """lost, no_show, for_a_person, or waits: of a locked booking."""
    if session.scalar(_did_not_take_place(now).where(Booking.id == booking.id)) is None:
        return "waits"  # it moved meanwhile
    arrived, by_itself, outside, unheard = session.execute(
        select(
            stood_there().exists(),
            exists().where(
                EscortWorker.provider_id == booking.provider_id, EscortWorker.ended_at.is_(None), EscortWorker.auto
            ),
            told_by_lines(),
            not_read_since(_decides_at()),
        ).where(Booking.id == booking.id)
    ).one()
    if unheard or (outside and has_gaps(session, booking)):
        return "for_a_person"
    if arrived:
        return "no_show"
    return "lost" if outside or by_itself else "for_a_person"


def stood_there() -> Select[int]:
    """The arrivals (SQL, of a Booking) of who goes, where her phone does not say that she was elsewhere."""
    there = or_(EscortDeed.by_code, EscortDeed.position.is_distinct_from("away"))
    return counted({"arrived"}).where(EscortAssignment.live, there)
