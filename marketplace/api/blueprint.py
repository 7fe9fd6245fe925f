"""What all API resources share: sign-in by default, strict reading of requests, documented refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, NoReturn, TypeVar, cast
from urllib.parse import unquote_to_bytes

import marshmallow as ma
from flask import Request, current_app, g, request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from marketplace.core import clock, strictjson
from marketplace.core.errors import Refusal, Unauthenticated
from marketplace.problems import FieldError, InvalidRequest, Where
from vip.principal import Principal
from vip.signin import authentication
from vip.signin.authentication import Credential
from vip.signin.limits import reads

View = TypeVar("View", bound=Callable[..., Any])
Access = Literal["public", "customer"]

_WHERE: Mapping[str, Where] = {"json": "body", "query": "query", "querystring": "query"}


class Forbidden(Refusal):
    """Signed in, but as somebody who has no business here."""

    code = "forbidden"
    status = 403


class StrictParser(FlaskParser):
    """Reads JSON bodies and query strings, and turns every complaint into InvalidRequest."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": None, "json": None}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body. Raises NotJson, UnsupportedMediaType, Invalid."""
        return read_json(req)

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """The query, each name once. Raises InvalidRequest."""
        return read_query(req)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:
        """Raise InvalidRequest with every field at fault."""
        messages = error.messages
        [(location, complaints)] = messages.items() if isinstance(messages, dict) else [("json", messages)]
        raise InvalidRequest(list(_flat(complaints, "", _WHERE.get(location, "body")))) from error


def _flat(complaints: Any, path: str, where: Where) -> Any:
    if isinstance(complaints, dict):
        for name, inner in complaints.items():
            part = "" if name == "_schema" else str(name)[:64]
            yield from _flat(inner, f"{path}.{part}" if path and part else path or part, where)
    else:
        for reason in complaints:
            yield FieldError(path or "body", where, str(reason))


def read_json(req: Request) -> Any:
    """The JSON document in the body. Raises UnsupportedMediaType, NotJson, Invalid."""
    if req.mimetype != "application/json":
        raise UnsupportedMediaType()
    return strictjson.loads(req.get_data())


def read_query(req: Request) -> dict[str, str]:
    """The query as plain values. Raises InvalidRequest for a name given twice, or a text that can't be stored."""
    if not req.query_string:
        return {}
    values = {}
    errors = []
    for name, given in req.args.lists():
        if len(given) > 1:
            errors.append(FieldError(name[:64], "query", "repeated"))
        elif not strictjson.storable(given[0]):
            errors.append(FieldError(name[:64], "query", "text"))
        values[name] = given[0]
    errors += [FieldError(name, "query", "text") for name in _not_utf8(req.query_string)]
    if errors:
        raise InvalidRequest(errors)
    return values


def _not_utf8(query: bytes) -> list[str]:
    """Names of the parameters that are not UTF-8; werkzeug would pass them on percent-encoded."""
    if b"%" not in query:
        return []
    names = []
    for pair in query.split(b"&"):
        try:
            unquote_to_bytes(pair).decode()
        except UnicodeDecodeError:
            names.append(unquote_to_bytes(pair.partition(b"=")[0]).decode(errors="replace")[:64])
    return names


class Resource(Blueprint):
    """A blueprint whose every route needs a signed-in customer, unless the view is marked `@public`."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, module: str, *, description: str) -> None:
        super().__init__(f"api_{name}", module, url_prefix="/api/v1", description=description)
        self.before_request(_admit)


def public(view: View) -> View:
    """Mark a view that anybody may call."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def refuses(*refusals: type[Refusal]) -> Callable[[View], View]:
    """State the refusals of a view for the OpenAPI document; each code becomes an example of its status."""

    def mark(view: View) -> View:
        view.refuses = refusals  # type: ignore[attr-defined]
        return view

    return mark


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


def access_of(view: Callable[..., Any]) -> Access:
    """Who may call the view."""
    return getattr(view, "access", "customer")


def principal() -> Principal:
    """The signed-in customer of this request. Raises Unauthenticated, Forbidden in a view that looks up who it is."""
    if "principal" not in g:
        _sign_in()
    found: Principal = g.principal
    return found


def credential() -> Credential:
    """What this request shows, not looked up yet: for a view that is marked `@looks_up_who`."""
    return authentication.credential(_bearer())


def _admit() -> None:
    view = current_app.view_functions[str(request.endpoint)]
    if access_of(view) != "public":
        if request.method == "GET":
            reads.take(credential().hash)
        if not hasattr(view, "admits_later"):
            _sign_in()
    if request.method in ("POST", "DELETE") and not hasattr(view, "reads_body"):
        _no_body()


def _sign_in() -> None:
    g.principal = authentication.authenticate(_bearer(), now=clock.now())
    if g.principal.kind != "customer":
        raise Forbidden()


def reads_body(view: View) -> View:
    """Mark a view that declares a JSON body; any other one refuses a body that holds something."""
    view.reads_body = True  # type: ignore[attr-defined]
    return view


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated()
    return token.strip()


def _no_body() -> None:
    if not request.get_data():
        return
    body = read_json(request)
    if body != {}:
        name = next(iter(body))[:64] if isinstance(body, dict) else "body"
        raise InvalidRequest([FieldError(name, "body", "unknown_field" if isinstance(body, dict) else "object")])
