"""The customer's bookings: the list, one in any state with its live part, and cancelling."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _

from booking.attendance.disputes import LONGEST, DisputeTooLate, NotDisputable, dispute
from booking.changes.cancel import CancelTooLate, NotCancellable, cancel
from booking.consultation.read import conversations_of
from booking.hold.pick import CAUSE
from booking.views import customer, lists
from booking.views.customer import booking_version
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Invalid
from marketplace.web import tickets
from marketplace.web.answers import Views, asked, live, render, see_other, tag, unchanged
from marketplace.web.benefit_cards import left_line
from marketplace.web.booking import bookings_page, rules_page
from marketplace.web.booking.bookings_page import Bookings
from marketplace.web.booking.waiting import waiting_list
from marketplace.web.parts import Form
from marketplace.web.session import principal
from marketplace.web.tickets import followed_tag
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

_UPCOMING = 50
_PAST = 20
_UNSUBMITTED = ("hold_expired", CAUSE)


def bookings() -> Response:
    """What is coming, soonest first, and what was, newest first."""
    me, now = principal(), clock.now()
    version = followed_tag(me, now)  # before the list is read: what moves meanwhile is asked for once more
    page = replace(_list(me, asked("cursor", 500), version, now), waiting=waiting_list(me, now))
    return render("bookings.html", page=page)


def bookings_live() -> Response:
    """Both lists, for the page that waits."""
    me, now = principal(), clock.now()
    etag = followed_tag(me, now)
    if unchanged(etag):
        return live("", etag)
    return live(render_template("parts/bookings_live.html", page=_list(me, "", etag, now)), etag)


def _list(me: Principal, cursor: str, version: str, now: datetime) -> Bookings:
    upcoming = lists.bookings(me, cursor=None, limit=_UPCOMING, now=now, when="upcoming")
    past = lists.bookings(me, cursor=cursor or None, limit=_PAST, now=now, when="past")
    talks = {it.booking_id: it.id for it in conversations_of(me) if it.state != "closed"}
    left = "" if upcoming.items else left_line(entitlements(me.id, today=clock.today(me.time_zone, now)))
    return Bookings(
        bookings_page.rows(upcoming.items, now, (), talks),
        bookings_page.rows(past.items, now, _UNSUBMITTED, {}),
        left or _("Nothing is booked now."),
        _("Find a place") if left else "",
        url_for("web.places"),
        more_url=f"{url_for('web.bookings')}?{urlencode({'cursor': past.next})}" if past.next else "",
        version="" if cursor else version,
    )


def booking(booking: str) -> Response:
    """One booking, whatever its state."""
    now = clock.now()
    view = customer.booking(principal(), booking, now=now)
    return render("booking.html", page=bookings_page.page(view, now, tag(view.version)))


def booking_live(booking: str) -> Response:
    """The part that changes by itself. Asked every two seconds, so the version alone is read while nothing moved."""
    me, now = principal(), clock.now()
    etag = tag(booking_version(me, booking))
    if unchanged(etag):
        return live("", etag)
    view = customer.booking(me, booking, now=now)
    etag = tag(view.version)
    return live(render_template("parts/booking_live.html", page=bookings_page.page(view, now, etag)), etag)


def booking_cancel(booking: str) -> Response:
    """The consequence first, then the cancelling."""
    me, now = principal(), clock.now()
    if request.method != "POST":
        return _sheet(booking)
    before = customer.booking(me, booking, now=now)
    try:
        cancel(me, booking, now=now, pledged=by_database)
    except (CancelTooLate, NotCancellable) as refusal:
        return _sheet(booking, wording.sentence(refusal), refusal.status)
    if before.state == "held":
        flash(_("The time was given back. Your benefit is untouched."), "ok")
        return see_other(bookings_page.times_url(before))
    return see_other(url_for("web.booking", booking=booking))


def booking_dispute(booking: str) -> Response:
    """What happened in the customer's words; the desk answers on the booking's page."""
    form, status = Form(), 200
    if request.method == "POST":
        words = _long(request.form.get("words", ""))
        try:
            dispute(principal(), booking, words, now=clock.now())
            flash(_("Thank you. We look into it and tell you here."), "ok")
            return see_other(url_for("web.booking", booking=booking))
        except Invalid as refusal:
            form, status = Form({"words": words}, {"words": wording.sentence(refusal)}), refusal.status
        except (NotDisputable, DisputeTooLate) as refusal:
            form, status = Form({"words": words}, problem=wording.sentence(refusal)), refusal.status
    now = clock.now()
    view = customer.booking(principal(), booking, now=now)
    if not view.can_dispute and status == 200:
        return see_other(url_for("web.booking", booking=booking))
    return render(
        "booking_dispute.html",
        status,
        booking=view.id,
        ticket=tickets.ticket(view, now),
        kind=view.kind,
        until=view.dispute_until,
        uses=view.no_show_uses,
        zone=view.time_zone,
        form=form,
        longest=LONGEST,
    )


def _long(text: str) -> str:
    """What was written, as a text area sends it (CR LF), whole: the use case says what is wrong with it."""
    return text.replace("\r\n", "\n") if len(text) <= 10 * LONGEST else "x" * (LONGEST + 1)


def _sheet(public_id: str, problem: str = "", status: int = 200) -> Response:
    now = clock.now()
    view = customer.booking(principal(), public_id, now=now)
    return render(
        "booking_cancel.html",
        status,
        cancel=rules_page.cancel(view),
        ticket=tickets.ticket(view, now),
        problem=problem,
    )


VIEWS: Views = {
    "bookings": bookings,
    "bookings_live": bookings_live,
    "booking": booking,
    "booking_live": booking_live,
    "booking_cancel": booking_cancel,
    "booking_dispute": booking_dispute,
}
