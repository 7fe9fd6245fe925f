"""The daily closing statement of a provider: what was delivered on a day, what it costs, and whether both sides agree.

A statement is made once: after the day has ended in the provider's zone and the provider's list has been read since, if
it has one of its own. It is never rewritten. The statement lines of a booking add up to what the booking is worth; a
change after its day was closed is a correction in a later statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.reconcile.models import ReconcileRun
from booking.settlement.models import ClosingStatement
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Insurer, Provider
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import answering_here

log = get_logger(__name__)

WITHOUT_THEIRS = timedelta(hours=24)
"""After this time a statement is made without the provider's list if that could not be read; it says so."""

MOST_DAYS = 31
LOOK_BACK = timedelta(days=400)

_LINES = text(
    """
    INSERT INTO statement_line
      (statement_id, booking_id, state, service_date, units, amount_minor, currency, correction)
    SELECT :statement, b.id, b.state, b.service_date, coalesce(used.units, 0) - coalesce(stated.units, 0),
           (CASE WHEN b.state = 'fulfilled' THEN b.price_minor ELSE 0 END) - coalesce(stated.amount, 0), b.currency,
           stated.lines > 0 OR b.service_date < :day
      FROM booking b
      CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(l.units) AS units, sum(l.amount_minor) AS amount
                            FROM statement_line l WHERE l.booking_id = b.id) stated
      CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE e.entry = 'use')
                                 - count(*) FILTER (WHERE e.entry = 'reverse') AS units
                            FROM entitlement_entry e WHERE e.booking_id = b.id) used
     WHERE b.provider_id = :provider AND b.insurer_id = :insurer AND b.service_date BETWEEN :first AND :day
       AND (coalesce(used.units, 0) <> coalesce(stated.units, 0)
         OR (CASE WHEN b.state = 'fulfilled' THEN b.price_minor ELSE 0 END) <> coalesce(stated.amount, 0))
    RETURNING correction, units, amount_minor, currency
    """
)


@dataclass(frozen=True)
class _Books:
    """One provider's books with one insurer. `answers_here`: what the provider has of a booking is what we have, so
    that there is no list of its own to wait for."""

    provider_id: int
    insurer_id: int
    time_zone: str
    answers_here: bool


def end_of_day(day: date, zone: str) -> datetime:
    """The moment (UTC) at which a day ends in `zone`: 23, 24 or 25 hours after it began."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def make_statements(*, now: datetime) -> int:
    """Make all statements that are due, day by day. Returns how many."""
    last = func.max(ClosingStatement.day)
    with reading() as session:
        rows = session.execute(
            select(Provider.id, Insurer.id.label("insurer"), Provider.time_zone, Provider.adapter, last.label("last"))
            .select_from(Provider)
            .join(Insurer, (Insurer.market == LIVE) & (Provider.market == LIVE))  # of tests nothing is owed
            .outerjoin(
                ClosingStatement,
                (ClosingStatement.provider_id == Provider.id) & (ClosingStatement.insurer_id == Insurer.id),
            )
            .group_by(Provider.id, Insurer.id, Provider.time_zone, Provider.adapter)
            .order_by(Provider.id, Insurer.id)
        ).all()
    made = Counter[str]()

    def close_days(row: Row[Any]) -> str:
        books = _Books(row.id, row.insurer, row.time_zone, answers_here=row.adapter in answering_here())
        for day in _days_due(books, row.last, now):
            if not _make(books, day, now=now):
                return "waits"
            made["statements"] += 1
        return "closed"

    one_by_one("statements", rows, close_days)
    return made["statements"]


def _days_due(books: _Books, last: date | None, now: datetime) -> list[date]:
    """The days that have ended and have no statement, oldest first, at most MOST_DAYS. Before the first statement it is
    yesterday, and the day before where there may be a list to wait for (that day is what a statement without it is made
    of), from the first day on by whose end there was a booking."""
    yesterday = today(books.time_zone, now) - timedelta(days=1)
    before = [] if books.answers_here else [yesterday - timedelta(days=1)]
    starts = [last + timedelta(days=1)] if last is not None else [*before, yesterday]
    first = next((day for day in starts if last or _had_bookings(books, end_of_day(day, books.time_zone))), None)
    if first is None or first > yesterday:
        return []
    return [first + timedelta(days=number) for number in range(min(MOST_DAYS, (yesterday - first).days + 1))]


def _had_bookings(books: _Books, before: datetime) -> bool:
    with reading() as session:
        first = session.scalar(
            select(Booking.created_at)
            .where(Booking.provider_id == books.provider_id, Booking.insurer_id == books.insurer_id)
            .order_by(Booking.id)
            .limit(1)
        )
    return first is not None and first < before


def _make(books: _Books, day: date, *, now: datetime) -> bool:
    """Make the statement of one day, all of it as of one moment. False if it has to wait for the provider's list."""
    over = end_of_day(day, books.time_zone)
    with transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        run = session.scalar(
            select(ReconcileRun)
            .where(
                ReconcileRun.provider_id == books.provider_id,
                ReconcileRun.case_id.is_(None),
                ReconcileRun.state == "done",
                func.coalesce(ReconcileRun.counts["unreadable"].as_integer(), 0) == 0,
                ReconcileRun.started_at >= over,
            )
            .order_by(ReconcileRun.id.desc())
            .limit(1)
        )
        if run is None and not books.answers_here and now < over + WITHOUT_THEIRS:
            return False
        ours = _our_day(session, books, day)
        theirs = _their_day(run, books, day) if run is not None else None
        public_id = new_id("stm")
        statement_id = session.execute(
            insert(ClosingStatement)
            .values(
                public_id=public_id,
                provider_id=books.provider_id,
                insurer_id=books.insurer_id,
                day=day,
                time_zone=books.time_zone,
                run_id=run.id if run is not None else None,
                made_at=now,
                content={
                    "ours": ours,
                    "theirs": theirs,
                    "balance": _balance(ours, theirs),
                    "open": _open_discrepancies(session, books),
                },
            )
            .on_conflict_do_nothing()
            .returning(ClosingStatement.id)
        ).scalar_one_or_none()
        if statement_id is not None:
            values = {
                "statement": statement_id,
                "provider": books.provider_id,
                "insurer": books.insurer_id,
                "day": day,
                "first": day - LOOK_BACK,
            }
            session.execute(_LINES, values).all()
    log.info("statement.made", statement=public_id, day=day.isoformat())
    return True


