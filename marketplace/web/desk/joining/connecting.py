"""Connecting the provider's own system: values are proposed, tried by the worker, and connected once they passed."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.joining.ask import SystemTestOpen, ask_for_test
from booking.joining.connect import NotConfirmed, connect_tested
from booking.joining.view import connection_of_provider, one_test
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web import schema_form
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.joining import connecting_page
from marketplace.web.desk.joining.connecting_page import LONGEST_SECRET, SETTINGS, TriedPage
from marketplace.web.desk.setup.acting import changing
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form
from marketplace.web.schema_form import Fields
from providers.adapters.settings import BadSettings
from providers.registry import with_system


def connection() -> Response:
    """Choose the kind of system, then its form, which asks for a test."""
    if request.method == "POST":
        return _asked(schema_form.sent())
    who, adapter, test = session.member(), asked("adapter", 40), asked("test", 40)
    before = connection_of_provider(who)
    if test:
        it = one_test(who, test, now=clock.now())
        fields = connecting_page.fields_of(it.adapter, it.base_url, it.settings, without_secret=it.without_secret)
        return _form(it.adapter, fields)
    if not adapter and not before.answers_here and not asked("choose", 1):
        adapter = before.adapter
    if adapter not in with_system():
        return _kinds()
    same = adapter == before.adapter
    url, settings = (before.base_url, before.settings) if same else ("", {})
    return _form(adapter, connecting_page.fields_of(adapter, url, settings))


def tried(test: str) -> Response:
    """A test and what came of it; the form connects what passed."""
    who = session.member()
    it = one_test(who, test, now=clock.now())
    if request.method != "POST":
        return _tried(test)
    try:
        confirmed = field("confirmed", 1) == "1"
        connect_tested(changing(), test, secret=field("secret", LONGEST_SECRET), confirmed=confirmed, now=clock.now())
    except NotFound:
        raise
    except Invalid as refusal:
        at = refusal.at == "secret"
        form = Form(errors={"secret": wording.sentence(refusal)} if at else {})
        return _tried(test, refusal.status, None if at else problem_of(refusal), form)
    except NotConfirmed as refusal:
        return _tried(test, refusal.status, None, Form(errors={"confirmed": wording.sentence(refusal)}))
    except Refusal as refusal:
        return _tried(test, refusal.status, problem_of(refusal))
    if it.loses:
        flash(_("Connected. Have your system certified now: customers are offered your services once it is."), "ok")
    else:
        flash(_("Connected. Your system is called with these values from now on."), "ok")
    return see_other(url_for("desk.system"))


def tried_live(test: str) -> Response:
    """The part of a test that changes by itself."""
    page = _page(test)
    return desk_live("joining/test_live", page, page=page, form=Form())


def _asked(fields: Fields) -> Response:
    """Ask for a test of what the form says, or show it again with what is wrong."""
    adapter = fields.get("adapter", "")
    if adapter not in with_system():
        return _kinds(422)
    errors: dict[str, str] = {}
    problem, status = None, 422
    try:
        asked_for = ask_for_test(changing(), connecting_page.proposed_in(adapter, fields), now=clock.now())
        return see_other(url_for("desk.system_test", test=asked_for))
    except SystemTestOpen as refusal:
        flash(wording.sentence(refusal), "ok")
        return see_other(url_for("desk.system_test", test=refusal.facts["test"]))
    except BadSettings as wrong:
        refused = {name: Invalid(field=name, reason=it.reason, **it.facts) for name, it in wrong.faults.items()}
        errors = {f"{SETTINGS}.{name}": wording.sentence(each) for name, each in refused.items()}
    except NotFound:
        raise
    except Invalid as refusal:
        own = refusal.at in ("base_url", "secret")
        errors = {str(refusal.at) if own else f"{SETTINGS}.{refusal.at}": wording.sentence(refusal)}
        if refusal.at == "adapter":
            errors, problem = {}, problem_of(refusal)
    except Refusal as refusal:
        problem, status = problem_of(refusal), refusal.status
    return _form(adapter, fields, status, errors, problem)


def _kinds(status: int = 200) -> Response:
    before = connection_of_provider(session.member())
    return desk_page("joining/kinds", "system", status, before=before, kinds=connecting_page.kinds())


def _form(
    adapter: str,
    fields: Fields,
    status: int = 200,
    errors: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    shown = {name: text for name, text in fields.items() if name != "secret"}
    ask = connecting_page.ask(adapter, connection_of_provider(session.member()), shown)
    return desk_page("joining/connection", "system", status, ask=ask, form=Form(shown, errors or {}), problem=problem)


def _tried(test: str, status: int = 200, problem: Problem | None = None, form: Form | None = None) -> Response:
    page = _page(test)
    return desk_page(
        "joining/test", "system", status, page=page, live_part=(page,), form=form or Form(), problem=problem
    )


def _page(test: str) -> TriedPage:
    who = session.member()
    return connecting_page.tried_page(one_test(who, test, now=clock.now()), who.time_zone)


VIEWS: Views = {"system_connection": connection, "system_test": tried, "system_test_live": tried_live}
