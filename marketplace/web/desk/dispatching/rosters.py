"""The desk's pages about when an escort worker works: her weekly hours, and the times in which she is away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.escort.workers import absence, read, roster
from booking.escort.workers.roster import DAY_MINUTES, Hours
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web import schema_form
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.dispatching import words, workers_page
from marketplace.web.parts import Form

_LONGEST_KEY = 64
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
"""Beyond them lies a slip of the keys; at the ends of the calendar no moment of a day can be told in another zone."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


def dispatch_roster(worker: str) -> Response:
    """The lines of her week: one more, or one that ends."""
    who, now = session.member(), clock.now()
    it = read.worker_of(who, worker, now=now)
    if request.method != "POST":
        first = {"first": clock.today(it.zone, now).isoformat(), "start": "08:00", "end": "17:00"}
        return _roster(it, Form({**first, **{f"day{number}": "1" for number in range(1, 6)}}), now)
    fields = schema_form.sent()
    try:
        if fields.get("do") == "end":
            roster.end_hours(who, worker, field("line", _LONGEST_KEY), now=now)
            flash(_("Taken off her week from today on."), "ok")
        else:
            roster.add_hours(who, worker, _hours(fields), now=now)
            flash(_("Her hours are written."), "ok")
        return see_other(url_for("desk.dispatch_roster", worker=worker))
    except NotFound:
        raise
    except Refusal as refusal:
        known = refusal.at in ("weekdays", "start", "end", "first", "last")
        message = wording.sentence(refusal)
        form = Form(dict(fields), {str(refusal.at): message}) if known else Form(dict(fields), problem=message)
        return _roster(it, form, now, refusal.status)


def dispatch_away(worker: str) -> Response:
    """She is away: first what that hits is shown, then it is written, and somebody else looked for. Or she is back."""
    who, now = session.member(), clock.now()
    it = read.worker_of(who, worker, now=now)
    if request.method != "POST":
        ill = asked("cause", 10) == "ill"
        first = {"cause": "ill" if ill else "leave"}
        return _away(it, Form(first), now)
    if field("do", 10) == "back":
        absence.come_back(who, worker, field("absence", _LONGEST_KEY), now=now)
        flash(_("Written down."), "ok")
        return see_other(url_for("desk.dispatch_worker", worker=worker))
    fields = schema_form.sent()
    try:
        since, until = _times(fields, it.zone, now)
        if fields.get("do") != "write":
            _check(since, until, now)
            return _away(it, Form(dict(fields)), now, hit=absence.hit(who, worker, max(since, now), until))
        replaced = absence.go_away(who, worker, since, until, fields.get("cause", ""), now=now_by_database())
    except NotFound:
        raise
    except Refusal as refusal:
        message = wording.sentence(refusal)
        return _away(it, Form(dict(fields), {refusal.at or "since": message}), now, status=refusal.status)
    flash(_said(len(replaced)), "ok")
    return see_other(url_for("desk.dispatch_worker", worker=worker))


def _said(replaced: int) -> str:
    if not replaced:
        return _("Written down. Nothing that she was to do is hit.")
    return ngettext(
        "Written down. Somebody else is asked for %(num)d escort: see the board.",
        "Written down. Somebody else is asked for %(num)d escorts: see the board.",
        replaced,
    )


def _roster(it: read.WorkerView, form: Form, now: datetime, status: int = 200) -> Response:
    page = workers_page.page(it, now)
    return desk_page("dispatching/roster", "dispatch_workers", status, page=page, form=form, weekdays=words.weekdays())


def _away(
    it: read.WorkerView,
    form: Form,
    now: datetime,
    *,
    status: int = 200,
    hit: list[absence.Promised] | None = None,
) -> Response:
    return desk_page(
        "dispatching/away",
        "dispatch_workers",
        status,
        page=workers_page.page(it, now),
        form=form,
        causes=words.absence_causes(),
        looked=hit is not None,
        hit=tuple(workers_page.promised_row(each) for each in hit or ()),
    )


def _hours(fields: Mapping[str, str]) -> Hours:
    days = frozenset(number for number in range(1, 8) if fields.get(f"day{number}"))
    first = _day(fields, "first")
    if first is None:
        raise Invalid(field="first", reason="required")
    return Hours(days, _minute(fields, "start"), _minute(fields, "end"), first, _day(fields, "last"))


def _times(fields: Mapping[str, str], zone: str, now: datetime) -> tuple[datetime, datetime | None]:
    """From when until when; a blank beginning is now, a blank end until she is back."""
    since = _moment(fields, "since", time(), zone) or now
    return since, _moment(fields, "until", None, zone)


def _check(since: datetime, until: datetime | None, now: datetime) -> None:
    if until is not None and until <= max(since, now):
        raise Invalid(field="until", reason="ends_before_start")


def _moment(fields: Mapping[str, str], name: str, start: time | None, zone: str) -> datetime | None:
    """A day with or without a time; without one the day's begin where that is `start`, else its end."""
    day = _day(fields, name)
    if day is None:
        return None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Invalid(field=name, reason="date")
    minute = _minute(fields, f"{name}_time", at=name) if fields.get(f"{name}_time") else None
    if minute is None:
        minute = 0 if start is not None else DAY_MINUTES
    begin = datetime.combine(day, time(), ZoneInfo(zone))
    if minute == DAY_MINUTES:
        return clock.window_of(day, None, None, zone)[1].astimezone(UTC)
    return begin.replace(hour=minute // 60, minute=minute % 60).astimezone(UTC)


def _day(fields: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(fields[name]) if fields.get(name) else None
    except ValueError as wrong:
        raise Invalid(field=name, reason="date") from wrong


def _minute(fields: Mapping[str, str], name: str, at: str = "") -> int:
    text = fields.get(name, "")
    if not _TIME.fullmatch(text):
        raise Invalid(field=at or name, reason="time")
    hours, _colon, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


VIEWS: Views = {"dispatch_roster": dispatch_roster, "dispatch_away": dispatch_away}
