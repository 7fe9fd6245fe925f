"""How first answers were kept: the rule of what counts, and shares and times by it.

A pledge counts where it began: in that day, hour and shift. What customers cancelled themselves is apart, and so is
what still runs: neither counts for share or times. Times are percentiles by nearest rank (percentile_disc) over all
that were met or breached: one that was answered late has its real time, and one that nobody has answered counts as
longer than every other, so that it can't make the times look better. All of it can be counted again from messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import TextClause, text

from booking.pledges.pledge import FIRST_ANSWER
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading

By = Literal["all", "day", "hour", "shift", "department", "provider"]
SHIFTS: Mapping[str, tuple[int, int]] = {"night": (0, 8), "day": (8, 16), "evening": (16, 24)}
"""The three shifts of a day: from which hour until which."""

ANSWERED_AT = """
    CASE WHEN p.state = 'met' THEN p.met_at
         WHEN c.first_answer_at IS NULL OR c.first_answer_at >= p.begun_at THEN c.first_answer_at
         ELSE (SELECT min(m.at) FROM conversation_message m
                WHERE m.conversation_id = c.id AND m.author = 'clinician' AND m.at >= p.begun_at) END"""
"""When a clinician answered what the pledge `p` is about (she may have written before she was asked); NULL: not yet."""
PLEDGES = """
      FROM pledge p
      JOIN conversation c ON c.public_id = p.subject
      JOIN provider v ON v.id = p.provider_id
     WHERE p.promise = :promise AND p.subject_kind = 'conversation' {of_provider} {of_insurer}"""
"""The pledges of first answers, with a place for whose (Counting.of)."""
_SHIFT = " ".join(f"WHEN hour < {until} THEN '{name}'" for name, (_, until) in SHIFTS.items())
_COUNTED = f"""
    SELECT *, CASE {_SHIFT} END AS shift
      FROM (SELECT *, CAST(begun_there AS date) AS day, CAST(extract(hour FROM begun_there) AS integer) AS hour
              FROM (SELECT p.id, p.booking_id, c.id AS conversation_id, p.state, p.begun_at, c.department,
                           v.code AS provider, v.name_zh, v.name_en,
                           CASE WHEN p.state IN ('met','breached')
                                THEN coalesce(CAST(extract(epoch FROM {ANSWERED_AT} - p.begun_at) AS double precision),
                                              CAST('Infinity' AS double precision)) END AS seconds,
                           p.begun_at AT TIME ZONE CAST(:zone AS text) AS begun_there {PLEDGES}
                       AND p.begun_at >= :since AND p.begun_at < :until) AS begun) AS timed"""
NAMES: Mapping[By, str] = {
    "all": "''",
    "day": "to_char(day, 'YYYY-MM-DD')",
    "hour": "to_char(hour, 'FM00')",
    "shift": "shift",
    "department": "department",
    "provider": "provider",
}
"""How the group of a counted row is named, by what it is grouped by."""
_FIGURES = """
    WITH counted AS ({counted})
    SELECT {by} AS by, coalesce({name}) AS name,
           count(*) FILTER (WHERE state IN ('pending','at_risk')) AS open,
           count(*) FILTER (WHERE state = 'met') AS met,
           count(*) FILTER (WHERE state = 'breached') AS breached,
           count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE seconds = 'Infinity') AS unanswered,
           percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY seconds)
               FILTER (WHERE seconds IS NOT NULL) AS times
      FROM counted GROUP BY GROUPING SETS ({sets}) ORDER BY 1, 2
"""


@dataclass(frozen=True)
class PledgeFigures:
    """A group's pledges that began in a time; `name` is the day (ISO), the hour (00 to 23), the shift, the department
    or the provider (codes), blank for all of them.

    `kept`: the share of those that were met or breached (`ended`) which were met, None without any. `unanswered`: how
    many of the breached nobody has answered. `p50`, `p90`, `p99`: seconds until the first answer, infinite where it
    falls on one of those; None without any."""

    name: str
    open: int
    met: int
    breached: int
    cancelled: int
    unanswered: int
    p50: float | None
    p90: float | None
    p99: float | None

    @property
    def ended(self) -> int:
        """How many count for share and times."""
        return self.met + self.breached

    @property
    def kept(self) -> float | None:
        """The share of those that count which were kept, 0 to 1; None where none has ended."""
        return self.met / self.ended if self.ended else None


def pledge_figures(
    by: By,
    *,
    since: datetime,
    until: datetime,
    provider_id: int | None = None,
    insurer_id: int | None = None,
    zone: str = HOME_ZONE,
) -> Sequence[PledgeFigures]:
    """Of one provider or of all live ones, of one insurer's customers or of everybody's (internal ids). Days and hours
    are those of `zone`."""
    return all_figures((by,), Counting(since, until, provider_id, insurer_id, zone))[by]


@dataclass(frozen=True)
class Counting:
    """What is counted: pledges that began from `since` until before `until`, of a provider or of all live ones, of an
    insurer or of all (internal ids); days and hours are those of `zone`."""

    since: datetime
    until: datetime
    provider_id: int | None
    insurer_id: int | None
    zone: str = HOME_ZONE

    @property
    def rows(self) -> str:
        """The query of what figures count, a row for each pledge. `seconds` until the answer of those that were met or
        breached: infinite where nobody has answered; NULL for the others. It takes `values`."""
        return self.of(_COUNTED)

    def of(self, query: str) -> str:
        """A query about PLEDGES, of that provider and that insurer. Tests count only where their provider is asked
        for."""
        return query.format(
            of_provider="AND v.twin_of IS NULL" if self.provider_id is None else "AND p.provider_id = :provider",
            of_insurer="" if self.insurer_id is None else "AND p.insurer_id = :insurer",
        )

    @property
    def values(self) -> dict[str, object]:
        """What the query takes."""
        return {
            "promise": FIRST_ANSWER,
            "since": self.since,
            "until": self.until,
            "provider": self.provider_id,
            "insurer": self.insurer_id,
            "zone": self.zone,
        }


def all_figures(groups: Sequence[By], counting: Counting) -> Mapping[By, Sequence[PledgeFigures]]:
    """The same in several groupings at once, each in the order of its names."""
    found: dict[By, list[PledgeFigures]] = {by: [] for by in groups}
    with reading() as session:
        for row in session.execute(_query(groups, counting), counting.values):
            counts = (row.open, row.met, row.breached, row.cancelled, row.unanswered)
            found[row.by].append(PledgeFigures(row.name, *counts, *(row.times or (None, None, None))))
    return found


def _query(groups: Sequence[By], counting: Counting) -> TextClause:
    columns = [by for by in groups if by != "all"]
    which = " ".join(f"WHEN grouping({by}) = 0 THEN '{by}'" for by in columns)
    return text(
        _FIGURES.format(
            counted=counting.rows,
            by=f"CASE {which} ELSE 'all' END" if columns else "'all'",
            name=", ".join([*(NAMES[by] for by in columns), "''"]),
            sets=", ".join("()" if by == "all" else f"({by})" for by in groups),
        )
    )
