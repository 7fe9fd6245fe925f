"""Signing in to the console: the password, then what is asked besides it (second factor, a password of one's own)."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal, TooMany, Unauthenticated
from marketplace.web.answers import Views, asked, field, render, retry_after, see_other
from marketplace.web.console import session
from marketplace.web.console.accounts.qr import qr_code
from marketplace.web.parts import Form
from marketplace.web.session import caller
from vip.operators import sign_in_steps
from vip.operators.account_changes import choose_password
from vip.operators.operators import WrongPassword, sign_in_operator
from vip.operators.second_factor import Offer, OfferEnded, WrongSecondFactor
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn, Step
from vip.signin import signin

_PAGES: dict[Step, str] = {
    "code": "console.sign_in_code",
    "device": "console.sign_in_device",
    "password": "console.sign_in_password",
}


def sign_in() -> Response:
    """By name and password; the session that the browser had before ends. `again` shows it to who is signed in."""
    if request.method != "POST":
        if session.visiting() is not None and not asked("again"):
            return see_other(url_for("console.home"))
        return _page("operator_sign_in.html", "console.sign_in", Form())
    name = field("name", 80)
    try:
        found = sign_in_operator(
            name,
            request.form.get("password", ""),
            clock.now(),
            previous_token=session.session_token() or None,
            known_by=session.known_by() or None,
            caller=caller(),
        )
    except (WrongPassword, TooMany) as refusal:
        form = Form({"name": name}, problem=wording.sentence(refusal))
        return retry_after(_page("operator_sign_in.html", "console.sign_in", form, refusal.status), refusal)
    return _go_on(found)


def sign_in_code() -> Response:
    """The second factor: a code of the device, or a recovery code."""
    if (elsewhere := _elsewhere("code")) is not None:
        return elsewhere
    if request.method != "POST":
        return _page("operator_code.html", "console.sign_in_code", Form())
    try:
        found = sign_in_steps.show_code(
            session.ticket(),
            field("code", 60),
            now=clock.now(),
            previous_token=session.session_token() or None,
            known_by=session.known_by() or None,
            caller=caller(),
        )
    except (WrongSecondFactor, TooMany) as refusal:
        return retry_after(_page("operator_code.html", "console.sign_in_code", _form(refusal), refusal.status), refusal)
    return _go_on(found)


def sign_in_device() -> Response:
    """Set up a second factor, and see the recovery codes once."""
    if (elsewhere := _elsewhere("device")) is not None:
        return elsewhere
    ticket, now = session.ticket(), clock.now()
    if request.method != "POST":
        return _device(sign_in_steps.offer_device(ticket, now=now), Form())
    sealed = field("offer")
    try:
        done = sign_in_steps.set_up_device(
            ticket, sealed, field("code", 60), now=now, previous_token=session.session_token() or None
        )
    except (WrongSecondFactor, TooMany) as refusal:
        offer = sign_in_steps.offered_device(ticket, sealed, now=now)
        return retry_after(_device(offer, _form(refusal), refusal.status), refusal)
    except OfferEnded as refusal:
        return _device(sign_in_steps.offer_device(ticket, now=now), _form(refusal), refusal.status)
    onward = session.next_path(field("next"))
    answer = render("operator_recovery_codes.html", codes=done.recovery_codes, next_url=onward)
    return _hand_over(answer, done.then)


def sign_in_password() -> Response:
    """Choose a password of one's own in place of the one that was given."""
    if (elsewhere := _elsewhere("password")) is not None:
        return elsewhere
    if request.method != "POST":
        return _page("operator_own_password.html", "console.sign_in_password", Form())
    try:
        found = choose_password(
            session.ticket(),
            request.form.get("new", ""),
            now=clock.now(),
            previous_token=session.session_token() or None,
        )
    except (Invalid, TooMany) as refusal:
        page = _page("operator_own_password.html", "console.sign_in_password", _form(refusal, "new"), refusal.status)
        return retry_after(page, refusal)
    return _go_on(found)


def sign_out() -> Response:
    """End the session, here and in the database."""
    signin.sign_out(session.operator(), clock.now())
    flask.session.clear()
    answer = see_other(url_for("console.sign_in"))
    session.forget(answer)
    return answer


def _elsewhere(step: Step) -> Response | None:
    """None if this step is awaited of this browser; else the way to the one that is, or to the first page."""
    try:
        awaited = sign_in_steps.awaited(session.ticket(), now=clock.now())
    except Unauthenticated:
        if session.ticket():
            flash(_("That took too long. Sign in once more."), "notice")
        answer = see_other(url_for("console.sign_in", next=_next() or None))
        session.forget_ticket(answer)
        return answer
    return None if awaited == step else see_other(url_for(_PAGES[awaited], next=_next() or None))


def _go_on(found: OperatorSignedIn | NextStep) -> Response:
    """To the page that was wanted, or to the next step."""
    if isinstance(found, NextStep):
        return _hand_over(see_other(url_for(_PAGES[found.step], next=_next() or None)), found)
    return _hand_over(see_other(session.next_path(_next())), found)


def _hand_over(answer: Response, found: OperatorSignedIn | NextStep) -> Response:
    if isinstance(found, NextStep):
        session.store_ticket(answer, found)
        return answer
    flask.session.clear()
    session.forget_ticket(answer)
    session.store_token(answer, found.token, found.expires_at, found.device)
    return answer


def _next() -> str:
    return field("next") or asked("next")


def _form(refusal: Refusal, name: str = "code") -> Form:
    message = wording.sentence(refusal)
    return Form(errors={name: message}) if refusal.at == name else Form(problem=message)


def _device(offer: Offer, form: Form, status: int = 200) -> Response:
    return _page("operator_device.html", "console.sign_in_device", form, status, offer=offer, qr=qr_code(offer.uri))


def _page(template: str, endpoint: str, form: Form, status: int = 200, **context: Any) -> Response:
    return render(template, status, form=form, action=url_for(endpoint), next_url=_next(), **context)


VIEWS: Views = {
    "sign_in": sign_in,
    "sign_in_code": sign_in_code,
    "sign_in_device": sign_in_device,
    "sign_in_password": sign_in_password,
    "sign_out": sign_out,
}
