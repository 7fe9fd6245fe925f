"""The console's pages: signing in, and what needs an operator's eye. They change nothing yet."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, request, url_for

from booking.reconcile import cases
from booking.views import oversight
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import TooMany
from marketplace.web.answers import Views, asked, field, render, retry_after, see_other
from marketplace.web.console import overview_page, session
from marketplace.web.parts import Form
from marketplace.web.session import caller
from vip import signin
from vip.operators import WrongPassword, operator, sign_in_operator

FEW = 8


def sign_in() -> Response:
    """By name and password; the session that the browser had before ends."""
    if request.method == "GET":
        if session.visiting() is not None:
            return see_other(url_for("console.home"))
        return _door(Form())
    name = field("name", 80)
    try:
        signed_in = sign_in_operator(
            name,
            request.form.get("password", ""),
            clock.now(),
            previous_token=session.session_token() or None,
            known_by=session.known_by() or None,
            caller=caller(),
        )
    except (WrongPassword, TooMany) as refusal:
        return retry_after(_door(Form({"name": name}, problem=wording.sentence(refusal)), refusal.status), refusal)
    flask.session.clear()
    answer = see_other(session.next_path(field("next")))
    session.store_token(answer, signed_in.token, signed_in.expires_at, signed_in.device)
    return answer


def sign_out() -> Response:
    """End the session, here and in the database."""
    signin.sign_out(session.operator(), clock.now())
    flask.session.clear()
    answer = see_other(url_for("console.sign_in"))
    session.forget(answer)
    return answer


def home() -> Response:
    """All three lists, the first lines of each, and the chain of the audit."""
    who, now = session.operator(), clock.now()
    page = cases.discrepancies(who, cursor=None, limit=FEW)
    return _page(
        "home",
        discrepancies=tuple(map(overview_page.discrepancy, page.items)),
        more_url=url_for("console.discrepancies") if page.next else "",
        providers=tuple(overview_page.provider(it, now) for it in oversight.providers(who, now=now)),
        jobs=tuple(map(overview_page.job, oversight.late_jobs(who, now=now))),
        audit=overview_page.audit(oversight.audit_health(who, now=now)),
    )


def providers() -> Response:
    """Providers and how they are."""
    now = clock.now()
    found = oversight.providers(session.operator(), now=now)
    return _page("providers", providers=tuple(overview_page.provider(it, now) for it in found))


def jobs() -> Response:
    """Background jobs that did not run."""
    late = oversight.late_jobs(session.operator(), now=clock.now())
    return _page("jobs", jobs=tuple(map(overview_page.job, late)))


def _page(name: str, **context: Any) -> Response:
    me = operator(session.operator().id)
    return render(f"console/{name}.html", me=me, here=name, feeds=overview_page.feeds(), **context)


def _door(form: Form, status: int = 200) -> Response:
    next_url = field("next") or asked("next")
    return render("operator_sign_in.html", status, form=form, action=url_for("console.sign_in"), next_url=next_url)


VIEWS: Views = {
    "sign_in": sign_in,
    "sign_out": sign_out,
    "home": home,
    "providers": providers,
    "jobs": jobs,
}
