"""The board: the days ahead, who has nobody yet, who is asked, who goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, url_for

from booking.escort.at_desk.board import Wanted, board
from booking.escort.at_desk.cases import open_cases
from marketplace.core import clock
from marketplace.web.answers import Views, asked
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.dispatching import dispatch_page
from marketplace.web.desk.dispatching.dispatch_page import BoardPage
from marketplace.web.parts import Choice
from vip.principal import Member

DAYS = 14
_STANDINGS = ("without", "asked", "accepted")
_LONGEST = 64


def dispatch() -> Response:
    """The board, narrowed by the address."""
    who, now = session.member(), clock.now()
    wanted = _wanted(who, now)
    page = _page(who, wanted, now)
    return desk_page(
        "dispatching/board",
        "dispatch",
        live_part=(page,),
        page=page,
        live_url=url_for("desk.dispatch_live", **_address(wanted)),
        wanted=wanted,
        standings=_choices(wanted),
        first=clock.today(who.time_zone, now),
        narrowed=bool(wanted.city or wanted.venue or wanted.standing or asked("day", 10)),
    )


def dispatch_live() -> Response:
    """The part that changes by itself."""
    who, now = session.member(), clock.now()
    page = _page(who, _wanted(who, now), now)
    return desk_live("dispatching/board_live", page, page=page)


def _page(who: Member, wanted: Wanted, now: datetime) -> BoardPage:
    return dispatch_page.page(board(who, wanted), open_cases(who), now)


def _wanted(who: Member, now: datetime) -> Wanted:
    """What the address asks for. The day before today is looked at as well: at some sites it may still be that."""
    standing = asked("show", 20)
    first = clock.today(who.time_zone, now)
    day = _day(asked("day", 10))
    return Wanted(
        day or first - timedelta(days=1),
        day or first + timedelta(days=DAYS),
        asked("city", _LONGEST),
        asked("venue", _LONGEST),
        standing if standing in _STANDINGS else "",
    )


def _address(wanted: Wanted) -> dict[str, Any]:
    """The address's part that asks for it."""
    day = wanted.first.isoformat() if wanted.first == wanted.last else None
    return {
        "day": day,
        "city": wanted.city or None,
        "venue": wanted.venue or None,
        "show": wanted.standing or None,
    }


def _choices(wanted: Wanted) -> tuple[Choice, ...]:
    names = dispatch_page.standings()
    return tuple(Choice(value, names[value], value == wanted.standing) for value in ("", *_STANDINGS))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


VIEWS: Views = {"dispatch": dispatch, "dispatch_live": dispatch_live}
