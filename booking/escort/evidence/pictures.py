"""Pictures of papers and receipts, opened. They are sealed under the medical key of the person they are about."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.models import Booking
from marketplace.core.crypto import Unreadable, unseal
from marketplace.core.errors import NotFound
from vip.customers.person_keys import MEDICAL, WrappedKey, key_of
from vip.models import Beneficiary


def picture_of(session: Session, booking_id: int, picture: str, *, thumbnail: bool = False) -> bytes:
    """A picture (public id) of a booking (internal id), or its small one: JPEG. The caller has seen to it that it may
    be shown, and records the look. Raises NotFound, and Unreadable once its key was destroyed."""
    found = session.scalar(
        select(EscortPicture)
        .join(EscortDeed, EscortDeed.id == EscortPicture.deed_id)
        .where(EscortDeed.booking_id == booking_id, EscortPicture.public_id == picture)
        .options(undefer(EscortPicture.thumbnail_sealed if thumbnail else EscortPicture.sealed))
    )
    if found is None:
        raise NotFound(field="picture_id")
    return open_picture(found, medical_key(session, booking_id), thumbnail=thumbnail)


def open_picture(found: EscortPicture, key: WrappedKey, *, thumbnail: bool = False) -> bytes:
    """The JPEG of a stored picture. Raises Unreadable."""
    sealed = found.thumbnail_sealed if thumbnail else found.sealed
    record = record_of(found.public_id, thumbnail=thumbnail)
    if not sealed:  # taken out when it was older than it may be
        raise Unreadable(record)
    return unseal(sealed, key=key.open(), record=record)


def record_of(picture: str, *, thumbnail: bool) -> str:
    """What a picture (public id), or its small one, is bound to."""
    return f"escort_picture:{picture}:{'small' if thumbnail else 'large'}"


def medical_key(session: Session, booking_id: int) -> WrappedKey:
    """The medical key of the person whom a booking (internal id) is for."""
    person = session.scalars(
        select(Beneficiary).join(Booking, Booking.beneficiary_id == Beneficiary.id).where(Booking.id == booking_id)
    ).one()
    return key_of(session, person, MEDICAL)
