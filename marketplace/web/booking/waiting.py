"""The waiting list: begin to wait inside limits, see the status, stop."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _

from booking.offers import availability
from booking.offers.cards import OfferView
from booking.waiting.join import FARTHEST, MOST_PLACES, AlreadyWaiting, Criteria, NotWaiting, join, withdraw
from booking.waiting.view import alike, current, mark, waiting
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, asked, field, live, render, see_other, tag, unchanged
from marketplace.web.booking import waiting_page
from marketplace.web.booking.finding import packages_page
from marketplace.web.booking.finding.whose import facts_of, open_benefits, people_of, why_not
from marketplace.web.booking.waiting_page import WaitingList, WaitingPage
from marketplace.web.parts import Form
from marketplace.web.people import person
from marketplace.web.place_words import city_name, site_name
from marketplace.web.session import principal
from vip.customers.family import Member
from vip.principal import Principal

_LONGEST_ID = 64
_FIELDS = {"until_hour": "part", "from_hour": "part", "offer_ids": "places"}


def waiting_new(offer: str) -> Response:
    """Limits first, then she waits."""
    return _begin(offer) if request.method == "POST" else _form(offer, _blank())


def _blank() -> Form:
    day = asked("day", 10)
    return Form({"first_day": day, "last_day": day, "part": "any", "hours_before": "24"})


def _begin(offer_id: str) -> Response:
    me, now = principal(), clock.now()
    _members, member = people_of(me)
    values = {name: field(name, 20) for name in ("first_day", "last_day", "part", "hours_before")}
    try:
        want = _wanted(values, member)
        key, fingerprint = _key(want, field("idempotency_key", 100))
        join(me, want, key=key, fingerprint=fingerprint, now=now)
    except NotFound:
        raise
    except AlreadyWaiting as refusal:
        return _form(offer_id, Form(values, problem=wording.sentence(refusal)), 409, existing=True)
    except Invalid as refusal:
        at = _FIELDS.get(str(refusal.at), str(refusal.at))
        return _form(offer_id, Form(values, {at: wording.sentence(refusal)}), refusal.status)
    except Refusal as refusal:
        return _form(offer_id, Form(values, problem=wording.sentence(refusal)), refusal.status)
    flash(_("You are on the waiting list. We tell you as soon as a place is free."), "ok")
    return see_other(url_for("web.bookings"))


def _wanted(values: dict[str, str], member: Member) -> Criteria:
    """What the form says. Raises Invalid for what is no day, part or number; the rest is validated on storing."""
    if values["part"] not in waiting_page.PARTS:
        raise Invalid(field="part", reason="choice")
    if values["hours_before"] not in {str(hours) for hours in waiting_page.HOURS}:
        raise Invalid(field="hours_before", reason="choice")
    from_hour, until_hour = waiting_page.PARTS[values["part"]]
    return Criteria(
        offers=request.form.getlist("place")[: MOST_PLACES + 1],
        beneficiary=member.public_id,
        entitlement=field("entitlement", _LONGEST_ID) or None,
        first_day=_day("first_day", values),
        last_day=_day("last_day", values),
        weekdays=frozenset(_weekdays()),
        from_hour=from_hour,
        until_hour=until_hour,
        hours_before=int(values["hours_before"]),
        auto_book=field("auto_book", 3) == "yes",
    )


def _day(name: str, values: dict[str, str]) -> date:
    try:
        day = date.fromisoformat(values[name])
    except ValueError as bad:
        raise Invalid(field=name, reason="date" if values[name] else "required") from bad
    if not 2000 <= day.year < 2100:
        raise Invalid(field=name, reason="year")
    return day


def _weekdays() -> list[int]:
    return [int(text) for text in request.form.getlist("weekday") if text in set("1234567")]


def _key(want: Criteria, form_key: str) -> tuple[str, bytes]:
    """One page and one choice make one entry, however often they are sent."""
    plain = (*want.offers, want.beneficiary, want.entitlement, want.first_day, want.last_day, sorted(want.weekdays))
    text = "\0".join(str(part) for part in (*plain, want.from_hour, want.until_hour, want.hours_before, want.auto_book))
    fingerprint = hashlib.sha256(text.encode(errors="replace")).digest()
    form = form_key or secrets.token_urlsafe(16)
    return "page:" + hashlib.sha256(form.encode() + fingerprint).hexdigest(), fingerprint


def _form(offer_id: str, form: Form, status: int = 200, *, existing: bool = False) -> Response:
    me, now = principal(), clock.now()
    _members, member = people_of(me)
    found = availability.offer(offer_id, person=facts_of(member), market=me.market, now=now)
    today = clock.today(found.card.time_zone, now)
    entitlement = field("entitlement", _LONGEST_ID) or asked("entitlement", _LONGEST_ID)
    again = {"for": member.public_id, "entitlement": entitlement}
    here = url_for("web.waiting_new", offer=offer_id)
    sent = request.method == "POST"
    page = WaitingPage(
        site_name(found.card.site_name, found.card.city, found.card.district),
        packages_page.package(found, chosen=True),
        person(member, clock.today(me.time_zone, now)),
        _with_days(form, today),
        today,
        today + FARTHEST,
        waiting_page.site_choices(
            alike(offer_id, market=me.market), request.form.getlist("place") if sent else [offer_id]
        ),
        waiting_page.weekday_choices(_weekdays() if sent else range(1, 8)),
        waiting_page.part_choices(),
        waiting_page.hour_choices(),
        city_name(found.card.city),
        _cancel_line(found),
        form_action=here,
        back_url=_back(offer_id, again),
        who_url=f"{url_for('web.who')}?{urlencode({'for': member.public_id, 'next': f'{here}?{_query(again)}'})}",
        auto_book=field("auto_book", 3) == "yes",
        entitlement=entitlement,
        idempotency_key=field("idempotency_key", 100) or secrets.token_urlsafe(16),
        existing_url=url_for("web.bookings") if existing else "",
        reasons=why_not(me, member, open_benefits(me, found.card.kind, now), offer_id, now),
    )
    return render("waiting_new.html", status, page=page)


def _with_days(form: Form, today: date) -> Form:
    """Without a day of hers: two weeks from tomorrow."""
    first = today + timedelta(days=1)
    days = {"first_day": first.isoformat(), "last_day": (first + timedelta(days=waiting_page.FEW_DAYS - 1)).isoformat()}
    if form.errors:
        return form
    return Form({**form.values, **{name: form.values.get(name) or days[name] for name in days}}, {}, form.problem)


def _cancel_line(found: OfferView) -> str:
    hours = found.cancel_hours
    return _("Only as long as you can still cancel free of charge: until %(hours)s hours before.", hours=hours)


def _query(values: dict[str, str]) -> str:
    return urlencode({name: value for name, value in values.items() if value})


def _back(offer_id: str, values: dict[str, str]) -> str:
    return f"{url_for('web.times', offer=offer_id)}?{_query(values)}"


def waiting_list(me: Principal, now: datetime) -> WaitingList | None:
    """The section of the bookings' page; None while she waits for nothing."""
    etag = tag(mark(me, now=now))
    found = current(me, now=now)
    rows = tuple(waiting_page.row(view, now) for view in found)
    final = not any(row.stop_url for row in rows)
    return WaitingList(rows, etag, final) if rows else None


def waiting_live() -> Response:
    """The list again, for the page that waits. Asked every two seconds, so a mark alone is read while nothing moved."""
    me, now = principal(), clock.now()
    etag = tag(mark(me, now=now))
    if unchanged(etag):
        return live("", etag)
    page = waiting_list(me, now) or WaitingList((), etag, final=True)
    return live(render_template("parts/waiting_list.html", waiting=page), page.version)


def waiting_stop(entry: str) -> Response:
    """The consequence first, then it ends."""
    me, now = principal(), clock.now()
    view = waiting(me, entry)
    problem, status = "", 200
    if request.method == "POST":
        try:
            withdraw(me, entry, now=now)
        except NotWaiting as refusal:
            problem, status = wording.sentence(refusal), refusal.status
        else:
            flash(_("You no longer wait for this. Your benefit is untouched."), "ok")
            return see_other(url_for("web.bookings"))
    return render("waiting_stop.html", status, row=waiting_page.row(view, now), problem=problem)


VIEWS: Views = {"waiting_new": waiting_new, "waiting_live": waiting_live, "waiting_stop": waiting_stop}
