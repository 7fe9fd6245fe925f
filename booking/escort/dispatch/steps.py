"""How far the worker of an assignment is, by her deeds."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from booking.escort.evidence.kinds import MET, PROGRESS
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import EscortAssignment


def has_done(kinds: Iterable[str]) -> ColumnElement[bool]:
    """Whether (SQL, of an EscortAssignment) a deed of one of these kinds is written of it."""
    return exists().where(EscortDeed.assignment_id == EscortAssignment.id, EscortDeed.kind.in_(sorted(kinds)))


def has_met(session: Session, assignment_id: int) -> bool:
    """Whether she has met the person, or done what comes after that."""
    return last_step(session, assignment_id) in MET


def last_step(session: Session, assignment_id: int) -> str | None:
    """The newest deed of an assignment (internal id) that says how far she is; None where she has not set out."""
    return session.scalar(
        select(EscortDeed.kind)
        .where(EscortDeed.assignment_id == assignment_id, EscortDeed.kind.in_(PROGRESS))
        .order_by(EscortDeed.number.desc(), EscortDeed.at.desc(), EscortDeed.id.desc())
        .limit(1)
    )
