"""The blueprint `console`: pages of operators, who sign in by password and have a cookie and a session of their own."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.web.answers import see_other
from marketplace.web.cookies import KNOWN_OPERATOR, OPERATOR, OPERATOR_STEP
from marketplace.web.doors.door import Door
from marketplace.web.urls import OPERATOR_PAGES
from vip import roles
from vip.principal import Principal
from vip.signin import authentication

_OPEN = frozenset(f"console.{page.endpoint}" for page in OPERATOR_PAGES if page.open)
_DUTY = {f"console.{page.endpoint}": page.duty for page in OPERATOR_PAGES}


def _authenticate(token: str, now: datetime) -> Principal:
    found = authentication.authenticate(token, now=now)
    if found.kind != "operator":
        raise Unauthenticated()
    return found


DOOR = Door("console", "insurer", OPERATOR, KNOWN_OPERATOR, OPERATOR_STEP, _authenticate)


def operator() -> Principal:
    """The signed-in operator of this request. Raises Unauthenticated."""
    return DOOR.who()


def admit_operator() -> Response | None:
    """Let an operator through to her role's pages; send anybody else to sign in. Raises NotFound for a page of
    another role's; only the first page leads to one of her own instead."""
    if request.endpoint in _OPEN:
        return None
    who = DOOR.visiting()
    if who is None:
        return DOOR.turn_away()
    if roles.may(who, _DUTY[request.endpoint or ""]):
        return None
    if request.endpoint == "console.home":
        return see_other(DOOR.url("bookings"))
    raise NotFound()
