"""Finding sites: by city, district, tier, kind and words; ranked; paged by cursor.

The rank is that of the words (catalog.query.conditions). Then the tier, then the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.catalog.english.addresses import english_address, english_where
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.one_place.sql import LISTED, place_named
from marketplace.catalog.places import TIERS as TIERS
from marketplace.catalog.places import official_names
from marketplace.catalog.query.asked import asked
from marketplace.catalog.query.conditions import Stage, conditions
from marketplace.core.database.db import rows
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable

MAX_QUERY = 100
MAX_PLACE = 50

_TIER_ORDER = f"coalesce(array_position(CAST('{{{','.join(TIERS)}}}' AS text[]), s.tier), 99)"
SITE_COLUMNS = (
    "s.public_id, s.name, s.aliases || ARRAY(SELECT other.name FROM site other WHERE other.place_id = s.id "
    "AND other.id <> s.id ORDER BY other.id) AS aliases, s.province, s.city, s.district, s.tier, s.tier_source, "
    "s.tier_date, s.kind, s.address, s.longitude, s.latitude, s.time_zone"
)


@dataclass(frozen=True)
class SiteQuery:
    """What to look for; None means any. `city` and `district` with or without their rank (北京, 北京市); `tier` one of
    TIERS, or `unknown`; `kind` is the kind of hospital; `q` words in Chinese of either script, English
    or pinyin, and a tier (三甲). Of `districts`, `tiers` and `kinds` a site need have one each; empty means any."""

    city: str | None = None
    district: str | None = None
    tier: str | None = None
    kind: str | None = None
    q: str | None = None
    districts: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class SiteView:
    """A place as shown; the names of what was merged into it are among its `aliases`. `tier` None is unknown;
    `tier_source` and `tier_date` (ISO 8601, may be blank) say where and from when it is. Coordinates are WGS 84
    degrees, both or neither."""

    public_id: str
    name: str
    aliases: list[str]
    province: str
    city: str
    district: str
    tier: str | None
    tier_source: str
    tier_date: str
    kind: str
    address: str
    longitude: float | None
    latitude: float | None
    time_zone: str

    @property
    def name_en(self) -> str:
        """The name in English: that it has itself, else made from the Chinese one."""
        return english_site(self.name, self.province, self.city, self.district)

    @property
    def where_en(self) -> str:
        """District, city and province in English."""
        return english_where(self.province, self.city, self.district)

    @property
    def address_en(self) -> str:
        """Street and district in English; blank without an address."""
        return english_address(self.address, self.province, self.city, self.district) if self.address else ""


@dataclass(frozen=True)
class Counted:
    """A value to filter by, and how many sites have it."""

    name: str
    sites: int


@dataclass(frozen=True)
class CityCount:
    """A city with its province and its number of sites; `initial` is the capital its pinyin starts with."""

    province: str
    name: str
    initial: str
    sites: int


@dataclass
class SiteFilter:
    """SQL for a query: `where` (conditions on site `s`), the integers `rank` and `tier_order`, their parameters, and
    `placed`, how many of the query's words stand in the site's place alone and not in its names."""

    where: str
    rank: str
    tier_order: str
    values: dict[str, Any] = field(default_factory=dict)
    placed: str = "0"


def search_sites(query: SiteQuery, *, cursor: str | None = None, limit: int = 20) -> Page[SiteView]:
    """Sites that match all of `query`, best first.

    Words are read as they are first; only if nothing matches, more freely (Stage).
    Raises Invalid(field=…) for an unusable query, cursor or limit.
    """
    check_limit(limit)
    stage, after = Stage.EXACT, None
    if cursor is not None:
        number, *after = decode_cursor(cursor, (int, int, int, str, str))
        stage = stage_of(number)
    hits = _matching(site_filter(query, stage), after, limit + 1)
    for freer in freer_stages(query.q) if cursor is None else ():
        if hits:
            break
        stage = freer
        hits = _matching(site_filter(query, stage), None, limit + 1)
    following = None
    if len(hits) > limit:
        last = hits[limit - 1]
        following = encode_cursor([int(stage), last.rank, last.tier_order, last.name, last.public_id])
    return Page([site_view(row) for row in hits[:limit]], following)


def freer_stages(q: str | None) -> tuple[Stage, ...]:
    """The stages after the first, for a query with words; the first is all there is to one without."""
    understood = asked(q or "")
    return (Stage.LOOSE, Stage.SIMILAR) if understood.words or understood.places else ()


def stage_of(number: int) -> Stage:
    """The stage that a cursor names. Raises Invalid(field="cursor")."""
    if number not in list(Stage):
        raise Invalid(field="cursor", reason="unknown_value")
    return Stage(number)


def site(public_id: str) -> SiteView:
    """The place that a site stands for, closed or not. Raises NotFound(field="site")."""
    if not storable(public_id):
        raise NotFound(field="site")
    found = rows(f"SELECT {SITE_COLUMNS} FROM site s WHERE s.id = {place_named('%(id)s')}", {"id": public_id})
    if not found:
        raise NotFound(field="site")
    return site_view(found[0])


def cities() -> list[CityCount]:
    """All cities with open sites, in the order of their pinyin."""
    counted = rows(
        "SELECT s.province, s.city, count(*) AS sites FROM site s "
        f"WHERE s.closed_at IS NULL AND {LISTED} GROUP BY s.province, s.city",
        {},
    )
    spelled = sorted(("".join(syllables(row.city)), row.province, row.city, row.sites) for row in counted)
    return [CityCount(province, city, pinyin[:1].upper(), sites) for pinyin, province, city, sites in spelled]


def districts(city: str) -> list[Counted]:
    """The districts of a city with their number of open sites, most first; sites without a district are left out."""
    return _counted("district", city)


def site_kinds(city: str | None = None) -> list[Counted]:
    """The kinds of sites with their numbers, most first."""
    return _counted("kind", city)


def tier_sources() -> list[tuple[str, str]]:
    """The lists that the tiers of open sites are from, each with its date (ISO 8601, may be blank)."""
    found = rows(
        "SELECT DISTINCT tier_source, tier_date FROM site "
        "WHERE closed_at IS NULL AND tier IS NOT NULL AND tier_source <> '' ORDER BY tier_source, tier_date",
        {},
    )
    return [(row.tier_source, row.tier_date) for row in found]


def sites_named(public_ids: Sequence[str]) -> list[SiteView]:
    """These sites, closed or not, in this order; one that is not there is left out."""
    known = [public_id for public_id in public_ids if storable(public_id)]
    found = rows(f"SELECT {SITE_COLUMNS} FROM site s WHERE s.public_id = ANY(CAST(%(ids)s AS text[]))", {"ids": known})
    views = {row.public_id: site_view(row) for row in found}
    return [views[public_id] for public_id in known if public_id in views]


def _counted(column: str, city: str | None) -> list[Counted]:
    found = site_filter(SiteQuery(city=city))
    counted = rows(
        f"SELECT s.{column} AS name, count(*) AS sites FROM site s WHERE {found.where} AND s.{column} <> '' "
        f"GROUP BY s.{column} ORDER BY sites DESC, name",
        found.values,
    )
    return [Counted(row.name, row.sites) for row in counted]


def _matching(found: SiteFilter, after: list[Any] | None, limit: int) -> list[Any]:
    values: dict[str, Any] = {**found.values, "limit": limit}
    following = ""
    if after is not None:
        following = "WHERE (rank, tier_order, name, public_id) > (%(rank)s, %(tier_order)s, %(name)s, %(after_id)s)"
        values |= dict(zip(("rank", "tier_order", "name", "after_id"), after, strict=True))
    sql = (
        f"SELECT * FROM (SELECT {SITE_COLUMNS}, {found.rank} AS rank, {found.tier_order} AS tier_order FROM site s "
        f"WHERE {found.where}) AS hit {following} ORDER BY rank, tier_order, name, public_id LIMIT %(limit)s"
    )
    return rows(sql, values)


def site_filter(query: SiteQuery, stage: Stage = Stage.EXACT) -> SiteFilter:
    """The SQL of `query` for a table or alias `s`, its words read as freely as the stage says. Raises
    Invalid(field=…) naming the part that cannot be used."""
    where = ["s.closed_at IS NULL", LISTED]
    values: dict[str, Any] = {}
    if query.city is not None:
        where.append(_place("city", query.city, values))
    if query.district is not None:
        where.append(_place("district", query.district, values))
    if query.tier is not None:
        where.append(_tier(query.tier, values))
    if query.kind is not None:
        values["kind"] = _short("kind", query.kind)
        where.append("s.kind = %(kind)s")
    where += _one_of(query, values)
    if query.q is not None and len(query.q) > MAX_QUERY:
        raise Invalid(field="q", reason="too_long", maximum=MAX_QUERY)
    understood = asked(query.q or "")
    if understood.tiers:
        values["named_tiers"] = list(understood.tiers)
        where.append("s.tier = ANY(CAST(%(named_tiers)s AS text[]))")
    words = conditions(understood, stage)
    return SiteFilter(" AND ".join((*where, *words.all)), words.rank, _TIER_ORDER, values | words.values, words.placed)


def _short(name: str, value: str) -> str:
    if len(value) > MAX_PLACE:
        raise Invalid(field=name, reason="too_long", maximum=MAX_PLACE)
    if not storable(value):
        raise Invalid(field=name, reason="bad_characters")
    return value.strip()


def _tier(tier: str, values: dict[str, Any]) -> str:
    if tier == UNKNOWN_TIER:
        return "s.tier IS NULL"
    if tier not in TIERS:
        raise Invalid(field="tier", reason="unknown_value")
    values["tier"] = tier
    return "s.tier = %(tier)s"


def _one_of(query: SiteQuery, values: dict[str, Any]) -> list[str]:
    """The conditions of what a site may have one of several of."""
    conditions = []
    if query.districts:
        values["districts"] = [name for each in query.districts for name in official_names(_short("district", each))]
        conditions.append("s.district = ANY(CAST(%(districts)s AS text[]))")
    if query.tiers:
        if not {UNKNOWN_TIER, *TIERS}.issuperset(query.tiers):
            raise Invalid(field="tier", reason="unknown_value")
        values["tiers"] = list(query.tiers)
        conditions.append(f"coalesce(s.tier, '{UNKNOWN_TIER}') = ANY(CAST(%(tiers)s AS text[]))")
    if query.kinds:
        values["kinds"] = [_short("kind", each) for each in query.kinds]
        conditions.append("s.kind = ANY(CAST(%(kinds)s AS text[]))")
    return conditions


def _place(column: str, name: str, values: dict[str, Any]) -> str:
    values[column] = official_names(_short(column, name))
    return f"s.{column} = ANY(CAST(%({column})s AS text[]))"


def site_view(row: Any) -> SiteView:
    """A row with SITE_COLUMNS as it is shown."""
    return SiteView(**{name: getattr(row, name) for name in SiteView.__dataclass_fields__})
