"""From an offer to a submitted booking: pick a time, which holds the place, and confirm."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, request, url_for

from booking.hold.pick import pick
from booking.hold.place import HoldRequest
from booking.hold.submit import HoldExpired, NotHeld, submit
from booking.offers import availability
from booking.offers.availability import DayView, days, slots
from booking.offers.cards import OfferView
from booking.refusals import SlotFull
from booking.views.cards import BookingView
from booking.views.customer import booking, booking_version
from marketplace import wording
from marketplace.catalog.kinds import is_dispatched
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.web import schema_form, tickets
from marketplace.web.answers import Views, asked, field, live, render, said, see_other, tag, unchanged
from marketplace.web.benefit_cards import taken_from, taken_line, which_line
from marketplace.web.booking import confirm_page, times_page
from marketplace.web.booking.finding import packages_page
from marketplace.web.booking.finding.whose import facts_of, paying, people_of, usable_benefits, why_not
from marketplace.web.booking.picking import chosen_day, day_of, month_page
from marketplace.web.booking.times_page import Day, Taken, Times
from marketplace.web.booking.venues.answers_form import DETAILS, answers, first_form, questions
from marketplace.web.booking.venues.services import finder_url, first_day, reasons_of, venue_of
from marketplace.web.parts import Form
from marketplace.web.people import person
from marketplace.web.place_words import city_name, site_name
from marketplace.web.session import principal
from marketplace.web.slow_words import slow_note
from marketplace.web.tiers import tier_word
from vip.customers.family import Member
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

_LONGEST_ID = 64
_LONGEST_KEY = 100


def times(offer: str) -> Response:
    """Pick day and time; the form keeps the place for ten minutes."""
    return _hold(offer) if request.method == "POST" else _picker(offer)


def _picker(offer_id: str, sent: Form | None = None, status: int = 200) -> Response:
    """The page; `sent` is what a form held that was refused, shown again."""
    me, now = principal(), clock.now()
    _members, member = people_of(me)
    found = availability.offer(offer_id, person=facts_of(member), market=me.market, now=now)
    kind, named = found.card.kind, _kept("venue")
    if is_dispatched(kind) and not named:
        return see_other(f"{url_for('web.places')}?{urlencode({'benefit': kind, 'for': member.public_id})}")
    at = venue_of(kind, named)
    zone, today = found.card.time_zone, clock.today(found.card.time_zone, now)
    first, last = times_page.reach(today)
    known = {view.date: view for view in days(offer_id, first, last, market=me.market, now=now)}
    soonest, never = first_day(me, kind, at, member, now) if at else (None, ())
    wanted = _kept("day") or (str(soonest) if soonest in known and known[soonest].slots else "")
    chosen = chosen_day(known, wanted)
    here = {"for": member.public_id, "entitlement": _kept("entitlement"), "venue": at.id if at else ""}
    shown_days = _shown_days(offer_id, here, known, chosen)
    morning, afternoon = times_page.halves(
        slots(offer_id, chosen, chosen, market=me.market, now=now) if chosen else [], zone
    )
    benefits = usable_benefits(me, kind, here["entitlement"], now)
    reasons = why_not(me, member, benefits, offer_id, now)
    reasons += tuple(each for each in never if each not in reasons)
    day_reasons = reasons_of(me, kind, at, member, now, day=chosen) if at and chosen and not reasons else ()
    page = Times(
        offer_id,
        site_name(at.name, at.city, at.district)
        if at
        else site_name(found.card.site_name, found.card.city, found.card.district),
        tier_word(at.tier if at else found.card.tier),
        packages_page.package(found, chosen=True),
        person(member, clock.today(me.time_zone, now)),
        times_page.strip(list(shown_days.values()), chosen) if any(view.slots for view in known.values()) else (),
        month_page(partial(_times_url, offer_id, here), shown_days, chosen or today, (first, last)),
        chosen,
        morning,
        afternoon,
        zone,
        city_name(found.card.city),
        form_action=url_for("web.times", offer=offer_id),
        back_url=finder_url(kind, at, here) if at else _finder_url(found, here),
        who_url=_who_url(member, _times_url(offer_id, here, chosen)),
        packages_url="" if at else _packages_url(found, here),
        benefit_line=which_line(paying(benefits, member), named=bool(here["entitlement"])),
        entitlement=here["entitlement"],
        idempotency_key=secrets.token_urlsafe(16),
        taken=_taken(offer_id, asked("taken", _LONGEST_ID), asked("day", 20), zone, now),
        reasons=reasons,
        day_reasons=day_reasons,
        wait_url="" if at else wait_url(offer_id, here, chosen),
        slow=slow_note(found.card.answers_slowly, kind, zone),
        venue=here["venue"],
        questions=questions(kind),
        form=sent or (first_form(kind, me.id) if at else Form()),
    )
    return render("times.html", status, page=page)


def _shown_days(
    offer_id: str, here: dict[str, str], known: dict[date, DayView], chosen: date | None
) -> dict[date, Day]:
    """Each day as it is shown. Nobody waits for a full one where somebody is sent: a waiting list knows no venue."""
    waits = not here["venue"]
    return {
        day: times_page.day(
            view, chosen, _times_url(offer_id, here, day=day), wait_url(offer_id, here, day) if waits else ""
        )
        for day, view in known.items()
    }


def _kept(name: str) -> str:
    """What the page goes on with: of the query, or of a form that is shown again."""
    return field(name, _LONGEST_ID) or asked(name, _LONGEST_ID)


def _hold(offer_id: str) -> Response:
    me, now = principal(), clock.now()
    _members, member = people_of(me)
    at = field("venue", _LONGEST_ID)
    here = {"for": member.public_id, "entitlement": field("entitlement", _LONGEST_ID), "venue": at}
    slot = field("slot", _LONGEST_ID)
    if at and (not slot or field("show")):
        return _picker(offer_id, Form(dict(schema_form.sent())))
    if not slot or field("show"):
        return see_other(_times_url(offer_id, here, day=day_of(field("day", 20))))
    details = _details(me, offer_id, now) if at else {}
    hold_request = HoldRequest(offer_id, slot, member.public_id, here["entitlement"] or None, details, at or None)
    key, fingerprint = _key(hold_request, field("idempotency_key", _LONGEST_KEY))
    try:
        held = pick(me, hold_request, key=key, fingerprint=fingerprint, now=now)
    except SlotFull as gone:
        if at:
            return _picker(offer_id, _refused(gone), gone.status)
        return see_other(_times_url(offer_id, {**here, "taken": slot}, day=day_of(str(gone.facts.get("service_date")))))
    except NotFound:
        raise
    except Refusal as refusal:
        if at:  # what was answered is shown again
            return _picker(offer_id, _refused(refusal), refusal.status)
        flash(said(refusal), "bad")
        return see_other(_times_url(offer_id, here, day=day_of(field("day", 20))))
    return see_other(url_for("web.confirm", booking=held.public_id))


def _details(me: Principal, offer_id: str, now: datetime) -> dict[str, Any]:
    """The answers of the form, to the questions of the offer's kind."""
    return answers(availability.offer(offer_id, market=me.market, now=now).card.kind, schema_form.sent())


