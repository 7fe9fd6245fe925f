"""The public pages: registering as a provider, and the page that the letter's link leads to."""

from __future__ import annotations

from dataclasses import asdict, fields
from zoneinfo import available_timezones

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.catalog import provider_profile
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.config import settings
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.ids import new_token
from marketplace.core.sending import email
from marketplace.web import language
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.desk import session
from marketplace.web.desk.applying import words
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from marketplace.web.session import caller
from providers.applying import confirm
from providers.applying.apply import apply
from providers.applying.facts import LONGEST_NUMBER, Facts, faults
from vip.operators import operators
from vip.operators.operators import LoginTaken

_FIELDS = tuple(each.name for each in fields(Facts))


def register() -> Response:
    """Say who the organisation is; a letter with a link follows, to whatever address was given."""
    if request.method != "POST":
        begin = {"answers": "desk", "country": "cn", "language": language.current().code, "time_zone": HOME_ZONE}
        return _form(Form({**begin, "key": new_token()}))
    given, key = Facts(**{name: field(name) for name in _FIELDS}), field("key", 100)
    values = {**asdict(given), "key": key or new_token()}
    wrong = faults(given)
    if wrong:
        return _form(Form(values, {name: wording.sentence(each) for name, each in wrong.items()}), 422)
    try:
        apply(given, caller=caller(), now=clock.now(), request=key)
    except TooMany as refusal:
        form = Form(values, problem=wording.sentence(refusal))
        return retry_after(_form(form, refusal.status), refusal)
    return see_other(url_for("desk.apply_sent"))


def apply_sent() -> Response:
    """What comes next; the same for every address."""
    return render("desk/applying/sent.html", door=session.DOOR, development=settings().development)


def apply_confirm(token: str) -> Response:
    """Choose a login and a password; opening the page uses nothing up, since programs that look through mail do that.
    Nobody is signed in by it."""
    now = clock.now()
    found = confirm.look(token, now=now)
    if request.method != "POST":
        return _confirm(token, found, Form())
    given = {"login": field("login", 200)}
    try:
        confirm.confirm(token, given["login"], request.form.get("password", ""), now=now)
    except (Invalid, LoginTaken, TooMany) as refusal:
        message = wording.sentence(refusal)
        known = refusal.at in ("login", "password")
        form = Form(given, {refusal.at or "": message}) if known else Form(given, problem=message)
        return retry_after(_confirm(token, found, form, refusal.status), refusal)
    flash(_("Your account is made. Sign in with it."), "ok")
    return see_other(url_for("desk.sign_in"))


def _form(form: Form, status: int = 200) -> Response:
    return render(
        "desk/applying/apply.html",
        status,
        door=session.DOOR,
        form=form,
        mails=email.backend() is not None,
        answers=words.answers(),
        countries=words.countries(),
        letter_languages=[(each.code, each.name) for each in language.LANGUAGES.values()],
        zones=sorted(available_timezones()),
        longest={"name": provider_profile.LONGEST_NAME, "number": LONGEST_NUMBER, "contact": operators.LONGEST_NAME},
    )


def _confirm(token: str, found: confirm.Confirming, form: Form, status: int = 200) -> Response:
    page = {"provider": by_language(found.provider), "who": found.contact, "form": form}
    return render("desk/applying/confirm.html", status, door=session.DOOR, token=token, **page)


VIEWS: Views = {"apply": register, "apply_sent": apply_sent, "apply_confirm": apply_confirm}
