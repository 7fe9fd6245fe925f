"""Who is looking at the pages: the cookie that carries a customer's session, and where to go after signing in."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from flask import Response, g, request, url_for

from marketplace.core import clock, crypto
from marketplace.core.errors import Unauthenticated
from marketplace.web.cookies import KNOWN_DEVICE, SIGNED_IN
from vip.principal import Principal
from vip.signin import authentication
from vip.signin.limits import Caller, reads

_LONGEST_PATH = 1_000


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
    if request.method in ("GET", "HEAD"):
        g.visitor = None  # the page that says "too many" shows nobody, and asks no more
        reads.take(crypto.token_hash(token))
    try:
        found = authentication.authenticate(token, now=clock.now())
    except Unauthenticated:
        return None
    return found if found.kind == "customer" else None


def account() -> str:
    """By what the page's script tells this customer from another one in the same browser; blank where nobody is signed
    in, and on a page that did not ask."""
    found = g.get("visitor")
    return found.public_id if found else ""


def session_token() -> str:
    """The token that the browser sent, blank without one."""
    return SIGNED_IN.read()


def known_by() -> str:
    """What the device is known by: its session's token, or the mark of the session it had last."""
    return session_token() or KNOWN_DEVICE.read()


def caller() -> Caller:
    """Who asks, by the client's address."""
    return Caller(request.remote_addr or "")


def store_token(response: Response, token: str, expires_at: datetime, device: str) -> None:
    """Hand the browser the token, out of reach of scripts and of other sites' forms, and its device's mark."""
    SIGNED_IN.write(response, token, expires_at)
    KNOWN_DEVICE.write(response, device)


def forget(response: Response) -> None:
    """Take the token back from the browser; it remains known by its mark, which opens nothing."""
    SIGNED_IN.delete(response)


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
