"""Who was asked for a booking, and what the desk does to that: a yes by telephone written down, somebody taken off.

Each names the assignment that its form showed, so that a second click, or a page that is old, does nothing to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.escort.assign import AskIsOver, NobodyAssigned, accept, ask, replace
from booking.escort.models import ACCEPTED, ASKED, LIVE, EscortAssignment, EscortLetter, EscortWorker
from booking.exchange.said_here import answers_here
from booking.models import Booking
from booking.ownership import providers_booking_id
from marketplace.core.database.db import reading
from marketplace.core.database.moment import When
from marketplace.core.errors import Invalid, NotFound
from providers.staff.duties import require
from vip.principal import Member

CAUSES = ("desk", "ill", "late")
"""Why the desk takes a worker off a booking."""


Told = Literal["no_phone", "waits", "sent", "failed", ""]
"""What became of the message that she is asked: she has no phone, it is still to be sent, it was handed to the gateway,
it could not be. Blank where none was meant for her: in test mode, or her phone was written down later."""


@dataclass(frozen=True)
class Ask:
    """A worker was asked, by the public id of the assignment. `state` and `cause` say what became of it; `by_desk`: a
    person asked her, else the clock did; or nobody, where the provider's own system named her (`outside`). `told` is
    of who is asked."""

    id: str
    worker: str
    name: str
    staff_number: str
    state: str
    cause: str
    live: bool
    accepted: bool
    asked_at: datetime
    due_at: datetime
    ended_at: datetime | None
    by_desk: bool
    outside: bool = False
    told: Told = ""


def asks_of(member: Member, booking: str) -> Sequence[Ask]:
    """All of a booking of her provider's (public id), the newest first. Raises NotFound."""
    require(member, "dispatch")
    with reading() as session:
        rows = session.execute(
            select(EscortAssignment, EscortWorker, EscortLetter)
            .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
            .outerjoin(
                EscortLetter, and_(EscortLetter.assignment_id == EscortAssignment.id, EscortLetter.what == ASKED)
            )
            .where(EscortAssignment.booking_id == providers_booking_id(session, member.provider_id, booking))
            .order_by(EscortAssignment.live.desc(), EscortAssignment.id.desc())
        )
        return [_ask(*row) for row in rows]


def sent_elsewhere(member: Member) -> bool:
    """Whether her provider's own system sends people and says who goes: then nobody is asked here."""
    with reading() as session:
        return not answers_here(session, member.provider_id)


def ask_worker(member: Member, booking: str, worker: str, *, now: When) -> None:
    """Ask a worker (public id); who is asked for it already is not asked again. Raises as assign.ask()."""
    require(member, "dispatch")
    if not worker:
        raise Invalid(field="worker", reason="required")
    if any(each.live and each.worker == worker for each in asks_of(member, booking)):
        return
    ask(member.provider_id, booking, worker, actor=Actor("provider", member.public_id), now=now)


def accept_by_phone(manager: Member, booking: str, assignment: str, *, now: When) -> None:
    """The worker has said yes to a manager, who writes it down as hers. Again changes nothing. Raises NotFound without
    the duty, and as assign.accept()."""
    require(manager, "team")
    with reading() as session:
        row = _one(session, manager, booking, assignment)
    accept(row.worker_id, assignment, now=now, member=manager.public_id)


def take_off(member: Member, booking: str, assignment: str, cause: str, *, now: When) -> None:
    """Take whoever is asked, or goes, off the booking for one of CAUSES; somebody else is looked for. Where that is
    done already nothing changes. Raises NotFound, Invalid(field="cause"), AskIsOver where it ended otherwise."""
    require(member, "dispatch")
    if cause not in CAUSES:
        raise Invalid(field="cause", reason="choice")
    with reading() as session:
        row = _one(session, member, booking, assignment)
    if row.state in LIVE:
        by = Actor("provider", member.public_id)
        try:
            replace(member.provider_id, booking, cause, actor=by, now=now, assignment=assignment)
            return
        except NobodyAssigned:  # it ended meanwhile, and somebody else may be asked
            with reading() as session:
                row = _one(session, member, booking, assignment)
    if row.cause != cause:
        raise AskIsOver(state=row.state)


def _one(session: Session, member: Member, booking: str, assignment: str) -> EscortAssignment:
    row = session.scalar(
        select(EscortAssignment)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .where(
            EscortAssignment.public_id == assignment,
            EscortAssignment.provider_id == member.provider_id,
            Booking.public_id == booking,
            ~EscortAssignment.outside,
        )
    )
    if row is None:
        raise NotFound(field="assignment")
    return row


def _told(row: EscortAssignment, worker: EscortWorker, letter: EscortLetter | None) -> Told:
    if row.state != ASKED:
        return ""
    if letter is None:
        return "no_phone" if worker.phone_sealed is None else ""
    return "sent" if letter.sent_at is not None else "failed" if letter.given_up_at is not None else "waits"


def _ask(row: EscortAssignment, worker: EscortWorker, letter: EscortLetter | None) -> Ask:
    return Ask(
        row.public_id,
        worker.public_id,
        row.worker_then["name"],
        row.worker_then["staff_number"],
        row.state,
        row.cause or "",
        row.live,
        row.state == ACCEPTED,
        row.asked_at,
        row.answer_due_at,
        row.ended_at,
        row.asked_by_kind == "provider",
        row.outside,
        _told(row, worker, letter),
    )
