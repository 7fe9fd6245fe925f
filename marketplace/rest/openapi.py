"""The OpenAPI document of an API: what flask-smorest gathers, and what it can't know: who may call, and every refusal.

Served at <prefix>/openapi.json and kept as a file in docs/ (`flask openapi write`); a test compares the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app
from flask_smorest import Api, Blueprint

from marketplace import wording
from marketplace.core.errors import Busy, IdempotencyKeyReused, Invalid, NotFound, Refusal, Unauthenticated
from marketplace.core.strictjson import NotJson
from marketplace.edge import PublicIdConverter
from marketplace.problems import MEDIA_TYPE, TYPE_PREFIX
from marketplace.rest.idempotency import IdempotencyKeyMissing
from marketplace.rest.views import View, is_public, public

OPENAPI = "3.1.0"


@dataclass(frozen=True)
class Description:
    """What is said of an API as a whole. `name` begins the names of its blueprints and of its settings in the
    application (`api_bookings`, API_TITLE); `prefix` its paths. `refuses`: what any operation that is not public may
    refuse."""

    name: str
    title: str
    version: str
    prefix: str
    file: Path
    options: Mapping[str, Any]
    refuses: tuple[type[Refusal], ...] = (Unauthenticated,)


class PlainApi(Api):
    """Refusals are told by marketplace.edge alone, so flask-smorest neither handles nor documents errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return


_FIELD_ERROR = {
    "type": "object",
    "required": ["field", "detail"],
    "properties": {
        "field": {"type": "string", "description": "Path of the input, such as `details.note`."},
        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the body, as a fragment."},
        "parameter": {"type": "string", "description": "Name of a query parameter."},
        "header": {"type": "string", "description": "Name of a header."},
        "detail": {"type": "string"},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Resolves to an explanation of the code."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence for people, in the language asked for."},
        "code": {"type": "string", "description": "Stable; decide by this."},
        "instance": {"type": "string", "description": "Number of the request; quote it when asking."},
        "field": {"type": "string", "description": "The first input at fault."},
        "errors": {"type": "array", "items": _FIELD_ERROR},
        "facts": {"type": "object", "description": "What the sentence is made of, for programs."},
    },
}
_ALWAYS = ((500, "internal"), (503, "unavailable"))
_WITH_BODY = ((413, "too_large"), (415, "unsupported_media_type"))


def install(app: Flask, of: Description, blueprints: Iterable[Blueprint]) -> None:
    """Add an API and GET <prefix>/openapi.json to the application."""
    settings = f"{of.name.upper()}_"
    app.config.update(
        {
            f"{settings}API_TITLE": of.title,
            f"{settings}API_VERSION": of.version,
            f"{settings}OPENAPI_VERSION": OPENAPI,
            f"{settings}API_SPEC_OPTIONS": dict(of.options),
        }
    )
    api = PlainApi(app, config_prefix=of.name)
    api.register_converter(
        PublicIdConverter, lambda _converter: {"type": "string", "pattern": f"^{PublicIdConverter.regex}$"}
    )
    for blueprint in dict.fromkeys(blueprints):
        api.register_blueprint(blueprint)
    body: list[bytes] = []

    def openapi_json() -> Response:
        if not body:
            body.append(text(document(app, api, of)).encode())
        return Response(body[0], content_type="application/json", headers={"Cache-Control": "public, max-age=300"})

    app.add_url_rule(f"{of.prefix}/openapi.json", f"{of.name}_openapi", public(openapi_json))
    app.extensions.setdefault("openapi", {})[of.name] = lambda: document(app, api, of)


def document(app: Flask, api: Api, of: Description) -> dict[str, Any]:
    """The document as plain data; the same each time."""
    spec: dict[str, Any] = json.loads(json.dumps(api.spec.to_dict()))
    for tag in spec.get("tags", ()):
        tag["name"] = tag["name"].removeprefix(f"{of.name}_")
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    views = _views(app)
    for path, operations in spec["paths"].items():
        shared = operations.get("parameters", [])
        for method, operation in operations.items():
            if method != "parameters":
                name, view = views[method, path]
                operation["operationId"] = name
                operation["tags"] = [tag.removeprefix(f"{of.name}_") for tag in operation["tags"]]
                parameters = [*shared, *operation.get("parameters", [])]
                _finish(operation, view, parameters, method, of)
    return spec


def current(of: Description) -> dict[str, Any]:
    """The document of the current application."""
    made: dict[str, Any] = current_app.extensions["openapi"][of.name]()
    return made


def text(spec: Mapping[str, Any]) -> str:
    """How the document is written to a file."""
    return json.dumps(spec, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _views(app: Flask) -> dict[tuple[str, str], tuple[str, Callable[..., Any]]]:
    """By method and path: the endpoint's name within its blueprint, and the view."""
    views = {}
    for rule in app.url_map.iter_rules():
        path = "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace).partition("|")[2]
        for method in rule.methods or ():
            views[method.lower(), path] = rule.endpoint.rpartition(".")[2], app.view_functions[rule.endpoint]
    return views


def _finish(
    operation: dict[str, Any], view: Callable[..., Any], parameters: list[Any], method: str, of: Description
) -> None:
    """Say who may call, and add the problem documents of every refusal."""
    if is_public(view):
        operation["security"] = []
    for parameter in parameters:
        if parameter["in"] == "query":
            _never_null(parameter["schema"])
    codes: dict[int, list[str]] = defaultdict(list)
    for refusal in _refusals(operation, view, parameters, of):
        codes[refusal.status].append(refusal.code)
    for status, code in (*_ALWAYS, *(_WITH_BODY if method in ("post", "put", "delete") else ())):
        codes[status].append(code)
    for status, refusals in sorted(codes.items()):
        operation["responses"][str(status)] = _problem_response(status, list(dict.fromkeys(refusals)))


def _never_null(schema: dict[str, Any]) -> None:
    """A query parameter is there or not; it has no way to be null."""
    if isinstance(schema.get("type"), list):
        [schema["type"]] = [kind for kind in schema["type"] if kind != "null"]
    if schema.get("default", "") is None:
        del schema["default"]
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]


def _refusals(
    operation: Mapping[str, Any], view: View, parameters: Iterable[Mapping[str, Any]], of: Description
) -> list[type[Refusal]]:
    found: list[type[Refusal]] = [] if is_public(view) else list(of.refuses)
    places = {parameter["in"] for parameter in parameters}
    if "path" in places:
        found.append(NotFound)
    if "query" in places:
        found.append(Invalid)
    if "requestBody" in operation:
        found += [NotJson, Invalid]
    if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
        found += [IdempotencyKeyMissing, IdempotencyKeyReused, Busy]
    return list(dict.fromkeys([*found, *getattr(view, "refuses", ())]))


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    sentences = {code: wording.in_english(code) for code in codes}
    examples = {
        code: {
            "summary": words.title,
            "value": {
                "type": TYPE_PREFIX + code,
                "title": words.title,
                "status": status,
                "detail": words.sentence,
                "code": code,
                "instance": "req_0v8m5r2k7c1x9d4t6b3n",
            },
        }
        for code, words in sentences.items()
    }
    response: dict[str, Any] = {
        "description": " ".join(f"`{code}`: {words.title}." for code, words in sentences.items()),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response
