"""Which assignments are a signed-in worker's."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.escort.models import ACCEPTED, DONE, REPLACED, WITHDRAWN, EscortAssignment, EscortWorker
from booking.models import Booking
from marketplace.core.errors import NotFound
from vip.models import Beneficiary
from vip.principal import Member

FIELD = "assignment"
LATELY = timedelta(days=7)
"""For so long an escort that is over stands in its worker's list: what was forgotten can still be told."""


def worker_of(session: Session, member: Member) -> EscortWorker:
    """The worker who a member is. Raises NotFound for who is none, and in test mode: nobody is sent there."""
    found = None if member.test else session.scalar(select(EscortWorker).where(is_worker(member)))
    if found is None:
        raise NotFound()
    return found


def is_worker(member: Member) -> ColumnElement[bool]:
    """The condition that a worker is this member, of this provider."""
    return and_(EscortWorker.member_id == member.id, EscortWorker.provider_id == member.provider_id)


def was_accepted() -> ColumnElement[bool]:
    """The condition that an assignment was accepted, whatever became of it then."""
    given_up = and_(
        EscortAssignment.state.in_((REPLACED, WITHDRAWN)),
        EscortAssignment.answered_at.is_not(None),
    )
    return or_(EscortAssignment.state.in_((ACCEPTED, DONE)), given_up)


def may_open(worker: EscortWorker) -> ColumnElement[bool]:
    """The condition that an assignment is one that she has accepted, also one that is over; not with somebody who was
    erased: of her nothing new arrives, and what must stay is no worker's to read."""
    erased = exists().where(
        Booking.id == EscortAssignment.booking_id,
        Beneficiary.id == Booking.beneficiary_id,
        Beneficiary.erased_at.is_not(None),
    )
    return and_(EscortAssignment.worker_id == worker.id, was_accepted(), ~erased.correlate(EscortAssignment))


def accepted_by(session: Session, member: Member, assignment: str) -> EscortAssignment:
    """An assignment (public id) that the member may open. Raises NotFound."""
    found = session.scalar(
        select(EscortAssignment).where(EscortAssignment.public_id == assignment, may_open(worker_of(session, member)))
    )
    if found is None:
        raise NotFound(field=FIELD)
    return found
