"""The rule itself: who is entitled to have somebody sent to a venue on a day, by policy and by coverage.

`refusals_of` is the one place where it stands. A hold and a change raise the first of what it finds, and what is shown
before a booking is all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import literal, select, text
from sqlalchemy.orm import Session

from booking.eligibility.refusals import (
    CityNotCovered,
    NoPolicy,
    PersonNotInsured,
    PolicyNotInForce,
    PolicyNotLongTerm,
    TierNotCovered,
    VenueClosed,
    VenueNotCovered,
)
from booking.offers.at_once import venue_closed
from marketplace.catalog.coverage.level import Level, level_at, level_sql
from marketplace.catalog.english.places import city_called
from marketplace.catalog.kinds import kind
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import LISTED, place_id
from marketplace.core.errors import Refusal
from vip.policies.valid import ValidPolicy, WhyNone, days_valid, valid_on, why_none

_NO_POLICY: Final[dict[WhyNone, type[NoPolicy]]] = {
    "no_policy": NoPolicy,
    "not_long_term": PolicyNotLongTerm,
    "not_in_force_then": PolicyNotInForce,
    "person_not_insured": PersonNotInsured,
}


@dataclass(frozen=True)
class Wish:
    """What somebody would book: a kind (its code), for a person, at a venue (None: at the offer's own site), on a day.
    Ids are internal; `insurer_id` is the customer's."""

    kind: str
    insurer_id: int
    beneficiary_id: int
    venue_id: int | None
    day: date


@dataclass(frozen=True)
class Entitled:
    """By what a wish may be fulfilled; each None where the kind does not ask for it."""

    policy: ValidPolicy | None = None
    level: Level | None = None

    def snapshot(self) -> dict[str, Any]:
        """What of it a booking keeps, in JSON's forms: it stands by this until it is moved to another day."""
        kept: dict[str, Any] = {}
        if self.policy is not None:
            kept["policy"] = self.policy.snapshot()
        if self.level is not None:
            kept["coverage"] = self.level
        return kept


def firm_at_once(snapshot: Mapping[str, Any], allotment: bool) -> bool:
    """Whether a booking is firm as soon as it is submitted: its provider gave its places in advance (`allotment`), and
    its venue is covered rather than asked for. booking/hold/submit_booking.sql says the same."""
    return allotment and snapshot.get("coverage") != "on_request"


def asks(code: str, market: int) -> bool:
    """Whether there is anything to ask for this kind; a test asks for nothing, since none of it is insured."""
    traits = kind(code).traits
    return market == LIVE and (traits.policy is not None or traits.dispatch)


def entitled(session: Session, wish: Wish) -> Entitled:
    """By what the wish may be fulfilled, by what is known now. Raises the first of `refusals_of`."""
    for refusal in refusals_of(session, wish):
        raise refusal
    traits = kind(wish.kind).traits
    return Entitled(
        valid_on(session, wish.beneficiary_id, wish.day) if traits.policy else None,
        _level(session, wish) if traits.dispatch else None,
    )


def refusals_of(session: Session, wish: Wish) -> Iterator[Refusal]:
    """Every reason against it that policy, coverage and the venue give, one of each at most; the policy's first."""
    traits = kind(wish.kind).traits
    if traits.policy and valid_on(session, wish.beneficiary_id, wish.day) is None:
        yield _NO_POLICY[why_none(session, wish.beneficiary_id, wish.day)](day=wish.day)
    if wish.venue_id is None:
        return
    if traits.dispatch and _level(session, wish) == "not_covered":
        yield _not_covered(session, wish, wish.venue_id)
    if not is_open(session, wish.venue_id, wish.day):
        yield VenueClosed(day=wish.day)


def is_open(session: Session, venue_id: int | None, day: date) -> bool:
    """Whether a venue (internal id) is not closed on the day; so is what has none."""
    return session.scalar(_OPEN, {"venue": venue_id, "day": day}) is True


def days_entitled(session: Session, wish: Wish, days: Sequence[date]) -> list[date]:
    """Those of the days on which `refusals_of` would find nothing against the wish, in order; its own day is not
    looked at."""
    traits = kind(wish.kind).traits
    left = days_valid(session, wish.beneficiary_id, days) if traits.policy else sorted(days)
    if wish.venue_id is None or not left:
        return left
    asked = {"kind": wish.kind, "site": wish.venue_id, "insurer": wish.insurer_id, "dispatch": traits.dispatch}
    return list(session.scalars(_OPEN_DAYS, {**asked, "days": left}))


def _level(session: Session, wish: Wish) -> Level | None:
    if wish.venue_id is None:
        return None
    return level_at(session, wish.kind, wish.venue_id, wish.day, insurer_id=wish.insurer_id)


def open_then(venue: str, day: str) -> str:
    """Whether the venue (an expression of its internal id, NULL for none) is not closed on the day (an expression), as
    SQL."""
    return f"NOT EXISTS (SELECT FROM site venue WHERE venue.id = {venue} AND {venue_closed('venue', day)})"


_OPEN = text(f"SELECT {open_then('CAST(:venue AS bigint)', 'CAST(:day AS date)')}")

_LEVEL_THAT_DAY = level_sql(site="s", kind="CAST(:kind AS text)", day="asked.day", insurer="CAST(:insurer AS bigint)")
_OPEN_DAYS = text(f"""
  SELECT asked.day
    FROM unnest(CAST(:days AS date[])) AS asked (day), site own JOIN site s ON s.id = own.place_id
   WHERE own.id = :site AND NOT {venue_closed("s", "asked.day")}
     AND (NOT :dispatch OR {_LEVEL_THAT_DAY} <> 'not_covered')
   ORDER BY asked.day
""")

_LEVEL = level_sql(site="s", kind="CAST(:kind AS text)", day="CAST(:day AS date)", insurer="CAST(:insurer AS bigint)")
_AROUND = text(f"""
  SELECT coalesce(bool_or(true), false) AS city, coalesce(bool_or(s.tier IS NOT DISTINCT FROM :tier), false) AS tier
    FROM site s
   WHERE s.province = :province AND s.city = :city AND s.closed_at IS NULL AND {LISTED} AND {_LEVEL} <> 'not_covered'
""")
"""Whether any site of the city is covered, and any of the tier."""


def _not_covered(session: Session, wish: Wish, venue_id: int) -> Refusal:
    site = session.scalars(select(Site).where(Site.id == place_id(literal(venue_id)))).one()
    place = {"province": site.province, "city": site.city, "tier": site.tier}
    asked = {**place, "kind": wish.kind, "day": wish.day, "insurer": wish.insurer_id}
    around, city = session.execute(_AROUND, asked).one(), city_called(site.city)
    if not around.city:
        return CityNotCovered(city=city, day=wish.day)
    if not around.tier:
        return TierNotCovered(city=city, tier=site.tier, day=wish.day)
    return VenueNotCovered(city=city, day=wish.day)
