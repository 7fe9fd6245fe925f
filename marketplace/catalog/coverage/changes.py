"""What is known to change later: the first day on which a site is covered otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.catalog.coverage.level import Level, coverage_values, level_sql
from marketplace.core.database.db import rows


@dataclass(frozen=True)
class Change:
    """The first later day with another level, and that level."""

    on_day: date
    level: Level


def change_sql(*, site: str, kind: str, day: str, insurer: str) -> str:
    """A query for at most one row, the next change after `day`: `on_day` and `level`. The arguments are those of
    level_sql().

    Of the days that lines of the site's city begin to count on, it is the first that has another level than `day`.
    """
    return f"""
      SELECT later.on_day, later.level FROM (
        SELECT first.on_day, {level_sql(site=site, kind=kind, day="first.on_day", insurer=insurer)} AS level
          FROM (SELECT DISTINCT line.counts_from AS on_day FROM coverage_line line
                 WHERE line.kind = {kind} AND line.province = {site}.province AND line.city = {site}.city
                   AND (line.insurer_id IS NULL OR line.insurer_id = {insurer})
                   AND line.counts_from > {day}) AS first) AS later
       WHERE later.level <> {level_sql(site=site, kind=kind, day=day, insurer=insurer)}
       ORDER BY later.on_day LIMIT 1"""


_CHANGE = change_sql(
    site="s",
    kind="CAST(%(coverage_kind)s AS text)",
    day="CAST(%(coverage_day)s AS date)",
    insurer="CAST(%(coverage_insurer)s AS bigint)",
)


def next_changes(sites: Sequence[str], kind: str, day: date, *, insurer_id: int | None) -> dict[str, Change]:
    """The next change after `day` of each of these sites (public ids) for the customers of an insurer; without those
    for which none is known."""
    if not sites:
        return {}
    found = rows(
        f"SELECT s.public_id, change.on_day, change.level FROM site s CROSS JOIN LATERAL ({_CHANGE}) AS change "
        "WHERE s.public_id = ANY(CAST(%(sites)s AS text[]))",
        {**coverage_values(kind, day, insurer_id), "sites": list(sites)},
    )
    return {row.public_id: Change(row.on_day, row.level) for row in found}
