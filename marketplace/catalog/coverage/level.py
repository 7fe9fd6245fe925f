"""The one rule of which line counts for a site on a day.

Of the lines that count from that day or an earlier one, for the customer's insurer or for all:
1. The narrowest decides: the site's own, then district and tier, district, tier, city.
2. Among those, the insurer's own before what is said for all.
3. Of what one of them said of the same part, the one with the latest day; of two with the same day, the one that was
   written last. If that one takes its part back, the next wider line decides.
Where nothing is said, it is not covered.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.one_place.sql import said_of
from marketplace.catalog.one_place.suits import suits

Level = Literal["covered", "on_request", "not_covered"]
"""`on_request`: asked of a provider first, who answers within its hours."""

LEVELS: Final[tuple[Level, ...]] = ("covered", "on_request", "not_covered")
"""Best first."""


def level_sql(*, site: str, kind: str, day: str, insurer: str) -> str:
    """The level as an SQL expression, never NULL. A kind of place that can't give the benefit is covered by no line.

    `site` is an alias of the table site in the statement; `kind` (its code), `day` (a date: that of the service at the
    site) and `insurer` (an internal id; NULL: what is said for all) are expressions in it.
    """
    return f"""
      CASE WHEN NOT {suits(kind, site)} THEN 'not_covered' ELSE coalesce((
        SELECT counts.level FROM (
          SELECT DISTINCT ON (line.narrowness, line.insurer_id) line.narrowness, line.insurer_id, line.level
            FROM coverage_line line
           WHERE line.kind = {kind} AND line.province = {site}.province AND line.city = {site}.city
             AND line.counts_from <= {day}
             AND (line.insurer_id IS NULL OR line.insurer_id = {insurer})
             AND (line.site_id IS NULL OR {said_of("line.site_id", site)})
             AND (line.district IS NULL OR line.district = {site}.district)
             AND (line.tier IS NULL OR line.tier = coalesce({site}.tier, '{UNKNOWN_TIER}'))
           ORDER BY line.narrowness, line.insurer_id, line.counts_from DESC, line.id DESC) AS counts
         WHERE counts.level IS NOT NULL
         ORDER BY counts.narrowness DESC, counts.insurer_id NULLS LAST LIMIT 1), 'not_covered') END"""


LEVEL: Final = level_sql(
    site="s",
    kind="CAST(%(coverage_kind)s AS text)",
    day="CAST(%(coverage_day)s AS date)",
    insurer="CAST(%(coverage_insurer)s AS bigint)",
)
"""The level of site `s` in a statement of `rows`, with the values of coverage_values()."""


def coverage_values(kind: str, day: date, insurer_id: int | None) -> dict[str, Any]:
    """The values that LEVEL takes: a kind's code, the day of the service, the customers' insurer (internal id; None:
    what is said for all)."""
    return {"coverage_kind": kind, "coverage_day": day, "coverage_insurer": insurer_id}


_LEVEL_AT = level_sql(
    site="s", kind="CAST(:kind AS text)", day="CAST(:day AS date)", insurer="CAST(:insurer AS bigint)"
)


def level_at(session: Session, kind: str, site_id: int, day: date, *, insurer_id: int | None) -> Level:
    """How a kind of benefit is covered at the place of a site (internal id) for a service on `day`, for customers of an
    insurer (None: what is said for all). A site that isn't there is not covered."""
    found = session.scalar(
        text(f"SELECT {_LEVEL_AT} FROM site own JOIN site s ON s.id = own.place_id WHERE own.id = :site"),
        {"kind": kind, "site": site_id, "day": day, "insurer": insurer_id},
    )
    return "not_covered" if found is None else cast(Level, found)
