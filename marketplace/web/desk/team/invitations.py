"""The desk's pages about invitations: to send one, to take one back, and the page that its link leads to."""

from __future__ import annotations

from typing import cast

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.ids import new_token
from marketplace.core.sending import email
from marketplace.web import language
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.staff import invitations
from vip.operators.operators import LoginTaken
from vip.principal import MemberRole
from vip.signin.signin import SignInAgain


def member_invite() -> Response:
    """Ask somebody to become a member; the message is in the language of this page."""
    if request.method != "POST":
        return _invite(Form({"role": "front_desk", "key": new_token()}))
    given = {"to": field("to", 254), "role": field("role", 20)}
    key = field("key", 100)
    shown = {**given, "key": key or new_token()}
    who, role = session.member(), cast(MemberRole, given["role"])
    try:
        invitations.invite(who, given["to"], role, language.current().code, now=clock.now(), request=key)
    except (Invalid, TooMany) as refusal:
        message = wording.sentence(refusal)
        form = Form(shown, {refusal.at: message}) if refusal.at in given else Form(shown, problem=message)
        return retry_after(_invite(form, refusal.status), refusal)
    except (SignInAgain, invitations.TooManyInvitations) as refusal:
        return _invite(Form(shown), refusal.status, problem_of(refusal))
    except invitations.InvitedBefore as refusal:
        return _invite(Form({**given, "key": new_token()}), refusal.status, problem_of(refusal))
    flash(_("The invitation is on its way."), "ok")
    return see_other(url_for("desk.team"))


def invitation_withdraw(invitation: str) -> Response:
    """Take one back."""
    invitations.withdraw(session.member(), invitation, now=clock.now())
    flash(_("The invitation is taken back. Its link opens nothing any more."), "ok")
    return see_other(url_for("desk.team"))


def join(token: str) -> Response:
    """Become a member, for who has the link: choose a login and a password. Nobody is signed in by it."""
    now = clock.now()
    invited = invitations.look(token, now=now)
    if request.method != "POST":
        return _join(token, invited, Form())
    given = {"login": field("login", 200), "name": field("name", 200)}
    try:
        invitations.accept(token, given["login"], request.form.get("password", ""), given["name"], now=now)
    except (Invalid, LoginTaken, TooMany) as refusal:
        message = wording.sentence(refusal)
        at = refusal.at or ""
        known = at in (*given, "password")
        form = Form(given, {at: message}) if known else Form(given, problem=message)
        return retry_after(_join(token, invited, form, refusal.status), refusal)
    flash(_("Your account is made. Sign in with it."), "ok")
    return see_other(url_for("desk.sign_in"))


def _invite(form: Form, status: int = 200, problem: Problem | None = None) -> Response:
    mails = email.backend() is not None
    return desk_page("team/invite", "team", status, form=form, problem=problem, mails=mails)


def _join(token: str, invited: invitations.Invited, form: Form, status: int = 200) -> Response:
    provider = by_language(invited.provider)
    page = {"door": session.DOOR, "token": token, "provider": provider, "role": invited.role, "form": form}
    return render("desk/team/join.html", status, **page)


VIEWS: Views = {"member_invite": member_invite, "invitation_withdraw": invitation_withdraw, "join": join}
