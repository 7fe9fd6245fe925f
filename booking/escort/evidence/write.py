"""Write a deed: each once, under its own key, for the escort it was done in, however late it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.escort.evidence.contents import seal_contents
from booking.escort.evidence.doubt import Doubt, doubt, kept
from booking.escort.evidence.models import EscortDeed
from booking.escort.evidence.pictures import Examined, medical_key, store
from booking.escort.evidence.position import Position
from booking.escort.evidence.told import Told
from booking.escort.models import REPLACED, WITHDRAWN, EscortAssignment, EscortWorker
from booking.live.tell import tell
from booking.live.topics import of_customer, of_member, of_provider
from booking.models import Booking
from marketplace.core.errors import Refusal
from marketplace.core.ids import new_id

MOST_DEEDS = 1_000
"""Of one assignment."""


class TooManyDeeds(Refusal):
    """The assignment holds as many deeds as it may; `most` says how many."""

    code = "too_many_deeds"


@dataclass(frozen=True)
class Seen:
    """What proves that she was there: whether she was near the place, how far off that may be, in metres, and whether
    the person's code was shown."""

    position: Position | None = None
    accuracy_m: int | None = None
    by_code: bool = False


def write(
    session: Session, row: EscortAssignment, told: Told, seen: Seen, examined: Examined | None, *, now: datetime
) -> EscortDeed | None:
    """Write a deed of an assignment that was accepted, with its picture, and let whoever follows the booking look
    again. None where something is written under its key. Raises TooManyDeeds, and Unreadable once the person's data
    was deleted."""
    key, public_id = medical_key(session, row.booking_id), new_id("esd")
    done_at = kept(told.at, received_at=now)
    made = session.execute(
        insert(EscortDeed)
        .values(
            public_id=public_id,
            assignment_id=row.id,
            booking_id=row.booking_id,
            key=told.key,
            number=told.number,
            kind=told.kind,
            at=done_at,
            received_at=now,
            doubt=_doubt(row, done_at, now),
            position=seen.position,
            accuracy_m=seen.accuracy_m,
            by_code=seen.by_code,
            sealed=seal_contents(told.contents, key, public_id),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(EscortDeed.id)
    ).scalar_one_or_none()
    if made is None:
        return None
    count = select(func.count()).select_from(EscortDeed).where(EscortDeed.assignment_id == row.id)
    if session.scalars(count).one() > MOST_DEEDS:
        raise TooManyDeeds(most=MOST_DEEDS)
    deed = session.get_one(EscortDeed, made)
    if examined is not None:
        store(session, deed, examined, key)
    _tell(session, row, deed, now=now)
    return deed


def _doubt(row: EscortAssignment, at: datetime, received_at: datetime) -> Doubt | None:
    given_up_at = row.ended_at if row.state in (REPLACED, WITHDRAWN) else None
    accepted_at = row.answered_at or row.asked_at
    return doubt(at, received_at=received_at, accepted_at=accepted_at, given_up_at=given_up_at)


def _tell(session: Session, row: EscortAssignment, deed: EscortDeed, *, now: datetime) -> None:
    """Whoever follows the booking looks again."""
    booking = session.get_one(Booking, row.booking_id)
    facts: dict[str, str | int] = {"booking": booking.public_id, "deed": deed.public_id}
    topics = [of_customer(booking.customer_id), of_provider(booking.provider_id)]
    member = session.scalar(select(EscortWorker.member_id).where(EscortWorker.id == row.worker_id))
    topics += [] if member is None else [of_member(member)]
    tell(session, topics, "escort", facts, now=now)
