"""The provider's own system: how it is reached, what it has proved, having it tried, and what was tried since the
beginning."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.certifying.ask import NoTestMode, NothingToProve, TooManyRuns, ask_own
from booking.certifying.history import Cursors, own_history, own_run
from booking.certifying.subject import RehearsalUnderWay
from booking.certifying.view import certificates_of
from booking.joining.view import connection_of_provider, last_test
from marketplace import wording
from marketplace.core import clock
from marketplace.web import certificate_history, certificate_words
from marketplace.web.answers import Views, asked, see_other
from marketplace.web.certificate_history import HistoryPart
from marketplace.web.certificate_words import CertifiedRow
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.joining import connecting_page
from providers.applying.own import awaits_system

_SHOWN = 20


def system() -> Response:
    """What was proved, and what came of all runs; the form asks the worker for another one."""
    who, problem, status = session.member(), "", 200
    if request.method == "POST":
        try:
            queued = ask_own(who.provider_id, who.public_id, now=clock.now())
        except (NoTestMode, NothingToProve, RehearsalUnderWay, TooManyRuns) as refusal:
            problem, status = wording.sentence(refusal), refusal.status
        else:
            if queued:
                flash(_("Asked for. The worker begins within seconds; a run takes some minutes."), "ok")
            else:
                flash(_("A run was asked for already, or is under way."), "ok")
            return see_other(url_for("desk.system"))
    cursors = _cursors()
    it, past = _proved(who.provider_id, cursors)
    before, last = connection_of_provider(who), last_test(who, now=clock.now())
    return desk_page(
        "joining/system",
        "system",
        status,
        it=it,
        past=past,
        awaits=awaits_system(who),
        live_url=url_for("desk.system_live", runs=cursors.runs, given=cursors.given),
        live_part=(it, past),
        before=before,
        kind=None if before.answers_here else connecting_page.kind(before.adapter),
        last=None if last is None else connecting_page.tried_page(last, who.time_zone),
        problem=problem,
    )


def system_live() -> Response:
    """The part of it that changes by itself."""
    who = session.member()
    it, past = _proved(who.provider_id, _cursors())
    return desk_live("joining/system_live", it, past, it=it, past=past, zone=who.time_zone)


def _cursors() -> Cursors:
    return Cursors(asked("runs", 500) or None, asked("given", 500) or None)


def _proved(provider_id: int, cursors: Cursors) -> tuple[CertifiedRow, HistoryPart]:
    it = certificate_words.provider(certificates_of(provider_id))
    return it, certificate_history.history(own_history(provider_id, cursors, limit=_SHOWN), _run_url, _more_url)


def system_run(run: str) -> Response:
    """One run, step by step."""
    it = certificate_history.detail(own_run(session.member().provider_id, run), _run_url)
    return desk_page("joining/run", "system", it=it)


def _run_url(run: str) -> str:
    return url_for("desk.system_run", run=run)


def _more_url(runs: str | None, given: str | None) -> str:
    return url_for("desk.system", runs=runs, given=given)


VIEWS: Views = {"system": system, "system_live": system_live, "system_run": system_run}
