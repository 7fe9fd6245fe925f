"""The places that somebody can be sent to for a kind of benefit, each with how it is covered.

They are the catalogue's open sites, found as everywhere; nothing is left out for not being covered: a customer learns
that it isn't, and what helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from booking.offers.bookable import given_out
from marketplace.catalog.coverage.changes import Change, next_changes
from marketplace.catalog.coverage.level import LEVEL, LEVELS, Level, coverage_values
from marketplace.catalog.kinds import is_dispatched, kind
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.one_place.sql import at_place, place_named
from marketplace.catalog.places import TIERS
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.search import (
    SITE_COLUMNS,
    Counted,
    SiteQuery,
    SiteView,
    districts,
    freer_stages,
    site_filter,
    site_view,
    stage_of,
)
from marketplace.core.database.db import rows
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable
from marketplace.core.text import Text


@dataclass(frozen=True)
class Asked:
    """For what, for whom and when: a kind's code, the customers' insurer (internal id), the market, and the day of the
    service from which changes count."""

    kind: str
    insurer_id: int
    day: date
    market: int = LIVE

    def __post_init__(self) -> None:
        if not is_dispatched(kind(self.kind).code):
            raise NotFound(field="benefit")

    @property
    def values(self) -> dict[str, Any]:
        """The values of the statements here."""
        return coverage_values(self.kind, self.day, self.insurer_id)


@dataclass(frozen=True)
class Sender:
    """A service that sends somebody, by its offer: `allotment` has places of its own that are firm at once; the others
    answer within `answer_hours`."""

    offer: str
    name: Text
    provider: Text
    allotment: bool
    answer_hours: int


@dataclass(frozen=True)
class Venue:
    """A place and its level on the day asked about. `changes_on` is the first later day on which it is another one,
    `changes_to` that level; None where no change is known. `senders` can be asked for it; none where it is not covered,
    and none where it is and nobody offers it yet."""

    site: SiteView
    level: Level
    changes_on: date | None
    changes_to: Level | None
    senders: tuple[Sender, ...]


def venues(
    query: SiteQuery,
    asked: Asked,
    *,
    level: Level | None = None,
    stage: Stage | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Venue]:
    """Places that match the query, of one level if it is given: best match first, then by level, tier and name.

    Words are read as freely as `stage` says, which `locate` finds; without it more freely only where nothing matches,
    as search_sites does. Raises Invalid(field=…) for an unusable query, level, cursor or limit.
    """
    check_limit(limit)
    if level is not None and level not in LEVELS:
        raise Invalid(field="level", reason="unknown_value")
    stages, after = ((Stage.EXACT, *freer_stages(query.q)) if stage is None else (stage,)), None
    if cursor is not None:
        number, *after = decode_cursor(cursor, (int, int, int, int, str, str))
        stages = (stage_of(number),)
    for read in stages:
        hits = _matching(query, asked, level, after, limit + 1, read)
        if hits:
            break
    following = None
    if len(hits) > limit:
        last = hits[limit - 1]
        following = encode_cursor([int(read), last.rank, last.level_order, last.tier_order, last.name, last.public_id])
    return Page(_venues(hits[:limit], asked), following)


def venue(public_id: str, asked: Asked) -> Venue:
    """One open place, by its public id or that of a site merged into it. Raises NotFound(field="venue_id")."""
    if not storable(public_id):
        raise NotFound(field="venue_id")
    found = rows(
        f"SELECT {SITE_COLUMNS}, {LEVEL} AS level FROM site s "
        f"WHERE s.id = {place_named('%(id)s')} AND s.closed_at IS NULL",
        {**asked.values, "id": public_id},
    )
    if not found:
        raise NotFound(field="venue_id")
    return _venues(found, asked)[0]


@dataclass(frozen=True)
class Narrowing:
    """The districts (most places first) and tiers (highest first, `unknown` last) of a city's places."""

    districts: list[Counted]
    tiers: list[Counted]


