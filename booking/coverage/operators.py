"""Coverage as operators see it and change it: of their own insurer, and what is said for all.

What another insurer says is not shown, and nothing here changes what is said for all: that is the house's, by command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

from booking.coverage.venues import Asked
from marketplace.catalog.coverage.counts import CityCoverage, by_city
from marketplace.catalog.coverage.importing import TAKEN_BACK
from marketplace.catalog.coverage.level import LEVEL, Level
from marketplace.catalog.coverage.write import Statement, Written, write_line
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.one_place.sql import LISTED, placed
from marketplace.catalog.places import TIERS
from marketplace.catalog.search import SiteQuery
from marketplace.catalog.terms import normalise
from marketplace.core import audit
from marketplace.core.database.db import rows, transaction
from marketplace.core.errors import NotFound
from marketplace.core.spreadsheet import spreadsheet
from marketplace.core.strictjson import storable
from vip import roles
from vip.principal import Principal

COLUMNS = ("kind", "province", "city", "district", "tier", "site", "level", "counts_from")
"""Those of the import (catalog.coverage.importing): what is given out can be taken in again."""

Only = Literal["", "some", "none", "changes"]


@dataclass(frozen=True)
class CityRow:
    """A city's counts on the day asked about, and the next day from which a line of it counts; None without one."""

    counts: CityCoverage
    next_day: date | None


@dataclass(frozen=True)
class LineView:
    """A line in words of the catalogue. `level` None takes its part back. `state` on the day asked about: it counts,
    it counts later, or another line has taken its place. `own`: of this insurer, else said for all. `by` is the
    operator's name, blank where it came otherwise; `source` is as stored."""

    id: str
    district: str | None
    tier: str | None
    site: str | None
    level: Level | None
    counts_from: date
    state: Literal["counts", "later", "over"]
    own: bool
    by: str
    source: str
    written_at: datetime


@dataclass(frozen=True)
class SiteRow:
    """A site of the city and its level on the day asked about."""

    id: str
    name: str
    district: str
    tier: str | None
    level: Level


@dataclass(frozen=True)
class CityView:
    """A city with its lines, those that count first and then the newest, and its sites, best covered first."""

    counts: CityCoverage
    lines: Sequence[LineView]
    sites: Sequence[SiteRow]

    @property
    def districts(self) -> list[str]:
        """The districts that its sites name."""
        return sorted({site.district for site in self.sites if site.district})

    @property
    def tiers(self) -> list[str]:
        """The tiers of its sites, highest first, `unknown` last."""
        had = {site.tier or UNKNOWN_TIER for site in self.sites}
        return [tier for tier in (*TIERS, UNKNOWN_TIER) if tier in had]


def kinds_covered(operator: Principal) -> tuple[str, ...]:
    """The codes of the kinds that have coverage. Raises NotFound for who has nothing to do with it."""
    roles.require(operator, "books")
    return dispatched()


def cities(operator: Principal, kind: str, day: date, *, wanted: str = "", only: Only = "") -> list[CityRow]:
    """The cities of the catalogue in the order of their pinyin. `wanted` is a part of the name of city or province;
    `only`: those with somewhere to send somebody, those without, or those where a line counts from a later day on.
    Raises NotFound."""
    roles.require(operator, "books")
    asked = Asked(kind, operator.insurer_id, day, operator.market)
    nexts = {(row.province, row.city): row.next_day for row in rows(_NEXT_DAYS, asked.values)}
    sought = normalise(wanted)
    found = [
        CityRow(each, nexts.get((each.province, each.city)))
        for each in by_city(kind, day, insurer_id=operator.insurer_id)
        if sought in normalise(each.city) or sought in normalise(each.province)
    ]
    return [row for row in found if _is(row, only)]


def _is(row: CityRow, only: Only) -> bool:
    if only == "changes":
        return row.next_day is not None
    return not only or (only == "some") == bool(row.counts.open)


def city(operator: Principal, kind: str, province: str, name: str, day: date) -> CityView:
    """One city by its official names. Raises NotFound for one that isn't in the catalogue."""
    roles.require(operator, "books")
    asked = Asked(kind, operator.insurer_id, day, operator.market)
    if not storable(province + name):
        raise NotFound()
    values = {**asked.values, "province": province, "city": name}
    sites = [SiteRow(*row) for row in rows(_SITES, values)]
    counted = [
        each
        for each in by_city(kind, day, insurer_id=operator.insurer_id, query=SiteQuery(city=name))
        if (each.province, each.city) == (province, name)
    ]
    if not counted:
        raise NotFound()
    return CityView(counted[0], [LineView(*row) for row in rows(_LINES, values)], sites)


