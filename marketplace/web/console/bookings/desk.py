"""The console's desk: a customer's booking, cancelling for her, and the answers to disputes."""

from __future__ import annotations

from typing import cast

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.attendance.disputes import LONGEST, Decision, answer, open_disputes, read_dispute
from booking.changes.cancel import NotCancellable, OnlyAdminsCancel, Reason, cancel_for
from booking.views.desk import booking_at_desk, find_bookings
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from marketplace.web.answers import Views, asked, field, retry_after, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.bookings import desk_page
from marketplace.web.parts import Form


def bookings() -> Response:
    """Find by booking number or phone. The search is a form that is sent, so that no number stands in an address."""
    wanted, now = field("wanted", 60), clock.now()
    if request.method != "POST":
        return console_page("bookings", "bookings", wanted=wanted, rows=None, problem="")
    try:
        cards = find_bookings(session.operator(), wanted, now=now)
    except TooMany as refusal:
        problem = wording.sentence(refusal)
        page = console_page("bookings", "bookings", refusal.status, wanted=wanted, rows=None, problem=problem)
        return retry_after(page, refusal)
    if len(cards) == 1:
        return see_other(url_for("console.booking", booking=cards[0].id))
    rows = tuple(desk_page.row(card, now) for card in cards)
    return console_page("bookings", "bookings", wanted=wanted, rows=rows, problem="")


def booking(booking: str) -> Response:
    """One booking as the desk sees it."""
    now = clock.now()
    found = booking_at_desk(session.operator(), booking, now=now, visit=True)
    return console_page("booking", "bookings", page=desk_page.booking(found, now))


def booking_cancel(booking: str) -> Response:
    """The effect first, then the cancelling, with a reason."""
    who, now = session.operator(), clock.now()
    form, status = Form(), 200
    if request.method == "POST":
        reason = field("reason", 40)
        try:
            cancel_for(who, booking, cast(Reason, reason), now=now, pledged=by_database)
            flash(_("It is cancelled, or asked of the provider; the history below says which."), "ok")
            return see_other(url_for("console.booking", booking=booking))
        except NotFound:
            raise
        except Invalid as refusal:
            form, status = Form({}, {"reason": wording.sentence(refusal)}), refusal.status
        except (NotCancellable, OnlyAdminsCancel) as refusal:
            form, status = Form({"reason": reason}, problem=wording.sentence(refusal)), refusal.status
    found = booking_at_desk(who, booking, now=now)
    return console_page(
        "booking_cancel",
        "bookings",
        status,
        page=desk_page.booking(found, now),
        effects=desk_page.cancel_effects(found),
        form=form,
        reasons=desk_page.reasons(found.reasons),
    )


def disputes() -> Response:
    """What waits for an answer, the oldest first."""
    page = open_disputes(session.operator(), cursor=asked("after") or None, limit=SHOWN)
    more = url_for("console.disputes", after=page.next) if page.next else ""
    return console_page("disputes", "disputes", rows=tuple(map(desk_page.dispute_row, page.items)), more_url=more)


def dispute(dispute: str) -> Response:
    """The customer's words and the answer to them."""
    who, now = session.operator(), clock.now()
    form, status = Form(), 200
    if request.method == "POST":
        decision, words = field("decision", 40), field("words", 10 * LONGEST).replace("\r\n", "\n")
        try:
            answer(who, dispute, cast(Decision, decision), words, now=now)
            flash(_("Answered. The customer is notified."), "ok")
            return see_other(url_for("console.disputes"))
        except NotFound:
            raise
        except Invalid as refusal:
            values = {"decision": decision, "words": words}
            form, status = Form(values, {refusal.at or "words": wording.sentence(refusal)}), refusal.status
        except Refusal as refusal:
            form = Form({"decision": decision, "words": words}, problem=wording.sentence(refusal))
            status = refusal.status
    found = read_dispute(who, dispute, now=now)
    page, decisions = desk_page.dispute(found), desk_page.decisions()
    return console_page("dispute", "disputes", status, page=page, form=form, longest=LONGEST, decisions=decisions)


VIEWS: Views = {
    "bookings": bookings,
    "booking": booking,
    "booking_cancel": booking_cancel,
    "disputes": disputes,
    "dispute": dispute,
}
