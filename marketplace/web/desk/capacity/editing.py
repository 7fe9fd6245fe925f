"""Changing the calendar of places: a form, what it would change and which bookings it concerns, and saving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.answering.answer import AnsweredElsewhere
from booking.capacity_rules import edit, view
from booking.capacity_rules.calendars import Pool
from booking.capacity_rules.edit import Editor, Wish
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.plan import Rules, Section, day_plan, with_places
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.edge import LARGE_FORM
from marketplace.web.answers import Views, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.capacity import calendar_page, deciding, forms
from marketplace.web.desk.capacity.publishing import publish_now
from marketplace.web.parts import Form


@dataclass(frozen=True)
class _Asked:
    """A form that was sent: who, about which pool (and which day of it), what is wished, and how it is typed. `seen`:
    the version that the sender looked at."""

    editor: Editor
    pool: Pool
    version: int
    seen: int
    rules: Rules
    fields: forms.Fields
    now: datetime
    day: date | None = None

    @property
    def url(self) -> str:
        """Where the form is sent."""
        if self.day is None:
            return url_for("desk.capacity_rules", pool=self.pool.id)
        return url_for("desk.capacity_day", pool=self.pool.id, day=self.day.isoformat())


def capacity_rules(pool: str) -> Response:
    """The weekly rules of a pool."""
    return _edit(pool, None)


def capacity_day(pool: str, day: str) -> Response:
    """One date of a pool: its slots, and what it has instead of what the rules say."""
    try:
        on = date.fromisoformat(day)
    except ValueError as wrong:
        raise NotFound(field="day") from wrong
    return _edit(pool, on)


def _edit(pool: str, day: date | None) -> Response:
    who, now = session.member(), clock.now()
    this, version, rules = edit.calendar_of(who.provider_id, pool)
    sent, fields = request.method == "POST", forms.sent()
    if sent and not this.written_here:
        raise AnsweredElsewhere()
    seen = _seen(fields) if sent else version
    asked = _Asked(Editor(who.provider_id, who.public_id), this, version, seen, rules, fields, now, day)
    if not sent:
        return _form(asked)
    step = asked.fields.get("do", "look")
    if step in ("edit", "more"):
        return _form(asked, typed=True)
    try:
        wish = _wish(asked)
        found = edit.preview(asked.editor, pool, wish, now=now)
    except Invalid as refusal:
        return _form(asked, refusal, typed=True)
    if step == "save":
        return _save(asked, wish, found)
    return _preview(asked, wish, found)


def _seen(fields: forms.Fields) -> int:
    """The version that a form carries. Raises Invalid: what is no version guards nothing."""
    text = fields.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Invalid(field="version", reason="choice")
    return int(text)


def _wish(asked: _Asked) -> Wish:
    """What the form wishes. Raises Invalid."""
    if asked.day is None:
        return Wish(rules=forms.rules_in(asked.fields, clock.today(asked.pool.zone, asked.now)))
    what = asked.fields.get("what", "")
    if what == "rules":
        return Wish(day=asked.day)
    if what == "closed":
        return Wish(day=asked.day, sections=())
    if what.startswith("slot:"):
        return Wish(day=asked.day, sections=_without_slot(asked, what.removeprefix("slot:")))
    if what != "sections":
        raise Invalid(field="what", reason="choice")
    sections = forms.sections_in(asked.fields)
    if not sections:  # closing is said, not left out
        raise Invalid(field="sections", reason="required")
    return Wish(day=asked.day, sections=sections)


def _without_slot(asked: _Asked, minute: str) -> Sequence[Section]:
    """The day's sections without the slot that begins at this minute."""
    if not (minute.isascii() and minute.isdecimal() and len(minute) < 5):
        raise Invalid(field="what", reason="choice")
    assert asked.day is not None  # noqa: S101
    return with_places(_planned(asked), int(minute), 0)


def _planned(asked: _Asked) -> Sequence[Section]:
    if asked.day is None:
        return ()
    return day_plan(asked.rules, public_holidays(), asked.day).sections


def _save(asked: _Asked, wish: Wish, found: edit.Preview) -> Response:
    bookings = [each.booking.id for each in found.bookings.to_decide]
    try:
        decisions = forms.decisions_in(asked.fields, bookings)
        made = edit.change(asked.editor, asked.pool.id, wish, asked.seen, decisions, now=asked.now)
    except Invalid as refusal:
        return _preview(asked, wish, found, refusal)
    except edit.BookingsToDecide as refusal:
        return _preview(asked, wish, edit.preview(asked.editor, asked.pool.id, wish, now=asked.now), refusal)
    except edit.CalendarChanged as refusal:
        this, version, rules = edit.calendar_of(asked.editor.provider_id, asked.pool.id)
        anew = _Asked(asked.editor, this, version, version, rules, {}, asked.now, asked.day)
        return _form(anew, refusal)
    publish_now(asked.pool.key, made, now=asked.now)
    if decisions:
        return see_other(url_for("desk.capacity_change", change=made))
    flash(_("Saved. The places are as you see them here."), "ok")
    day = None if asked.day is None else asked.day.isoformat()
    return see_other(url_for("desk.capacity_pool", pool=asked.pool.id, day=day))


