"""Where a customer and her family have been or are expected, as her bookings tell. What she looked at is not stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from booking.models import Booking
from booking.states import AT_PROVIDER, SUBMITTED
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading
from vip.models import Beneficiary

_THERE = AT_PROVIDER | SUBMITTED
_MOST = 200
_OWN = aliased(Site)
"""Where it is: the venue that she chose, else the offer's own; what is shown is the place that it stands for."""


def booked_sites(customer_id: int) -> list[str]:
    """The public ids of the open places where she has booked a time, the one booked last first; not those of bookings
    that were cancelled, refused or never submitted."""
    wanted = (
        select(Site.public_id)
        .select_from(Booking)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(_OWN, _OWN.id == func.coalesce(Booking.venue_id, Offer.site_id))
        .join(Site, Site.id == _OWN.place_id)
        .where(Booking.customer_id == customer_id, Booking.state.in_(_THERE), Booking.kind.not_in(without_times()))
        .where(Site.closed_at.is_(None))
        .order_by(Booking.id.desc())
        .limit(_MOST)
    )
    with reading() as session:
        return list(dict.fromkeys(session.scalars(wanted)))


def city_of_relative(customer_id: int, person: str) -> str:
    """The city in which this relative of hers (a public id) was booked for last; blank for herself, for somebody who
    was never booked for, and for who is not of her family."""
    wanted = _cities(customer_id).where(Beneficiary.public_id == person, Beneficiary.relation != "self").limit(1)
    with reading() as session:
        found = session.execute(wanted).first()
    return "" if found is None else found.city


def family_cities(customer_id: int) -> dict[str, str]:
    """The city in which each of her people was booked for last, by the person's public id; nobody that was never booked
    for, or that she has removed."""
    cities: dict[str, str] = {}
    with reading() as session:
        for person, city in session.execute(_cities(customer_id).limit(_MOST)):
            cities.setdefault(person, city)
    return cities


def _cities(customer_id: int) -> Any:
    """Her people's public ids, each with the `city` of a booking, the newest first."""
    return (
        select(Beneficiary.public_id, Site.city)
        .join(Booking, Booking.beneficiary_id == Beneficiary.id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(_OWN, _OWN.id == func.coalesce(Booking.venue_id, Offer.site_id))
        .join(Site, Site.id == _OWN.place_id)
        .where(Booking.customer_id == customer_id, Booking.state.in_(_THERE), Booking.kind.not_in(without_times()))
        .where(Beneficiary.removed_at.is_(None))
        .order_by(Booking.id.desc())
    )
