"""Another date for a confirmed booking: pick a time, see old and new side by side, ask the provider."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from urllib.parse import urlencode

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.changes.proposals import accept, decline
from booking.changes.reschedule import moved_at_once, reschedule
from booking.changes.withdraw import withdraw
from booking.idempotency import Repeatable
from booking.offers.availability import SlotView, days, offer, slots
from booking.offers.bookable import Reason
from booking.views import customer
from booking.views.cards import BookingView
from marketplace import wording
from marketplace.catalog.kinds import is_dispatched
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.web import tickets
from marketplace.web.answers import Views, asked, field, render, said, see_other
from marketplace.web.booking import times_page
from marketplace.web.booking.bookings_page import Change
from marketplace.web.booking.finding import packages_page
from marketplace.web.booking.finding.whose import facts_of, people_of
from marketplace.web.booking.picking import chosen_day, day_of, month_page
from marketplace.web.booking.times_page import Slot, Times
from marketplace.web.kind_words import nouns
from marketplace.web.parts import When
from marketplace.web.people import person
from marketplace.web.place_words import city_name, site_name
from marketplace.web.session import principal
from marketplace.web.slow_words import slow_note
from marketplace.web.tiers import tier_word
from vip.principal import Principal

_LONGEST_ID = 64
_LONGEST_KEY = 100


def booking_change(booking: str) -> Response:
    """Pick the new time; the present one is marked and can't be chosen."""
    me, now = principal(), clock.now()
    view = customer.booking(me, booking, now=now)
    if not view.can_change:
        return see_other(url_for("web.booking", booking=booking))
    if request.method == "POST":
        slot, day = field("slot", _LONGEST_ID), day_of(field("day", 20))
        if not slot or field("show"):
            return see_other(_picker_url(booking, day=day))
        return see_other(f"{url_for('web.booking_change_check', booking=booking)}?{urlencode({'slot': slot})}")
    return render("times.html", page=_picker(me, view, now))


def _picker(me: Principal, view: BookingView, now: datetime) -> Times:
    member = next((one for one in people_of(me)[0] if one.public_id == view.beneficiary_id), None)
    if member is None:
        raise NotFound()
    found = offer(view.offer_id, person=facts_of(member), market=me.market, now=now)
    zone, today = found.card.time_zone, clock.today(found.card.time_zone, now)
    first, last = times_page.reach(today)
    known = {each.date: each for each in days(view.offer_id, first, last, market=me.market, now=now)}
    chosen = chosen_day(known, asked("day", 20) or view.service_date.isoformat())
    url = partial(_picker_url, view.id)
    shown_days = {at: times_page.day(each, chosen, url(day=at)) for at, each in known.items()}
    of_day = slots(view.offer_id, chosen, chosen, market=me.market, now=now) if chosen else []
    sent = is_dispatched(view.kind)  # somebody is, to the venue that the booking has
    present = {slot.id for slot in of_day if _is_present(slot, view)}
    closed = [replace(slot, reason=Reason.CLOSED) if slot.id in present else slot for slot in of_day]
    morning, afternoon = times_page.halves(closed, zone)
    return Times(
        view.offer_id,
        site_name(view.site["name"], view.site["city"], view.site["district"])
        if sent
        else site_name(found.card.site_name, found.card.city, found.card.district),
        tier_word(view.site["tier"] if sent else found.card.tier),
        packages_page.package(found, chosen=True),
        person(member, clock.today(me.time_zone, now)),
        times_page.strip(list(shown_days.values()), chosen) if any(each.slots for each in known.values()) else (),
        month_page(url, shown_days, chosen or today, (first, last)),
        chosen,
        _marked(morning, present),
        _marked(afternoon, present),
        zone,
        city_name(found.card.city),
        form_action=url_for("web.booking_change", booking=view.id),
        back_url=url_for("web.booking", booking=view.id),
        who_url="",
        present=tickets.when(view),
        slow=slow_note(found.card.answers_slowly, found.card.kind, zone),
    )


def _is_present(slot: SlotView, view: BookingView) -> bool:
    return (slot.service_date, slot.starts_at) == (view.service_date, view.starts_at)


