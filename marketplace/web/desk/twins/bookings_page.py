"""Test bookings in words: a line of the list, and the times that can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from booking.offers.availability import SlotView
from booking.states import BookingState
from booking.twins.view import TimeOf, TrialBooking
from marketplace.web import booking_words, formats
from marketplace.web.desk.work.bookings_page import TimeChoice, TimesOfDay
from marketplace.web.language import by_language
from marketplace.web.parts import Pill, When


@dataclass(frozen=True)
class Row:
    """A line of the list, `offer` with its place. `url` is the booking at the desk, blank while the desk knows nothing
    of it; `cancel_url` and `change_url` are blank where the customer can't ask for that."""

    reference: str
    offer: str
    customer: str
    when: When
    pill: Pill
    aside: str
    wanted: When | None
    url: str
    cancel_url: str
    change_url: str


@dataclass(frozen=True)
class Listed:
    """A page of the list; `first` without others before it. `more_url` is the page after it, blank on the last one."""

    rows: tuple[Row, ...]
    first: bool
    more_url: str


def row(it: TrialBooking) -> Row:
    """A line of the list."""
    asked = {"cancel": _("Cancel under way"), "reschedule": _("Change of date asked for")}
    seen = it.state not in (BookingState.HELD, BookingState.EXPIRED)
    return Row(
        it.reference,
        formats.dotted((by_language(it.offer), it.place)),
        it.customer,
        _when(it.at, it.time_zone),
        booking_words.pill(it.state.value),
        asked.get(it.asked, ""),
        _when(it.wanted, it.time_zone) if it.wanted else None,
        url_for("desk.booking", booking=it.id) if seen else "",
        url_for("desk.test_cancel", booking=it.id) if it.may_cancel else "",
        url_for("desk.test_change", booking=it.id) if it.may_change else "",
    )


def days(found: Sequence[SlotView], zone: str) -> tuple[TimesOfDay, ...]:
    """Times that can be booked, by day."""
    by_day: dict[str, list[TimeChoice]] = {}
    for it in found:
        label = formats.time_range(it.starts_at, it.ends_at, zone) if it.starts_at else _("All day")
        by_day.setdefault(formats.day(it.service_date, zone), []).append(TimeChoice(it.id, label, it.free))
    return tuple(TimesOfDay(day, tuple(times)) for day, times in by_day.items())


def _when(at: TimeOf, zone: str) -> When:
    return When(at.service_date, zone, at.starts_at, at.ends_at)