def narrowing(city: str) -> Narrowing:
    """What the places of a city can be narrowed by. Raises Invalid(field="city") for a name that can't be one."""
    found = site_filter(SiteQuery(city=city))
    counted = rows(
        f"SELECT coalesce(s.tier, '{UNKNOWN_TIER}') AS name, count(*) AS sites FROM site s "
        f"WHERE {found.where} GROUP BY 1",
        found.values,
    )
    tiers = {row.name: row.sites for row in counted}
    return Narrowing(districts(city), [Counted(name, tiers[name]) for name in (*TIERS, UNKNOWN_TIER) if name in tiers])


def _matching(
    query: SiteQuery, asked: Asked, level: Level | None, after: list[Any] | None, limit: int, stage: Stage
) -> list[Any]:
    found = site_filter(query, stage)
    values: dict[str, Any] = {**found.values, **asked.values, "limit": limit}
    conditions = []
    if level is not None:
        conditions.append("level = %(level)s")
        values["level"] = level
    if after is not None:
        names = ("rank", "level_order", "tier_order", "name", "public_id")
        conditions.append(f"({', '.join(names)}) > ({', '.join(f'%(after_{name})s' for name in names)})")
        values |= {f"after_{name}": value for name, value in zip(names, after, strict=True)}
    order = f"array_position(CAST('{{{','.join(LEVELS)}}}' AS text[]), level)"
    sql = f"""
      SELECT * FROM (
        SELECT judged.*, {order} AS level_order FROM (
          SELECT {SITE_COLUMNS}, {found.rank} AS rank, {found.tier_order} AS tier_order, {LEVEL} AS level
            FROM site s WHERE {found.where}) AS judged) AS hit
       {"WHERE " + " AND ".join(conditions) if conditions else ""}
       ORDER BY rank, level_order, tier_order, name, public_id LIMIT %(limit)s"""
    return rows(sql, values)


def _venues(hits: Sequence[Any], asked: Asked) -> list[Venue]:
    changes = next_changes([row.public_id for row in hits], asked.kind, asked.day, insurer_id=asked.insurer_id)
    there = _senders({(row.province, row.city) for row in hits if row.level != "not_covered"}, asked)
    return [_venue(row, changes.get(row.public_id), there) for row in hits]


def _venue(row: Any, change: Change | None, there: Mapping[tuple[str, str], tuple[Sender, ...]]) -> Venue:
    senders = there.get((row.province, row.city), ()) if row.level != "not_covered" else ()
    return Venue(
        site_view(row),
        row.level,
        change.on_day if change else None,
        change.level if change else None,
        senders,
    )


_SENDERS = f"""
  SELECT DISTINCT s.province, s.city, o.public_id, o.name_zh, o.name_en, p.name_zh AS provider_zh,
         p.name_en AS provider_en, p.allotment, p.answer_hours
    FROM offer o {at_place("o", "s")} JOIN provider p ON p.id = o.provider_id
    JOIN unnest(CAST(%(provinces)s AS text[]), CAST(%(cities)s AS text[])) AS place (province, city)
      ON (place.province, place.city) = (s.province, s.city)
   WHERE o.kind = %(coverage_kind)s AND {given_out("o", "s", "CAST(%(market)s AS bigint)")}
   ORDER BY p.allotment DESC, p.answer_hours, o.public_id"""


def _senders(cities: Iterable[tuple[str, str]], asked: Asked) -> dict[tuple[str, str], tuple[Sender, ...]]:
    """Who can be asked in these cities, whoever is firm at once first, then by how soon an answer is due."""
    wanted = sorted(cities)
    if not wanted:
        return {}
    values = {
        "coverage_kind": asked.kind,
        "market": asked.market,
        "provinces": [province for province, _city in wanted],
        "cities": [city for _province, city in wanted],
    }
    found: dict[tuple[str, str], tuple[Sender, ...]] = {}
    for row in rows(_SENDERS, values):
        sender = Sender(
            row.public_id,
            Text(row.name_zh, row.name_en),
            Text(row.provider_zh, row.provider_en),
            row.allotment,
            row.answer_hours,
        )
        found[row.province, row.city] = (*found.get((row.province, row.city), ()), sender)
    return found