def _our_day(session: Session, books: _Books, day: date) -> dict[str, Any]:
    """Our bookings of the day: how many in each state, units used, and the money of delivered services by currency."""
    rows = session.execute(
        text(
            """
            SELECT b.state, b.currency, count(*) AS number, sum(b.price_minor) AS minor,
                   coalesce(sum(used.units), 0) AS units
              FROM booking b
              CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE e.entry = 'use')
                                         - count(*) FILTER (WHERE e.entry = 'reverse') AS units
                                    FROM entitlement_entry e WHERE e.booking_id = b.id) used
             WHERE b.provider_id = :provider AND b.insurer_id = :insurer AND b.service_date = :day
             GROUP BY b.state, b.currency
            """
        ),
        {"provider": books.provider_id, "insurer": books.insurer_id, "day": day},
    ).all()
    states, money = Counter[str](), Counter[str]()
    for row in rows:
        states[row.state] += row.number
        if row.state == "fulfilled":
            money[row.currency] += int(row.minor)
    return {"states": dict(states), "units": int(sum(row.units for row in rows)), "money": dict(money)}


def _their_day(run: ReconcileRun, books: _Books, day: date) -> dict[str, Any]:
    """The provider's bookings of the day: how many in each status, the money of those it reports as delivered (at the
    prices stored with our bookings), and how many match none of our bookings."""
    states, money, strange = Counter[str](), Counter[str](), 0
    for row in run.theirs.get(day.isoformat(), []):
        if row["insurer"] == 0:
            strange += row["count"]
        elif row["insurer"] == books.insurer_id:
            states[row["status"]] += row["count"]
            if row["status"] == "fulfilled":
                money[row["currency"]] += row["amount_minor"]
    read_at = run.started_at.isoformat() if run.started_at is not None else None
    return {"states": dict(states), "money": dict(money), "unmatched": strange, "read_at": read_at}


def _balance(ours: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> dict[str, int] | None:
    """The provider's money less ours, by currency; None if the provider's list could not be read."""
    if theirs is None:
        return None
    currencies = sorted({*ours["money"], *theirs["money"]})
    return {each: theirs["money"].get(each, 0) - ours["money"].get(each, 0) for each in currencies}


def _open_discrepancies(session: Session, books: _Books) -> dict[str, Any]:
    """The open discrepancies with the provider: how many, and their effect in units and in money by currency."""
    rows = session.execute(
        select(
            Discrepancy.currency,
            func.count().label("number"),
            func.sum(Discrepancy.quota_units).label("units"),
            func.sum(Discrepancy.money_minor).label("minor"),
        )
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(
            Discrepancy.provider_id == books.provider_id,
            Discrepancy.closed_at.is_(None),
            Booking.id.is_(None) | (Booking.insurer_id == books.insurer_id),
        )
        .group_by(Discrepancy.currency)
    ).all()
    return {
        "count": sum(row.number for row in rows),
        "units": int(sum(row.units for row in rows)),
        "money": {row.currency: int(row.minor) for row in rows if row.currency},
    }
