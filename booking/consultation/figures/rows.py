"""The rows that a figure counts, a page of them or all: process data of consultations.

A row says which booking, where, when, how long and how it ended. Nobody's name and no word that was said is among it,
so that a look at it is no look at somebody's health data, and leaves no line in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any, Literal

from sqlalchemy import Row, text

from booking.consultation.figures.scope import Days, Whose, counting
from booking.consultation.pledge_figures import NAMES, By
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text

Part = Literal["all", "ended", "met", "breached", "unanswered", "cancelled", "open"]
PARTS: Mapping[Part, str] = {
    "all": "true",
    "ended": "state IN ('met','breached')",
    "met": "state = 'met'",
    "breached": "state = 'breached'",
    "unanswered": "seconds = 'Infinity'",
    "cancelled": "state = 'cancelled'",
    "open": "state IN ('pending','at_risk')",
}
"""Which of a group's pledges a figure counts: the condition on Counting.rows."""


@dataclass(frozen=True)
class CountedRow:
    """One row. `booking`: its public id, `reference` the number that people call it by; `department` a code. `at`:
    when that began which is counted. `seconds`: how long it took or has taken, infinite where nobody answered, None
    where that says nothing. `stars`: the rating; `giver` and `taker`: the clinicians of a hand-over, the taker blank
    where it went back to the queue."""

    booking: str
    reference: str
    provider: Text
    department: str
    at: datetime
    seconds: float | None
    state: str
    stars: int | None = None
    giver: str = ""
    taker: str = ""


@dataclass(frozen=True)
class Counted:
    """A page of rows, and how many there are on all pages."""

    total: int
    page: Page[CountedRow]


@dataclass(frozen=True)
class Listing:
    """A query of rows: `sql` selects `sort` (a number) and `id`, by which the largest come first, the internal
    `booking_id`, and the other fields of a CountedRow by their names, the provider's as name_zh and name_en; `values`
    is what it takes."""

    sql: str
    values: Mapping[str, object]


def answers(whose: Whose, days: Days, by: By, name: str, part: Part) -> Listing:
    """What a group's figures of first answers count; the slowest first, then the newest."""
    it = counting(whose, days)
    sql = f"""
        SELECT coalesce(seconds, -1) AS sort, id, booking_id, name_zh, name_en, department, begun_at AS at, seconds,
               state, NULL AS stars, '' AS giver, '' AS taker
          FROM ({it.rows}) AS counted WHERE {PARTS[part]} AND {NAMES[by]} = :name"""
    return Listing(sql, {**it.values, "name": name})


_SHOWN = """
    SELECT r.*, b.public_id AS booking, b.reference
      FROM (SELECT * FROM ({sql}) AS listed WHERE {after} ORDER BY sort DESC, id DESC LIMIT :most) AS r
      JOIN booking b ON b.id = r.booking_id ORDER BY r.sort DESC, r.id DESC
"""


def counted(listing: Listing, *, cursor: str | None, limit: int) -> Counted:
    """A page of the rows. Raises Invalid(field="cursor")."""
    after = "true"
    taken = dict(listing.values)
    if cursor is not None:
        taken["after"], taken["after_id"] = _position(cursor)
        after = "(sort, id) < (CAST(:after AS double precision), CAST(:after_id AS bigint))"
    query = text(_SHOWN.format(sql=listing.sql, after=after))
    with reading() as session:
        total = session.execute(text(f"SELECT count(*) FROM ({listing.sql}) AS listed"), listing.values).scalar_one()
        rows = session.execute(query, {**taken, "most": limit + 1}).all()
    items = [_row(each) for each in rows[:limit]]
    last = rows[limit - 1] if rows[limit:] else None
    return Counted(total, Page(items, None if last is None else encode_cursor([repr(float(last.sort)), last.id])))


def every(listing: Listing, *, most: int) -> Sequence[CountedRow]:
    """The rows of all pages, but not more than `most`."""
    query = text(_SHOWN.format(sql=listing.sql, after="true"))
    with reading() as session:
        return [_row(each) for each in session.execute(query, {**listing.values, "most": most})]


def _row(row: Row[Any]) -> CountedRow:
    return CountedRow(
        row.booking,
        row.reference,
        Text(row.name_zh, row.name_en),
        row.department,
        row.at,
        row.seconds,
        row.state,
        row.stars,
        row.giver,
        row.taker,
    )


def _position(cursor: str) -> tuple[float, int]:
    sort, number = decode_cursor(cursor, (str, int))
    try:
        found = float(sort)
    except ValueError as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad
    if isnan(found):
        raise Invalid(field="cursor", reason="bad_cursor")
    return found, number
