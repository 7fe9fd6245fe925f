"""The blueprint `console`: pages of operators, who sign in by password and have a cookie and a session of their own."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Response, g, request, url_for

from marketplace.core import clock
from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.web.answers import see_other
from marketplace.web.assets import CONTENT_POLICY
from marketplace.web.cookies import KNOWN_OPERATOR, OPERATOR, OPERATOR_STEP
from marketplace.web.session import safe_path
from marketplace.web.urls import OPERATOR_PAGES
from vip import roles
from vip.operators.sign_in_steps import NextStep
from vip.principal import Principal
from vip.signin import authentication

_OPEN = frozenset(f"console.{page.endpoint}" for page in OPERATOR_PAGES if page.open)
_DUTY = {f"console.{page.endpoint}": page.duty for page in OPERATOR_PAGES}
_HERE = re.compile(r"/operators(/[0-9A-Za-z_-]+){0,3}(\?.*)?")


def operator() -> Principal:
    """The signed-in operator of this request. Raises Unauthenticated."""
    found = visiting()
    if found is None:
        raise Unauthenticated()
    return found


def visiting() -> Principal | None:
    """The signed-in operator of this request, or None; a customer's session is none here."""
    if "operator" not in g:
        g.operator = _authenticated()
    found: Principal | None = g.operator
    return found


def session_token() -> str:
    """The token that the browser sent, blank without one."""
    return OPERATOR.read()


def known_by() -> str:
    """What the device is known by: its session's token, or the mark of the session it had last."""
    return session_token() or KNOWN_OPERATOR.read()


def store_token(response: Response, token: str, expires_at: datetime, device: str) -> None:
    """Hand the browser the token, for the console's paths alone and never on the way from another site."""
    OPERATOR.write(response, token, expires_at)
    KNOWN_OPERATOR.write(response, device)


def ticket() -> str:
    """What was right so far at this browser's sign-in, blank while there is none under way."""
    return OPERATOR_STEP.read()


def store_ticket(response: Response, step: NextStep) -> None:
    """Hand the browser the ticket for its next step."""
    OPERATOR_STEP.write(response, step.ticket, step.expires_at)


def forget_ticket(response: Response) -> None:
    """Take the ticket back: the sign-in is done, or begins anew."""
    OPERATOR_STEP.delete(response)


def forget(response: Response) -> None:
    """Take the token back from the browser."""
    OPERATOR.delete(response)


def next_path(wanted: str) -> str:
    """Where to go after signing in: a page of the console, else its home."""
    return wanted if safe_path(wanted) and _HERE.fullmatch(wanted) else url_for("console.home")


def admit() -> Response | None:
    """Let an operator through to her role's pages; send anybody else to sign in. Raises NotFound for a page of
    another role's; only the first page leads to one of her own instead."""
    if request.endpoint in _OPEN:
        return None
    who = visiting()
    if who is not None:
        if roles.may(who, _DUTY[request.endpoint or ""]):
            return None
        if request.endpoint == "console.home":
            return see_other(url_for("console.bookings"))
        raise NotFound()
    if request.method != "GET":
        raise Unauthenticated()
    return see_other(url_for("console.sign_in", next=request.full_path.removesuffix("?")))


def private(response: Response) -> Response:
    """No cache keeps what an operator sees."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _authenticated() -> Principal | None:
    token = session_token()
    if not token:
        return None
    try:
        found = authentication.authenticate(token, now=clock.now())
    except Unauthenticated:
        return None
    return found if found.kind == "operator" else None
