"""Strict reading of requests: JSON bodies and queries, every fault named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

import marshmallow as ma
from flask import Request, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from marketplace.core import strictjson
from marketplace.core.asked import asked
from marketplace.core.errors import Refusal, Unauthenticated
from marketplace.problems import FieldError, InvalidRequest, Where

NDJSON = "application/x-ndjson"
"""A JSON object a line."""

_WHERE: Mapping[str, Where] = {"json": "body", "query": "query", "querystring": "query"}


class NotNdjson(Refusal):
    """The body is of another content type."""

    code = "not_ndjson"
    status = 415


class StrictParser(FlaskParser):
    """Reads JSON bodies and query strings, and turns every complaint into InvalidRequest."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": None, "json": None}

    def get_default_request(self) -> Request:
        """The request itself."""
        return asked()

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body. Raises NotJson, UnsupportedMediaType, Invalid."""
        return read_json(req)

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """The query, each name once. Raises InvalidRequest."""
        return read_query(req)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:
        """Raise InvalidRequest with every field at fault, up to a hundred."""
        messages = error.messages
        [(location, complaints)] = messages.items() if isinstance(messages, dict) else [("json", messages)]
        raise InvalidRequest(_first(complaints, "", _WHERE.get(location, "body"))) from error


def invalid_at(path: str, error: ma.ValidationError) -> InvalidRequest:
    """The refusal of what stood at `path` of the body and was loaded by a schema of its own: its first hundred
    faults."""
    return InvalidRequest(_first(error.messages, path, "body"))


def _first(complaints: Any, path: str, where: Where) -> list[FieldError]:
    """The first hundred: a body of nothing but faults would have an answer of ten times its size."""
    return list(islice(_flat(complaints, path, where), 100))


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


def no_body() -> None:
    """Refuse a body that holds something. Raises InvalidRequest, UnsupportedMediaType, NotJson."""
    if not request.get_data():
        return
    body = read_json(request)
    if body != {}:
        name = next(iter(body))[:64] if isinstance(body, dict) else "body"
        raise InvalidRequest([FieldError(name, "body", "unknown_field" if isinstance(body, dict) else "object")])


def large_body(most: int, too_large: Callable[[], Refusal]) -> bytes:
    """The body of a view that takes a large one, called once the caller is known. Raises `too_large` for more than
    `most` bytes: before it is read where its length is announced."""
    sent = asked()
    sent.max_content_length = most + 1  # one more than may be: of what is not announced werkzeug keeps what fits
    if (sent.content_length or 0) > most:
        raise too_large()
    body = sent.get_data(cache=False)
    if len(body) > most:
        raise too_large()
    return body


def bearer_token() -> str:
    """The token of the request (RFC 6750, section 2.1). Raises Unauthenticated without one."""
    scheme, _, token = asked().headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated()
    return token.strip()
