"""A provider's day: who comes today, which reports are owed, what is free this week, and the figures of all that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, case, cast, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from booking.answering.queue import Waiting, asked_change, change_due, unanswered, waiting
from booking.models import Booking, ChangeRequest, Slot
from booking.states import BookingState
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.clock import start_of, today
from marketplace.core.database.db import reading
from marketplace.core.paging import Page, decode_moment, encode_cursor
from marketplace.core.text import Text, masked_name
from vip.models import Beneficiary

_S = BookingState
_CAME = (_S.CHECKED_IN, _S.IN_SERVICE, _S.FULFILLED)
_OF_THE_DAY = (_S.CONFIRMED, _S.NO_SHOW, *_CAME)
_OWED = ("expected", "partial", "overdue")

SOON = timedelta(minutes=30)
"""An answer that is due within this time is pressing; who came longer ago than this is not listed any more."""

ARRIVALS_SHOWN, REPORTS_SHOWN, DAYS = 8, 5, 7
_NOON = 12


@dataclass(frozen=True)
class Arrival:
    """Somebody who comes today. `late`: how long she is expected already; None if she is there or it isn't time yet.
    `came`: she is there, or was."""

    booking: str
    reference: str
    version: int
    state: str
    person: str
    offer: Text
    service_date: date
    starts_at: datetime | None
    time_zone: str
    came: bool
    late: timedelta | None


@dataclass(frozen=True)
class OwedReport:
    """A report that a completed visit promised."""

    booking: str
    reference: str
    person: str
    offer: Text
    service_date: date
    time_zone: str
    due_at: datetime
    overdue: bool
    partial: bool


@dataclass(frozen=True)
class HalfDay:
    """The places of a morning, an afternoon or (`part` day) of a day without times. `closed`: nothing is given out."""

    part: str
    places: int
    left: int
    closed: bool


@dataclass(frozen=True)
class WeekDay:
    """A day of the coming week with its places; none of them: nothing was planned."""

    day: date
    parts: Sequence[HalfDay]


@dataclass(frozen=True)
class Figures:
    """What the tiles say. `pressing`: answers due within SOON; `expected` and `came` of today's visits; `reports` owed,
    `reports_today` of them due today or late; `places` and `left` of the coming week."""

    to_answer: int
    pressing: int
    expected: int
    came: int
    reports: int
    reports_today: int
    places: int
    left: int


@dataclass(frozen=True)
class Day:
    """All that a provider's people look at first. `to_come`: how many of today's are not there yet."""

    provider: Text
    time_zone: str
    figures: Figures
    queue: Sequence[Waiting]
    arrivals: Sequence[Arrival]
    to_come: int
    reports: Sequence[OwedReport]
    week: Sequence[WeekDay]


def day(provider_id: int, *, now: datetime) -> Day:
    """The day of this provider (internal id), whose name and zone it carries. `now` decides which day it is, at each
    site."""
    with reading() as session:
        provider = session.get_one(Provider, provider_id)
        to_answer, pressing = _to_answer(session, provider_id, now)
        expected, came, to_come = session.execute(_attendance(provider_id, now)).one()
        reports, reports_today = session.execute(_reports_counted(provider, now)).one()
        week = _week(session, provider, now)
        parts = [part for each in week for part in each.parts]
        return Day(
            provider=Text(provider.name_zh, provider.name_en),
            time_zone=provider.time_zone,
            figures=Figures(
                to_answer=to_answer,
                pressing=pressing,
                expected=expected,
                came=came,
                reports=reports,
                reports_today=reports_today,
                places=sum(part.places for part in parts),
                left=sum(part.left for part in parts),
            ),
            queue=waiting(session, provider_id, now=now),
            arrivals=[_arrival(row, now) for row in session.execute(_next(provider_id, now))],
            to_come=to_come,
            reports=[_owed(row, now) for row in session.execute(_reports(provider_id).limit(REPORTS_SHOWN))],
            week=week,
        )


def owed_reports(provider_id: int, *, cursor: str | None, limit: int, now: datetime) -> Page[OwedReport]:
    """The reports that this provider owes, those that are due first at the top. Raises Invalid(field="cursor")."""
    query = _reports(provider_id)
    if cursor is not None:
        due, last = decode_moment(cursor)
        query = query.where(tuple_(Booking.report_due_at, Booking.id) > tuple_(literal(due), literal(last)))
    with reading() as session:
        rows = session.execute(query.limit(limit + 1)).all()
    shown = rows[:limit]
    following = encode_cursor([shown[-1].report_due_at.isoformat(), shown[-1].id]) if rows[limit:] else None
    return Page([_owed(row, now) for row in shown], following)


def to_answer(provider_id: int) -> int:
    """How many answers are waited for: the figure in the menu."""
    with reading() as session:
        new = select(func.count()).where(Booking.provider_id == provider_id, unanswered()).scalar_subquery()
        asked = select(func.count()).select_from(Booking).join(ChangeRequest, ChangeRequest.booking_id == Booking.id)
        return session.scalar(select(new + asked.where(*asked_change(provider_id)).scalar_subquery())) or 0


def _to_answer(session: Session, provider_id: int, now: datetime) -> tuple[int, int]:
    """How many answers are waited for, and how many of them soon."""
    soon = now + SOON
    new = session.execute(
        select(func.count(), func.count().filter(Booking.answer_due_at <= soon)).where(
            Booking.provider_id == provider_id, unanswered()
        )
    ).one()
    asked = session.execute(
        select(func.count(), func.count().filter(change_due() <= soon))
        .select_from(Booking)
        .join(ChangeRequest, ChangeRequest.booking_id == Booking.id)
        .where(*asked_change(provider_id))
    ).one()
    return new[0] + asked[0], new[1] + asked[1]


def of_today(now: datetime) -> ColumnElement[bool]:
    """The condition that a booking's service date is today at its site. The dates beside let the index find it."""
    at_site = cast(func.timezone(Booking.time_zone, now), DateTime)
    near = Booking.service_date.between(now.date() - timedelta(days=1), now.date() + timedelta(days=1))
    return near & (Booking.service_date == func.date(at_site))


