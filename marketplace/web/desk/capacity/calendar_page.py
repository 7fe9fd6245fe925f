"""What the calendar's templates are given: days with their marks, weeks with their slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.capacity_rules.calendars import Pool
from booking.capacity_rules.view import CalendarView, DayView, SlotView
from marketplace.web import formats
from marketplace.web.language import by_language
from marketplace.web.parts import Link
from marketplace.web.place_words import site_name

VIEWS = ("month", "week")


@dataclass(frozen=True)
class SlotRow:
    """A slot of a day. `percent`: how much of it is sold. `tone`: open, full or closed."""

    id: str
    slot: SlotView
    tone: str
    percent: int
    label: str


@dataclass(frozen=True)
class DayCell:
    """A day. `tone`: open, full, closed, off (closed because of a holiday), or none (no slots are made for it)."""

    day: date
    url: str
    tone: str
    label: str
    note: str
    taken: int
    percent: int
    over: int
    past: bool
    today: bool
    slots: Sequence[SlotRow]


def pool_name(pool: Pool) -> str:
    """What people call a pool: the name that they gave it, or else the services that draw on it, or its reference."""
    if pool.name != pool.reference or not pool.offers:
        return pool.name
    return formats.listed(by_language(name) for name in pool.offers)


def pool_links(pools: Sequence[Pool], current: str) -> tuple[Link, ...]:
    """The provider's pools, to change between them."""
    return tuple(
        Link(
            formats.dotted((pool_name(pool), site_name(pool.site))),
            url_for("desk.capacity_pool", pool=pool.id),
            pool.id == current,
        )
        for pool in pools
    )


def span(view: str, day: date) -> tuple[date, date]:
    """The first and the last day that a view shows around a day."""
    if view == "week":
        return monday(day), monday(day) + timedelta(days=6)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def monday(day: date) -> date:
    """The first day of the week."""
    return day - timedelta(days=day.weekday())


def cells(found: CalendarView) -> tuple[DayCell, ...]:
    """The days of a view."""
    return tuple(_cell(found, day) for day in found.days)


def _cell(found: CalendarView, day: DayView) -> DayCell:
    tone, label = _state(found, day)
    total = day.taken + day.free
    return DayCell(
        day=day.day,
        url=url_for("desk.capacity_day", pool=found.pool.id, day=day.day.isoformat()),
        tone=tone,
        label=label,
        note=_note(day),
        taken=day.taken,
        percent=0 if total == 0 else round(100 * day.taken / total),
        over=day.over,
        past=day.day < found.today,
        today=day.day == found.today,
        slots=tuple(slot_row(slot) for slot in day.slots),
    )


def _state(found: CalendarView, day: DayView) -> tuple[str, str]:
    if day.open_slots:
        return ("open", left(day.free)) if day.free else ("full", _("Full"))
    if day.holiday is not None and day.why in ("holiday", None):
        return "off", _("Holiday")
    made = found.ends_on is not None and found.today <= day.day <= found.ends_on
    if made or day.slots:
        return "closed", _("Not open")
    return "none", _("No places")


def left(free: int) -> str:
    """How many places can still be booked."""
    return ngettext("%(num)d left", "%(num)d left", free)


def _note(day: DayView) -> str:
    """What is special about the day."""
    marks = [by_language(day.holiday)] if day.holiday is not None else []
    if day.makes_up:
        marks.append(_("Make-up workday"))
    if day.why == "exception":
        marks.append(_("Exception"))
    return formats.dotted(marks)


def slot_row(slot: SlotView) -> SlotRow:
    """A slot with how much of it is sold."""
    total = max(slot.offered, slot.taken)
    if slot.closed:
        tone, label = "closed", _("Not open")
    elif slot.free:
        tone, label = "open", left(slot.free)
    else:
        tone, label = "full", _("Full")
    return SlotRow(slot.id, slot, tone, 0 if total == 0 else round(100 * slot.taken / total), label)
