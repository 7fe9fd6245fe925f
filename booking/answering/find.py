"""Finding a provider's booking by its number, by the customer's phone, or by a part of the name of who comes.

Names are stored as they are; a phone is sealed, so that only a whole number can be looked for, by its blind index.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select

from booking.answering.shown import ShownBooking, show
from booking.models import Booking
from booking.ownership import SEARCHED, of_provider
from booking.references import normal_number
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from marketplace.core.text import without_invisible
from vip import phones
from vip.models import Beneficiary, Customer
from vip.signin import limits
from vip.signin.limits import Limit

MOST_FOUND = 50
LONGEST = 60
SEARCHES = Limit(60, 240)
"""Searches of one member."""

BACK, AHEAD = timedelta(days=60), timedelta(days=180)
"""How far from today a visit may lie that is found by a name."""


def find_bookings(provider_id: int, wanted: str, *, member: str, now: datetime) -> Sequence[ShownBooking]:
    """The bookings of this provider (internal id) that are meant, the latest visits first and at most MOST_FOUND; none
    for what can mean nothing. Audited with the member's public id, one line for each insurer whose bookings were found
    (one without an insurer for nothing), and limited.

    Raises TooMany(retry_after).
    """
    with transaction() as session:  # of its own: a search that finds nothing counts too
        limits.take(session, SEARCHES, "desk_bookings", member, now=now)
    if not wanted.strip() or len(wanted) > LONGEST or not storable(wanted):
        return []
    with transaction() as session:
        by, query = _search(wanted, now)
        found = session.scalars(
            query.where(of_provider(provider_id))
            .order_by(Booking.service_date.desc(), Booking.id.desc())
            .limit(MOST_FOUND)
        ).all()
        for insurer_id in sorted({each.insurer_id for each in found}) or [None]:
            theirs = [each.public_id for each in found if each.insurer_id == insurer_id]
            audit.record(
                session,
                SEARCHED,
                at=now,
                actor_kind="provider",
                actor=member,
                subject=theirs[0] if len(theirs) == 1 else "",
                insurer_id=insurer_id,
                by=by,
                found=len(theirs),
            )
        return show(session, found)


def _search(wanted: str, now: datetime) -> tuple[str, Select[Any]]:
    """By what is searched, and the search."""
    try:
        indexes = phones.indexes(phones.normalise(wanted))
    except Invalid:
        plain = without_invisible(wanted).strip()
        near = Booking.service_date.between((now - BACK).date(), (now + AHEAD).date())
        named = near & Beneficiary.name.icontains(plain, autoescape=True)
        meant = or_(Booking.reference == normal_number(wanted), named)  # a number may be letters alone
        return "words", select(Booking).join(Beneficiary, Beneficiary.id == Booking.beneficiary_id).where(meant)
    by_phone = select(Booking).join(Customer, Customer.id == Booking.customer_id)
    return "phone", by_phone.where(phones.of_customer(indexes))
