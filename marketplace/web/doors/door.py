"""A door: which cookies it sets, whom it admits, and who came in with this request."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import Response, g, request, url_for

from marketplace.core import clock
from marketplace.core.errors import Unauthenticated
from marketplace.web.answers import see_other
from marketplace.web.assets import content_policy
from marketplace.web.cookies import Cookie
from marketplace.web.session import safe_path
from vip.operators.sign_in_steps import NextStep
from vip.principal import Employer, Member, Principal

Who = TypeVar("Who", Principal, Member)


@dataclass(frozen=True)
class Door(Generic[Who]):
    """One of the two. `name` is its blueprint, and the folder of its templates. `authenticate` says who a token's
    session is, or raises Unauthenticated; whoever works for another `employer` can't sign in here."""

    name: str
    employer: Employer
    token: Cookie
    known: Cookie
    step: Cookie
    authenticate: Callable[[str, datetime], Who]

    @property
    def frame(self) -> str:
        """The template that the door's pages extend."""
        return f"{self.name}/base.html"

    def url(self, page: str, **values: Any) -> str:
        """The address of one of its pages, by the endpoint's name."""
        return url_for(f"{self.name}.{page}", **values)

    def who(self) -> Who:
        """Who is signed in with this request. Raises Unauthenticated."""
        found = self.visiting()
        if found is None:
            raise Unauthenticated()
        return found

    def visiting(self) -> Who | None:
        """Who is signed in with this request, or None: a session of another door is none here."""
        kept = f"signed_in_at_{self.name}"
        if kept not in g:
            setattr(g, kept, self._authenticated())
        found: Who | None = g.get(kept)
        return found

    def session_token(self) -> str:
        """The token that the browser sent, blank without one."""
        return self.token.read()

    def known_by(self) -> str:
        """What the device is known by: its session's token, or the mark of the session it had last."""
        return self.session_token() or self.known.read()

    def store_token(self, response: Response, token: str, expires_at: datetime, device: str) -> None:
        """Hand the browser the token, for this door's paths alone and never on the way from another site."""
        self.token.write(response, token, expires_at)
        self.known.write(response, device)

    def ticket(self) -> str:
        """What was right so far at this browser's sign-in, blank while there is none under way."""
        return self.step.read()

    def store_ticket(self, response: Response, step: NextStep) -> None:
        """Hand the browser the ticket for its next step."""
        self.step.write(response, step.ticket, step.expires_at)

    def forget_ticket(self, response: Response) -> None:
        """Take the ticket back: the sign-in is done, or begins anew."""
        self.step.delete(response)

    def forget(self, response: Response) -> None:
        """Take the token back from the browser."""
        self.token.delete(response)

    def next_path(self, wanted: str) -> str:
        """Where to go after signing in: a page behind this door, else its home."""
        here = re.compile(re.escape(self.token.path) + r"(/[0-9A-Za-z_-]+){0,4}(\?.*)?")
        return wanted if safe_path(wanted) and here.fullmatch(wanted) else self.url("home")

    def turn_away(self) -> Response:
        """To the sign-in, and back here afterwards. Raises Unauthenticated for a form, and for a part of a page."""
        if request.method != "GET" or request.headers.get("HX-Request"):
            raise Unauthenticated()
        return see_other(self.url("sign_in", next=request.full_path.removesuffix("?")))

    def _authenticated(self) -> Who | None:
        token = self.session_token()
        if not token:
            return None
        try:
            return self.authenticate(token, clock.now())
        except Unauthenticated:
            return None


def private(response: Response) -> Response:
    """No cache keeps what stands behind a door."""
    response.headers.setdefault("Content-Security-Policy", content_policy())
    response.headers.setdefault("Cache-Control", "no-store")
    return response
