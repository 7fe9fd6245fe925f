"""The desk's pages about members, for managers: the list, and one with what can be changed about her."""

from __future__ import annotations

from typing import cast

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, field, retry_after, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.doors.problems import problem_of
from providers.staff import administration, invitations
from vip.principal import MemberRole


def team() -> Response:
    """Who works at the provider, and who is asked to."""
    who = session.member()
    rows, asked = administration.members_of(who), invitations.open_invitations(who, now=clock.now())
    return desk_page("team/list", "team", rows=rows, invitations=asked)


def member(member: str) -> Response:
    """One member; the form gives her another role or password, resets her second factor, ends her service or lets her
    return."""
    problem, status, password, refusal = None, 200, "", None
    if request.method == "POST":
        try:
            password = _act(field("act", 20), member)
            if not password:
                return see_other(url_for("desk.member", member=member))
        except NotFound:
            raise
        except Refusal as refused:
            problem, status, refusal = problem_of(refused), refused.status, refused
    page = administration.member_of(session.member(), member)
    answer = desk_page("team/member", "team", status, page=page, problem=problem, password=password)
    return answer if refusal is None else retry_after(answer, refusal)


def _act(what: str, public_id: str) -> str:
    """Do it, and leave a message about it. Returns the new password if there is one."""
    who, now = session.member(), clock.now()
    if what == "password":
        return administration.give_password(who, public_id, now=now)
    if what == "role":
        administration.change_role(who, public_id, cast(MemberRole, field("role", 20)), now=now)
        flash(_("The role is changed."), "ok")
    elif what == "end":
        administration.end_service(who, public_id, now=now)
        flash(_("The service is ended, and all sessions with it."), "ok")
    elif what == "resume":
        administration.return_to_service(who, public_id, now=now)
        flash(_("The member can sign in again."), "ok")
    elif what == "reset":
        administration.reset_second_factor(who, public_id, now=now)
        flash(_("The second factor is reset. The next sign-in sets up a new device."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")
    return ""


VIEWS: Views = {"team": team, "member": member}
