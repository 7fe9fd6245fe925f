"""What the pickers of day and time share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from booking.offers.availability import DayView
from marketplace.web.answers import asked
from marketplace.web.booking import times_page
from marketplace.web.booking.times_page import Day, Month


def chosen_day(known: dict[date, DayView], wanted: str) -> date | None:
    """The day that was asked for if it is within reach, else the first that is free."""
    day = day_of(wanted)
    if day in known:
        return day
    return next((at for at, view in known.items() if view.slots), None)


def day_of(text: str) -> date | None:
    """A day of this century, as the API takes it: others leave no room for the days around them."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def month_page(url: Callable[..., str], days: dict[date, Day], at: date, reach: tuple[date, date]) -> Month:
    """The calendar page that was asked for, else that of `at`; `url(month=…)` is the picker's address."""
    first = day_of(f"{asked('month', 7)}-01") or at.replace(day=1)
    first = min(max(first, reach[0].replace(day=1)), reach[1].replace(day=1))
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)
    return times_page.month(
        first,
        days,
        url(month=before) if before >= reach[0].replace(day=1) else "",
        url(month=after) if after <= reach[1] else "",
    )
