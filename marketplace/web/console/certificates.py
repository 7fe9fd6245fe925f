"""A provider's certification: asking for a run, and what was tried of it since the beginning."""

from __future__ import annotations

from flask import Response, flash, url_for
from flask_babel import gettext as _

from booking.certifying import history
from booking.certifying.ask import NoTestMode, NothingToProve, TooManyRuns, request_certification
from booking.certifying.subject import RehearsalUnderWay
from marketplace import wording
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.web import certificate_history
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page


def certify() -> Response:
    """Ask the worker for a run of the conformance kit."""
    who = session.operator()
    try:
        queued = request_certification(who, field("provider", 80), now=clock.now())
    except (NoTestMode, NothingToProve, RehearsalUnderWay, TooManyRuns) as refusal:
        flash(wording.sentence(refusal), "bad")
    else:
        if queued:
            flash(_("Asked for. The worker begins within seconds; a run takes some minutes."), "ok")
        else:
            flash(_("A run was asked for already, or is under way."), "ok")
    return see_other(url_for("console.providers"))


def certificates(provider: str) -> Response:
    """All runs and all certificates of a provider, newest first."""
    cursors = history.Cursors(asked("runs", 500) or None, asked("given", 500) or None)
    found = history.history(session.operator(), provider, cursors, limit=SHOWN)

    def more(runs: str | None, given: str | None) -> str:
        return url_for("console.certificates", provider=provider, runs=runs, given=given)

    part = certificate_history.history(found, _run_url(provider), more)
    return console_page("certificates", "providers", it=part, zone=HOME_ZONE)


def certificate_run(provider: str, run: str) -> Response:
    """One run, step by step."""
    found = history.run_of(session.operator(), provider, run)
    back = url_for("console.certificates", provider=provider)
    it = certificate_history.detail(found, _run_url(provider))
    return console_page("certificate_run", "providers", it=it, back=back, zone=HOME_ZONE)


def _run_url(provider: str) -> certificate_history.RunUrl:
    return lambda run: url_for("console.certificate_run", provider=provider, run=run)


VIEWS: Views = {"certify": certify, "certificates": certificates, "certificate_run": certificate_run}