def write(operator: Principal, statement: Statement, *, now: datetime) -> Written:
    """Say something for the customers of the operator's insurer, from a day on. Audited unless nothing is new. Raises
    NotFound, and Invalid as write_line does."""
    roles.require(operator, "books")
    if statement.kind not in dispatched():
        raise NotFound(field="benefit")
    with transaction() as session:
        written = write_line(session, operator.insurer_id, statement, by=operator.public_id, source="console", now=now)
        if written.outcome != "unchanged":
            audit.record(
                session,
                "coverage.written",
                at=now,
                actor_kind="operator",
                actor=operator.public_id,
                subject=written.public_id,
                insurer_id=operator.insurer_id,
                kind=statement.kind,
                city=statement.city,
                level=statement.level or TAKEN_BACK,
                counts_from=statement.counts_from.isoformat(),
            )
    return written


def lines_csv(operator: Principal, kind: str, day: date) -> tuple[str, str]:
    """A file name and the own insurer's lines that count on the day or later, in the form of the import. Raises
    NotFound."""
    roles.require(operator, "books")
    asked = Asked(kind, operator.insurer_id, day, operator.market)
    found = rows(_FILE, asked.values)
    lines = (
        (
            kind,
            row.province,
            row.city,
            row.district,
            row.tier,
            row.site,
            row.level or TAKEN_BACK,
            row.counts_from.isoformat(),
        )
        for row in found
    )
    return f"coverage-{kind}-{day.isoformat()}.csv", spreadsheet(COLUMNS, lines)


def as_level(word: str) -> Level | None:
    """The level that a form's word means, None for what takes back."""
    return None if word == TAKEN_BACK else cast(Level, word)


_MINE = "(l.insurer_id IS NULL OR l.insurer_id = CAST(%(coverage_insurer)s AS bigint))"
_KIND = "l.kind = CAST(%(coverage_kind)s AS text)"
_DAY = "CAST(%(coverage_day)s AS date)"
# The newest of its part that counts has place 1; those of later days have places of their own. All entries of a place
# are one part.
_PLACE = f"""row_number() OVER (
  PARTITION BY l.insurer_id, l.province, l.city, l.district, l.tier, s.place_id, l.counts_from > {_DAY},
               CASE WHEN l.counts_from > {_DAY} THEN l.counts_from END
  ORDER BY l.counts_from DESC, l.id DESC)"""

_NEXT_DAYS = f"""
  SELECT l.province, l.city, min(l.counts_from) AS next_day FROM coverage_line l
   WHERE {_KIND} AND {_MINE} AND l.counts_from > {_DAY} GROUP BY l.province, l.city"""

_LINES = f"""
  SELECT public_id, district, tier, site, level, counts_from,
         CASE WHEN place > 1 THEN 'over' WHEN later THEN 'later' ELSE 'counts' END AS state,
         own, by, source, written_at
    FROM (SELECT l.id, l.public_id, l.district, l.tier, s.name AS site, l.level, l.counts_from, l.narrowness,
                 l.counts_from > {_DAY} AS later, {_PLACE} AS place, l.insurer_id IS NOT NULL AS own,
                 coalesce(who.name, '') AS by, l.source, l.written_at
            FROM coverage_line l {placed("l.site_id", "s", outer=True)}
            LEFT JOIN operator who ON who.public_id = l.actor AND who.insurer_id = l.insurer_id
           WHERE {_KIND} AND {_MINE} AND l.province = %(province)s AND l.city = %(city)s) AS line
   ORDER BY place > 1, later DESC, CASE WHEN later THEN counts_from END, narrowness DESC, own DESC,
            district, tier, site, counts_from DESC, id DESC"""

_SITES = f"""
  SELECT public_id, name, district, tier, level FROM (
    SELECT s.public_id, s.name, s.district, s.tier, {LEVEL} AS level FROM site s
     WHERE s.province = %(province)s AND s.city = %(city)s AND s.closed_at IS NULL AND {LISTED}) AS judged
   ORDER BY array_position(ARRAY['covered','on_request','not_covered'], level), district, name"""

_FILE = f"""
  SELECT province, city, district, tier, site, level, counts_from FROM (
    SELECT l.province, l.city, l.district, l.tier, s.name AS site, l.level, l.counts_from, l.narrowness,
           {_PLACE} AS place
      FROM coverage_line l {placed("l.site_id", "s", outer=True)}
     WHERE {_KIND} AND l.insurer_id = CAST(%(coverage_insurer)s AS bigint)) AS line
   WHERE place = 1
   ORDER BY province, city, narrowness, district, tier, site, counts_from"""
