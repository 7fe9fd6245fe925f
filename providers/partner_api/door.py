"""The door of the partner API: whose token it is, what it may do, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from flask import Response, current_app, g, request
from flask_smorest import Blueprint

from marketplace.core import clock
from marketplace.core.errors import Refusal, TooMany
from marketplace.rest import idempotency
from marketplace.rest.reading import StrictParser, bearer_token, no_body
from marketplace.rest.views import View, has_body
from providers.clients import tokens
from providers.clients.scopes import SCOPES
from providers.clients.tokens import Caller
from vip.signin.limits import InMemory, Limit

RATE = Limit(capacity=300, per_hour=50 * 3600)
"""Requests of a client to one process: 300 at once, 50 a second afterwards."""
POLICY = f'"client";q={RATE.capacity};w={RATE.capacity * 3600 // RATE.per_hour}'
"""RATE as a RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): a quota and the seconds in which it fills."""

WRITES = ("POST", "PUT", "DELETE")
"""Methods that need an Idempotency-Key, unless the view is marked `@without_key`."""

calls = InMemory(RATE)


class NoScope(Refusal):
    """The token does not have the scope that this needs (RFC 6750, section 3.1: insufficient_scope)."""

    code = "insufficient_scope"
    status = 403


class Resource(Blueprint):
    """A blueprint of the partner API: every route needs a token, and says with `@needs` which scope."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, module: str, *, description: str) -> None:
        super().__init__(f"partner_{name}", module, url_prefix="/partner/v1", description=description)
        self.before_request(_admit)
        self.after_request(_tell_rate)


def needs(scope: str) -> Callable[[View], View]:
    """Mark a view with the scope that it needs."""
    if scope not in SCOPES:
        raise ValueError(f"no scope: {scope}")

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def without_key(view: View) -> View:
    """Mark a write that needs no Idempotency-Key: each of its lines has a key and a version of its own."""
    view.without_key = True  # type: ignore[attr-defined]
    return view


def scope_of(view: Callable[..., Any]) -> str:
    """The scope that a view needs."""
    return str(view.scope)  # type: ignore[attr-defined]


def caller() -> Caller:
    """Whose request this is."""
    found: Caller = g.partner
    return found


_busy: set[int] = set()
_busy_lock = Lock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """What a provider may do once at a time in a process, so that it never holds more than one of the threads for it.
    Entered before the body is read: a slow body counts too. Raises TooMany(retry_after)."""
    provider = caller().provider_id
    with _busy_lock:
        if provider in _busy:
            raise TooMany(retry_after=2)
        _busy.add(provider)
    try:
        yield
    finally:
        _busy.remove(provider)


def _admit() -> None:
    view = current_app.view_functions[str(request.endpoint)]
    found = tokens.authenticate(bearer_token(), now=clock.now())
    g.rate_left = calls.take(found.client.encode())
    if scope_of(view) not in found.scopes:
        raise NoScope(scope=scope_of(view))
    g.partner = found
    if request.method in WRITES and not hasattr(view, "without_key"):
        idempotency.key()
    if request.method in ("POST", "DELETE") and not has_body(view):
        no_body()


def _tell_rate(answer: Response) -> Response:
    if "rate_left" in g:
        answer.headers["RateLimit-Policy"] = POLICY
        answer.headers["RateLimit"] = f'"client";r={g.rate_left};t=1'
    return answer
