"""A test customer books a slot: by the very use cases that every customer's booking goes through."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from booking.hold.place import HoldRequest, hold
from booking.hold.submit import submit
from booking.twins.customers import customer
from marketplace.catalog.kinds import is_dispatched, kind
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.database.db import reading


def book_slot(
    twin_id: int,
    offer_id: str,
    slot_id: str,
    customer_number: int,
    now: datetime,
    *,
    details: Mapping[str, Any] | None = None,
    key: str = "",
    choice: bytes = b"",
) -> str:
    """A test customer holds a place of the twin's offer and submits it; returns the booking's public id.

    Calls with one `key` make one booking, if what was chosen (`choice`) is the same; each without makes another. Raises
    NotFound with the field (`offer_id`, `slot_id`; `customer` for a number that
    there is not, and for a provider that is no twin), and all that `hold` and `submit` raise.
    """
    who = customer(twin_id, customer_number)
    request = request_for_test(twin_id, offer_id, slot_id, who.person, details)
    held = hold(who.principal, request, key=key or str(uuid.uuid4()), fingerprint=choice, now=now)
    submit(who.principal, held.public_id, now=now)
    return held.public_id


def request_for_test(
    twin_id: int, offer_id: str, slot_id: str, person: str, details: Mapping[str, Any] | None = None
) -> HoldRequest:
    """What a test books of the twin's offer: where somebody is sent, at the offer's own site, and with the kind's
    example where no `details` are given."""
    plain = HoldRequest(offer_id, slot_id, person, None, dict(details or {}))
    wanted = select(Offer.kind, Site.public_id).join(Site, Site.id == place_id(Offer.site_id))
    with reading() as session:
        found = session.execute(wanted.where(Offer.public_id == offer_id, Offer.provider_id == twin_id)).one_or_none()
    if found is None or not is_dispatched(found.kind):
        return plain
    return replace(plain, venue=found.public_id, details=details or kind(found.kind).example_details)