def _visited() -> ColumnElement[bool]:
    """The condition that somebody comes for a booking: it has a time."""
    return Booking.kind.not_in(without_times())


def _attendance(provider_id: int, now: datetime) -> Select[int, int, int]:
    came, to_come = (func.count().filter(each) for each in (Booking.state.in_(_CAME), Booking.state == _S.CONFIRMED))
    return select(func.count(), came, to_come).where(
        Booking.provider_id == provider_id, Booking.state.in_(_OF_THE_DAY), _visited(), of_today(now)
    )


_SHOWN: tuple[Any, ...] = (
    *(Booking.public_id, Booking.reference, Booking.version, Booking.state, Booking.service_date, Booking.starts_at),
    *(Booking.time_zone, Booking.report_state, Booking.report_due_at),
)


def _next(provider_id: int, now: datetime) -> Select[Any]:
    """Who is not there yet, by the clock, and among them who has come within a while."""
    return (
        select(*_SHOWN, Beneficiary.name.label("person"), Offer.name_zh, Offer.name_en)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .where(
            Booking.provider_id == provider_id,
            _visited(),
            of_today(now),
            or_(
                Booking.state == _S.CONFIRMED,
                (Booking.state == _S.CHECKED_IN) & (Booking.updated_at > now - SOON),
            ),
        )
        .order_by(Booking.starts_at.nulls_first(), Booking.id)
        .limit(ARRIVALS_SHOWN)
    )


def _arrival(it: Any, now: datetime) -> Arrival:
    came = it.state in _CAME
    late = now - it.starts_at if it.starts_at is not None and not came and it.starts_at < now else None
    return Arrival(
        booking=it.public_id,
        reference=it.reference,
        version=it.version,
        state=it.state.value,
        person=masked_name(it.person),
        offer=Text(it.name_zh, it.name_en),
        service_date=it.service_date,
        starts_at=it.starts_at,
        time_zone=it.time_zone,
        came=came,
        late=late,
    )


def _owing(provider_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a report of this provider is owed."""
    owed = Booking.report_state.in_(_OWED)
    return Booking.provider_id == provider_id, owed, Booking.report_due_at.is_not(None)


def _reports_counted(provider: Provider, now: datetime) -> Select[int, int]:
    tomorrow = start_of(today(provider.time_zone, now) + timedelta(days=1), None, provider.time_zone)
    return select(func.count(), func.count().filter(Booking.report_due_at <= tomorrow)).where(*_owing(provider.id))


def _reports(provider_id: int) -> Select[Any]:
    return (
        select(*_SHOWN, Booking.id, Beneficiary.name.label("person"), Offer.name_zh, Offer.name_en)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .where(*_owing(provider_id))
        .order_by(Booking.report_due_at, Booking.id)
    )


def _owed(it: Any, now: datetime) -> OwedReport:
    return OwedReport(
        booking=it.public_id,
        reference=it.reference,
        person=masked_name(it.person),
        offer=Text(it.name_zh, it.name_en),
        service_date=it.service_date,
        time_zone=it.time_zone,
        due_at=it.report_due_at,
        overdue=it.report_due_at <= now,
        partial=it.report_state == "partial",
    )


def _week(session: Session, provider: Provider, now: datetime) -> list[WeekDay]:
    """Today and the six days after it. What is closed counts as taken: nobody can have it."""
    first = today(provider.time_zone, now)
    hour = func.extract("hour", func.timezone(Site.time_zone, Slot.starts_at))
    part = case((Slot.starts_at.is_(None), "day"), (hour < _NOON, "morning"), else_="afternoon")
    # A slot that is closed with bookings in it has those as its places, and none left.
    places = case((Slot.closed, Slot.taken), else_=Slot.capacity)
    rows = session.execute(
        select(
            Slot.service_date,
            part.label("part"),
            func.sum(places).label("places"),
            func.sum(places - Slot.taken).label("left"),
            func.bool_and(Slot.closed).label("closed"),
        )
        .join(CapacityPool, CapacityPool.id == Slot.pool_id)
        .join(Site, Site.id == CapacityPool.site_id)
        .where(
            CapacityPool.provider_id == provider.id,
            Slot.service_date.between(first, first + timedelta(days=DAYS - 1)),
        )
        .group_by(Slot.service_date, part)
    ).all()
    found = {
        (row.service_date, row.part): HalfDay(row.part, int(row.places), int(row.left), row.closed) for row in rows
    }
    order = ("morning", "afternoon", "day")
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [WeekDay(each, [found[each, part] for part in order if (each, part) in found]) for each in days]
