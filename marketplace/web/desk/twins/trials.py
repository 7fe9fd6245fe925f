"""Test bookings: the list as it is now, a new one, what the test customer does with it, and the end of all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.actors import Actor
from booking.offers.at_desk import offer_lines
from booking.offers.availability import DAYS, SlotView, offer, slots
from booking.offers.cards import OfferView
from booking.twins.act import cancel_as_customer, change_as_customer
from booking.twins.book import book_for_test
from booking.twins.clear import clear, to_clear
from booking.twins.customers import customers
from booking.twins.view import trial_booking, trial_bookings
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import IdempotencyKeyReused, NotFound, Refusal
from marketplace.core.ids import new_token
from marketplace.core.text import Text
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.twins import bookings_page
from marketplace.web.desk.twins.bookings_page import Listed
from marketplace.web.desk.work.bookings_page import TimesOfDay
from marketplace.web.formats import sentences
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from marketplace.web.place_words import site_name

_LONGEST_ID, _LONGEST_CURSOR = 64, 500
_SHOWN = 50
"""Test bookings, or services, of one page."""


def test_bookings() -> Response:
    """The list."""
    shown = _listed()
    live_url = url_for("desk.test_bookings_live", cursor=_cursor())
    return desk_page("twins/bookings", "test_bookings", page=shown, live_part=(shown,), live_url=live_url)


def test_bookings_live() -> Response:
    """The part that changes by itself."""
    shown = _listed()
    return desk_live("twins/bookings_live", shown, page=shown)


def test_book() -> Response:
    """Choose an offer, then a time and a test customer; the form books."""
    if request.method != "POST":
        chosen = asked("offer", _LONGEST_ID)
        return _choosing(chosen) if chosen else _offers()
    who = session.member()
    number = field("customer", 3)
    try:
        book_for_test(
            who.provider_id,
            field("offer", _LONGEST_ID),
            field("slot", _LONGEST_ID) or None,
            int(number) if number.isascii() and number.isdecimal() else 0,
            clock.now(),
            key=field("key", 100),
        )
    except NotFound as refusal:
        if refusal.at == "offer_id":
            raise
        return _choosing(field("offer", _LONGEST_ID), refusal)
    except Refusal as refusal:
        return _choosing(field("offer", _LONGEST_ID), refusal)
    flash(_("Booked, as a customer would. Answer it at this desk or by your program."), "ok")
    return see_other(url_for("desk.test_bookings"))


def test_cancel(booking: str) -> Response:
    """The test customer cancels."""
    who = session.member()
    return _done(
        lambda: cancel_as_customer(who.provider_id, booking, now=clock.now()),
        _("The test customer has cancelled."),
    )


def test_change(booking: str) -> Response:
    """Choose another time; the form has the test customer ask for it."""
    who, now = session.member(), clock.now()
    it = trial_booking(who.provider_id, booking, now=now)
    if request.method == "POST":
        slot = field("slot", _LONGEST_ID)
        return _done(
            lambda: change_as_customer(who.provider_id, booking, slot, now=now),
            _("The test customer asks for the other time."),
        )
    return desk_page("twins/change", "test_bookings", row=bookings_page.row(it), days=_other_days(it.offer_id))


def _other_days(offer_id: str) -> tuple[TimesOfDay, ...]:
    """None for an offer that is sold no more."""
    try:
        found = offer(offer_id, market=session.member().provider_id, now=clock.now())
    except NotFound:
        return ()
    return bookings_page.days(_times(found), found.card.time_zone)


def _done(act: Callable[[], None], said: str) -> Response:
    try:
        act()
    except NotFound as refusal:
        if refusal.at != "slot_id":
            raise
        flash(_("That time is not there any more. Choose another one."), "bad")
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
    else:
        flash(said, "ok")
    return see_other(url_for("desk.test_bookings"))


def test_clear() -> Response:
    """How many would end; the form ends them all."""
    who = session.member()
    if request.method != "POST":
        return desk_page("twins/clear", "test_bookings", number=to_clear(who.provider_id))
    done = clear(who.provider_id, Actor(who.acts_as, who.public_id), clock.now())
    said = ngettext("%(num)d test booking was cleared.", "%(num)d test bookings were cleared.", done.ended)
    if done.left:
        left = ngettext(
            "%(num)d is in use: try again in a moment.", "%(num)d are in use: try again in a moment.", done.left
        )
        flash(sentences(said, left), "bad")
    else:
        flash(said, "ok")
    return see_other(url_for("desk.test_bookings"))


def _cursor() -> str | None:
    return asked("cursor", _LONGEST_CURSOR) or None


def _listed() -> Listed:
    cursor = _cursor()
    found = trial_bookings(session.member().provider_id, cursor=cursor, limit=_SHOWN, now=clock.now())
    more = url_for("desk.test_bookings", cursor=found.next) if found.next else ""
    return Listed(tuple(bookings_page.row(each) for each in found.items), cursor is None, more)


def _offers() -> Response:
    cursor = _cursor()
    found = offer_lines(session.member().provider_id, cursor=cursor, limit=_SHOWN, now=clock.now(), selling=True)
    more = url_for("desk.test_book", cursor=found.next) if found.next else ""
    links = tuple(
        (
            by_language(Text(each.name_zh, each.name_en)),
            each.place,
            url_for("desk.test_book", offer=each.id),
            each.bookable,
        )
        for each in found.items
    )
    return desk_page("twins/offers", "test_bookings", links=links, first=cursor is None, more_url=more)


def _choosing(offer_id: str, refusal: Refusal | None = None) -> Response:
    who, now = session.member(), clock.now()
    found = offer(offer_id, market=who.provider_id, now=now)
    said = "" if refusal is None else _said(refusal)
    values = {
        "slot": field("slot", _LONGEST_ID),
        "customer": field("customer", 3) or "1",
        "key": new_token() if isinstance(refusal, IdempotencyKeyReused) else field("key", 100) or new_token(),
    }
    return desk_page(
        "twins/book",
        "test_bookings",
        200 if refusal is None else refusal.status,
        offer_id=offer_id,
        offer=by_language(Text(found.card.name_zh, found.card.name_en)),
        site=site_name(found.card.site_name, found.card.city, found.card.district),
        people=tuple((str(each.number), each.name) for each in customers(who.provider_id)),
        days=bookings_page.days(_times(found), found.card.time_zone),
        form=Form(values, {}, said),
    )


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, NotFound):
        return {
            "customer": _("Choose one of the test customers."),
            "slot_id": _("That time is not there any more. Choose another one."),
        }.get(refusal.at or "", wording.sentence(refusal))
    return wording.sentence(refusal)


def _times(found: OfferView) -> list[SlotView]:
    """What can be booked of the offer within DAYS days from its next free place on."""
    now = clock.now()
    today = clock.today(found.card.time_zone, now)
    first = found.card.next_free.service_date if found.card.next_free else today
    shown = slots(
        found.card.public_id, first, first + timedelta(DAYS - 1), market=session.member().provider_id, now=now
    )
    return [each for each in shown if each.bookable]


VIEWS: Views = {
    "test_bookings": test_bookings,
    "test_bookings_live": test_bookings_live,
    "test_book": test_book,
    "test_cancel": test_cancel,
    "test_change": test_change,
    "test_clear": test_clear,
}
