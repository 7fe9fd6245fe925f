"""Who is looking at the pages: the cookie that carries a customer's session, and where to go after signing in."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from flask import Response, g, request, url_for

from marketplace.core import clock, crypto
from marketplace.core.config import settings
from marketplace.core.errors import Unauthenticated
from vip.principal import Principal
from vip.signin import signin
from vip.signin.limits import Caller, reads

_COOKIE = "signed_in"
_LONGEST_PATH = 1_000
_YEAR = 365 * 24 * 3600


def principal() -> Principal:
    """The signed-in customer of this request. Raises Unauthenticated."""
    found = visitor()
    if found is None:
        raise Unauthenticated()
    return found


def visitor() -> Principal | None:
    """The signed-in customer of this request, or None; asked of the database once a request."""
    if "visitor" not in g:
        g.visitor = _authenticated()
    found: Principal | None = g.visitor
    return found


def _authenticated() -> Principal | None:
    token = session_token()
    if not token:
        return None
    if request.method == "GET":
        g.visitor = None  # the page that says "too many" shows nobody, and asks no more
        reads.take(crypto.token_hash(token))
    try:
        found = signin.authenticate(token, now=clock.now())
    except Unauthenticated:
        return None
    return found if found.kind == "customer" else None


def cookie_name() -> str:
    """The cookie's name. Behind TLS `__Host-` lets no other host of the domain, and no plain connection, set it."""
    return _COOKIE if settings().development else f"__Host-{_COOKIE}"


def session_token() -> str:
    """The token that the browser sent, blank without one."""
    return request.cookies.get(cookie_name(), "")


def known_by() -> str:
    """What the device is known by: its session's token, or the mark of the session it had last."""
    return session_token() or request.cookies.get(_known_name(), "")


def caller() -> Caller:
    """Who asks, by the client's address."""
    return Caller(request.remote_addr or "")


def store_token(response: Response, token: str, expires_at: datetime, device: str) -> None:
    """Hand the browser the token, out of reach of scripts and of other sites' forms, and its device's mark."""
    secure = not settings().development
    response.set_cookie(
        cookie_name(), token, expires=expires_at, path="/", httponly=True, samesite="Lax", secure=secure
    )
    response.set_cookie(_known_name(), device, max_age=_YEAR, path="/", httponly=True, samesite="Lax", secure=secure)


def forget(response: Response) -> None:
    """Take the token back from the browser; it remains known by its mark, which opens nothing."""
    response.delete_cookie(cookie_name(), path="/", httponly=True, samesite="Lax", secure=not settings().development)


def _known_name() -> str:
    return "known_device" if settings().development else "__Host-known_device"


def safe_path(wanted: str) -> str:
    """`wanted` if it is a path of this site (with its query), else blank: nobody is sent elsewhere."""
    if not wanted.startswith("/") or len(wanted) > _LONGEST_PATH or not wanted.isprintable() or "\\" in wanted:
        return ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return ""
    return wanted if not parts.scheme and not parts.netloc and not wanted.startswith("//") else ""


def here() -> str:
    """The address to come back to after signing in: this page, or home where this request was not for a page."""
    if request.method not in ("GET", "HEAD"):
        return ""
    path = request.full_path.removesuffix("?")
    return "" if path == url_for("web.home") else safe_path(path)
