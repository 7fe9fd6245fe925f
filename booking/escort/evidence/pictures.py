"""Pictures of papers and receipts, stored and opened, sealed under the medical key of the person they are about."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.models import Booking
from marketplace.core.crypto import Unreadable, seal, unseal
from marketplace.core.errors import NotFound
from marketplace.core.ids import new_id
from vip.customers.person_keys import MEDICAL, WrappedKey, key_of
from vip.models import Beneficiary


class Examined(Protocol):
    """A picture that may be stored, and a small one of it: written anew here, as those of consultations are
    (booking.consultation.pictures, which stands above this room)."""

    @property
    def width(self) -> int:
        """In pixels, of the large one."""

    @property
    def height(self) -> int:
        """In pixels, of the large one."""

    @property
    def large(self) -> bytes:
        """A JPEG."""

    @property
    def small(self) -> bytes:
        """A JPEG."""


def store(session: Session, deed: EscortDeed, examined: Examined, key: WrappedKey) -> None:
    """Add the picture of a deed that was just taken, sealed."""
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
