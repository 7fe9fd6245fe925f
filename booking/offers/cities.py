"""Where a benefit can be booked: cities, and what a city's places can be narrowed by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from booking.offers.bookable import given_out
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.kinds import kind
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.one_place.sql import has_offer, offers_at
from marketplace.catalog.places import TIERS
from marketplace.catalog.search import CityCount, Counted, SiteQuery, site_filter
from marketplace.core.database.db import rows
from marketplace.core.text import Text

_GIVEN_OUT = given_out("o", "s", "CAST(%(market)s AS bigint)")


@dataclass(frozen=True)
class Department:
    """A department that offers name."""

    code: str
    name: Text


@dataclass(frozen=True)
class Narrowing:
    """The districts (most places first), tiers (highest first, `unknown` last) and kinds (most first) of a city's
    places, and the departments that their offers name, by code."""

    districts: list[Counted]
    tiers: list[Counted]
    kinds: list[Counted] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)


def offer_cities(benefit: str, *, market: int = LIVE) -> list[CityCount]:
    """Cities with at least one open site that offers the benefit to customers of a market, in the order of their
    pinyin; `sites` counts these alone. Raises NotFound(field="benefit")."""
    counted = rows(
        "SELECT s.province, s.city, count(*) AS sites FROM site s "
        f"WHERE {has_offer('s', f'{_GIVEN_OUT} AND o.kind = %(benefit)s')} "
        "GROUP BY s.province, s.city",
        {"benefit": kind(benefit).code, "market": market},
    )
    spelled = sorted(("".join(syllables(row.city)), row.province, row.city, row.sites) for row in counted)
    return [CityCount(province, city, pinyin[:1].upper(), sites) for pinyin, province, city, sites in spelled]


def narrowing(benefit: str, city: str, *, market: int = LIVE) -> Narrowing:
    """What the places of a city that offer the benefit can be narrowed by, for customers of a market. Raises
    NotFound(field="benefit"), Invalid(field="city") for a name that can't be one."""
    found = site_filter(SiteQuery(city=city))
    values = {**found.values, "benefit": kind(benefit).code, "market": market}
    counted = rows(
        "SELECT s.district, s.tier, s.kind, count(*) AS sites FROM site s "
        f"WHERE {found.where} AND {has_offer('s', f'{_GIVEN_OUT} AND o.kind = %(benefit)s')} "
        "GROUP BY s.district, s.tier, s.kind",
        values,
    )
    named = rows(
        "SELECT DISTINCT ON (code) department ->> 'code' AS code, department ->> 'name_zh' AS name_zh, "
        "department ->> 'name_en' AS name_en FROM site s "
        f"{offers_at('s', 'o')} CROSS JOIN LATERAL jsonb_array_elements(o.package -> 'departments') AS department "
        f"WHERE {found.where} AND {_GIVEN_OUT} AND o.kind = %(benefit)s ORDER BY code, o.id",
        values,
    )
    tiers = _sums((row.tier or UNKNOWN_TIER, row.sites) for row in counted)
    return Narrowing(
        _most_first(_sums((row.district, row.sites) for row in counted)),
        [Counted(name, tiers[name]) for name in (*TIERS, UNKNOWN_TIER) if name in tiers],
        _most_first(_sums((row.kind, row.sites) for row in counted)),
        [Department(row.code, Text(row.name_zh, row.name_en)) for row in named],
    )


def _sums(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    """How many there are of each name that isn't blank."""
    sums: dict[str, int] = {}
    for name, sites in counted:
        if name:
            sums[name] = sums.get(name, 0) + sites
    return sums


def _most_first(sums: dict[str, int]) -> list[Counted]:
    return [Counted(name, sums[name]) for name in sorted(sums, key=lambda name: (-sums[name], name))]
