"""The console's page of one provider: how it is and was, and pausing it."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.health import view
from booking.health.figures import Window
from booking.health.pauses import pausing
from booking.webhooks.health import recovered
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.console.providers import one_page
from marketplace.web.parts import Form

_SLACK = 1_000


def provider(provider: str) -> Response:
    """Its figures of an hour, a day or a week; the form pauses it for a reason, or resumes it."""
    if request.method != "POST":
        return _page(provider, Form())
    words = field("reason", _SLACK)
    try:
        _act(provider, field("act", 20), words)
    except Invalid as refusal:
        sentence = wording.sentence(refusal)
        form = Form({"reason": words}, {"reason": sentence}) if refusal.at == "reason" else Form(problem=sentence)
        return _page(provider, form, refusal.status)
    return see_other(url_for("console.provider", provider=provider))


def _act(code: str, what: str, reason: str) -> None:
    who, now = session.operator(), clock.now()
    if what == "pause":
        if pausing.pause(who, code, reason, now=now):
            flash(_("It is paused. No new command goes out; look-ups and what it sends us go on."), "ok")
        else:
            flash(_("It was paused already."), "bad")
    elif what == "resume":
        if pausing.resume(who, code, now=now):
            flash(_("It goes on. Commands that waited go out within seconds."), "ok")
        else:
            flash(_("It was not paused."), "bad")
    else:
        raise Invalid(field="act", reason="unknown_value")


def _page(code: str, form: Form, status: int = 200) -> Response:
    wanted = asked("window", 10)
    window = Window(wanted) if wanted in list(Window) else Window.HOUR
    now = clock.now()
    found = view.provider(session.operator(), code, window, now=now)
    page = one_page.page(found, recovered(now=now), now)
    return console_page("provider", "providers", status, it=page, form=form, longest=pausing.LONGEST_REASON)


VIEWS: Views = {"provider": provider}