def _preview(asked: _Asked, wish: Wish, found: edit.Preview, refusal: Refusal | None = None) -> Response:
    """What the change would do, with everything that was typed."""
    typed = _as_typed(asked, wish)
    return desk_page(
        "capacity/preview",
        "capacity",
        200 if refusal is None else refusal.status,
        pool=asked.pool,
        name=calendar_page.pool_name(asked.pool),
        day=asked.day,
        url=asked.url,
        seen=asked.seen,
        typed=typed,
        found=found,
        closes=wish.day is not None and not wish.sections and wish.sections is not None,
        deciding=deciding.dialogue(found.bookings.to_decide, found.others, asked.pool.zone, asked.fields, refusal),
        problem="" if refusal is None else wording.sentence(refusal),
    )


def _as_typed(asked: _Asked, wish: Wish) -> dict[str, str]:
    """The fields to send again with what is decided; a slot that is taken out of a day is written as what is left."""
    rows = {name: text for name, text in asked.fields.items() if name[:1] == "r" and name[1:2].isdecimal()}
    settings = {name: asked.fields[name] for name in ("holidays", "make_up", "horizon") if name in asked.fields}
    what = asked.fields.get("what", "")
    if what.startswith("slot:"):
        rows, what = {}, "sections"
        for row in forms.rows_of_day(wish.sections or ()):
            rows |= {f"r{row.number}_{name}": text for name, text in row.values.items()}
    return {**rows, **settings, "what": what if wish.sections != () else "closed"}


def _form(asked: _Asked, refusal: Refusal | None = None, *, typed: bool = False) -> Response:
    today = clock.today(asked.pool.zone, asked.now)
    if typed:
        blanks = 5 if asked.fields.get("do") == "more" else forms.BLANK_ROWS
        rows = (
            forms.rows_in(asked.fields)
            if refusal is not None
            else forms.with_blanks(forms.rows_in(asked.fields), blanks)
        )
    elif asked.day is None:
        rows = forms.with_blanks(forms.rows_of(asked.rules, today))
    else:
        rows = forms.with_blanks(forms.rows_of_day(_planned(asked)))
    at_fields = isinstance(refusal, Invalid)
    errors = {forms.named(refusal, asked.fields): wording.sentence(refusal)} if isinstance(refusal, Invalid) else {}
    status = 200 if refusal is None else refusal.status
    common = {
        "pool": asked.pool,
        "name": calendar_page.pool_name(asked.pool),
        "url": asked.url,
        "seen": asked.seen,
        "rows": rows,
        "form": Form(_settings(asked, typed=typed), errors),
        "problem": "" if refusal is None or at_fields else wording.sentence(refusal),
        "lengths": deciding.lengths(),
    }
    if asked.day is None:
        return desk_page(
            "capacity/rules",
            "capacity",
            status,
            **common,
            new=asked.version == edit.NEW,
            make_ups=deciding.make_ups(),
            notices=[(year, each) for year, each in sorted(public_holidays().years.items()) if year >= today.year],
            unknown=[year for year in (today.year, today.year + 1) if not public_holidays().published(year)],
        )
    found = view.calendar(asked.editor.provider_id, asked.pool.id, asked.day, asked.day, now=asked.now)
    plan = found.days[0].plan
    return desk_page(
        "capacity/day",
        "capacity",
        status,
        **common,
        day=asked.day,
        found=found,
        cell=calendar_page.cells(found)[0],
        minutes=_minutes_of(found),
        why=None if plan is None else plan.why,
        past=asked.day < today,
    )


def _settings(asked: _Asked, *, typed: bool) -> dict[str, str]:
    if typed:
        return dict(asked.fields)
    return {
        "holidays": "closed" if asked.rules.closed_on_holidays else "open",
        "make_up": str(asked.rules.make_up_weekday or ""),
        "horizon": str(asked.rules.horizon_days),
    }


def _minutes_of(found: view.CalendarView) -> dict[str, int]:
    """When each slot of the day begins by the clock on the wall, by its id; a whole day's is left out."""
    return {
        slot.id: forms.wall_minute(slot.starts_at, found.pool.zone)
        for slot in found.days[0].slots
        if slot.starts_at is not None
    }


setattr(capacity_rules, LARGE_FORM, forms.FORM_BYTES)
setattr(capacity_day, LARGE_FORM, forms.FORM_BYTES)

VIEWS: Views = {"capacity_rules": capacity_rules, "capacity_day": capacity_day}
