"""The nearest other places for a booking that its provider can't keep, or does not move: at most three, one tap from
being asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from booking.eligibility.entitled import Wish, asks, refusals_of
from booking.models import Booking
from booking.offers.at_once import venue_closed
from booking.offers.bookable import Rule
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.coverage.level import level_sql
from marketplace.catalog.kinds import has_times, kind
from marketplace.catalog.one_place.sql import at_place, placed
from marketplace.core.clock import start_of
from marketplace.core.sphere import DIAMETER
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
    the crow flies, None when one of them has no coordinates and where it is done at the same venue, `venue_id`;
    `same_offer` when it is the very same package."""

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
    venue_id: str | None = None


def nearest(
    session: Session,
    booking: Booking,
    *,
    now: datetime,
    same_offer: bool = False,
    wanted: tuple[date, datetime | None] | None = None,
    unproposed: bool = False,
) -> list[Alternative]:
    """Three slots of the same package, or of the same kind in the same city (not those with `same_offer`), near the
    time that was `wanted` (the booking's own without one): nearest in time first, then in place, and at different times
    and places where there are several. Only those that could be booked now for this person, who has nothing else then,
    within the validity of the benefit that was used; never a slot that the booking has or had. A live booking can move
    within its offer; elsewhere its benefit must have another unit. `unproposed`: a place that was proposed to somebody
    who hasn't answered is none of the free ones. Empty when there is none, and for what
    has no time."""
    if not has_times(booking.kind):
        return []
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    day, starts_at = wanted or (booking.service_date, booking.starts_at)
    start = start_of(day, starts_at, booking.time_zone)
    rows = session.execute(
        text(_NEAREST),
        {
            "booking": booking.id,
            "start": start,
            "now": now,
            "first": max(day - REACH, now.date() - timedelta(days=1)),
            "last": day + REACH,
            "each": PER_OFFER,
            "unproposed": unproposed,
            "asks": asks(booking.kind, booking.market),
            "occupies": kind(booking.kind).traits.occupies_person,
        },
    )
    entitled = _entitled(session, booking)
    fits = [
        row
        for row in rows
        if (row.same_offer or not same_offer) and _welcome(row, booking.kind, person) and entitled(row.service_date)
    ]
    found = [_alternative(row) for row in fits]
    found.sort(key=lambda one: (abs(_start(one) - start), _way(one), not one.same_offer, _start(one), one.slot_id))
    return _varied(found)


def _varied(found: list[Alternative]) -> list[Alternative]:
    """The first ones at places and times that were not chosen before them; the order of `found` decides the rest."""
    chosen: list[Alternative] = []
    while found and len(chosen) < MOST:
        places, times = [one.site_name for one in chosen], [_start(one) for one in chosen]
        best = min(found, key=lambda one: places.count(one.site_name) + times.count(_start(one)))
        chosen.append(best)
        found = [one for one in found if one is not best]
    return chosen


def elsewhere(
    session: Session, booking: Booking, *, now: datetime, wanted: tuple[date, datetime | None] | None = None
) -> dict[str, Any]:
    """The facts of a no, or of a move that takes the customer's date away: `alternatives`, as ids and times."""
    return {
        "alternatives": [
            {
                "offer": one.offer_id,
                "slot": one.slot_id,
                "service_date": one.service_date.isoformat(),
                "starts_at": one.starts_at.isoformat() if one.starts_at else None,
                "time_zone": one.time_zone,
            }
            for one in nearest(session, booking, now=now, wanted=wanted)
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


def _entitled(session: Session, booking: Booking) -> Callable[[date], bool]:
    """Whether policy, coverage and the venue would allow the booking on a day."""
    if not asks(booking.kind, booking.market):
        return lambda _day: True
    whom = (booking.insurer_id, booking.beneficiary_id, booking.venue_id)
    return cache(lambda day: next(refusals_of(session, Wish(booking.kind, *whom, day)), None) is None)


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
        venue_id=row.venue,
    )


_RULE = Rule("l", "o", "s", "CAST(:now AS timestamptz)", "b.market")
_LEVEL = level_sql(site="home", kind="b.kind", day="l.service_date", insurer="b.insurer_id")


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
          AND (b.venue_id IS NULL OR NOT {venue_closed("home", "l.service_date")})
          AND (NOT CAST(:asks AS boolean) OR b.venue_id IS NULL OR {_LEVEL} <> 'not_covered')
          AND NOT EXISTS (SELECT FROM slot_claim c WHERE c.booking_id = b.id AND c.slot_id = l.id)
          AND (NOT CAST(:unproposed AS boolean) OR l.capacity - l.taken >
               (SELECT count(*) FROM proposal p WHERE p.slot_id = l.id AND p.state = 'open'))
          AND (NOT CAST(:occupies AS boolean) OR NOT EXISTS (SELECT FROM booking other
                           WHERE other.customer_id = b.customer_id AND other.beneficiary_id = b.beneficiary_id
                             AND other.live AND (other.id <> b.id OR o.id <> b.offer_id)
                             AND other.occupied && tstzrange({start}, {end})))
        ORDER BY l.service_date {order}, l.starts_at {order} LIMIT :each)"""


# The haversine of two points, as marketplace.core.sphere has it.
_METRES = f"""
  CAST(round({DIAMETER} * asin(sqrt(
    power(sin(radians(s.latitude - home.latitude) / 2), 2)
    + cos(radians(s.latitude)) * cos(radians(home.latitude)) * power(sin(radians(s.longitude - home.longitude) / 2), 2)
  ))) AS integer)"""

_NEAREST = f"""
  SELECT o.public_id AS offer, o.name_zh, o.name_en, o.package - 'items' AS rules, o.id = b.offer_id AS same_offer,
         CASE WHEN b.venue_id IS NULL THEN s.name ELSE home.name END AS site_name, s.time_zone,
         CASE WHEN b.venue_id IS NOT NULL THEN home.public_id END AS venue,
         near.public_id AS slot, near.service_date, near.starts_at, near.ends_at,
         CASE WHEN b.venue_id IS NULL THEN {_METRES} END AS metres
    FROM booking b
    JOIN entitlement e ON e.id = b.entitlement_id
    JOIN offer lost ON lost.id = b.offer_id
    {placed("coalesce(b.venue_id, lost.site_id)", "home")}
    JOIN offer o ON o.kind = b.kind
    {at_place("o", "s")}
         AND (o.id = lost.id OR (s.province = home.province AND s.city = home.city))
    CROSS JOIN LATERAL ({_side(">=", "ASC")} UNION ALL {_side("<", "DESC")}) AS near
   WHERE b.id = :booking
     AND (NOT b.live OR o.id = b.offer_id OR e.granted IS NULL OR e.available > 0)"""
