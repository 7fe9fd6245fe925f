"""How far an escort is, as far as deeds know (the room of deeds stands above this one, and writes them)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, exists, table, text
from sqlalchemy.orm import Session

from booking.escort.models import EscortAssignment

_KEPT = text("SELECT to_regclass('escort_deed') IS NOT NULL")
_LAST = text("""
    SELECT kind FROM escort_deed
     WHERE assignment_id = :assignment AND kind = ANY (:steps) ORDER BY array_position(:steps, kind) DESC LIMIT 1
""")
STEPS = (
    *("on_the_way", "arrived", "met", "registered", "consulted", "examined", "medicines_fetched", "back_home"),
    *("handed_over", "signed"),
)
"""Deeds that say where she is, in the order of a day."""


THERE = tuple(each for each in STEPS if each != "on_the_way")
"""Those of who has come to where she is to be."""
_DEED = table("escort_deed", column("assignment_id"), column("kind"))


def has_done(steps: Sequence[str]) -> ColumnElement[bool]:
    """Whether (SQL, of an EscortAssignment) one of these steps is written of it; where deeds are kept."""
    return exists().where(_DEED.c.assignment_id == EscortAssignment.id, _DEED.c.kind.in_(steps))


def are_kept(session: Session) -> bool:
    """Whether deeds are kept in this release: where they are not, nothing follows from there being none."""
    return session.scalar(_KEPT) is True


def has_met(session: Session, assignment_id: int) -> bool:
    """Whether she has met the person, or done what comes after that."""
    return last_step(session, assignment_id) not in (None, "on_the_way", "arrived")


def last_step(session: Session, assignment_id: int) -> str | None:
    """The step of an assignment (internal id) that is farthest in a day: whoever has come is not on her way any more,
    whatever is told after it. None where she has done none yet, or none are kept."""
    if not are_kept(session):
        return None
    found: str | None = session.scalar(_LAST, {"assignment": assignment_id, "steps": list(STEPS)})
    return found
