"""Signing in by phone and code, signing out, and what a reader chooses without an account."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import replace

import flask
from flask import Response, request, url_for
from flask_babel import ngettext

from marketplace import wording
from marketplace.core import clock, crypto
from marketplace.core.errors import Invalid, Refusal, TooMany
from marketplace.web import assets, development, language, session
from marketplace.web.answers import Views, asked, field, render, retry_after, see_other
from marketplace.web.cookies import LANGUAGE, THEME
from marketplace.web.parts import Code, Form
from vip import phones
from vip.customers import customers
from vip.signin import codes, signin

_PENDING = "sign_in"
_RECORD = "web:sign_in"


def sign_in() -> Response:
    """Step one: the phone number; a code is sent to it."""
    if request.method != "POST":
        if session.visitor() is not None and not asked("again", 1):
            return see_other(_next() or url_for("web.home"))
        return _phone_step(Form())
    again = bool(field("again"))
    typed = _pending()[0] if again else field("phone", 60)
    if again and not typed:
        return see_other(url_for("web.sign_in", next=_next() or None))
    try:
        number = phones.normalise(typed)
        sent = signin.send_code(number, now=clock.now(), caller=session.caller(), known_by=session.known_by() or None)
    except (Invalid, TooMany) as refusal:
        if again:
            return retry_after(_code_step(Form(problem=_told(refusal)), refusal.status), refusal)
        return retry_after(_phone_step(_refused_phone(typed, refusal), refusal.status), refusal)
    waited = int(codes.RESEND_AFTER.total_seconds()) - sent.resend_after_seconds
    flask.session[_PENDING] = [_sealed(number), int(time.time()) - waited]
    return see_other(url_for("web.sign_in_code", next=_next() or None))


def sign_in_code() -> Response:
    """Step two: the code. The session that the browser had before ends."""
    number, _sent = _pending()
    if not number:
        return see_other(url_for("web.sign_in", next=_next() or None))
    if request.method != "POST":
        return _code_step(Form())
    try:
        signed_in = signin.sign_in(
            number,
            field("code", 60),
            channel="web",
            now=clock.now(),
            previous_token=session.session_token() or None,
            known_by=session.known_by() or None,
            caller=session.caller(),
        )
    except (Invalid, TooMany, codes.WrongCode, codes.CodeEnded) as refusal:
        tries = refusal.facts.get("tries_left") if isinstance(refusal, codes.WrongCode) else None
        answer = _code_step(Form(errors={"code": _told(refusal)}), refusal.status, tries_left=tries)
        return retry_after(answer, refusal)
    flask.session.clear()
    answer = see_other(_next() or url_for("web.home"))
    session.store_token(answer, signed_in.token, signed_in.expires_at, signed_in.device)
    return answer


def sign_out() -> Response:
    """End this session, here and in the database."""
    signin.sign_out(session.principal(), clock.now())
    flask.session.clear()
    answer = see_other(url_for("web.sign_in"))
    session.forget(answer)
    return answer


def preferences() -> Response:
    """Light or dark, and the language; of a customer the language is stored for texts too."""
    answer = see_other(session.safe_path(field("next")) or url_for("web.home"))
    theme, chosen = field("theme"), language.named(field("lang", 20))
    if theme in assets.THEMES:
        THEME.write(answer, theme)
    if chosen is not None:
        LANGUAGE.write(answer, chosen.code)
        known = session.visitor()
        if known is not None:
            customers.choose_language(known.id, chosen.code)
    return answer


def _phone_step(form: Form, status: int = 200) -> Response:
    return _door("sign_in.html", status, form=form)


def _code_step(form: Form, status: int = 200, tries_left: int | None = None) -> Response:
    number, sent = _pending()
    wait = int(codes.RESEND_AFTER.total_seconds()) - (int(time.time()) - sent)
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    code = Code(phones.masked(number), codes.TRIES, max(0, wait), minutes, codes.DIGITS)
    if tries_left is not None:
        code = replace(code, tries_left=tries_left)
    shown = development.text_with_code(number)
    return _door("sign_in_code.html", status, form=form, code=code, printed=shown)


def _door(template: str, status: int, **context: object) -> Response:
    """A page before sign-in. It tells its script that nobody is signed in, so whether somebody is must be asked."""
    session.visitor()
    return render(template, status, next_url=_next(), **context)


def _next() -> str:
    """Where to go afterwards: a path of this site, or blank."""
    return session.safe_path(field("next") or asked("next"))


def _sealed(number: str) -> str:
    """The cookie that holds it is signed but readable, so the number goes into it encrypted."""
    return base64.urlsafe_b64encode(crypto.seal_master(number, _RECORD)).decode()


def _pending() -> tuple[str, int]:
    """The number that a code was asked for in this browser, blank without one, and when (seconds)."""
    pending = flask.session.get(_PENDING)
    if not pending:
        return "", 0
    try:
        return crypto.unseal_master(base64.urlsafe_b64decode(pending[0]), _RECORD, stored=False), int(pending[1])
    except (crypto.Unreadable, binascii.Error):
        return "", 0


def _refused_phone(typed: str, refusal: Refusal) -> Form:
    if isinstance(refusal, TooMany):
        return Form({"phone": typed}, problem=_told(refusal))
    missing = 11 - sum(character.isdigit() for character in typed)
    if 0 < missing < 11:
        text = ngettext(
            "%(num)d digit is missing. A mobile number has 11.",
            "%(num)d digits are missing. A mobile number has 11.",
            missing,
        )
        return Form({"phone": typed}, {"phone": text})
    return Form({"phone": typed}, {"phone": _told(refusal)})


def _told(refusal: Refusal) -> str:
    return wording.sentence(refusal)


VIEWS: Views = {
    "sign_in": sign_in,
    "sign_in_code": sign_in_code,
    "sign_out": sign_out,
    "preferences": preferences,
}
