"""Changing a pool's rules or one date of it: what would change, and the change itself.

Whoever saves says which version she looked at: of two who edit at once the second is told. What becomes of the bookings
whose places go off sale is decided with the change, in its transaction, and carried out after the slots are published.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.answering.answer import AnsweredElsewhere
from booking.capacity_rules.affected import Affected, affected, by_time, loses_places, undecided
from booking.capacity_rules.calendars import (
    Pool,
    pool_of,
    row_of,
    rule_of,
    rules_of,
    slots_from,
    stored_sections,
)
from booking.capacity_rules.check import MOST_SLOTS, check_day, check_rules
from booking.capacity_rules.decisions import Decision, add_items, check_decisions, other_times
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.models import CapacityChange, CapacityException, CapacityRule, PoolCalendar
from booking.capacity_rules.plan import PlannedSlot, Rules, Section, planned
from booking.models import Slot
from booking.offers.alternatives import Alternative
from marketplace.core import audit
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger

log = get_logger(__name__)

NEW = 0
"""The version of a calendar that isn't there yet."""


class CalendarChanged(Refusal):
    """Somebody else has changed the calendar since the caller looked at it."""

    code = "calendar_changed"
    status = 412


class BookingsToDecide(Refusal):
    """Bookings would lose their places, and it isn't said what becomes of them; `number` of them."""

    code = "bookings_to_decide"


@dataclass(frozen=True)
class Editor:
    """Who edits: a provider (internal id) and its member's public id."""

    provider_id: int
    actor: str


@dataclass(frozen=True)
class Wish:
    """A calendar as somebody wants it: its rules and settings, or (with `day`) the sections of one date; none closes
    it, None gives it back to the rules."""

    rules: Rules | None = None
    day: date | None = None
    sections: Sequence[Section] | None = None


@dataclass(frozen=True)
class DayChange:
    """How many slots and places a date has on sale before and after."""

    day: date
    slots: tuple[int, int]
    places: tuple[int, int]


@dataclass(frozen=True)
class Preview:
    """What a change would do: the dates that change, the bookings that would lose their places, and other times for
    each of these (by public id)."""

    days: Sequence[DayChange]
    bookings: Affected
    others: Mapping[str, Sequence[Alternative]]


def calendar_of(editor_provider: int, pool_id: str) -> tuple[Pool, int, Rules]:
    """A pool, the version of its calendar (NEW where it has none) and its rules. Raises NotFound."""
    with reading() as session:
        pool = pool_of(session, editor_provider, pool_id)
        calendar = session.get(PoolCalendar, pool.key, populate_existing=True)
        return pool, calendar.version if calendar else NEW, rules_of(session, calendar) if calendar else Rules()


def preview(editor: Editor, pool_id: str, wish: Wish, *, now: datetime) -> Preview:
    """What the change would do. Raises NotFound, Invalid, AnsweredElsewhere."""
    with reading() as session:
        pool = _editable(session, editor, pool_id)
        calendar = session.get(PoolCalendar, pool.key, populate_existing=True)
        before = rules_of(session, calendar) if calendar else Rules()
        on = today(pool.zone, now)
        wanted = _planned(pool, _wished(before, wish, on), wish, on)
        known = slots_from(session, pool.key, on)
        lost = affected(session, losing(known, wanted))
        plan = by_time(wanted)
        gone = {slot.public_id for slot in known if (slot.service_date, slot.starts_at) not in plan}
        return Preview(_days(known, wanted), lost, other_times(session, lost.to_decide, now=now, without=gone))


def change(
    editor: Editor, pool_id: str, wish: Wish, version: int, decisions: Collection[Decision] = (), *, now: datetime
) -> str:
    """Store the change, and what becomes of the bookings that lose their places; returns the change's public id. The
    slots are published by `extend.publish_calendar`, at once or by the worker. Audited.

    Raises NotFound, Invalid, AnsweredElsewhere, CalendarChanged, BookingsToDecide.
    """
    check_decisions(decisions)
    with transaction() as session:
        pool = _editable(session, editor, pool_id)
        on = today(pool.zone, now)
        calendar = _lock(session, pool, version, on)
        before = rules_of(session, calendar)
        after = _wished(before, wish, on)
        known = slots_from(session, pool.key, on)
        lost = affected(session, losing(known, _planned(pool, after, wish, on)))
        left = {each.booking.id for each in lost.to_decide} - {each.booking for each in decisions}
        if left:
            raise BookingsToDecide(number=len(left))
        calendar.version = max([calendar.version, *(slot.version for slot in known)]) + 1
        _store(session, calendar, before, after, wish, now)
        made = CapacityChange(
            public_id=new_id("cch"),
            pool_id=pool.key,
            version=calendar.version,
            kind="rules" if wish.day is None else "day",
            day=wish.day,
            actor=editor.actor,
            at=now,
        )
        session.add(made)
        session.flush()
        add_items(session, made, lost.to_decide, decisions, actor=editor.actor, now=now)
        audit.record(
            session,
            "capacity.changed",
            at=now,
            actor_kind="provider",
            actor=editor.actor,
            subject=made.public_id,
            pool=pool.id,
            kind=made.kind,
            day=None if wish.day is None else wish.day.isoformat(),
        )
    log.info("capacity.changed", change=made.public_id, kind=made.kind)
    return made.public_id


