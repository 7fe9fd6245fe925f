"""What the resources of the customer's API share: sign-in by default, and whose request it is."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from flask import current_app, g
from flask_smorest import Blueprint
from werkzeug.exceptions import HTTPException

from marketplace.core import clock
from marketplace.core.asked import asked
from marketplace.core.errors import Refusal
from marketplace.rest.reading import StrictParser, bearer_token, no_body
from marketplace.rest.views import View, has_body, is_public
from vip.principal import Principal
from vip.signin import authentication
from vip.signin.authentication import Credential
from vip.signin.limits import reads


class Forbidden(Refusal):
    """Signed in, but as somebody who has no business here."""

    code = "forbidden"
    status = 403


class Resource(Blueprint):
    """A blueprint whose every route needs a signed-in customer, unless the view is marked `@public`."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, module: str, *, description: str) -> None:
        super().__init__(f"api_{name}", module, url_prefix="/api/v1", description=description)
        self.before_request(_admit)


def looks_up_who(view: View) -> View:
    """Mark a view whose use case takes the `credential()` and looks up whose it is with its own first question.

    Whoever is refused is looked up first all the same: a stranger learns that she is one, and nothing of what she sent.
    The outermost mark, so that it hears of every refusal.
    """

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except (Refusal, HTTPException):
            _sign_in()
            raise

    wrapped.admits_later = True  # type: ignore[attr-defined]
    return cast(View, wrapped)


def principal() -> Principal:
    """The signed-in customer of this request. Raises Unauthenticated, Forbidden in a view that looks up who it is."""
    if "principal" not in g:
        _sign_in()
    found: Principal = g.principal
    return found


def credential() -> Credential:
    """What this request shows, not looked up yet: for a view that is marked `@looks_up_who`."""
    return authentication.credential(bearer_token())


def _admit() -> None:
    sent = asked()
    view = current_app.view_functions[str(sent.endpoint)]
    if not is_public(view):
        if sent.method in ("GET", "HEAD"):
            reads.take(credential().hash)
        if not hasattr(view, "admits_later"):
            _sign_in()
    if sent.method in ("POST", "PUT", "DELETE") and not has_body(view):
        no_body()


def _sign_in() -> None:
    g.principal = authentication.authenticate(bearer_token(), now=clock.now())
    if g.principal.kind != "customer":
        raise Forbidden()
