"""The automatic way: the clock asks the worker who fits best, the next one after a no or a silence, and people once
there is nobody.

It goes through bookings that somebody is to be found for and nobody is asked for. A provider whose workers may all be
asked by its desk alone (`auto` of none) is left to it, until it gets late. Each booking is a transaction of its own: a
process that dies leaves those that it has done, and the next pass finds the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from booking.actors import CLOCK
from booking.escort.assigning.place import WANTED, place, require_wanted
from booking.escort.assigning.refusals import AlreadyAsked, NotToBeEscorted, WorkerUnavailable
from booking.escort.dispatch.nobody import left_alone, nobody_found
from booking.escort.dispatch.search import look_again, look_at
from booking.escort.matching.against import Against
from booking.escort.matching.load import load, match
from booking.escort.matching.match import Match
from booking.escort.matching.plan import plan
from booking.escort.matching.score import Fit
from booking.escort.models import REPLACED, EscortAssignment, EscortSearch, EscortWorker
from booking.models import Booking, ChangeRequest
from booking.proposal import Proposal
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from providers.registry import ADAPTERS, capabilities

log = get_logger(__name__)

TRIES = 3
"""So many are tried in one pass where somebody else has just taken the best one's time."""
AGAIN, AGAIN_SOON = timedelta(minutes=5), timedelta(minutes=1)
"""How often it is looked again where nobody was found: once a minute on the last day."""
LAST_DAY = timedelta(hours=24)
SOON = timedelta(hours=3)
"""What begins within it is not planned with others."""
DESK_IS_LATE = timedelta(hours=3)
"""A firm booking without anybody so long before it begins is brought before people, where the desk finds workers by
itself; at once, where somebody had said yes and does not go."""
ALONE_FOR = timedelta(hours=1)
"""So long after its beginning people are asked about one without anybody; then it is lost (escort.after.lost)."""
ANSWER_IS_LATE = timedelta(hours=1)
"""A request that is left to the desk is brought before people so long before it ends without an answer."""


def find_workers(*, now: datetime, most: int = 500) -> Counter[str]:
    """One pass at `now`, by the database's clock: ask for the bookings that begin first, and bring those before people
    that have begun without anybody. Returns counts."""
    with reading() as session:
        due = session.scalars(_due(now).limit(most)).all()
    planned = _planned(due, now) if len(due) > 1 else {}
    counts = one_by_one(
        "escorts", due, lambda booking_id: _find(booking_id, planned.get(booking_id), now), seconds=RUN_SECONDS
    )
    with reading() as session:
        begun = session.scalars(_begun_alone(now).limit(most)).all()
    return counts + one_by_one("escorts-begun", begun, lambda booking_id: _alone(booking_id, now), seconds=RUN_SECONDS)


def _planned(due: Sequence[int], now: datetime) -> Mapping[int, int]:
    """Whom to ask for which of many bookings, so that as many as can be get somebody: by booking, the worker (internal
    ids). What begins soon is left out: there the way decides. It is a proposal, which each booking's own transaction
    looks at again; should it break, each is matched by itself."""
    try:
        with reading() as session:
            wanted = select(Booking.id).where(Booking.id.in_(due), Booking.starts_at > now + SOON)
            found = load(session, wanted, now=now, auto=True)
            sent = plan(found.requests, found.candidates).sent
            ids = session.execute(select(Booking.public_id, Booking.id).where(Booking.public_id.in_(sent))).all()
    except (OperationalError, InterfaceError):  # the database is away
        raise
    except Exception as broken:
        # the database's errors quote rows: of them the name alone
        trace = not isinstance(broken, SQLAlchemyError)
        log.exception("escorts.not_planned", bookings=len(due), error=type(broken).__name__, exc_info=trace)
        return {}
    return {row.id: sent[row.public_id].worker.id for row in ids}


