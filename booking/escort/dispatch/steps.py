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
    """The deed of an assignment (internal id) that is farthest in a day: whoever has come is not on her way any more,
    whatever is told after it. None where she has not set out."""
    of_hers = select(EscortDeed.kind).where(EscortDeed.assignment_id == assignment_id, EscortDeed.kind.in_(PROGRESS))
    told = set(session.scalars(of_hers.distinct()))
    return next((kind for kind in reversed(PROGRESS) if kind in told), None)
