"""*Why not?* before a booking: everything that stands against having somebody sent to a venue, for a person on a
day. Who books is refused by the same rules, each where it is at home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, or_, select, text
from sqlalchemy.orm import Session

from booking.eligibility.entitled import Wish, days_entitled, refusals_of
from booking.eligibility.refusals import NoTimeThen, NotOfferedThere, TooShortNotice
from booking.offers.availability import MAX_DAYS
from booking.offers.bookable import Reason, Rule, given_out
from booking.ownership import customer_of
from marketplace.catalog.english.places import city_called
from marketplace.catalog.kinds import kind
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import at_place, place_is
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound, Refusal
from vip.customers.family import beneficiary
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import eligible, usable_days
from vip.models import Entitlement
from vip.principal import Principal


@dataclass(frozen=True)
class Answer:
    """What stands against it, the most telling first; nothing where it can be booked. `day` is that of the service
    that was asked about. Where none was named, it is the first one on which it can be booked, and where there is no
    such day the first one on which there is a time: then something stands against every day."""

    day: date
    reasons: tuple[Refusal, ...]


def why_not(
    principal: Principal, benefit: str, venue: str, person: str, day: date | None = None, *, now: datetime
) -> Answer:
    """Why this person (a public id) can't have the benefit (its kind's code) at the venue (a site's public id) on the
    day. Raises NotFound with the field, and Invalid(field="benefit") for one for which nobody is sent."""
    if not kind(benefit).traits.dispatch:
        raise Invalid(field="benefit", reason="no_venue")
    customer_id = customer_of(principal)
    with reading() as session:
        site = session.scalar(select(Site).where(place_is(venue), Site.closed_at.is_(None)))
        if site is None:
            raise NotFound(field="venue_id")
        whom = beneficiary(session, customer_id, person)
        times = _Times(session, benefit, site, principal.market, now)
        free = [] if day else times.free()
        at = day or next(iter(free), today(site.time_zone, now))
        wish = Wish(benefit, principal.insurer_id, whom.id, site.id, at)
        reasons = [*refusals_of(session, wish), *_quota(session, customer_id, wish)]
        if reasons and (better := _first_good(session, customer_id, wish, free[1:])):
            return Answer(better, ())
        return Answer(at, (*reasons, *times.refusals(at)))


def _first_good(session: Session, customer_id: int, wish: Wish, days: list[date]) -> date | None:
    """The first of these days, each with a free time, against which nothing stands."""
    paid = usable_days(session, customer_id, wish.kind, wish.beneficiary_id, days) if days else []
    return next(iter(days_entitled(session, wish, paid)), None) if paid else None


def _quota(session: Session, customer_id: int, wish: Wish) -> Iterator[Refusal]:
    """What her benefits say: as a hold chooses among them, and whether a unit is left."""
    try:
        usable = eligible(session, customer_id, wish.kind, wish.beneficiary_id, wish.day, None)
    except Refusal as refusal:
        yield refusal
        return
    left = exists().where(Entitlement.id.in_(usable), or_(Entitlement.granted.is_(None), Entitlement.available > 0))
    if not session.scalar(select(left)):
        yield EntitlementExhausted()


_RULE = Rule("l", "o", "s", "CAST(:now AS timestamptz)", "CAST(:market AS bigint)")
_OFFERED = f"""
    FROM slot l JOIN offer o ON o.pool_id = l.pool_id {at_place("o", "s")}
   WHERE o.kind = :kind AND s.province = :province AND s.city = :city"""
_ON_DAY = text(f"SELECT DISTINCT {_RULE.reason} AS reason {_OFFERED} AND l.service_date = :day")
_FREE = text(f"""
  SELECT DISTINCT l.service_date {_OFFERED} AND l.service_date BETWEEN :today AND :last AND {_RULE.allows()}
   ORDER BY l.service_date
""")
_ANY = text(f"""
  SELECT EXISTS (SELECT FROM offer o {at_place("o", "s")}
                  WHERE o.kind = :kind AND s.province = :province AND s.city = :city
                    AND {given_out("o", "s", "CAST(:market AS bigint)")})
""")


@dataclass(frozen=True)
class _Times:
    """The times of all who would send somebody to a site."""

    session: Session
    benefit: str
    site: Site
    market: int
    now: datetime

    def _asked(self, **more: Any) -> dict[str, Any]:
        place = {"kind": self.benefit, "province": self.site.province, "city": self.site.city}
        return {**place, "market": self.market, "now": self.now, **more}

    def first(self) -> date | None:
        """The first day with a time that can be booked."""
        return next(iter(self.free()), None)

    def free(self) -> list[date]:
        """The days with a time that can be booked, as far as can be booked ahead."""
        start = today(self.site.time_zone, self.now)
        asked = self._asked(today=start, last=start + timedelta(days=MAX_DAYS - 1))
        return list(self.session.scalars(_FREE, asked))

    def refusals(self, day: date) -> Iterator[Refusal]:
        """Why no time of the day can be booked: too near, or none is left; nothing where one can."""
        rows: list[Row[Any]] = list(self.session.execute(_ON_DAY, self._asked(day=day)))
        reasons = {row.reason for row in rows}
        if None in reasons:
            return
        if not self.session.scalar(_ANY, self._asked()):
            yield NotOfferedThere(city=city_called(self.site.city))
            return
        if reasons == {Reason.PAST} or day < today(self.site.time_zone, self.now):
            yield TooShortNotice(day=day, earliest=self.first())
        else:
            yield NoTimeThen(day=day, earliest=self.first())
