"""The console's pages about operators, for administrators: the list, a new one, the end of service, the reset."""

from __future__ import annotations

from typing import cast

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from marketplace.web.answers import Views, field, retry_after, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.doors.problems import problem_of
from marketplace.web.parts import Form
from vip.operators import administration
from vip.operators.operators import LoginTaken
from vip.principal import Role
from vip.signin.signin import SignInAgain


def accounts() -> Response:
    """Who works here."""
    return console_page("accounts", "accounts", rows=administration.operators_of(session.operator()))


def account_new() -> Response:
    """Make an operator; the answer shows her password for the first sign-in, once."""
    if request.method != "POST":
        return console_page("account_new", "accounts", form=Form({"role": "agent"}), made=None, problem=None)
    given = {"login": field("login", 200), "name": field("name", 200), "role": field("role", 20)}
    try:
        made = administration.add_operator(
            session.operator(), given["login"], given["name"], cast(Role, given["role"]), now=clock.now()
        )
    except (Invalid, LoginTaken, TooMany) as refusal:
        message = wording.sentence(refusal)
        form = Form(given, {refusal.at: message}) if refusal.at in given else Form(given, problem=message)
        page = console_page("account_new", "accounts", refusal.status, form=form, made=None, problem=None)
        return retry_after(page, refusal)
    except SignInAgain as refusal:
        again = {"form": Form(given), "made": None, "problem": problem_of(refusal)}
        return console_page("account_new", "accounts", refusal.status, **again)
    return console_page("account_new", "accounts", form=Form(), made=made, login=given["login"], problem=None)


def account(operator: str) -> Response:
    """One operator; the form ends her service, lets her return, or resets her second factor."""
    who, problem, status = session.operator(), None, 200
    if request.method == "POST":
        try:
            flash(_act(field("act", 20), operator), "ok")
            return see_other(url_for("console.account", operator=operator))
        except NotFound:
            raise
        except Refusal as refusal:
            problem, status = problem_of(refusal), refusal.status
    page = administration.operator_of(who, operator)
    return console_page("account", "accounts", status, page=page, problem=problem)


def _act(what: str, operator: str) -> str:
    """Do it; returns what is said about it."""
    who, now = session.operator(), clock.now()
    if what == "end":
        administration.end_service(who, operator, now=now)
        return _("The service is ended, and all sessions with it.")
    if what == "resume":
        administration.return_to_service(who, operator, now=now)
        return _("The operator can sign in again.")
    if what == "reset":
        administration.reset(who, operator, now=now)
        return _("The second factor is reset. The next sign-in sets up a new device.")
    raise Invalid(field="act", reason="unknown_value")


VIEWS: Views = {"accounts": accounts, "account_new": account_new, "account": account}
