"""The blueprint `desk`: pages of members of a provider, with a cookie and a session of their own."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from marketplace.core.errors import NotFound, Refusal
from marketplace.web.cookies import DESK, DESK_STEP, KNOWN_DESK
from marketplace.web.doors.door import Door
from marketplace.web.urls import DESK_PAGES
from providers.staff import duties
from providers.staff.members import sends
from vip.principal import Member
from vip.signin import authentication

_OPEN = frozenset(f"desk.{page.endpoint}" for page in DESK_PAGES if page.open)
_PAGES = {f"desk.{page.endpoint}": page for page in DESK_PAGES}


def _authenticate(token: str, now: datetime) -> Member:
    return authentication.authenticate_member(token, now=now)


DOOR = Door("desk", "provider", DESK, KNOWN_DESK, DESK_STEP, _authenticate)


def member() -> Member:
    """The signed-in member of this request; in test mode her provider is the twin. Raises Unauthenticated."""
    return DOOR.who()


class DeskChangedOver(Refusal):
    """The form was drawn while the desk was about another provider: the live one or its twin. Nothing was done."""

    code = "desk_changed_over"
    status = 409


DRAWN_FOR = "desk"
"""The field of a form that says for which provider (public id) it was drawn."""


def drawn_for() -> str:
    """What the form that is being drawn says of its provider; blank behind no desk."""
    who = DOOR.visiting() if request.blueprint == DOOR.name else None
    return who.desk if who is not None else ""


def admit_member() -> Response | None:
    """Let a member through to her role's pages; send anybody else to sign in. Raises NotFound for a page of another
    role's, for one that is not there in test mode or outside of it, and for one about sending somebody where nobody is;
    DeskChangedOver for a form that was drawn on the other side."""
    if request.endpoint in _OPEN:
        return None
    who = DOOR.visiting()
    if who is None:
        return DOOR.turn_away()
    page = _PAGES[request.endpoint or ""]
    if request.method == "POST" and not page.any_side:
        _check_side(who)
    if not page.there(test=who.test) or (page.duty is not None and not duties.may(who, page.duty)):
        raise NotFound()
    if page.senders and not sends(who):
        raise NotFound()
    return None


def _check_side(who: Member) -> None:
    """A form says for which provider it was drawn. One that says nothing was drawn by the release before, which knows
    of the live desk alone."""
    drawn = request.form.get(DRAWN_FOR, "")
    if drawn != who.desk and (drawn or who.test):
        raise DeskChangedOver()