def _refused(refusal: Refusal) -> Form:
    """The form as it was sent, with what is wrong beside the answer that it is about."""
    sent, text = dict(schema_form.sent()), said(refusal)
    if refusal.at is not None and refusal.at.startswith(f"{DETAILS}."):
        return Form(sent, {refusal.at: text})
    return Form(sent, problem=text)


def confirm_booking(booking: str) -> Response:
    """Check and submit. Whatever became of the hold meanwhile, the booking's own page shows it."""
    me, now = principal(), clock.now()
    if request.method == "POST":
        try:
            submit(me, booking, now=now)
        except (HoldExpired, NotHeld) as refusal:
            flash(wording.sentence(refusal), "bad")
        return see_other(url_for("web.booking", booking=booking))
    view = _booking(me, booking, now)
    if tickets.state_of(view, now) != "held":
        return see_other(url_for("web.booking", booking=booking))
    today = clock.today(me.time_zone, now)
    member = next((one for one in people_of(me)[0] if one.public_id == view.beneficiary_id), None)
    if member is None:
        raise NotFound()
    benefit = next((one for one in entitlements(me.id, today=today) if one.public_id == view.entitlement_id), None)
    page = confirm_page.confirm(
        view,
        person(member, today),
        packages_page.of_snapshot(view.offer_id, view.kind, view.offer_name, view.package),
        taken_line(view.kind, benefit),
        now,
        taken_from(benefit),
    )
    return render("confirm.html", page=replace(page, version=tag(view.version)))


