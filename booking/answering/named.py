"""What a provider's offers are called, for people; its programs know them by references."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from booking.models import Booking
from booking.ownership import of_provider
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text


def names_of(provider_id: int) -> Mapping[str, Text]:
    """The names of this provider's (internal id) offers by their references, with those that are over."""
    with reading() as session:
        rows = session.execute(
            select(Offer.external_ref, Offer.name_zh, Offer.name_en).where(Offer.provider_id == provider_id)
        ).all()
    return {row.external_ref: Text(row.name_zh, row.name_en) for row in rows}


def kind_of(provider_id: int, booking: str) -> str:
    """The code of the benefit kind of one of its bookings (public id). Raises NotFound."""
    with reading() as session:
        found = session.scalar(select(Booking.kind).where(of_provider(provider_id), Booking.public_id == booking))
    if found is None:
        raise NotFound(field="booking_id")
    return found
