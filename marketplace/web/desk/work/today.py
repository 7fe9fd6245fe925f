"""Today's work: what waits, who comes, what is owed; and agreeing to several at once."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request, url_for

from booking.answering.day import day
from marketplace.core import clock
from marketplace.web.answers import Views, see_other
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.session import member
from marketplace.web.desk.work import saying, today_page
from marketplace.web.desk.work.today_page import TodayPage
from marketplace.web.urls import first_desk_page
from providers.staff import duties

_MOST_AT_ONCE = 50


def home() -> Response:
    """The day's work; who has no part in it is led to her own."""
    if not duties.may(member(), "arrivals"):
        return see_other(url_for(f"desk.{first_desk_page(member().role)}"))
    return _shown(clock.now())


def home_live() -> Response:
    """The part that changes by itself."""
    page = _page(clock.now())
    return desk_live("parts/today_live", page, page=page)


def agree() -> Response:
    """Agree to all that were chosen, each by itself; what became of each is said one by one."""
    now = clock.now()
    chosen = dict.fromkeys(request.form.getlist("chosen")[:_MOST_AT_ONCE])
    results = tuple(saying.agree(member(), each, now=now) for each in chosen)
    return _shown(now, results=tuple(each for each in results if each is not None), asked=True)


def _shown(now: datetime, *, results: tuple[saying.Said, ...] = (), asked: bool = False) -> Response:
    page = _page(now)
    return desk_page("home", "home", page=page, live_part=(page,), results=results, asked=asked)


def _page(now: datetime) -> TodayPage:
    who = member()
    return today_page.page(day(who.provider_id, now=now), now, answers=duties.may(who, "bookings"))


VIEWS: Views = {"home": home, "home_live": home_live, "agree": agree}
