"""Where a benefit can be booked: cities, and what a city's places can be narrowed by."""

from __future__ import annotations

from dataclasses import dataclass

from booking.offers.bookable import given_out
from marketplace.catalog.kinds import kind
from marketplace.catalog.search import TIERS, UNKNOWN_TIER, CityCount, Counted, SiteQuery, site_filter
from marketplace.catalog.terms import syllables
from marketplace.core.database.db import rows


@dataclass(frozen=True)
class Narrowing:
    """The districts (most places first) and tiers (highest first, `unknown` last) of a city's places."""

    districts: list[Counted]
    tiers: list[Counted]


def offer_cities(benefit: str) -> list[CityCount]:
    """Cities with at least one open site that offers the benefit, in the order of their pinyin; `sites` counts these
    alone. Raises NotFound(field="benefit")."""
    counted = rows(
        "SELECT s.province, s.city, count(*) AS sites FROM site s WHERE EXISTS "
        f"(SELECT FROM offer o WHERE o.site_id = s.id AND {given_out('o', 's')} AND o.kind = %(benefit)s) "
        "GROUP BY s.province, s.city",
        {"benefit": kind(benefit).code},
    )
    spelled = sorted(("".join(syllables(row.city)), row.province, row.city, row.sites) for row in counted)
    return [CityCount(province, city, pinyin[:1].upper(), sites) for pinyin, province, city, sites in spelled]


def narrowing(benefit: str, city: str) -> Narrowing:
    """What the places of a city that offer the benefit can be narrowed by. Raises NotFound(field="benefit"),
    Invalid(field="city") for a name that can't be one."""
    found = site_filter(SiteQuery(city=city))
    counted = rows(
        "SELECT s.district, s.tier, count(*) AS sites FROM site s "
        f"WHERE {found.where} AND EXISTS "
        f"(SELECT FROM offer o WHERE o.site_id = s.id AND {given_out('o', 's')} AND o.kind = %(benefit)s) "
        "GROUP BY s.district, s.tier",
        {**found.values, "benefit": kind(benefit).code},
    )
    districts: dict[str, int] = {}
    tiers: dict[str, int] = {}
    for row in counted:
        tiers[row.tier or UNKNOWN_TIER] = tiers.get(row.tier or UNKNOWN_TIER, 0) + row.sites
        if row.district:
            districts[row.district] = districts.get(row.district, 0) + row.sites
    return Narrowing(
        [Counted(name, districts[name]) for name in sorted(districts, key=lambda name: (-districts[name], name))],
        [Counted(name, tiers[name]) for name in (*TIERS, UNKNOWN_TIER) if name in tiers],
    )
