"""Consent of an adult of the family: give her number, enter the code she passes on; or end it."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import flask
from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock, crypto
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from marketplace.web import session
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.parts import Code, Form, Person
from marketplace.web.people import person
from vip import phones
from vip.customers.consent import (
    DISPATCH,
    ConsentNotNeeded,
    ask_consent,
    ask_withdrawal,
    consents,
    give_consent,
    withdraw_by_phone,
    withdraw_consent,
)
from vip.customers.family import Member, family
from vip.signin import codes


@dataclass(frozen=True)
class ConsentPage:
    """Asking an adult of the family for consent. `state`: missing, given, or not_needed where only `told_at` is shown:
    since when whoever is sent to the person is told what was answered for it."""

    person: Person
    state: str
    given_at: datetime | None = None
    told_at: datetime | None = None


_PENDING = "consent"


def consent(member: str) -> Response:
    """Why it is needed, and where the code goes. `again` sends another one to the same number."""
    page = _page(member)
    if request.method != "POST":
        return _ask(page, Form())
    again = bool(field("again"))
    typed = _pending(member)[0] if again else field("phone", 60)
    try:
        number = phones.normalise(typed)
        ask_consent(session.principal(), member, number, now=clock.now())
    except (Invalid, TooMany) as refusal:
        message = wording.sentence(refusal)
        form = Form({"phone": "" if again else typed}, {"phone": message})
        return retry_after(_ask(page, form, refusal.status), refusal)
    except ConsentNotNeeded:
        return see_other(url_for("web.consent", member=member))
    flask.session[_PENDING] = [member, _sealed(number), int(time.time())]
    return see_other(url_for("web.consent_code", member=member))


def consent_code(member: str) -> Response:
    """Enter the code that the person passed on."""
    page = _page(member)
    number, sent = _pending(member)
    if not number or page.state != "missing":
        return see_other(url_for("web.consent", member=member))
    form, refused = Form(), None
    if request.method == "POST":
        try:
            give_consent(session.principal(), member, number, field("code", 60), now=clock.now())
        except (Invalid, TooMany, codes.WrongCode, codes.CodeEnded) as refusal:
            form, refused = Form(errors={"code": wording.sentence(refusal)}), refusal
        else:
            flask.session.pop(_PENDING)
            flash(_("%(name)s has agreed. New reports arrive by themselves.", name=page.person.name), "ok")
            return see_other(url_for("web.reports"))
    wait = int(codes.RESEND_AFTER.total_seconds()) - (int(time.time()) - sent)
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    code = Code(phones.masked(number), codes.TRIES, max(0, wait), minutes, codes.DIGITS)
    return _answer("consent_code.html", refused, page=page, form=form, code=code)


def consent_end(member: str) -> Response:
    """End it: her reports are hidden from now on, or whoever is sent to her is told no more."""
    page = _page(member)
    if field("purpose", 20) == DISPATCH:
        withdraw_consent(session.principal(), member, now=clock.now(), purpose=DISPATCH)
        flash(_("What you told for %(name)s is no longer shown to whoever is sent.", name=page.person.name), "ok")
        return see_other(url_for("web.me"))
    withdraw_consent(session.principal(), member, now=clock.now())
    flash(_("%(name)s's reports are no longer fetched or shown.", name=page.person.name), "ok")
    return see_other(url_for("web.consent", member=member))


def consent_back() -> Response:
    """For the relative herself, without an account: give the number, then the code that came to it."""
    typed, given = field("phone", 60), field("code", 60)
    form, step, refused = Form({"phone": typed}), "phone", None
    if request.method == "POST":
        try:
            if "code" in request.form:
                step = "code"
                withdraw_by_phone(typed, given, now=clock.now(), caller=session.caller())
                step = "done"
            else:
                ask_withdrawal(typed, now=clock.now(), caller=session.caller())
                step = "code"
        except (Invalid, TooMany, codes.WrongCode, codes.CodeEnded) as refusal:
            at = refusal.at or step
            form, refused = Form({"phone": typed}, {at: wording.sentence(refusal)}), refusal
    return _answer("consent_back.html", refused, step=step, form=form, length=codes.DIGITS)


def _answer(template: str, refused: Refusal | None, **context: Any) -> Response:
    """The page, with what a refusal says of itself."""
    if refused is None:
        return render(template, **context)
    return retry_after(render(template, refused.status, **context), refused)


def _page(public_id: str) -> ConsentPage:
    """Raises NotFound for whoever is not of the family, or neither needs consent nor gave any."""
    principal, now = session.principal(), clock.now()
    known = consents(principal, now).get(public_id)
    found: Member | None = next((it for it in family(principal.id) if it.public_id == public_id), None)
    if known is None or found is None or (known.state == "not_needed" and known.dispatch_given_at is None):
        raise NotFound(field="beneficiary_id")
    shown = person(found, clock.today(principal.time_zone, now))
    return ConsentPage(shown, known.state, known.given_at, known.dispatch_given_at)


def _ask(page: ConsentPage, form: Form, status: int = 200) -> Response:
    return render("consent.html", status, page=page, form=form)


def _record() -> str:
    """Sealed for this customer: another one's cookie does not open."""
    return f"web:consent:{session.principal().public_id}"


def _sealed(number: str) -> str:
    return base64.urlsafe_b64encode(crypto.seal_master(number, _record())).decode()


def _pending(member: str) -> tuple[str, int]:
    """The number that the code for this person went to, blank without one, and when (seconds)."""
    pending = flask.session.get(_PENDING)
    if not pending or pending[0] != member:
        return "", 0
    try:
        return crypto.unseal_master(base64.urlsafe_b64decode(pending[1]), _record(), stored=False), int(pending[2])
    except (crypto.Unreadable, binascii.Error):
        return "", 0


VIEWS: Views = {
    "consent": consent,
    "consent_code": consent_code,
    "consent_end": consent_end,
    "consent_back": consent_back,
}
