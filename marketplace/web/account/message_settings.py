"""How the customer wants to be notified, and the secret address of her calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.messages import calendar
from booking.messages.settings import (
    Choices,
    EmailNotSent,
    NoEmail,
    choose,
    confirm_email,
    forget_email,
    give_email,
    parse_time,
    settings_of,
)
from marketplace import wording
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.sending import email
from marketplace.web import session
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.parts import Form
from vip.signin.codes import CodeEnded, WrongCode


@dataclass(frozen=True)
class MessageSettings:
    """How she wants to be notified. `phone` and `address` are masked; `address_open` waits for its code. `feed_made_at`
    is set while her calendar has an address, `feed_url` only in the answer that made it."""

    sms: bool
    email: bool
    email_offered: bool
    phone: str
    address: str
    address_open: bool
    quiet: bool
    feed_made_at: datetime | None
    feed_url: str = ""


def message_settings() -> Response:
    """Channels and quiet hours."""
    if request.method != "POST":
        return _page()
    given = {name: field(name, 10) for name in ("quiet_from", "quiet_until")}
    try:
        times = [parse_time(given[name], name) for name in given]
    except Invalid as refusal:
        return _page(Form(given, {str(refusal.at): wording.sentence(refusal)}), status=422)
    chosen = {name: field(name, 3) == "on" for name in ("sms", "email", "quiet")}
    choices = Choices(**chosen, quiet_from=times[0], quiet_until=times[1])
    choose(session.principal(), choices, now=clock.now())
    flash(_("Saved."), "ok")
    return see_other(url_for("web.message_settings"))


def message_email() -> Response:
    """Give an address (a code goes to it), or take it away."""
    me, now = session.principal(), clock.now()
    if field("remove", 1):
        forget_email(me, now=now)
        flash(_("The e-mail address was removed."), "ok")
        return see_other(url_for("web.message_settings"))
    given = field("email", 300)
    try:
        give_email(me, given, now=now)
    except (Invalid, NoEmail, EmailNotSent, TooMany) as refusal:
        answer = _page(Form({"email": given}, {"email": wording.sentence(refusal)}), status=refusal.status)
        return retry_after(answer, refusal)
    flash(_("We sent a code to this address. Enter it here."), "ok")
    return see_other(url_for("web.message_settings"))


def message_email_code() -> Response:
    """The code that came back from the address."""
    try:
        confirm_email(session.principal(), field("code", 30), now=clock.now())
    except (Invalid, WrongCode, CodeEnded, TooMany) as refusal:
        return retry_after(_page(Form({}, {"code": wording.sentence(refusal)}), status=refusal.status), refusal)
    flash(_("The address is confirmed."), "ok")
    return see_other(url_for("web.message_settings"))


def calendar_address() -> Response:
    """Make the secret address (the one before is dead), or take it back. It is shown in this answer alone: it must not
    stand in an address, a log or a cookie."""
    me, now = session.principal(), clock.now()
    if field("end", 1):
        calendar.end_feed(me, now=now)
        flash(_("The calendar address was taken back."), "ok")
        return see_other(url_for("web.message_settings"))
    token = calendar.new_feed(me, now=now)
    return _page(address=settings().public_url + url_for("web.calendar", token=token))


def _page(form: Form | None = None, *, status: int = 200, address: str = "") -> Response:
    found = settings_of(session.principal())
    times = {"quiet_from": f"{found.quiet_from:%H:%M}", "quiet_until": f"{found.quiet_until:%H:%M}"}
    shown = Form({**times, **(form.values if form else {})}, form.errors if form else {}, form.problem if form else "")
    page = MessageSettings(
        sms=found.sms,
        email=found.email,
        email_offered=email.backend() is not None,
        phone=found.phone_masked,
        address=found.email_masked,
        address_open=found.email_open,
        quiet=found.quiet,
        feed_made_at=found.feed_made_at,
        feed_url=address,
    )
    return render("message_settings.html", status, page=page, form=shown)


VIEWS: Views = {
    "message_settings": message_settings,
    "message_email": message_email,
    "message_email_code": message_email_code,
    "calendar_address": calendar_address,
}