def in_time(fitting: Sequence[Fit], match_: Match, now: datetime) -> Fit | None:
    """The best of those who can still be there when it begins, by their way from where they are before."""
    return next(
        (each for each in fitting if now + timedelta(seconds=each.travel_seconds) <= match_.request.starts_at), None
    )


def _due(now: datetime) -> Select[int]:
    """Bookings that nobody is asked for, of providers that have workers or had one for it, and that it is time to look
    at; not those whose provider has a system of its own, nor while a cancel or another time waits for an answer. A firm
    one stands at its time while its customer asks for another."""
    proposed = exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open")
    return (
        _without_anybody(now)
        .where(
            Booking.state.in_(WANTED),
            Booking.starts_at > now,
            ~proposed,
            or_(EscortSearch.booking_id.is_(None), EscortSearch.look_at <= now),
        )
        .order_by(Booking.starts_at, Booking.id)
    )


def _begun_alone(now: datetime) -> Select[int]:
    """Firm ones that began a moment ago and that nobody was told of: no pass came in time, or each found somebody whose
    time was taken in that moment."""
    return _without_anybody(now).where(
        Booking.state == BookingState.CONFIRMED,
        Booking.starts_at <= now,
        Booking.starts_at > now - ALONE_FOR,
        EscortSearch.nobody_since.is_(None),
    )


def _without_anybody(now: datetime) -> Select[int]:
    about = EscortAssignment.booking_id == Booking.id
    asked = exists().where(about, EscortAssignment.live)
    leaves = exists().where(
        ChangeRequest.booking_id == Booking.id,
        ChangeRequest.closed_at.is_(None),
        or_(
            and_(ChangeRequest.kind == "cancel", ChangeRequest.state == "open"),
            and_(ChangeRequest.kind == "reschedule", Booking.state == BookingState.AWAITING_PROVIDER),
        ),
    )
    here = [name for name in ADAPTERS if capabilities(name).answers_here]
    return (
        select(Booking.id)
        .outerjoin(EscortSearch, EscortSearch.booking_id == Booking.id)
        .where(
            or_(
                Booking.provider_id.in_(select(EscortWorker.provider_id).where(EscortWorker.ended_at.is_(None))),
                EscortSearch.booking_id.is_not(None),
                exists().where(about),
            ),
            Booking.provider_id.in_(select(Provider.id).where(Provider.adapter.in_(here))),
            Booking.kind.in_(dispatched()),
            Booking.service_date >= (now - timedelta(days=1)).date(),
            ~asked,
            ~leaves,
        )
    )


def _find(booking_id: int, planned: int | None, now: datetime) -> str:
    passed = set[int]()
    try:
        for _try in range(TRIES):
            outcome = _ask(booking_id, planned, passed, now)
            if outcome != "taken_meanwhile":
                break
    except (OperationalError, InterfaceError, Busy):
        raise
    except Exception:
        _look_later(booking_id, now)
        raise
    return outcome


def _alone(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_id)
        if session.scalar(_begun_alone(now).where(Booking.id == booking.id)) is None:
            return "moved_on"
        look_again(session, booking.id, now=now)
        left_alone(session, booking, now=now)
    return "begun"


def _look_later(booking_id: int, now: datetime) -> None:
    """One that breaks has its turn as the others have, so that it keeps nobody waiting."""
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_id)
        require_wanted(session, booking, now=now)
        look_at(session, booking.id, _next_look(booking, now), now=now)


