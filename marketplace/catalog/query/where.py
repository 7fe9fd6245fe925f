"""Where in the country a query has hits: here, in the city it names, or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from marketplace.catalog.places import official_names
from marketplace.catalog.query.asked import asked
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.search import SiteQuery, freer_stages, site_filter
from marketplace.core.database.db import rows

_FAR = 9  # what a hit elsewhere must be better by, where here only addresses have the words


@dataclass(frozen=True)
class CityHits:
    """A city, and how many sites of it a query finds."""

    province: str
    city: str
    sites: int


@dataclass(frozen=True)
class Located:
    """Where the hits of a query are, its words read as freely as `stage`.

    `city` is where to show them: the one that was asked in, or the one the query names (`moved`); None if there are
    none here, or only addresses here have the words and the best are elsewhere. `others` are the other cities with
    hits, the best first; with `city` None all of them. Not `found`: nothing
    anywhere.
    """

    stage: Stage
    city: str | None
    moved: bool
    others: tuple[CityHits, ...]
    found: bool = True


def locate(query: SiteQuery, among: str = "true", values: Mapping[str, Any] | None = None) -> Located:
    """Where the hits of a query are that is asked in a city; its district holds in that city alone. `among` narrows the
    sites `s`, with its own `values`. Raises as site_filter does."""
    here = official_names(query.city) if query.city else []
    around = replace(query, city=None, district=None)
    named = asked(query.q or "").cities
    for stage in (Stage.EXACT, *freer_stages(query.q)):
        found = site_filter(around, stage)
        counted = rows(
            f"SELECT s.province, s.city, count(*) AS sites, min({found.rank}) AS rank, min({found.placed}) AS placed "
            f"FROM site s WHERE {found.where} AND {among} "
            "GROUP BY s.province, s.city ORDER BY rank, sites DESC, s.city",
            {**found.values, **(values or {})},
        )
        if counted:
            return _chosen(stage, query.city, here, named, counted)
    return Located(Stage.EXACT, query.city, False, (), found=False)


def _chosen(stage: Stage, asked_in: str | None, here: list[str], named: frozenset[str], counted: list[Any]) -> Located:
    best = counted[0]
    if stage != Stage.EXACT:
        best = next((row for row in counted if row.city in named), best)
    own = next((row for row in counted if row.city in here), None)
    if best.city in named:
        city = best.city
    elif own is None or (own.placed and not best.placed and own.rank - best.rank >= _FAR):
        city = None
    else:
        city = own.city
    others = tuple(CityHits(row.province, row.city, row.sites) for row in counted if row.city != city)
    moved = city is not None and city not in here
    return Located(stage, asked_in if city in here else city, moved, others)
