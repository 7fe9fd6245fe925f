"""Comparisons of our books with a provider's: what they found, and asking for one."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.reconcile import runs
from marketplace.core import clock
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.books import runs_page
from marketplace.web.parts import Form


def run_list() -> Response:
    """Comparisons, newest first; the form asks for one."""
    who = session.operator()
    if request.method == "POST":
        if runs.request_run(who, field("provider", 80), now=clock.now()):
            flash(_("Asked for. The worker begins within seconds."), "ok")
        else:
            flash(_("It was asked for already and begins in a moment."), "ok")
        return see_other(url_for("console.runs"))
    page = runs.runs(who, cursor=asked("after") or None, limit=SHOWN)
    return console_page(
        "runs",
        "runs",
        rows=tuple(map(runs_page.run, page.items)),
        providers=runs_page.providers(runs.provider_choices(who)),
        form=Form(),
        more_url=url_for("console.runs", after=page.next) if page.next else "",
    )


VIEWS: Views = {"runs": run_list}
