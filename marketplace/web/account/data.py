"""我的数据: a copy of everything about the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, flash, url_for
from flask_babel import gettext as _

from booking.personal.export import DAYS, Copy, ask_copy, copies, open_copy
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import TooMany
from marketplace.web import session
from marketplace.web.answers import Views, render, retry_after, see_other
from marketplace.web.parts import Person
from marketplace.web.people import person
from marketplace.web.prefetch import not_yet, only_prefetched
from vip.customers.family import removed
from vip.signin.signin import RECENT, SignInAgain, require_recent, signed_in_recently


@dataclass(frozen=True)
class CopyLine:
    """A copy as the page shows it. `state`: asked, ready or failed; `size` in words."""

    id: str
    state: str
    asked_at: datetime
    expires_at: datetime | None
    size: str


@dataclass(frozen=True)
class MyData:
    """`recent`: she signed in just now, so that a copy can be fetched; `preparing`: one is asked for."""

    copies: tuple[CopyLine, ...]
    recent: bool
    preparing: bool
    removed: tuple[Person, ...] = ()
    days: int = DAYS
    minutes: int = int(RECENT.total_seconds() // 60)


def my_data() -> Response:
    """The page: what a copy is, and those there are."""
    return _page()


def copy_ask() -> Response:
    """Ask for a copy; the worker prepares it."""
    try:
        ask_copy(session.principal(), now=clock.now())
    except TooMany as refusal:
        return retry_after(_page(wording.sentence(refusal), refusal.status), refusal)
    flash(_("Your copy is being prepared. It is usually ready within a minute."), "ok")
    return see_other(url_for("web.my_data"))


def copy(copy: str) -> Response:
    """The copy as a file, for who signed in just now; it is recorded that it was fetched."""
    if only_prefetched():
        return not_yet()
    me, now = session.principal(), clock.now()
    try:
        require_recent(me, now)
    except SignInAgain:
        return see_other(url_for("web.sign_in", again=1, next=url_for("web.my_data")))
    found = open_copy(me, copy, now=now)
    answer = Response(found.parts, content_type="application/zip")
    answer.content_length = found.size
    name = f"anxiang-{found.made_on.date().isoformat()}.zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(problem: str = "", status: int = 200) -> Response:
    me, now = session.principal(), clock.now()
    found = tuple(_line(it) for it in copies(me, now=now))
    today = clock.today(me.time_zone, now)
    gone = tuple(person(it, today) for it in removed(me.id))
    page = MyData(found, signed_in_recently(me, now), any(it.state == "asked" for it in found), gone)
    return render("my_data.html", status, page=page, problem=problem)


def _line(it: Copy) -> CopyLine:
    size = f"{max(1, round(it.size / 1000)):,} kB" if it.size < 1_000_000 else f"{it.size / 1_000_000:,.1f} MB"
    return CopyLine(it.id, it.state, it.asked_at, it.expires_at, size)


VIEWS: Views = {"my_data": my_data, "copy_ask": copy_ask, "copy": copy}
