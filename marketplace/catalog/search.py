"""Finding sites: by city, district, tier, kind and words; ranked; paged by cursor.

Rank of a word: 0 a name, 1 start of a name, 2 part of a name, 3 pinyin from any syllable or the start of its initials,
4 part of the initials, 5 the place, 6 and more an abbreviation; a query's rank is the sum over its words. Then the
tier, then the name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marketplace.catalog.places import official_names
from marketplace.catalog.terms import Word, query_tiers, query_words, syllables
from marketplace.core.database.db import rows
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable

TIERS = (
    "三级特等", "三级甲等", "三级乙等", "三级丙等", "三级",
    "二级甲等", "二级乙等", "二级丙等", "二级",
    "一级甲等", "一级乙等", "一级丙等", "一级",
)  # fmt: skip
UNKNOWN_TIER = "unknown"

MAX_QUERY = 100
MAX_PLACE = 50

_SHORTEST_ABBREVIATION, _LONGEST_ABBREVIATION = 3, 12

_TIER_ORDER = f"coalesce(array_position(CAST('{{{','.join(TIERS)}}}' AS text[]), s.tier), 99)"
_COLUMNS = (
    "s.public_id, s.name, s.aliases, s.province, s.city, s.district, s.tier, s.tier_source, s.tier_date, s.kind, "
    "s.address, s.longitude, s.latitude, s.time_zone"
)


@dataclass(frozen=True)
class SiteQuery:
    """What to look for; None means any. `city` and `district` with or without their rank (北京, 北京市); `tier` one of
    TIERS, or `unknown`; `kind` is the kind of hospital; `q` words in Chinese of either script, English
    or pinyin, and a tier (三甲)."""

    city: str | None = None
    district: str | None = None
    tier: str | None = None
    kind: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class SiteView:
    """A site as shown. `tier` None is unknown; `tier_source` and `tier_date` (ISO 8601, may be blank) say where and
    from when it is. Coordinates are WGS 84 degrees, both or neither."""

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
    """SQL for a query: `where` (conditions on site `s`), the integers `rank` and `tier_order`, their parameters."""

    where: str
    rank: str
    tier_order: str
    values: dict[str, Any] = field(default_factory=dict)


def search_sites(query: SiteQuery, *, cursor: str | None = None, limit: int = 20) -> Page[SiteView]:
    """Sites that match all of `query`, best first.

    A word that occurs nowhere as it is may be an abbreviation (浙大一院): only if nothing matches otherwise, names that
    have its characters in that order are given. Raises Invalid(field=…) for an unusable query, cursor or limit.
    """
    check_limit(limit)
    loose, after = False, None
    if cursor is not None:
        mode, *after = decode_cursor(cursor, (int, int, int, str, str))
        loose = mode == 1
    hits = _matching(site_filter(query, loose=loose), after, limit + 1)
    if not hits and cursor is None and query.q:
        loose = True
        hits = _matching(site_filter(query, loose=True), None, limit + 1)
    following = None
    if len(hits) > limit:
        last = hits[limit - 1]
        following = encode_cursor([int(loose), last.rank, last.tier_order, last.name, last.public_id])
    return Page([_view(row) for row in hits[:limit]], following)


def site(public_id: str) -> SiteView:
    """One site, closed or not. Raises NotFound(field="site")."""
    if not storable(public_id):
        raise NotFound(field="site")
    found = rows(f"SELECT {_COLUMNS} FROM site s WHERE s.public_id = %(id)s", {"id": public_id})
    if not found:
        raise NotFound(field="site")
    return _view(found[0])


def cities() -> list[CityCount]:
    """All cities with open sites, in the order of their pinyin."""
    counted = rows(
        "SELECT province, city, count(*) AS sites FROM site WHERE closed_at IS NULL GROUP BY province, city", {}
    )
    spelled = sorted(("".join(syllables(row.city)), row.province, row.city, row.sites) for row in counted)
    return [CityCount(province, city, pinyin[:1].upper(), sites) for pinyin, province, city, sites in spelled]


def districts(city: str) -> list[Counted]:
    """The districts of a city with their number of open sites, most first; sites without a district are left out."""
    return _counted("district", city)


def site_kinds(city: str | None = None) -> list[Counted]:
    """The kinds of sites with their numbers, most first."""
    return _counted("kind", city)


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
        f"SELECT * FROM (SELECT {_COLUMNS}, {found.rank} AS rank, {found.tier_order} AS tier_order FROM site s "
        f"WHERE {found.where}) AS hit {following} ORDER BY rank, tier_order, name, public_id LIMIT %(limit)s"
    )
    return rows(sql, values)


def site_filter(query: SiteQuery, *, loose: bool = False) -> SiteFilter:
    """The SQL of `query` for a table or alias `s`. Raises Invalid(field=…) naming the part that cannot be used."""
    conditions = ["s.closed_at IS NULL"]
    values: dict[str, Any] = {}
    if query.city is not None:
        conditions.append(_place("city", query.city, values))
    if query.district is not None:
        conditions.append(_place("district", query.district, values))
    if query.tier is not None:
        conditions.append(_tier(query.tier, values))
    if query.kind is not None:
        values["kind"] = _short("kind", query.kind)
        conditions.append("s.kind = %(kind)s")
    if query.q is not None and len(query.q) > MAX_QUERY:
        raise Invalid(field="q", reason="too_long", maximum=MAX_QUERY)
    if named := query_tiers(query.q or ""):
        values["named_tiers"] = named
        conditions.append("s.tier = ANY(CAST(%(named_tiers)s AS text[]))")
    ranks = []
    for number, word in enumerate(query_words(query.q or "")):
        condition, rank = (_loose if loose else _strict)(word, f"w{number}", values)
        conditions.append(condition)
        ranks.append(rank)
    return SiteFilter(" AND ".join(conditions), " + ".join(ranks) or "0", _TIER_ORDER, values)


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


def _place(column: str, name: str, values: dict[str, Any]) -> str:
    values[column] = official_names(_short(column, name))
    return f"s.{column} = ANY(CAST(%({column})s AS text[]))"


def _strict(word: Word, name: str, values: dict[str, Any]) -> tuple[str, str]:
    """Condition and rank of a word that occurs in the site's texts as it is, or in its pinyin."""
    values |= {name: word.text, f"{name}_terms": list(word.terms)}
    at = f"strpos(s.search_text, %({name})s)"
    condition = f"s.terms @> CAST(%({name}_terms)s AS text[]) AND {at} > 0"
    cases = (
        f"WHEN strpos(s.search_text, E'\\n' || %({name})s || E'\\n') > 0 THEN 0 "
        f"WHEN strpos(s.search_text, E'\\n' || %({name})s) > 0 THEN 1 "
        f"WHEN {at} BETWEEN 1 AND strpos(s.search_text, E'\\t') THEN 2 "
    )
    if word.latin is not None:
        values |= {
            f"{name}_latin": word.latin,
            f"{name}_initials": list(word.initial_terms),
            f"{name}_pinyin": list(word.pinyin_terms),
        }
        initials = f"strpos(s.pinyin, %({name}_latin)s) BETWEEN 1 AND strpos(s.pinyin, E'\\t')"
        spelled = f"strpos(s.pinyin, E'\\n' || %({name}_latin)s) > 0"
        condition = (
            f"({condition} OR s.terms @> CAST(%({name}_initials)s AS text[]) AND {initials} "
            f"OR s.terms @> CAST(%({name}_pinyin)s AS text[]) AND {spelled})"
        )
        cases += f"WHEN {spelled} THEN 3 WHEN {initials} THEN 4 "
    return f"({condition})", f"CASE {cases}ELSE 5 END"


