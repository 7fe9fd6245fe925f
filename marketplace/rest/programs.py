"""The door of an API for programs: whose token it is, what it may do, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Generic, cast

from flask import Response, current_app, g, request
from flask_smorest import Blueprint

from marketplace.clients import tokens
from marketplace.clients.credentials import fingerprint
from marketplace.clients.owners import OfWhom, Owners
from marketplace.core import clock
from marketplace.core.errors import Refusal, TooMany, Unauthenticated
from marketplace.rest import idempotency
from marketplace.rest.reading import StrictParser, bearer_token, no_body
from marketplace.rest.views import View, has_body
from vip.signin import limits
from vip.signin.limits import InMemory, Limit

RATE = Limit(capacity=300, per_hour=50 * 3600)
"""Requests of a client to one process: 300 at once, 50 a second afterwards."""
POLICY = f'"client";q={RATE.capacity};w={RATE.capacity * 3600 // RATE.per_hour}'
"""RATE as a RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): a quota and the seconds in which it fills."""

WRITES = ("POST", "PUT", "DELETE")
"""Methods that need an Idempotency-Key, unless the view is marked `@without_key`."""

STRANGERS = Limit(capacity=30, per_hour=600)
"""Tokens from one address that nobody has, and uses of one token that is over, in one process: each costs a look into
the database. What is wrong beyond that isn't looked up."""

calls = InMemory(RATE)
strangers = InMemory(STRANGERS)


class NoScope(Refusal):
    """The token does not have the scope that this needs (RFC 6750, section 3.1: insufficient_scope)."""

    code = "insufficient_scope"
    status = 403


class ProgramResource(Blueprint):
    """A blueprint of an API for programs: every route needs a token, and says by a mark of the door's which scope."""

    ARGUMENTS_PARSER = StrictParser()


class ProgramDoor(Generic[OfWhom]):
    """The door of the API of these owners' programs."""

    def __init__(self, owners: Owners[OfWhom]) -> None:
        self._owners = owners
        self._busy: set[int] = set()
        self._lock = Lock()

    def needs(self, scope: str) -> Callable[[View], View]:
        """Mark a view with the scope that it needs."""
        if scope not in self._owners.scopes:
            raise ValueError(f"no scope: {scope}")

        def mark(view: View) -> View:
            view.scope = scope  # type: ignore[attr-defined]
            return view

        return mark

    def admit(self) -> OfWhom:
        """Let the request in, whose program it then is. Raises Unauthenticated, TooMany, NoScope."""
        found = self._authenticate(bearer_token())
        g.rate_left = calls.take(found.client.encode())
        wanted = scope_of(_view())
        if wanted not in found.scopes:
            raise NoScope(scope=wanted)
        g.program = found
        return found

    def caller(self) -> OfWhom:
        """Whose request this is."""
        return cast(OfWhom, g.program)

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """What an owner may do once at a time in a process, so that it never holds more than one of the threads for it.
        Entered before the body is read: a slow body counts too. Raises TooMany(retry_after)."""
        owner = self.caller().owner_id
        with self._lock:
            if owner in self._busy:
                raise TooMany(retry_after=2)
            self._busy.add(owner)
        try:
            yield
        finally:
            self._busy.remove(owner)

    def _authenticate(self, token: str) -> OfWhom:
        """Whose token it is. Raises Unauthenticated, and TooMany before the database is asked, once too many are wrong.

        A token with our mark is counted by itself and all others by the address, so that no flood of rubbish from an
        address keeps out a client behind it.
        """
        who = fingerprint(token) if tokens.is_marked(token) else limits.Caller(request.remote_addr or "").name.encode()
        strangers.look(who)
        try:
            return tokens.authenticate(self._owners, token, now=clock.now())
        except Unauthenticated:
            strangers.take(who)
            raise


def without_key(view: View) -> View:
    """Mark a write that needs no Idempotency-Key: what it writes has a key and a version of its own."""
    view.without_key = True  # type: ignore[attr-defined]
    return view


def scope_of(view: Callable[..., Any]) -> str:
    """The scope that a view needs."""
    return str(view.scope)  # type: ignore[attr-defined]


def check_form() -> None:
    """Refuse a write without the key that it needs, and a body where none is declared. Raises IdempotencyKeyMissing,
    InvalidRequest."""
    view = _view()
    if request.method in WRITES and not hasattr(view, "without_key"):
        idempotency.key()
    if request.method in ("POST", "DELETE") and not has_body(view):
        no_body()


def tell_rate(answer: Response) -> Response:
    """Say how much of the limit is left."""
    if "rate_left" in g:
        answer.headers["RateLimit-Policy"] = POLICY
        answer.headers["RateLimit"] = f'"client";r={g.rate_left};t=1'
    return answer


def _view() -> Callable[..., Any]:
    return current_app.view_functions[str(request.endpoint)]
