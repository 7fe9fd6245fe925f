"""The deeds of a booking as they stand, opened: what its timeline and the worker's page show."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from booking.escort.evidence.contents import Contents, Cost, Stroke, open_contents
from booking.escort.evidence.doubt import Doubt
from booking.escort.evidence.kinds import Kind
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import medical_key
from booking.escort.evidence.position import Position
from booking.escort.models import EscortAssignment
from marketplace.core.crypto import Unreadable
from vip.customers.person_keys import WrappedKey


@dataclass(frozen=True)
class Deed:
    """One deed. `id` and `assignment` are public ids, `worker` the name of whose it is, as it was then. `at` is when it
    was done, by the phone's clock; `doubt` says why that can't be quite true. `picture`: public id, blank without one.
    `words`, `cost` and `strokes` (a signature's lines, on a field of contents.SIGNED_ON) are blank where there are
    none; `erased`: there were, and nobody can read them any more."""

    id: str
    assignment: str
    worker: str
    key: uuid.UUID
    number: int
    kind: Kind
    at: datetime
    received_at: datetime
    doubt: Doubt | None
    position: Position | None
    accuracy_m: int | None
    by_code: bool
    words: str = field(default="", repr=False)
    cost: Cost | None = None
    strokes: Sequence[Stroke] = field(default=(), repr=False)
    picture: str = ""
    erased: bool = False

    @property
    def says(self) -> bool:
        """Whether it tells more than that it was done: words, a sum, a signature, a picture."""
        return bool(self.words or self.cost or self.strokes or self.picture)


def deeds_of(session: Session, booking_id: int) -> list[Deed]:
    """All deeds of a booking (internal id): by assignment, in the order in which those were asked, and in each by
    number, never by arrival. The caller has seen to it that they may be shown, and records the look."""
    return _deeds(session, booking_id, EscortDeed.booking_id == booking_id)


def deeds_in(session: Session, row: EscortAssignment) -> list[Deed]:
    """Those of one assignment, by number."""
    return _deeds(session, row.booking_id, EscortDeed.assignment_id == row.id)


def _deeds(session: Session, booking_id: int, which: ColumnElement[bool]) -> list[Deed]:
    found = session.execute(
        select(
            EscortDeed,
            EscortAssignment.public_id,
            EscortAssignment.worker_then,
            EscortPicture.public_id.label("picture"),
        )
        .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
        .outerjoin(EscortPicture, EscortPicture.deed_id == EscortDeed.id)
        .where(which)
        .order_by(EscortAssignment.asked_at, EscortAssignment.id, EscortDeed.number, EscortDeed.at, EscortDeed.id)
    ).all()
    if not found:
        return []
    key = medical_key(session, booking_id)
    return [_deed(row, key) for row in found]


def _deed(row: Row[*tuple[Any, ...]], key: WrappedKey) -> Deed:
    deed: EscortDeed = row.EscortDeed
    try:
        contents, erased = open_contents(deed.sealed, key, deed.public_id), False
    except Unreadable:
        contents, erased = Contents(), True
    return Deed(
        id=deed.public_id,
        assignment=row.public_id,
        worker=row.worker_then["name"],
        key=deed.key,
        number=deed.number,
        kind=deed.kind,  # type: ignore[arg-type]
        at=deed.at,
        received_at=deed.received_at,
        doubt=deed.doubt,  # type: ignore[arg-type]
        position=deed.position,  # type: ignore[arg-type]
        accuracy_m=deed.accuracy_m,
        by_code=deed.by_code,
        words=contents.words,
        cost=contents.cost,
        strokes=contents.strokes,
        picture=row.picture or "",
        erased=erased,
    )
