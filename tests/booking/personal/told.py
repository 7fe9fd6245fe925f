"""What a worker told of an escort with her, in every personal column a value that can be recognised."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select

from booking.escort.evidence.contents import Contents, seal_contents
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import medical_key, record_of
from booking.escort.models import EscortAssignment
from booking.models import Booking
from marketplace.core import crypto
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id


def tell_deed(booking: str, mark: str, now: datetime) -> None:
    """A deed of the assignment of a booking (public id), with its picture."""
    with transaction() as session:
        row = session.scalars(
            select(EscortAssignment)
            .join(Booking, Booking.id == EscortAssignment.booking_id)
            .where(Booking.public_id == booking)
            .limit(1)
        ).one()
        key, deed, picture = medical_key(session, row.booking_id), new_id("esd"), new_id("epi")
        told = EscortDeed(
            public_id=deed,
            assignment_id=row.id,
            booking_id=row.booking_id,
            key=uuid.uuid4(),
            number=1,
            kind="arrived",
            at=now,
            received_at=now,
            doubt="ahead",
            position="within",
            accuracy_m=20,
            by_code=True,
            sealed=seal_contents(Contents(words=f"{mark}-told"), key, deed),
        )
        session.add(told)
        session.flush()
        large, small = (
            crypto.seal(f"{mark}-{size}".encode(), key=key.open(), record=record_of(picture, thumbnail=size == "small"))
            for size in ("large", "small")
        )
        session.add(
            EscortPicture(
                public_id=picture, deed_id=told.id, width=2, height=2, size=9, sealed=large, thumbnail_sealed=small
            )
        )
