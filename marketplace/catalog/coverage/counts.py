"""How many sites of each city are covered, on request, and not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.catalog.coverage.level import LEVEL, coverage_values
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.search import SiteQuery, site_filter
from marketplace.core.database.db import rows


@dataclass(frozen=True)
class CityCoverage:
    """A city and how many of its open sites have which level. `initial` is the capital its pinyin starts with."""

    province: str
    city: str
    initial: str
    covered: int
    on_request: int
    not_covered: int

    @property
    def open(self) -> int:
        """The sites where somebody can be asked for, at once or on request."""
        return self.covered + self.on_request

    @property
    def sites(self) -> int:
        """All of them."""
        return self.open + self.not_covered


def by_city(
    kind: str, day: date, *, insurer_id: int | None, query: SiteQuery | None = None, stage: Stage = Stage.EXACT
) -> list[CityCoverage]:
    """Every city with open sites that the query finds (all without one), its words read as freely as `stage` says, in
    the order of their pinyin; the counts are of these sites. Raises Invalid for an unusable query."""
    found = site_filter(query or SiteQuery(), stage)
    counted = rows(
        "SELECT province, city, count(*) FILTER (WHERE level = 'covered') AS covered, "
        "count(*) FILTER (WHERE level = 'on_request') AS on_request, "
        "count(*) FILTER (WHERE level = 'not_covered') AS not_covered "
        f"FROM (SELECT s.province, s.city, {LEVEL} AS level FROM site s WHERE {found.where}) AS judged "
        "GROUP BY province, city",
        {**found.values, **coverage_values(kind, day, insurer_id)},
    )
    spelled = sorted(("".join(syllables(row.city)), row.province, row) for row in counted)
    return [
        CityCoverage(row.province, row.city, pinyin[:1].upper(), row.covered, row.on_request, row.not_covered)
        for pinyin, _province, row in spelled
    ]
