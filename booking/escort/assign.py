"""Asking a worker to go with a booking's person, her answer, and somebody else instead of her.

Whoever changes what a worker does locks the booking, then her row, and looks only then (`place`, `ending`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor, speak_for_provider
from booking.escort import known_by
from booking.escort.assigning.ending import end, lock_assignment
from booking.escort.assigning.place import place, require_able, require_wanted
from booking.escort.assigning.refusals import NotToBeEscorted
from booking.escort.assigning.told import notify_accepted, tell_desk
from booking.escort.dispatch.nobody import somebody_goes
from booking.escort.dispatch.steps import has_met
from booking.escort.models import (
    ACCEPTED,
    ASKED,
    DECLINED,
    DONE,
    EXPIRED,
    LIVE,
    REPLACED,
    EscortAssignment,
    EscortWorker,
    asked_here,
)
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.said_here import SaidHere
from booking.models import Booking, ProviderTask
from booking.notices.notify import said_with_another
from booking.ownership import providers_booking_id
from booking.states import AT_PROVIDER
from booking.transition import lock_booking, touch
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.logging import get_logger
from vip.models import Operator

log = get_logger(__name__)


class AskIsOver(Refusal):
    """She is not asked any more; `state` says what became of it: she or somebody else answered, it was too late for an
    answer, or the booking ended."""

    code = "escort_ask_is_over"


class NobodyAssigned(Refusal):
    """Nobody is asked for this booking who could be replaced."""

    code = "nobody_assigned"


@dataclass(frozen=True)
class Assigned:
    """Who goes, or is asked to (`assignment.state`). `safe_word` is two Chinese characters and `pinyin` how they are
    said; blank once they are forgotten."""

    assignment: EscortAssignment
    worker: EscortWorker
    starts_at: datetime
    ends_at: datetime
    safe_word: str
    pinyin: str


def ask(provider_id: int, booking: str, worker: str, *, actor: Actor, now: When) -> str:
    """Ask a worker (public id) of the provider to go with the person of a booking (public id). Returns the public id of
    the assignment. Who asks may pass over the roster, what the customer wished, and what the worker said before; not
    what makes it impossible. It may have begun: she goes for what is left of it.

    Raises NotFound(field="booking_id" or "worker"), NotToBeEscorted, AlreadyAsked, WorkerUnavailable.
    """
    with transaction() as session:
        locked, _tasks = lock_booking(session, providers_booking_id(session, provider_id, booking))
        at = moment(session, now)
        require_wanted(session, locked, now=at, still=True)
        row = place(session, locked, _workers_id(session, provider_id, worker), actor=actor, now=at)
    log.info("escort.asked", booking=booking, assignment=row.public_id)
    return row.public_id


def accept(worker_id: int, assignment: str, *, now: When, member: str = "") -> None:
    """The worker (internal id) says yes to an assignment (public id) of hers; again changes nothing. A booking that
    waits for its provider is confirmed by it: it is the provider's word. `member`: the public id of the member of the
    desk who says it for her, blank where she does.

    Raises NotFound, AskIsOver, NotToBeEscorted, WorkerUnavailable (she is absent meanwhile, has left, or her papers
    were taken back).
    """
    with transaction() as session:
        booking, tasks, worker, asked = lock_assignment(session, _own_id(session, worker_id, assignment))
        at = moment(session, now)
        if asked.state == ACCEPTED:
            return
        if asked.state != ASKED or at >= asked.answer_due_at:
            raise AskIsOver(state=EXPIRED if asked.state == ASKED else asked.state)
        require_wanted(session, booking, now=at, still=True)
        require_able(session, booking, worker, now=at)
        asked.state, asked.answered_at = ACCEPTED, at
        session.flush()
        speak_for_provider(session, member or _member(session, worker))
        confirmed = _confirm(session, booking, tasks, now=at)
        somebody_goes(session, booking, now=at)
        notify_accepted(session, booking, asked, confirmed=confirmed, now=at)
        tell_desk(session, worker, asked, now=at)
    log.info("escort.accepted", booking=booking.public_id, assignment=assignment)


def decline(worker_id: int, assignment: str, *, now: When) -> None:
    """The worker says no to an assignment that she was asked for; again changes nothing. The clock asks the next one.
    Raises NotFound, AskIsOver (whoever has said yes is replaced by the desk)."""
    with transaction() as session:
        booking, _tasks, worker, row = lock_assignment(session, _own_id(session, worker_id, assignment))
        if row.state == DECLINED:
            return
        if row.state != ASKED:
            raise AskIsOver(state=row.state)
        at = moment(session, now)
        row.answered_at = at
        end(session, booking, worker, row, DECLINED, "declined", now=at)
    log.info("escort.declined", booking=booking.public_id, assignment=assignment)


def replace(
    provider_id: int,
    booking: str,
    cause: str,
    *,
    actor: Actor,
    now: When,
    assignment: str | None = None,
    unless_met: bool = False,
) -> None:
    """End the live assignment of a booking (public id), for `cause`: ill, late or desk. The clock looks for somebody
    else at once; the customer is told who it is when that one has said yes. Once it has begun the desk finds somebody,
    and it and the customer are told. One whom the provider's own system sends is replaced there. With `assignment`
    (public id), only where it is that one still; `unless_met`: not where she has met the person. Raises
    NotFound(field="booking_id"), NobodyAssigned."""
    with transaction() as session:
        live = select(EscortAssignment.id).where(
            EscortAssignment.booking_id == providers_booking_id(session, provider_id, booking),
            EscortAssignment.live,
            ~EscortAssignment.outside,
        )
        row_id = session.scalar(live)
        if row_id is None:
            raise NobodyAssigned()
        locked, _tasks, worker, row = lock_assignment(session, row_id)
        if row.state not in LIVE or assignment not in (None, row.public_id):
            raise NobodyAssigned()
        if unless_met and has_met(session, row.id):
            raise NobodyAssigned()
        end(session, locked, worker, row, REPLACED, cause, now=moment(session, now))
    log.info("escort.replaced", booking=booking, cause=cause, by=actor.id)


def assigned(session: Session, booking_id: int) -> Assigned | None:
    """Who is asked or goes with the person of a booking (internal id), or has gone; None where nobody is. Those who
    declined, did not answer or were replaced are not named."""
    found = session.execute(
        select(EscortAssignment, EscortWorker)
        .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .where(EscortAssignment.booking_id == booking_id, EscortAssignment.state.in_((*LIVE, DONE)))
        .order_by(EscortAssignment.live.desc(), EscortAssignment.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    row: EscortAssignment = found.EscortAssignment
    starts_at, ends_at = row.period.lower, row.period.upper
    if starts_at is None or ends_at is None:
        raise ValueError("a service without an end")
    said = known_by.safe_word(session, row)
    word, pinyin = ("", "") if said is None else (said.word, said.pinyin)
    return Assigned(row, found.EscortWorker, starts_at, ends_at, word, pinyin)


def code_of(session: Session, assignment_id: int) -> str | None:
    """The customer's code of an assignment (internal id), four digits, for the customer's page and for comparing; the
    worker is never shown it. None once it is forgotten."""
    return known_by.code(session, session.get_one(EscortAssignment, assignment_id))


def _confirm(session: Session, booking: Booking, tasks: list[ProviderTask], *, now: datetime) -> bool:
    """What she says is her provider's yes; whether it was needed. A firm booking shows anew who comes. The customer is
    told by one notice, who comes."""
    if booking.state in AT_PROVIDER:
        touch(booking, now=now)
        return False
    said = SaidHere(session, booking, tasks, ProviderBookings(session, booking), now)
    with said_with_another(session, "confirmed"):
        said.tell(said.as_reported("confirmed"))
    if booking.state not in AT_PROVIDER:
        raise NotToBeEscorted(reason="over")
    return True


def _member(session: Session, worker: EscortWorker) -> str:
    """Who she is at the desk; by her own public id where she is nobody there."""
    known = select(Operator.public_id).where(Operator.id == worker.member_id)
    return session.scalar(known) or worker.public_id


def _workers_id(session: Session, provider_id: int, worker: str) -> int:
    """Internal id of a worker of the provider. Raises NotFound(field="worker")."""
    found = session.scalar(
        select(EscortWorker.id).where(
            EscortWorker.public_id == worker, EscortWorker.provider_id == provider_id, asked_here()
        )
    )
    if found is None:
        raise NotFound(field="worker")
    return found


def _own_id(session: Session, worker_id: int, assignment: str) -> int:
    """Internal id of an assignment of the worker. Raises NotFound(field="assignment")."""
    found = session.scalar(
        select(EscortAssignment.id).where(
            EscortAssignment.public_id == assignment, EscortAssignment.worker_id == worker_id
        )
    )
    if found is None:
        raise NotFound(field="assignment")
    return found