def _loose(word: Word, name: str, values: dict[str, Any]) -> tuple[str, str]:
    """Condition and rank of a word whose characters occur in one name (after its city) in this order.

    The closer they are, and above all the first two, the better: 浙大 is 浙江大学 before 浙江中医药大学.
    """
    if not _SHORTEST_ABBREVIATION <= len(word.text) <= _LONGEST_ABBREVIATION or word.latin is not None:
        return _strict(word, name, values)
    characters = [re.escape(character) for character in word.text]
    values |= {
        f"{name}_terms": list(dict.fromkeys(word.text)),
        f"{name}_whole": "[^\n]*?".join(characters),
        f"{name}_opening": "[^\n]*?".join(characters[:2]),
    }
    city = "CASE WHEN starts_with(s.name, left(s.city, 2)) THEN '' ELSE s.city END"
    names = f"({city} || ltrim(split_part(s.search_text, E'\\t', 1), E'\\n'))"
    whole, opening = (
        f"length(substring({names} FROM CAST(%({name}_{part})s AS text)))" for part in ("whole", "opening")
    )
    condition = f"s.terms @> CAST(%({name}_terms)s AS text[]) AND {names} ~ CAST(%({name}_whole)s AS text)"
    return f"({condition})", f"6 + {whole} + {opening}"


def _view(row: Any) -> SiteView:
    return SiteView(**{name: getattr(row, name) for name in SiteView.__dataclass_fields__})