def _marked(found: tuple[Slot, ...], present: set[str]) -> tuple[Slot, ...]:
    return tuple(replace(slot, closed=_("yours now")) if slot.id in present else slot for slot in found)


def booking_change_check(booking: str) -> Response:
    """Old and new side by side, and what holds until the provider has agreed; then ask it."""
    me, now = principal(), clock.now()
    view = customer.booking(me, booking, now=now)
    if request.method == "POST":
        return _ask(me, view, field("slot", _LONGEST_ID), now)
    if not view.can_change:
        return see_other(url_for("web.booking", booking=booking))
    slot = _slot(view, asked("slot", _LONGEST_ID), now)
    if slot is None or not slot.bookable:
        flash(_("This time has just gone. Your date stays. Choose another one."), "bad")
        return see_other(_picker_url(booking))
    try:
        at_once = moved_at_once(me, view.id, slot.id)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(said(refusal, _("Your date stays.")), "bad")
        return see_other(_picker_url(booking))
    page = Change(
        view.id,
        replace(tickets.ticket(view, now), facts=()),
        When(slot.service_date, view.time_zone, slot.starts_at, slot.ends_at),
        slot.id,
        _rules(view, at_once=at_once),
        _picker_url(booking, day=slot.service_date),
        secrets.token_urlsafe(16),
    )
    return render("booking_change.html", page=page)


def _rules(view: BookingView, *, at_once: bool) -> tuple[str, ...]:
    """What applies, shown before the tap."""
    said = nouns(view.kind)
    if at_once:
        first = _("It is changed at once: %(place)s has given us these places.", **said)
    else:
        first = _("Your present date stays until %(place)s agrees. If it does not, nothing changes.", **said)
    left = view.changes_left - 1
    again = ngettext(
        "After that it can be changed %(num)d more time.", "After that it can be changed %(num)d more times.", left
    )
    after = again if left else _("After that it can't be changed again.")
    return first, after, _("Your benefit stays as it is; nothing more is spent.")


def _slot(view: BookingView, slot_id: str, now: datetime) -> SlotView | None:
    """The slot that was chosen, if it is one of this offer within reach."""
    first, last = times_page.reach(clock.today(view.time_zone, now))
    return next(
        (slot for slot in slots(view.offer_id, first, last, market=principal().market, now=now) if slot.id == slot_id),
        None,
    )


def _ask(me: Principal, view: BookingView, slot: str, now: datetime) -> Response:
    """One page and one choice ask once, however often they are sent."""
    form = field("idempotency_key", _LONGEST_KEY) or secrets.token_urlsafe(16)
    key = "page:" + hashlib.sha256("\0".join(("change", view.id, slot, form)).encode()).hexdigest()
    repeat = Repeatable(me.public_id, key, hashlib.sha256(f"{view.id}\0{slot}".encode()).digest())
    try:
        reschedule(me, view.id, slot, now=now, repeat=repeat)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(said(refusal, _("Your date stays.")), "bad")
        if refusal.at == "slot_id":
            return see_other(_picker_url(view.id))
    return see_other(url_for("web.booking", booking=view.id))


def booking_change_withdraw(booking: str) -> Response:
    """Take back the change that is asked for; doing it twice is the same as once."""
    try:
        withdraw(principal(), booking, now=clock.now())
    except NotFound:
        raise
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.booking", booking=booking))


def booking_proposal(booking: str) -> Response:
    """Take the time that the provider proposes, or keep the date; doing it twice is the same as once."""
    me, now, which = principal(), clock.now(), field("proposal", _LONGEST_ID)
    try:
        if field("answer") == "accept":
            accept(me, booking, which, now=now)
        elif field("answer") == "decline":
            decline(me, booking, which, now=now)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.booking", booking=booking))


def _picker_url(booking: str, day: date | None = None, month: date | None = None) -> str:
    query = {"day": day.isoformat() if day else "", "month": month.isoformat()[:7] if month else ""}
    given = urlencode({name: value for name, value in query.items() if value})
    address = url_for("web.booking_change", booking=booking)
    return f"{address}?{given}" if given else address


VIEWS: Views = {
    "booking_change": booking_change,
    "booking_change_check": booking_change_check,
    "booking_change_withdraw": booking_change_withdraw,
    "booking_proposal": booking_proposal,
}