def _ask(booking_id: int, planned: int | None, passed: set[int], now: datetime) -> str:
    """Ask who was planned, else the best who is not among `passed`; one whose time somebody else has just taken is
    added to them."""
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_id)
        try:
            require_wanted(session, booking, now=now)
        except NotToBeEscorted:
            return "not_wanted"
        look_at(session, booking.id, _next_look(booking, now), now=now)
        worker_id, again = planned if planned not in passed else None, False
        if worker_id is None:
            found = match(session, booking.public_id, now=now)
            able = [each for each in found.fitting if each.worker.auto and each.worker.id not in passed]
            best = chosen(able, found, now)
            worker_id = best.worker.id if best is not None else _too_late(session, booking, found, passed)
            again = best is None
            if worker_id is None:
                return _nobody(session, booking, found, now)
        try:
            row = place(session, booking, worker_id, actor=CLOCK, now=now, again=again)
        except WorkerUnavailable:
            passed.add(worker_id)
            return "taken_meanwhile"
        except AlreadyAsked:
            return "asked_meanwhile"
        except NotToBeEscorted:  # too little time is left for an answer
            return _nobody(session, booking, match(session, booking.public_id, now=now), now)
    log.info("escort.asked", booking=booking.public_id, assignment=row.public_id)
    return "asked"


def _too_late(session: Session, booking: Booking, found: Match, passed: set[int]) -> int | None:
    """Who had said yes and was given up for somebody who could be there in time, as the clock did (dispatch.watch):
    where nobody else says yes, she is asked again, once. Better late than nobody."""
    able = {each.id for each, why in found.against if each.auto and why is Against.REPLACED} - passed
    other = aliased(EscortAssignment)
    instead = exists().where(
        other.booking_id == EscortAssignment.booking_id,
        other.asked_by_kind == CLOCK.kind,
        other.asked_at == EscortAssignment.ended_at,
    )
    mine = select(EscortAssignment.worker_id).where(EscortAssignment.booking_id == booking.id)
    late = mine.where(EscortAssignment.state == REPLACED, EscortAssignment.cause == "late", instead)
    often = mine.where(EscortAssignment.worker_id.in_(able)).group_by(EscortAssignment.worker_id)
    return session.scalar(often.where(EscortAssignment.worker_id.in_(late)).having(func.count() == 1).limit(1))


def chosen(fitting: Sequence[Fit], match_: Match, now: datetime) -> Fit | None:
    """The best who can be there in time; where nobody can any more, who has the shortest way."""
    return in_time(fitting, match_, now) or min(fitting, key=lambda each: each.travel_seconds, default=None)


def _nobody(session: Session, booking: Booking, found: Match, now: datetime) -> str:
    """Nobody can be asked by itself. People are asked, unless it is for the desk to find somebody and not late yet; the
    customer is told where the desk can't find anybody either, or it is late."""
    late = _late_for_the_desk(session, booking, now)
    due = booking.answer_due_at if booking.state is BookingState.AWAITING_PROVIDER else None
    ends_soon = due is not None and due - now <= ANSWER_IS_LATE
    if not _automatic(found) and not late and not ends_soon:
        return "left_to_the_desk"
    why: dict[str, Any] = {code.value: number for code, number in found.counts.items()}
    why |= {"in_city": found.in_city, "desk_could_ask": len(found.fitting)}
    new = nobody_found(session, booking, why, customer=late or not found.fitting, now=now)
    return "nobody" if new else "still_nobody"


def _automatic(found: Match) -> bool:
    """Whether any worker of the city may be asked by itself."""
    workers = [*(each.worker for each in found.fitting), *(each for each, _reason in found.against)]
    return any(each.auto for each in workers)


def _late_for_the_desk(session: Session, booking: Booking, now: datetime) -> bool:
    """Of a firm booking: a request has a deadline of its own, which ends it."""
    if booking.state is not BookingState.CONFIRMED or booking.starts_at is None:
        return False
    lost = exists().where(
        EscortAssignment.booking_id == booking.id,
        EscortAssignment.state == REPLACED,
        EscortAssignment.answered_at.is_not(None),
        func.lower(EscortAssignment.period) == booking.starts_at,
    )
    return booking.starts_at - now <= DESK_IS_LATE or session.scalar(select(lost)) is True


def _next_look(booking: Booking, now: datetime) -> datetime:
    soon = booking.starts_at is not None and booking.starts_at - now <= LAST_DAY
    return now + (AGAIN_SOON if soon else AGAIN)