def decide(editor: Editor, pool_id: str, decisions: Collection[Decision], *, now: datetime) -> str:
    """Say what becomes of bookings of the pool that stand at places which are off sale already; returns the public id
    of the newest change, to which that is added. Decisions about others change nothing. Raises NotFound, Invalid,
    AnsweredElsewhere."""
    check_decisions(decisions)
    with transaction() as session:
        pool = _editable(session, editor, pool_id)
        session.get(PoolCalendar, pool.key, with_for_update=True)
        newest = session.scalar(
            select(CapacityChange)
            .where(CapacityChange.pool_id == pool.key)
            .order_by(CapacityChange.version.desc())
            .limit(1)
        )
        if newest is None:
            raise NotFound(field="pool")
        left = undecided(session, pool.key, today(pool.zone, now))
        add_items(session, newest, left, decisions, actor=editor.actor, now=now)
    return newest.public_id


def losing(known: Sequence[Slot], wanted: Sequence[PlannedSlot]) -> list[int]:
    """The slots (internal ids) of which places that are sold would go off sale."""
    plan = by_time(wanted)
    return [slot.id for slot in known if loses_places(slot, plan.get((slot.service_date, slot.starts_at)))]


def _editable(session: Session, editor: Editor, pool_id: str) -> Pool:
    pool = pool_of(session, editor.provider_id, pool_id)
    if not pool.written_here:
        raise AnsweredElsewhere()
    return pool


def _lock(session: Session, pool: Pool, version: int, on: date) -> PoolCalendar:
    """The calendar's row, locked, if it has the version; a new one is made. Raises CalendarChanged."""
    if version == NEW:
        added = insert(PoolCalendar).values(pool_id=pool.key, version=1).on_conflict_do_nothing()
        if session.execute(added.returning(PoolCalendar.pool_id)).scalar_one_or_none() is None:
            raise CalendarChanged()
    calendar = session.scalar(
        select(PoolCalendar)
        .where(PoolCalendar.pool_id == pool.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if calendar is None or version not in (NEW, calendar.version):
        raise CalendarChanged()
    return calendar


def _wished(before: Rules, wish: Wish, on: date) -> Rules:
    """The rules as they would be. Raises Invalid."""
    if wish.day is None:
        after = replace(wish.rules or before, exceptions=before.exceptions)
        check_rules(after)
        return after
    if wish.day < on:
        raise Invalid(field="day", reason="day_is_over")
    exceptions = {day: sections for day, sections in before.exceptions.items() if day != wish.day}
    if wish.sections is not None:
        check_day(wish.sections)
        exceptions[wish.day] = tuple(wish.sections)
    return replace(before, exceptions=exceptions)


def _planned(pool: Pool, rules: Rules, wish: Wish, on: date) -> list[PlannedSlot]:
    """The slots that the wish leads to. Raises Invalid for more than a pool can have."""
    found = list(islice(planned(rules, public_holidays(), pool.zone, on), MOST_SLOTS + 1))
    if len(found) > MOST_SLOTS:
        field = "rules" if wish.day is None else "sections"
        raise Invalid(field=field, reason="too_many_slots_in_all", maximum=MOST_SLOTS)
    return found


def _store(session: Session, calendar: PoolCalendar, before: Rules, after: Rules, wish: Wish, now: datetime) -> None:
    """End the rows that no longer hold, and add those that are new."""
    if wish.day is not None:
        session.execute(
            update(CapacityException)
            .where(
                CapacityException.pool_id == calendar.pool_id,
                CapacityException.day == wish.day,
                CapacityException.ended_at.is_(None),
            )
            .values(ended_at=now)
        )
        if wish.day in after.exceptions:
            sections = stored_sections(after.exceptions[wish.day])
            session.add(CapacityException(pool_id=calendar.pool_id, day=wish.day, sections=sections))
        return
    calendar.closed_on_holidays = after.closed_on_holidays
    calendar.make_up_weekday = after.make_up_weekday
    calendar.horizon_days = after.horizon_days
    added = list(after.weekly)
    for row in session.scalars(
        select(CapacityRule).where(CapacityRule.pool_id == calendar.pool_id, CapacityRule.ended_at.is_(None))
    ):
        if rule_of(row) in added:
            added.remove(rule_of(row))
        else:
            row.ended_at = now
    session.add_all([row_of(calendar.pool_id, rule) for rule in added])


def _days(known: Sequence[Slot], wanted: Sequence[PlannedSlot]) -> list[DayChange]:
    before, after = dict[date, list[int]](), dict[date, list[int]]()
    for slot in known:
        if not slot.closed:
            before.setdefault(slot.service_date, []).append(slot.offered)
    for each in wanted:
        after.setdefault(each.day, []).append(each.places)
    times = _changed_times(known, wanted)
    found = []
    for day in sorted(times):
        old, new = before.get(day, []), after.get(day, [])
        found.append(DayChange(day, (len(old), len(new)), (sum(old), sum(new))))
    return found


def _changed_times(known: Sequence[Slot], wanted: Sequence[PlannedSlot]) -> set[date]:
    """The dates on which a slot comes, goes, or has other places."""
    before = {(slot.service_date, slot.starts_at): slot.offered for slot in known if not slot.closed}
    after = {each.key: each.places for each in wanted}
    return {key[0] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
