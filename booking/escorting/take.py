"""Take deeds from a worker's phone: each once, under its own key, for its own assignment, however late it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.consultation.pictures import Examined, examine
from booking.escort.evidence.contents import open_contents
from booking.escort.evidence.doubt import Doubt, kept
from booking.escort.evidence.models import EscortDeed
from booking.escort.evidence.pictures import medical_key
from booking.escort.evidence.position import Position, judged
from booking.escort.evidence.told import Told, read
from booking.escort.evidence.write import Seen, write
from booking.escort.models import EscortAssignment
from booking.escorting import visit
from booking.escorting.code import check_code
from booking.escorting.whose import LATELY, accepted_by
from booking.models import Booking
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.logging import get_logger
from vip.principal import Member

log = get_logger(__name__)

MOST_AT_ONCE = 50
"""Deeds in one request."""


class DeedKeyReused(Refusal):
    """Another deed was taken under this key."""

    code = "deed_key_reused"
    status = 422
    field = "key"


class ToldTooLate(Refusal):
    """The escort has been over for longer than LATELY; `days` says how many days that are."""

    code = "deed_told_too_late"


@dataclass(frozen=True)
class Taken:
    """A deed as it stands here. `repeated`: it was there before."""

    id: str
    number: int
    doubt: Doubt | None
    position: Position | None
    by_code: bool
    repeated: bool


@dataclass(frozen=True)
class Answer:
    """What became of one deed of a request, by its key as it was sent (blank where it had none): taken, or refused."""

    key: str
    taken: Taken | None = None
    refused: Refusal | None = None


def take(
    member: Member, assignment: str, told: Sequence[Any], files: Mapping[str, bytes], *, now: When
) -> Sequence[Answer]:
    """Take deeds (objects of JSON, see told.read; `files` by key) of an assignment (public id) that the member has
    accepted. An answer for each, in the order in which they came: one that can't be taken stops no other.

    A deed of an assignment that is over, or of one that somebody else has meanwhile, counts for the one it was done in,
    for LATELY after its end.
    Pictures take up to 25 s each. Raises NotFound, and Invalid(field="deeds") for more than MOST_AT_ONCE.
    """
    if len(told) > MOST_AT_ONCE:
        raise Invalid(field="deeds", reason="out_of_range", minimum=0, maximum=MOST_AT_ONCE)
    with reading() as session:
        row = accepted_by(session, member, assignment)
        booking = session.scalars(select(Booking.public_id).where(Booking.id == row.booking_id)).one()
    answers = [_answer(row, each, files, now) for each in told]
    if any(each.taken for each in answers):
        with reading() as session:
            at = moment(session, now)
        visit.follow(member, row.id, booking, now=at)
    return answers


def highest_number(session: Session, assignment_id: int) -> int:
    """The highest number that a deed of the assignment (internal id) has here, 0 without any: a phone that lost its own
    goes on from there."""
    query = select(func.coalesce(func.max(EscortDeed.number), 0)).where(EscortDeed.assignment_id == assignment_id)
    return session.scalars(query).one()


def _answer(row: EscortAssignment, given: Any, files: Mapping[str, bytes], now: When) -> Answer:
    key = given.get("key") if isinstance(given, Mapping) else None
    key = key if isinstance(key, str) else ""
    try:
        return Answer(key, taken=_take(row, read(given, files.get(key)), now))
    except Refusal as refused:
        log.info("escort.deed_refused", assignment=row.public_id, code=refused.code, field=refused.at)
        return Answer(key, refused=refused)


def _take(row: EscortAssignment, told: Told, now: When) -> Taken:
    """Raises Invalid, DeedKeyReused, ToldTooLate, TooManyDeeds, WrongCode, TooMany, Unreadable. After any of them
    nothing of it is stored."""
    with reading() as session:
        at = moment(session, now)
        known = session.scalar(select(EscortDeed).where(EscortDeed.key == told.key))
        if known is not None:  # nothing is examined or compared for what is here already
            return _repeated(session, row, known, told)
    if row.ended_at is not None and at > row.ended_at + LATELY:
        raise ToldTooLate(days=LATELY.days)
    examined = None if told.picture is None else examine(told.picture)
    by_code = bool(told.code) and check_code(row.id, row.public_id, told.code, now=at)
    with transaction() as session:
        return _store(session, row.id, told, examined, by_code, now)


def _store(
    session: Session, assignment_id: int, told: Told, examined: Examined | None, by_code: bool, now: When
) -> Taken:
    row = session.get_one(EscortAssignment, assignment_id)
    # It is heard under the booking's lock: who held that before has read all that was heard until then.
    session.execute(select(Booking.id).where(Booking.id == row.booking_id).with_for_update(read=True, key_share=True))
    position = _position(session, row, told, by_code)
    accuracy = None if told.measured is None or position is None else told.measured.accuracy_m
    seen = Seen(position, accuracy, by_code)
    deed = write(session, row, told, seen, examined, now=moment(session, now))
    if deed is None:  # a rival took the same one while we examined it
        known = session.scalars(select(EscortDeed).where(EscortDeed.key == told.key)).one()
        return _repeated(session, row, known, told)
    return _taken(deed, repeated=False)


def _position(session: Session, row: EscortAssignment, told: Told, by_code: bool) -> Position | None:
    """None where nothing was measured, which is no evidence that is missing where the code was shown instead."""
    if told.measured is None:
        return "not_checkable" if told.kind == "arrived" and not by_code else None
    longitude = session.scalars(
        select(Site.longitude)
        .select_from(Booking)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(Site, Site.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
        .where(Booking.id == row.booking_id)
    ).one()
    return judged(told.measured, has_coordinates=longitude is not None)


def _repeated(session: Session, row: EscortAssignment, known: EscortDeed, told: Told) -> Taken:
    """The deed that was there, if it is this one. What was measured is not compared: only its verdict was kept."""
    at = kept(told.at, received_at=known.received_at)
    same = (known.assignment_id, known.number, known.kind, known.at) == (row.id, told.number, told.kind, at)
    if not same or known.by_code > bool(told.code):
        raise DeedKeyReused()
    if open_contents(known.sealed, medical_key(session, row.booking_id), known.public_id) != told.contents:
        raise DeedKeyReused()
    return _taken(known, repeated=True)


def _taken(deed: EscortDeed, *, repeated: bool) -> Taken:
    return Taken(deed.public_id, deed.number, deed.doubt, deed.position, deed.by_code, repeated)  # type: ignore[arg-type]
