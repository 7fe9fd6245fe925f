"""Store the picture of a deed: examined and written anew as those of consultations are, and sealed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from booking.consultation.pictures import Examined
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import record_of
from marketplace.core.crypto import seal
from marketplace.core.ids import new_id
from vip.customers.person_keys import WrappedKey


def store(session: Session, deed: EscortDeed, examined: Examined, key: WrappedKey) -> None:
    """Add the picture of a deed that was just taken."""
    public_id, opened = new_id("epi"), key.open()
    session.add(
        EscortPicture(
            public_id=public_id,
            deed_id=deed.id,
            width=examined.width,
            height=examined.height,
            size=len(examined.large),
            sealed=seal(examined.large, key=opened, record=record_of(public_id, thumbnail=False)),
            thumbnail_sealed=seal(examined.small, key=opened, record=record_of(public_id, thumbnail=True)),
        )
    )
