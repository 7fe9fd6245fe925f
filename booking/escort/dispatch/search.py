"""What the clock remembers of a booking that it looks for a worker for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.escort.models import EscortSearch


def look_at(session: Session, booking_id: int, moment: datetime, *, now: datetime) -> None:
    """Look for somebody for a locked booking (internal id) from `moment` on."""
    session.execute(
        insert(EscortSearch)
        .values(booking_id=booking_id, begun_at=now, look_at=moment)
        .on_conflict_do_update(index_elements=["booking_id"], set_={"look_at": moment})
    )


def look_again(session: Session, booking_id: int, *, now: datetime) -> None:
    """Look at once."""
    look_at(session, booking_id, now, now=now)


def give_up(session: Session, booking_id: int, *, now: datetime) -> tuple[datetime, bool]:
    """Nobody can be found for a booking that is looked for; returns since when, and whether that is new."""
    row = session.get_one(EscortSearch, booking_id, populate_existing=True)
    if row.nobody_since is not None:
        return row.nobody_since, False
    row.nobody_since = now
    session.flush()
    return now, True


def found(session: Session, booking_id: int) -> None:
    """Somebody goes."""
    session.execute(update(EscortSearch).where(EscortSearch.booking_id == booking_id).values(nobody_since=None))