def confirm_live(booking: str) -> Response:
    """Nothing while the hold is unchanged; what happened to it elsewhere leads to the booking's page."""
    etag = tag(booking_version(principal(), booking))
    if unchanged(etag):
        return live("", etag)
    answer = live("", etag)
    answer.headers["HX-Redirect"] = url_for("web.booking", booking=booking)
    return answer


def _booking(me: Principal, public_id: str, now: datetime) -> BookingView:
    return booking(me, public_id, now=now)


def _key(hold_request: HoldRequest, form_key: str) -> tuple[str, bytes]:
    """One page and one choice make one booking, however often they are sent; another choice makes another."""
    parts = "\0".join((hold_request.offer, hold_request.slot, hold_request.beneficiary, hold_request.entitlement or ""))
    if hold_request.venue:
        told = json.dumps(hold_request.details, sort_keys=True)
        parts = "\0".join((parts, hold_request.venue, told))
    fingerprint = hashlib.sha256(parts.encode()).digest()
    form = form_key or secrets.token_urlsafe(16)
    return "page:" + hashlib.sha256(f"{form}\0{parts}".encode()).hexdigest(), fingerprint


def _times_url(offer_id: str, here: dict[str, str], day: date | None = None, month: date | None = None) -> str:
    query = {**here, "day": day.isoformat() if day else "", "month": month.isoformat()[:7] if month else ""}
    return (
        f"{url_for('web.times', offer=offer_id)}?{urlencode({name: value for name, value in query.items() if value})}"
    )


def wait_url(offer_id: str, here: dict[str, str], day: date | None) -> str:
    """The form that begins to wait for a place of the offer, on that day if one is given."""
    query = {**here, "day": day.isoformat() if day else ""}
    filled = {name: value for name, value in query.items() if value}
    return f"{url_for('web.waiting_new', offer=offer_id)}?{urlencode(filled)}"


def _taken(offer_id: str, slot: str, day: str, zone: str, now: datetime) -> Taken | None:
    """The panel about a time that has just gone, with the nearest others within a week of it."""
    at = day_of(day)
    if not slot or at is None:
        return None
    around = slots(offer_id, at - timedelta(days=7), at + timedelta(days=7), market=principal().market, now=now)
    gone = next((view for view in around if view.id == slot), None)
    return times_page.taken(gone, around, zone) if gone and not gone.bookable else None


def _finder_url(found: OfferView, here: dict[str, str]) -> str:
    query = {"benefit": found.card.kind, "city": found.card.city, **here}
    return f"{url_for('web.places')}?{urlencode({name: value for name, value in query.items() if value})}"


def _who_url(member: Member, back: str) -> str:
    return f"{url_for('web.who')}?{urlencode({'for': member.public_id, 'next': back})}"


def _packages_url(found: OfferView, here: dict[str, str]) -> str:
    query = {"benefit": found.card.kind, "chosen": found.card.public_id, **here}
    filled = {name: value for name, value in query.items() if value}
    return f"{url_for('web.packages', site=found.card.site_id)}?{urlencode(filled)}"


VIEWS: Views = {"times": times, "confirm": confirm_booking, "confirm_live": confirm_live}
