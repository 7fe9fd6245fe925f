"""The calendar as its provider sees it: days with what is taken and free, and what came of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.answering.shown import ShownBooking, show
from booking.capacity_rules.affected import AtSlot, undecided
from booking.capacity_rules.calendars import Pool, pool_of, rules_of, slots_from
from booking.capacity_rules.decisions import other_times
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.models import CapacityChange, CapacityChangeItem, PoolCalendar
from booking.capacity_rules.plan import DayPlan, Rules, Why, day_plan
from booking.models import Booking, Slot
from booking.offers.alternatives import Alternative
from marketplace.catalog.models import CapacityPool
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text


@dataclass(frozen=True)
class SlotView:
    """A slot. Times are UTC, None for the whole day. `free`: places that can be booked; `over`: how many more are sold
    than are offered."""

    id: str
    starts_at: datetime | None
    ends_at: datetime | None
    offered: int
    taken: int
    free: int
    closed: bool

    @property
    def over(self) -> int:
        """How many more are sold than are offered; of a closed slot all that are sold."""
        return self.taken if self.closed else max(self.taken - self.offered, 0)


@dataclass(frozen=True)
class DayView:
    """A date. `taken` counts what is sold, also at closed times, `free` what can still be booked. `plan`: what rules
    say of it, None where the pool has none. `makes_up`: a weekend day on which people work for a holiday; `year_known`:
    whether its year's public holidays are published."""

    day: date
    slots: Sequence[SlotView]
    holiday: Text | None
    makes_up: bool
    year_known: bool
    plan: DayPlan | None

    @property
    def open_slots(self) -> Sequence[SlotView]:
        """What is on sale."""
        return [slot for slot in self.slots if not slot.closed]

    @property
    def closed(self) -> bool:
        """Whether nothing is on sale."""
        return not self.open_slots

    @property
    def taken(self) -> int:
        """Places that are sold."""
        return sum(slot.taken for slot in self.slots)

    @property
    def free(self) -> int:
        """Places that can still be booked."""
        return sum(slot.free for slot in self.slots)

    @property
    def over(self) -> int:
        """Places that are sold and not on sale any more."""
        return sum(slot.over for slot in self.slots)

    @property
    def why(self) -> Why | None:
        """What decided it."""
        return None if self.plan is None else self.plan.why


@dataclass(frozen=True)
class CalendarView:
    """Some days of a pool. `version` 0: it has no rules of its own. `behind`: the slots in the books are not yet those
    of the newest rules. `ends_on`: the last day for which slots are made. `undecided`: bookings at places that are off
    sale, of which nobody has said what becomes."""

    pool: Pool
    version: int
    rules: Rules
    today: date
    ends_on: date | None
    behind: bool
    days: Sequence[DayView]
    undecided: int
    unknown_years: Sequence[int]


@dataclass(frozen=True)
class ItemView:
    """What was decided about a booking, and what came of it."""

    booking: ShownBooking
    action: str
    reason: str
    state: str
    outcome: str
    decided_at: datetime


@dataclass(frozen=True)
class ChangeView:
    """A change and what became of the bookings. `published`: its slots are in the books. `left`: bookings of the pool
    that are still to decide."""

    id: str
    pool: Pool
    kind: str
    day: date | None
    actor: str
    at: datetime
    published: bool
    items: Sequence[ItemView]
    left: Sequence[AtSlot]

    @property
    def waiting(self) -> bool:
        """Whether something is still being carried out."""
        return not self.published or any(each.state == "waiting" for each in self.items)


def calendar(provider_id: int, pool_id: str, first: date, last: date, *, now: datetime) -> CalendarView:
    """The days of a pool from `first` to `last`, both included. Raises NotFound."""
    with reading() as session:
        pool = pool_of(session, provider_id, pool_id)
        row = session.get(PoolCalendar, pool.key, populate_existing=True)
        rules, on = rules_of(session, row) if row else Rules(), today(pool.zone, now)
        slots = slots_from(session, pool.key, first, last)
        left = len(undecided(session, pool.key, on))
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(slot.service_date, []).append(slot)
    ends_on = on + timedelta(days=rules.horizon_days - 1) if row else None
    days = [_day(first + timedelta(days=n), by_day, rules if row else None) for n in range((last - first).days + 1)]
    known = public_holidays()
    years = range(on.year, ends_on.year + 1) if ends_on else range(on.year, on.year + 1)
    return CalendarView(
        pool=pool,
        version=row.version if row else 0,
        rules=rules,
        today=on,
        ends_on=ends_on,
        behind=row is not None and row.published_version != row.version,
        days=days,
        undecided=left,
        unknown_years=[year for year in years if not known.published(year)],
    )


@dataclass(frozen=True)
class ToDecide:
    """The bookings of a pool at places that are off sale, of which somebody has to say what becomes; and other times
    for each of them."""

    pool: Pool
    bookings: Sequence[AtSlot]
    others: Mapping[str, Sequence[Alternative]]


def to_decide(provider_id: int, pool_id: str, *, now: datetime) -> ToDecide:
    """What is to decide in a pool. Raises NotFound."""
    with reading() as session:
        pool = pool_of(session, provider_id, pool_id)
        left = undecided(session, pool.key, today(pool.zone, now))
        return ToDecide(pool, left, other_times(session, left, now=now))


def change_view(provider_id: int, change_id: str, *, now: datetime) -> ChangeView:
    """A change of one of the provider's pools. Raises NotFound."""
    with reading() as session:
        row = session.execute(
            select(CapacityChange, CapacityPool.public_id)
            .join(CapacityPool, CapacityPool.id == CapacityChange.pool_id)
            .where(CapacityChange.public_id == change_id, CapacityPool.provider_id == provider_id)
        ).one_or_none()
        if row is None:
            raise NotFound(field="change")
        made, pool_id = row
        pool = pool_of(session, provider_id, pool_id)
        standing = session.get_one(PoolCalendar, pool.key, populate_existing=True)
        return ChangeView(
            id=made.public_id,
            pool=pool,
            kind=made.kind,
            day=made.day,
            actor=made.actor,
            at=made.at,
            published=(standing.published_version or 0) >= made.version,
            items=_items(session, made),
            left=undecided(session, pool.key, today(pool.zone, now)),
        )


def _items(session: Session, made: CapacityChange) -> list[ItemView]:
    rows = session.execute(
        select(CapacityChangeItem, Booking)
        .join(Booking, Booking.id == CapacityChangeItem.booking_id)
        .where(CapacityChangeItem.change_id == made.id)
        .order_by(CapacityChangeItem.id)
    ).all()
    shown = show(session, [booking for _, booking in rows])
    return [
        ItemView(booking, item.action, item.reason, item.state, item.outcome, item.decided_at)
        for (item, _), booking in zip(rows, shown, strict=True)
    ]


def _day(day: date, slots: Mapping[date, Sequence[Slot]], rules: Rules | None) -> DayView:
    holidays = public_holidays()
    return DayView(
        day=day,
        slots=[_slot(each) for each in slots.get(day, ()) if not each.closed or each.taken],
        holiday=holidays.holiday(day),
        makes_up=holidays.makes_up(day),
        year_known=holidays.published(day.year),
        plan=None if rules is None else day_plan(rules, holidays, day),
    )


def _slot(slot: Slot) -> SlotView:
    return SlotView(
        id=slot.public_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        offered=slot.offered,
        taken=slot.taken,
        free=slot.capacity - slot.taken if slot.has_place else 0,
        closed=slot.closed,
    )
