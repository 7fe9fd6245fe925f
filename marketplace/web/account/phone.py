"""Changing the phone number: the new number, then a code from each."""

from __future__ import annotations

import base64
import binascii
import time

import flask
from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock, crypto
from marketplace.core.errors import Invalid, TooMany
from marketplace.web import session
from marketplace.web.account.links import end_links_if_asked
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.parts import Code, Form
from vip import phones
from vip.customers import change_phone
from vip.customers.customers import profile
from vip.signin import codes

_PENDING = "new_phone"


def phone() -> Response:
    """Give the new number; a code goes to it and to the present one. `again` sends new codes to the same number."""
    if request.method != "POST":
        return _number_step(Form())
    again = bool(field("again"))
    typed = _pending()[0] if again else field("phone", 60)
    if again and not typed:
        return see_other(url_for("web.phone"))
    try:
        number = phones.normalise(typed)
        change_phone.start_phone_change(session.principal(), number, now=clock.now())
    except (Invalid, TooMany) as refusal:
        message = wording.sentence(refusal)
        if again:
            return retry_after(_codes_step(Form(problem=message), refusal.status), refusal)
        form = Form({"phone": typed}, problem=message) if isinstance(refusal, TooMany) else None
        form = form or Form({"phone": typed}, {"phone": message})
        return retry_after(_number_step(form, refusal.status), refusal)
    flask.session[_PENDING] = [_sealed(number), int(time.time())]
    return see_other(url_for("web.phone_code"))


def phone_code() -> Response:
    """Prove both numbers; the other sessions end."""
    number, _sent = _pending()
    if not number:
        return see_other(url_for("web.phone"))
    if request.method != "POST":
        return _codes_step(Form())
    given = {name: field(name, 60) for name in ("old_code", "new_code")}
    try:
        change_phone.confirm_phone_change(session.principal(), number, now=clock.now(), **given)
    except (Invalid, TooMany, codes.WrongCode, codes.CodeEnded) as refusal:
        message, at = wording.sentence(refusal), refusal.at or ""
        form = Form(errors={at: message}) if at in given else Form(problem=message)
        return retry_after(_codes_step(form, refusal.status), refusal)
    except phones.PhoneTaken as refusal:
        flask.session.pop(_PENDING)
        return _number_step(Form({"phone": ""}, {"phone": wording.sentence(refusal)}), refusal.status)
    end_links_if_asked()
    flask.session.pop(_PENDING)
    flash(_("Your number is changed. Your other devices are signed out."), "ok")
    return see_other(url_for("web.me"))


def _number_step(form: Form, status: int = 200) -> Response:
    current = profile(session.principal().id).phone_masked
    return render("phone.html", status, step="new", form=form, code=None, current=current)


def _codes_step(form: Form, status: int = 200) -> Response:
    number, sent = _pending()
    current = profile(session.principal().id).phone_masked
    wait = int(codes.RESEND_AFTER.total_seconds()) - (int(time.time()) - sent)
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    code = Code(phones.masked(number), codes.TRIES, max(0, wait), minutes, codes.DIGITS)
    return render("phone.html", status, step="codes", form=form, code=code, current=current)


def _record() -> str:
    """Sealed for this customer: another one's cookie does not open."""
    return f"web:new_phone:{session.principal().public_id}"


def _sealed(number: str) -> str:
    return base64.urlsafe_b64encode(crypto.seal_master(number, _record())).decode()


def _pending() -> tuple[str, int]:
    """The number that is being proved in this browser, blank without one, and when its code went out (seconds)."""
    pending = flask.session.get(_PENDING)
    if not pending:
        return "", 0
    try:
        return crypto.unseal_master(base64.urlsafe_b64decode(pending[0]), _record(), stored=False), int(pending[1])
    except (crypto.Unreadable, binascii.Error):
        return "", 0


VIEWS: Views = {"phone": phone, "phone_code": phone_code}
