"""The nearest other places for a booking that its provider can't keep: at most three, one tap from being booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.offers.bookable import Rule
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.kinds import kind
from marketplace.core.clock import start_of
from marketplace.core.text import Text
from vip.models import Beneficiary

MOST = 3
REACH = timedelta(days=31)
"""How far from the lost date an alternative may lie, on both sides."""

PER_OFFER = 2
"""How many times of one offer are looked at on each side of the lost one."""


@dataclass(frozen=True)
class Alternative:
    """A slot that can be booked instead. Times are None for a whole day; `metres` is the way between the two sites as
    the crow flies, None when one of them has no coordinates; `same_offer` when it is the very same package."""

    offer_id: str
    offer_name: Text
    site_name: str
    slot_id: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    metres: int | None
    same_offer: bool


def nearest(session: Session, booking: Booking, *, now: datetime, same_offer: bool = False) -> list[Alternative]:
    """The three nearest slots of the same package, or of the same kind in the same city (not those with `same_offer`):
    nearest in time first, then in place. Only those that could be booked now for this person, who has nothing else
    then, within the validity of the benefit that was used; never the slot that was lost. Empty when there is none."""
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    rows = session.execute(
        text(_NEAREST),
        {
            "booking": booking.id,
            "start": start,
            "now": now,
            "first": max(booking.service_date - REACH, now.date() - timedelta(days=1)),
            "last": booking.service_date + REACH,
            "each": PER_OFFER,
        },
    )
    fits = [row for row in rows if (row.same_offer or not same_offer) and _welcome(row, booking.kind, person)]
    found = [_alternative(row) for row in fits]
    found.sort(key=lambda one: (abs(_start(one) - start), _way(one), not one.same_offer, _start(one), one.slot_id))
    return found[:MOST]


def elsewhere(session: Session, booking: Booking, *, now: datetime) -> dict[str, Any]:
    """The facts of a move that takes the customer's date away: `alternatives`, as ids and times."""
    return {
        "alternatives": [
            {
                "offer": one.offer_id,
                "slot": one.slot_id,
                "service_date": one.service_date.isoformat(),
                "starts_at": one.starts_at.isoformat() if one.starts_at else None,
                "time_zone": one.time_zone,
            }
            for one in nearest(session, booking, now=now)
        ]
    }


def _start(one: Alternative) -> datetime:
    return start_of(one.service_date, one.starts_at, one.time_zone)


def _way(one: Alternative) -> int:
    return 40_000_000 if one.metres is None else one.metres


def _welcome(row: Row[Any], code: str, person: Beneficiary) -> bool:
    try:
        kind(code).check_eligible(row.rules, person.sex, person.birth_date, row.service_date)
    except NotEligible:
        return False
    return True


def _alternative(row: Row[Any]) -> Alternative:
    return Alternative(
        offer_id=row.offer,
        offer_name=Text(row.name_zh, row.name_en),
        site_name=row.site_name,
        slot_id=row.slot,
        service_date=row.service_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        metres=row.metres,
        same_offer=row.same_offer,
    )


_RULE = Rule("l", "o", "s", "CAST(:now AS timestamptz)")


def _side(condition: str, order: str) -> str:
    """The slots of an offer on one side of the lost start, the nearest first."""
    start = _RULE.starts_at
    end = "coalesce(l.ends_at, (l.service_date + 1)::timestamp AT TIME ZONE s.time_zone)"
    return f"""
      (SELECT l.public_id, l.service_date, l.starts_at, l.ends_at FROM slot l
        WHERE l.pool_id = o.pool_id AND {_RULE.allows()}
          AND l.service_date BETWEEN greatest(CAST(:first AS date), e.valid_from)
                                 AND least(CAST(:last AS date), e.valid_until)
          AND {start} {condition} CAST(:start AS timestamptz)
          AND NOT EXISTS (SELECT FROM slot_claim c WHERE c.booking_id = b.id AND c.slot_id = l.id)
          AND NOT EXISTS (SELECT FROM booking other
                           WHERE other.customer_id = b.customer_id AND other.beneficiary_id = b.beneficiary_id
                             AND other.live AND other.id <> b.id AND other.occupied && tstzrange({start}, {end}))
        ORDER BY l.service_date {order}, l.starts_at {order} LIMIT :each)"""


# The haversine of two points (WGS 84) on a sphere of the earth's mean radius, in metres.
_METRES = """
  CAST(round(12742017.6 * asin(sqrt(
    power(sin(radians(s.latitude - home.latitude) / 2), 2)
    + cos(radians(s.latitude)) * cos(radians(home.latitude)) * power(sin(radians(s.longitude - home.longitude) / 2), 2)
  ))) AS integer)"""

_NEAREST = f"""
  SELECT o.public_id AS offer, o.name_zh, o.name_en, o.package - 'items' AS rules, o.id = b.offer_id AS same_offer,
         s.name AS site_name, s.time_zone, near.public_id AS slot, near.service_date, near.starts_at, near.ends_at,
         {_METRES} AS metres
    FROM booking b
    JOIN entitlement e ON e.id = b.entitlement_id
    JOIN offer lost ON lost.id = b.offer_id
    JOIN site home ON home.id = lost.site_id
    JOIN offer o ON o.kind = b.kind
    JOIN site s ON s.id = o.site_id
         AND (o.id = lost.id OR (s.province = home.province AND s.city = home.city))
    CROSS JOIN LATERAL ({_side(">=", "ASC")} UNION ALL {_side("<", "DESC")}) AS near
   WHERE b.id = :booking"""
