"""Begin a consultation: for whom, with whom, about what and in which language."""

from __future__ import annotations

import hashlib
import json
import secrets

from flask import Response, flash, request, url_for

from booking.consultation.intake.bounds import LARGEST
from booking.consultation.open import Language, Opening, open_consultation
from booking.consultation.pictures import Examined, Sent, customer_shows, examine
from booking.consultation.say import Said, customer_says
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from booking.offers.at_once import AtOnce, offers_at_once
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.edge import LARGE_FORM
from marketplace.web.answers import Views, asked, field, render, see_other
from marketplace.web.consultation import start_page, triage
from marketplace.web.consultation.start_page import Chosen
from marketplace.web.session import principal
from vip.customers.family import family
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

_LONGEST_ID = 64
_LONGEST_KEY = 100
_MOST_PICTURES = 3
"""Sent with the form; more go into the conversation."""
_FORM_BYTES = 2 * LARGEST + 64 * 1024
"""Pictures as telephones take them, or two of the largest, and what a form is besides."""


def start() -> Response:
    """The form, and what opens it."""
    return _open() if request.method == "POST" else _form(asked)


def _open() -> Response:
    me, now = principal(), clock.now()
    offer = _offer(offers_at_once(market=me.market, now=now), field("offer", _LONGEST_ID))
    details = triage.answers(None if offer is None else offer.kind, triage.sent())
    person = field("for", _LONGEST_ID) or family(me.id)[0].public_id
    benefit = field("entitlement", _LONGEST_ID) or None
    wanted = BeginRequest(field("offer", _LONGEST_ID), person, benefit, details)
    language: Language = "en" if field("language", 8) == "en" else "zh"
    opening = Opening(wanted, field("department", _LONGEST_ID), language, show_reports=bool(field("show_reports", 1)))
    repeat = _repeat(me.public_id, opening)
    try:
        pictures = _pictures()
        opened = open_consultation(me, opening, repeat, now=now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _form(field, refusal)
    try:
        _say_first(me, opened.conversation, repeat.key, triage.question(details), pictures)
    except NotFound:
        raise
    except Refusal as refusal:  # it is open; what is missing can be sent from its page
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.consultation", conversation=opened.conversation))


def _pictures() -> list[tuple[bytes, Examined]]:
    """The pictures of the form, as they were sent and as they may be stored. Raises Invalid(field="picture")."""
    contents = [content for each in request.files.getlist("picture") if (content := each.stream.read())]
    if len(contents) > _MOST_PICTURES:
        raise Invalid(field="picture", reason="too_many_pictures", maximum=_MOST_PICTURES)
    return [(content, examine(content)) for content in contents]


def _say_first(me: Principal, conversation: str, key: str, words: str, pictures: list[tuple[bytes, Examined]]) -> None:
    """The first messages, each under an id that the same form gives it again."""
    if words:
        customer_says(me, conversation, Said(_id("first", key), words), now=by_database)
    for content, examined in pictures:
        sent = Sent(_id("picture", key, hashlib.sha256(content).hexdigest()), content)
        customer_shows(me, conversation, sent, now=by_database, examined=examined)


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _form(given: start_page.Given, refusal: Refusal | None = None) -> Response:
    me, now = principal(), clock.now()
    today = clock.today(me.time_zone, now)
    named = given("entitlement", _LONGEST_ID)
    found = entitlements(me.id, today=today)
    held = next((it for it in found if it.public_id == named), None)
    offers = offers_at_once(None if held is None else held.kind, market=me.market, now=now)
    offer = _offer(offers, given("offer", _LONGEST_ID))
    usable = [held] if held else [it for it in found if offer and it.kind == offer.kind and it.state == "active"]
    chosen = Chosen(
        person=given("for", _LONGEST_ID),
        offer=offer,
        entitlement="" if held is None else held.public_id,
        department=given("department", _LONGEST_ID),
        language=given("language", 8) or ("en" if start_page.speaks_english() else "zh"),
        answers=triage.sent(),
        show_reports=bool(given("show_reports", 1)),
    )
    people = start_page.people(me, family(me.id), offer, usable, now)
    page = start_page.page(people, offers, chosen, secrets.token_urlsafe(16), refusal)
    return render("consultation_start.html", 200 if refusal is None else refusal.status, page=page)


def _offer(offers: list[AtOnce], wanted: str) -> AtOnce | None:
    return next((it for it in offers if it.id == wanted), offers[0] if offers else None)


def _repeat(customer: str, opening: Opening) -> Repeatable:
    """One page and one choice open one, however often they are sent; another choice opens another."""
    begin = opening.begin
    words = json.dumps(begin.details, ensure_ascii=False, sort_keys=True)
    said = (opening.department, opening.language, words, *(("reports",) if opening.show_reports else ()))
    parts = (begin.offer, begin.beneficiary, begin.entitlement or "", *said)
    fingerprint = hashlib.sha256("\0".join(parts).encode()).digest()
    form = field("idempotency_key", _LONGEST_KEY) or secrets.token_urlsafe(16)
    return Repeatable(customer, "page:" + hashlib.sha256(form.encode() + fingerprint).hexdigest(), fingerprint)


setattr(start, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {"consultation_start": start}
