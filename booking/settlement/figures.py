"""A provider's own figures: how fast it answers, what becomes of visits, and whether its reports come on time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import extract, func, select, true
from sqlalchemy.orm import Session, aliased

from booking.models import Booking, BookingHistory
from booking.reports.models import Report, ReportVersion
from booking.states import BookingState
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import Provider
from marketplace.core.clock import start_of, today
from marketplace.core.database.db import reading

_S = BookingState
_YES, _NO = _S.CONFIRMED.value, _S.REJECTED.value
_CAME = (_S.CHECKED_IN, _S.IN_SERVICE, _S.FULFILLED)

PERIODS = (7, 30, 90)
"""Of how many days there are figures, today included."""


@dataclass(frozen=True)
class Figures:
    """The figures of a period. Of bookings that were first `asked` for in it: `confirmed`, `refused`, and the rest,
    which wait or ended without the provider's answer; half of the answers came within `median`, nine in ten within
    `most`, None without any. Of `visits` that the provider had confirmed for a day in it: `came`, `no_show`,
    `cancelled`, and the rest, of which nothing was said yet. Of `reports` of days in it that are due by now: `on_time`,
    `late`, and the rest, which are owed. What has no time is neither confirmed by people nor visited: only its reports
    count."""

    asked: int
    confirmed: int
    refused: int
    median: timedelta | None
    most: timedelta | None
    visits: int
    came: int
    no_show: int
    cancelled: int
    reports: int
    on_time: int
    late: int


def figures(provider_id: int, days: int, *, now: datetime) -> Figures:
    """The figures of the last `days` days, today included, in the provider's zone."""
    with reading() as session:
        zone = session.get_one(Provider, provider_id).time_zone
        last = today(zone, at=now)
        first = last - timedelta(days=days - 1)
        answers = _answers(session, provider_id, first, start_of(first, None, zone))
        visits = _visits(session, provider_id, first, last)
        reports = _reports(session, provider_id, first, now)
    return Figures(*answers, *visits, *reports)


def _answers(
    session: Session, provider_id: int, first: date, since: datetime
) -> tuple[int, int, int, timedelta | None, timedelta | None]:
    """Asked, confirmed, refused, and the two times. Who asks does it for the same day or a later one: that bounds what
    is read, by an index that is there."""
    line, reply = aliased(BookingHistory), aliased(BookingHistory)
    asked = (
        select(line.at)
        .where(line.booking_id == Booking.id, line.to_state == _S.AWAITING_PROVIDER.value)
        .order_by(line.version)
        .limit(1)
        .lateral("asked")
    )
    answered = (
        select(reply.to_state, reply.at)
        .where(
            reply.booking_id == Booking.id,
            reply.to_state.in_((_YES, _NO)),
        )
        .order_by(reply.version)
        .limit(1)
        .lateral("answered")
    )
    took = extract("epoch", answered.c.at - asked.c.at)
    row = session.execute(
        select(
            func.count(),
            func.count().filter(answered.c.to_state == _YES),
            func.count().filter(answered.c.to_state == _NO),
            func.percentile_disc(0.5).within_group(took),
            func.percentile_disc(0.9).within_group(took),
        )
        .select_from(Booking)
        .join(asked, true())
        .outerjoin(answered, true())
        .where(
            Booking.provider_id == provider_id,
            Booking.kind.not_in(without_times()),
            Booking.service_date >= first - timedelta(days=1),
            asked.c.at >= since,
        )
    ).one()
    return row[0], row[1], row[2], _span(row[3]), _span(row[4])


def _visits(session: Session, provider_id: int, first: date, last: date) -> tuple[int, int, int, int]:
    """Visits, came, no-shows, cancelled: of what the provider had said yes to."""
    line = aliased(BookingHistory)
    said_yes = select(line.id).where(line.booking_id == Booking.id, line.to_state == _YES).exists()
    row = session.execute(
        select(
            func.count(),
            func.count().filter(Booking.state.in_(_CAME)),
            func.count().filter(Booking.state == _S.NO_SHOW),
            func.count().filter(Booking.state == _S.CANCELLED),
        ).where(
            Booking.provider_id == provider_id,
            Booking.kind.not_in(without_times()),
            Booking.service_date.between(first, last),
            Booking.state != _S.ENTERED_IN_ERROR,
            said_yes,
        )
    ).one()
    return row[0], row[1], row[2], row[3]


def _reports(session: Session, provider_id: int, first: date, now: datetime) -> tuple[int, int, int]:
    """Reports due by now, on time, late. A report has come with its first version that is no partial one."""
    came = (
        select(func.min(ReportVersion.received_at).label("at"))
        .join(Report, Report.id == ReportVersion.report_id)
        .where(Report.booking_id == Booking.id, ReportVersion.status != "partial")
        .lateral("came")
    )
    row = session.execute(
        select(
            func.count(),
            func.count().filter(came.c.at <= Booking.report_due_at),
            func.count().filter(came.c.at > Booking.report_due_at),
        )
        .select_from(Booking)
        .join(came, true())
        .where(
            Booking.provider_id == provider_id,
            Booking.service_date >= first,
            Booking.report_due_at <= now,
        )
    ).one()
    return row[0], row[1], row[2]


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))
