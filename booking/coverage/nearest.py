"""What helps where a place is not covered: the nearest ones that are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from booking.coverage.venues import Asked
from marketplace.catalog.coverage.level import LEVEL, Level
from marketplace.catalog.one_place.sql import LISTED
from marketplace.catalog.search import SiteView
from marketplace.core.database.db import rows
from marketplace.core.sphere import Position, metres

MOST = 3


@dataclass(frozen=True)
class Near:
    """A place that is covered or on request. `metres` is the way as the crow flies, None where one of the two has no
    coordinates."""

    public_id: str
    name: str
    province: str
    city: str
    level: Level
    metres: int | None


# The places that can be booked: those of the same provinces, and anywhere where the way is known.
_OPEN = f"""
  SELECT * FROM (
    SELECT s.public_id, s.name, s.province, s.city, s.longitude, s.latitude, {LEVEL} AS level FROM site s
     WHERE s.closed_at IS NULL AND {LISTED}
       AND (s.province = ANY(CAST(%(provinces)s AS text[]))
            OR (s.longitude IS NOT NULL AND CAST(%(located)s AS boolean)))) AS judged
   WHERE level <> 'not_covered'"""


def nearest(sites: Iterable[SiteView], asked: Asked, *, most: int = MOST) -> dict[str, list[Near]]:
    """By the public id of each of these sites the nearest other places with somebody to be sent to them: those of the
    same city first, then by the way there, then those of the same province whose way is not known; of places alike the
    better covered one first. None for one without coordinates that has none in its province."""
    wanted = list(sites)
    if not wanted:
        return {}
    values = {
        "provinces": list({site.province for site in wanted}),
        "located": any(site.longitude is not None for site in wanted),
    }
    found = rows(_OPEN, {**asked.values, **values})
    return {site.public_id: _nearest(site, found, most) for site in wanted}


def _nearest(site: SiteView, found: Sequence[Any], most: int) -> list[Near]:
    here = _position(site)
    ways = [(row, _way(here, row)) for row in found if row.public_id != site.public_id]
    reached = [(row, way) for row, way in ways if way is not None or row.province == site.province]
    best = sorted(reached, key=lambda each: _order(site, *each))[:most]
    return [Near(row.public_id, row.name, row.province, row.city, row.level, way) for row, way in best]


def _order(site: SiteView, row: Any, way: int | None) -> tuple[Any, ...]:
    same_city = (row.province, row.city) == (site.province, site.city)
    return (not same_city, way is None, way or 0, row.level != "covered", row.province, row.city, row.name)


def _position(row: Any) -> Position | None:
    return None if row.longitude is None else Position(row.latitude, row.longitude)


def _way(here: Position | None, row: Any) -> int | None:
    there = _position(row)
    return None if here is None or there is None else metres(here, there)
