"""The calendar of places: which pools there are, and a month or a week of one."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Response, url_for

from booking.capacity_rules import calendars, view
from booking.capacity_rules.holidays import public_holidays
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web.answers import Views, asked, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.capacity import calendar_page

AHEAD = timedelta(days=27)
"""How far the current month goes on into the next one: at its end there would be nothing left to look at."""


def capacity() -> Response:
    """The provider's pools; one alone is shown at once."""
    pools = calendars.pools(session.member().provider_id)
    if len(pools) == 1:
        return see_other(url_for("desk.capacity_pool", pool=pools[0].id))
    rows = [(pool, calendar_page.pool_name(pool)) for pool in pools]
    return desk_page("capacity/pools", "capacity", rows=rows)


def capacity_pool(pool: str) -> Response:
    """A month or a week of a pool. The month that is now begins with this week; the days before come by a link."""
    provider, now = session.member().provider_id, clock.now()
    pools = calendars.pools(provider)
    this = next((each for each in pools if each.id == pool), None)
    if this is None:
        raise NotFound(field="pool")
    shown = asked("view", 8) if asked("view", 8) in calendar_page.VIEWS else "month"
    today = clock.today(this.zone, now)
    day = _day(asked("day", 10), today)
    first, end = calendar_page.span(shown, day)
    current = shown == "month" and first <= today <= end
    whole = bool(asked("whole", 1))
    begins = calendar_page.monday(today) if current and not whole else first
    last = max(end, today + AHEAD) if current else end
    found = view.calendar(provider, pool, begins, last, now=now)
    return desk_page(
        "capacity/calendar",
        "capacity",
        found=found,
        name=calendar_page.pool_name(found.pool),
        pools=calendar_page.pool_links(pools, pool),
        view=shown,
        day=day,
        first=first,
        last=last,
        before=first - timedelta(days=1),
        after=end + timedelta(days=1),
        current=current and not whole,
        past=current and begins > first,
        cells=calendar_page.cells(found),
        years=public_holidays().years,
    )


def _day(text: str, today: date) -> date:
    """The day that is asked for; today where that is none that a calendar shows."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return found if abs((found - today).days) <= 3 * 366 else today


VIEWS: Views = {"capacity": capacity, "capacity_pool": capacity_pool}
