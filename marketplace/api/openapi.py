"""The OpenAPI document: what flask-smorest gathers, and what it can't know: who may call, and every refusal.

Served at /api/v1/openapi.json and kept as docs/openapi.json (`flask openapi write`); a test compares the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Response, current_app
from flask_smorest import Api

from marketplace import wording
from marketplace.api.blueprint import access_of, public
from marketplace.api.idempotency import IdempotencyKeyMissing
from marketplace.core.config import ROOT
from marketplace.core.errors import Busy, IdempotencyKeyReused, Invalid, NotFound, Refusal, Unauthenticated
from marketplace.core.strictjson import NotJson
from marketplace.problems import MEDIA_TYPE, TYPE_PREFIX

VERSION = "1.0.0"
FILE = ROOT / "docs" / "openapi.json"

OPTIONS: dict[str, Any] = {
    "info": {
        "description": (
            "What a customer has, what she can book, and what became of it. Policy, and the whole path with curl: "
            "docs/api.md. Every refusal is a problem document (RFC 9457)."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "security": [{"bearer": []}],
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "The token of POST /api/v1/sessions."}
        }
    },
}

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


def serve(app: Flask, api: Api) -> None:
    """Add GET /api/v1/openapi.json."""
    body: list[bytes] = []

    def openapi_json() -> Response:
        if not body:
            body.append(text(document(app, api)).encode())
        return Response(body[0], content_type="application/json", headers={"Cache-Control": "public, max-age=300"})

    app.add_url_rule("/api/v1/openapi.json", "api_openapi", public(openapi_json))
    app.extensions["openapi"] = lambda: document(app, api)


def document(app: Flask, api: Api) -> dict[str, Any]:
    """The document as plain data; the same each time."""
    spec: dict[str, Any] = json.loads(json.dumps(api.spec.to_dict()))
    for tag in spec.get("tags", ()):
        tag["name"] = tag["name"].removeprefix("api_")
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    views = _views(app)
    for path, operations in spec["paths"].items():
        shared = operations.get("parameters", [])
        for method, operation in operations.items():
            if method != "parameters":
                name, view = views[method, path]
                operation["operationId"] = name
                parameters = [*shared, *operation.get("parameters", [])]
                _finish(operation, view, parameters, method)
    return spec


def current() -> dict[str, Any]:
    """The document of the current application."""
    made: dict[str, Any] = current_app.extensions["openapi"]()
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


def _finish(operation: dict[str, Any], view: Callable[..., Any], parameters: list[Any], method: str) -> None:
    """Say who may call, and add the problem documents of every refusal."""
    is_public = access_of(view) == "public"
    if is_public:
        operation["security"] = []
    operation["tags"] = [tag.removeprefix("api_") for tag in operation["tags"]]
    for parameter in parameters:
        if parameter["in"] == "query":
            _never_null(parameter["schema"])
    codes: dict[int, list[str]] = defaultdict(list)
    for refusal in _refusals(operation, view, parameters, is_public=is_public):
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
    operation: Mapping[str, Any], view: Callable[..., Any], parameters: Iterable[Mapping[str, Any]], *, is_public: bool
) -> list[type[Refusal]]:
    found: list[type[Refusal]] = []
    if not is_public:
        found.append(Unauthenticated)
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
