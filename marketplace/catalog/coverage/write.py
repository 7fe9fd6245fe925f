"""Writing a line: the place is looked up in the catalogue, and what says nothing new is not stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, any_, literal, select
from sqlalchemy.orm import Session, aliased

from marketplace.catalog.coverage.level import LEVELS, Level
from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.models import UNKNOWN_TIER, Site
from marketplace.catalog.one_place.sql import entries_with
from marketplace.catalog.places import TIERS, official_names, short_place
from marketplace.core.errors import Invalid
from marketplace.core.ids import new_id

Outcome = Literal["added", "changed", "unchanged"]
"""`added`: nothing was said before of exactly that part; `unchanged`: the same was said for the same day."""

EARLIEST: Final = date(2000, 1, 1)
FARTHEST: Final = timedelta(days=5 * 366)
"""How far ahead a line may begin to count: a later day is a slip of the pen."""


@dataclass(frozen=True)
class Statement:
    """What is said. `province` and `city` with or without their rank, `district` and `tier` (one of TIERS, or
    `unknown`) None for all; `site` is the name of a place or of an entry of it, or another name of one, None for all.
    A site stands alone, without district and tier. `level` None takes back what was said of exactly this part."""

    kind: str
    province: str
    city: str
    level: Level | None
    counts_from: date
    district: str | None = None
    tier: str | None = None
    site: str | None = None


@dataclass(frozen=True)
class Written:
    """What became of a statement, and the public id of the line that says it."""

    outcome: Outcome
    public_id: str


@dataclass(frozen=True)
class _Part:
    province: str
    city: str
    district: str | None = None
    tier: str | None = None
    site_id: int | None = None


def write_line(
    session: Session,
    insurer_id: int | None,
    statement: Statement,
    *,
    by: str,
    source: str,
    now: datetime,
) -> Written:
    """Add a line for the customers of an insurer (internal id; None: of all) in the caller's transaction.

    Raises Invalid with `field` naming what cannot be used (province, city, district, tier, site, level, counts_from)
    and `reason`: unknown_city, unknown_district, unknown_value, no_such_place, several_sites, stands_alone, too_early,
    too_far.
    """
    part = _part(session, statement)
    _check_day(statement.counts_from, now)
    if statement.level is not None and statement.level not in LEVELS:
        raise Invalid(field="level", reason="unknown_value")
    about = (
        CoverageLine.kind == statement.kind,
        CoverageLine.insurer_id.is_not_distinct_from(insurer_id),
        CoverageLine.province == part.province,
        CoverageLine.city == part.city,
        CoverageLine.district.is_not_distinct_from(part.district),
        CoverageLine.tier.is_not_distinct_from(part.tier),
        _about_site(part.site_id),
    )
    said = session.execute(
        select(CoverageLine.public_id, CoverageLine.level, CoverageLine.counts_from)
        .where(*about)
        .order_by((CoverageLine.counts_from == statement.counts_from).desc(), CoverageLine.id.desc())
        .limit(1)
    ).first()
    if said is not None and said.counts_from == statement.counts_from and said.level == statement.level:
        return Written("unchanged", said.public_id)
    public_id = new_id("cov")
    session.add(
        CoverageLine(
            public_id=public_id,
            insurer_id=insurer_id,
            kind=statement.kind,
            province=part.province,
            city=part.city,
            district=part.district,
            tier=part.tier,
            site_id=part.site_id,
            level=statement.level,
            counts_from=statement.counts_from,
            actor=by,
            source=source,
            written_at=now,
        )
    )
    session.flush()
    return Written("added" if said is None else "changed", public_id)


def _about_site(place_id: int | None) -> ColumnElement[bool]:
    """The condition that a line is about that place (None: about none), whichever entry of it was named."""
    if place_id is None:
        return CoverageLine.site_id.is_(None)
    return CoverageLine.site_id.in_(entries_with(place_id))


def _check_day(day: date, now: datetime) -> None:
    if day < EARLIEST:
        raise Invalid(field="counts_from", reason="too_early", minimum=EARLIEST.isoformat())
    if day > now.date() + FARTHEST:
        raise Invalid(field="counts_from", reason="too_far", maximum=FARTHEST.days)


def _part(session: Session, statement: Statement) -> _Part:
    """The part that is meant, in the catalogue's own words."""
    if statement.site is not None and (statement.district is not None or statement.tier is not None):
        raise Invalid(field="site", reason="stands_alone")
    city = _city(session, statement)
    if statement.site is not None:
        return _Part(city.province, city.city, site_id=_site_id(session, city, statement.site))
    if statement.tier is not None and statement.tier not in (*TIERS, UNKNOWN_TIER):
        raise Invalid(field="tier", reason="unknown_value")
    district = None if statement.district is None else _district(session, city, statement.district)
    return _Part(city.province, city.city, district, statement.tier)


def _city(session: Session, statement: Statement) -> _Part:
    found = session.execute(
        select(Site.province, Site.city).where(Site.city.in_(official_names(statement.city))).distinct()
    ).all()
    wanted = short_place(statement.province)
    there = [_Part(row.province, row.city) for row in found if short_place(row.province) == wanted]
    if not there:
        raise Invalid(field="city" if not found else "province", reason="unknown_city")
    return next((each for each in there if each.city == statement.city), there[0])


def _district(session: Session, city: _Part, district: str) -> str:
    found = session.scalar(
        select(Site.district)
        .where(Site.province == city.province, Site.city == city.city, Site.district.in_(official_names(district)))
        .order_by((Site.district == district).desc(), Site.district)
        .limit(1)
    )
    if found is None:
        raise Invalid(field="district", reason="unknown_district")
    return found


def _site_id(session: Session, city: _Part, name: str) -> int:
    """The open place of which an entry has that name, else the only one that also goes by it."""
    entry = aliased(Site)
    places = (
        select(Site.id)
        .join(entry, entry.place_id == Site.id)
        .where(Site.closed_at.is_(None), entry.province == city.province, entry.city == city.city)
        .distinct()
    )
    found = session.scalar(places.where(entry.name == name))
    if found is not None:
        return found
    others = session.scalars(places.where(literal(name) == any_(entry.aliases)).limit(2)).all()
    if len(others) != 1:
        raise Invalid(field="site", reason="several_sites" if others else "no_such_place")
    return others[0]
