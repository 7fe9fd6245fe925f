"""The blueprint `console`: pages of operators, who sign in by password and have a cookie and a session of their own."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Response, g, request, url_for

from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.web.answers import see_other
from marketplace.web.assets import CONTENT_POLICY
from marketplace.web.session import safe_path
from marketplace.web.urls import OPERATOR_PAGES
from vip import roles
from vip.operators.sign_in_steps import NextStep
from vip.principal import Principal
from vip.signin import signin

_COOKIE = "operator"
_YEAR = 365 * 24 * 3600
PATH = "/operators"
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


def cookie_name() -> str:
    """The cookie's name. `__Secure-` behind TLS: no plain connection may set it (`__Host-` would forbid its path)."""
    return _COOKIE if settings().development else f"__Secure-{_COOKIE}"


def session_token() -> str:
    """The token that the browser sent, blank without one."""
    return request.cookies.get(cookie_name(), "")


def known_by() -> str:
    """What the device is known by: its session's token, or the mark of the session it had last."""
    return session_token() or request.cookies.get(_known_name(), "")


def store_token(response: Response, token: str, expires_at: datetime, device: str) -> None:
    """Hand the browser the token, for the console's paths alone and never on the way from another site."""
    secure = not settings().development
    response.set_cookie(
        cookie_name(), token, expires=expires_at, path=PATH, httponly=True, samesite="Strict", secure=secure
    )
    response.set_cookie(
        _known_name(), device, max_age=_YEAR, path=PATH, httponly=True, samesite="Strict", secure=secure
    )


def ticket() -> str:
    """What was right so far at this browser's sign-in, blank while there is none under way."""
    return request.cookies.get(_step_name(), "")


def store_ticket(response: Response, step: NextStep) -> None:
    """Hand the browser the ticket for its next step."""
    secure = not settings().development
    response.set_cookie(
        _step_name(),
        step.ticket,
        expires=step.expires_at,
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=secure,
    )


def forget_ticket(response: Response) -> None:
    """Take the ticket back: the sign-in is done, or begins anew."""
    response.delete_cookie(_step_name(), path=PATH, httponly=True, samesite="Strict", secure=not settings().development)


def forget(response: Response) -> None:
    """Take the token back from the browser."""
    response.delete_cookie(
        cookie_name(), path=PATH, httponly=True, samesite="Strict", secure=not settings().development
    )


def _known_name() -> str:
    return "known_operator" if settings().development else "__Secure-known_operator"


def _step_name() -> str:
    return "operator_step" if settings().development else "__Secure-operator_step"


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
        found = signin.authenticate(token, now=clock.now())
    except Unauthenticated:
        return None
    if found.kind != "operator":
        return None
    signin.note_use(found, clock.now())
    return found
