"""Providers that register: the list, and one with what an operator can say to it."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.text import Text
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import applications_page, session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.doors.problems import problem_of
from marketplace.web.parts import Form
from providers.applying import review
from providers.applying.facts import LONGEST_NOTE


def applications() -> Response:
    """Those in a state, the newest first."""
    state, cursor = asked("state", 20), asked("cursor") or None
    page = review.applications(session.operator(), state, cursor=cursor, limit=SHOWN)
    return console_page(
        "applications",
        "applications",
        rows=tuple(map(applications_page.row, page.items)),
        states=applications_page.filters(state),
        more_url=url_for("console.applications", state=state or None, cursor=page.next) if page.next else "",
    )


def application(application: str) -> Response:
    """One of them; the form approves it, declines it or asks something."""
    who, problem, status, form = session.operator(), None, 200, Form()
    if request.method == "POST":
        given = {name: request.form.get(name, "") for name in ("reason", "question")}
        try:
            _act(field("act", 20), application, given)
            return see_other(url_for("console.application", application=application))
        except NotFound:
            raise
        except Refusal as refusal:
            at = isinstance(refusal, Invalid) and refusal.at in (*given, "confirmed")
            problem, status = (None if at else problem_of(refusal)), refusal.status
            form = Form(given, {str(refusal.at): wording.sentence(refusal)} if at else {})
    it = applications_page.page(review.application(who, application))
    return console_page("application", "applications", status, it=it, form=form, problem=problem, longest=LONGEST_NOTE)


def _act(what: str, application: str, given: dict[str, str]) -> None:
    who, now = session.operator(), clock.now()
    if what == "approve":
        if field("confirmed", 1) != "1":
            raise Invalid(field="confirmed", reason="to_confirm")
        names = Text(request.form.get("name_zh", ""), request.form.get("name_en", ""))
        review.approve(who, application, names=names, now=now)
        flash(_("Approved. What it sells is shown to customers once its other steps are done."), "ok")
    elif what == "decline":
        review.decline(who, application, given["reason"], now=now)
        flash(_("Declined. Its people are told the reason."), "ok")
    elif what == "ask":
        review.ask_back(who, application, given["question"], now=now)
        flash(_("The question is on its way."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")


VIEWS: Views = {"applications": applications, "application": application}
