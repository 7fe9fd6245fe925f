"""Demonstration coverage: where somebody can be sent in the cities of the demonstration's escort services, for all
insurers. Running it again changes nothing.

Each city has all three levels, and a change that is still to come, so that each can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import select

from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.coverage.write import Statement, write_line
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import UNKNOWN_TIER, Offer, Site
from marketplace.core.clock import HOME_ZONE, today
from marketplace.core.database.db import reading, transaction

SINCE = date(2026, 1, 1)
_SOURCE = "command"
_COVERED = ("三级特等", "三级甲等")


def load_coverage(now: datetime) -> int:
    """Say it for each city with an offer that sends somebody, as far as nothing is said of the city. Returns how many
    lines were added."""
    day = today(HOME_ZONE, now)
    with reading() as session:
        wanted = (
            select(Offer.kind, Site.province, Site.city)
            .join(Site, Site.id == Offer.site_id)
            .where(Offer.kind.in_(dispatched()))
            .distinct()
            .order_by(Offer.kind, Site.province, Site.city)
        )
        said = select(CoverageLine.kind, CoverageLine.province, CoverageLine.city).distinct()
        known = {tuple(row) for row in session.execute(said)}
        cities = [tuple(row) for row in session.execute(wanted) if tuple(row) not in known]
    lines = [line for kind, province, city in cities for line in _lines(kind, province, city, day)]
    with transaction() as session:
        for line in lines:
            write_line(session, None, line, by="system", source=_SOURCE, now=now)
    return len(lines)


def _lines(kind: str, province: str, city: str, day: date) -> Iterator[Statement]:
    """The highest tiers are covered, others are on request; those whose tier is not known are not covered, and will be
    on request in a month."""
    yield Statement(kind, province, city, "on_request", SINCE)
    for tier in _COVERED:
        yield Statement(kind, province, city, "covered", SINCE, tier=tier)
    yield Statement(kind, province, city, "not_covered", SINCE, tier=UNKNOWN_TIER)
    yield Statement(kind, province, city, "on_request", day + timedelta(30), tier=UNKNOWN_TIER)
