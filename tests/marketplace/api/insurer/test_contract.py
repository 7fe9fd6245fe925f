"""The insurer's API is as its description says: a client that knows nothing but the OpenAPI file gets along."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from marketplace.api.insurer.description import INSURER_API
from marketplace.api.insurer.documents import DOCUMENTS
from marketplace.clients.owners import INSURERS_SCOPES
from marketplace.core import clock
from tests.marketplace.api.insurer.program import client_of
from tests.people import NOON, make_customer

SPEC: dict[str, Any] = json.loads(INSURER_API.file.read_text(encoding="utf-8"))
_SAMPLES: dict[str, Any] = {"string": "sample", "boolean": True, "array": [], "object": {}}


class Described:
    """A client made of the description: it finds its way to a token and to an operation by its id, makes what it sends
    from the schemas, and holds each answer against them."""

    def __init__(self, app: Flask, client_id: str, secret: str) -> None:
        self._app = app
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, operations in SPEC["paths"].items()
            for method, operation in operations.items()
            if method != "parameters"
        }
        self.used: set[str] = set()
        flow = SPEC["components"]["securitySchemes"]["client_credentials"]["flows"]["clientCredentials"]
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = app.test_client().post(
            flow["tokenUrl"],
            data={"grant_type": "client_credentials", "scope": " ".join(flow["scopes"])},
            headers={"Authorization": f"Basic {basic}"},
        )
        self._token = answer.get_json()["access_token"]

    def call(self, name: str, wanted: int, body: Any = None, **parts: str) -> Any:
        """Call an operation. The answer's status must be described, and its content be as it is described."""
        method, path, operation = self.operations[name]
        self.used.add(name)
        query = {key: parts.pop(key) for key in list(parts) if f"{{{key}}}" not in path}
        headers = {"Authorization": f"Bearer {self._token}"}
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ())):
            headers["Idempotency-Key"] = name
        [kind] = operation["requestBody"]["content"] if "requestBody" in operation else [None]
        lines = kind == "application/x-ndjson"
        sent = "\n".join(map(json.dumps, body)) if lines else json.dumps(body)
        answer = self._app.test_client().open(
            path.format(**parts),
            method=method.upper(),
            query_string=query,
            headers=headers,
            **({"data": sent, "content_type": kind} if kind else {}),
        )
        described = operation["responses"][str(answer.status_code)]["content"]
        assert answer.status_code == wanted, answer.text
        assert answer.mimetype in described
        found = (
            [json.loads(line) for line in answer.text.splitlines()][:-1] if lines and wanted < 300 else [answer.json]
        )
        for each in found:
            _check(described[answer.mimetype]["schema"], each)
        return found if lines else found[0]

    def body_of(self, name: str) -> dict[str, Any]:
        """What the operation takes, made from its schema: all that is required, and no more."""
        content = self.operations[name][2]["requestBody"]["content"]
        [described] = content.values()
        made: dict[str, Any] = _sample(described["schema"])
        return made


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself where one is referred to."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _check(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": SPEC["components"]}).validate(value)


def _sample(schema: dict[str, Any]) -> Any:
    schema = _schema(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _sample(schema["properties"][name]) for name in schema.get("required", ())}
    if kind == "array":
        return [_sample(schema["items"]) for _ in range(schema.get("minItems", 0))]
    if kind == "integer":
        return schema.get("minimum", 0)
    return "2001-02-03" if schema.get("format") == "date" else _SAMPLES[kind]


@pytest.mark.usefixtures("db")
def test_a_client_of_the_description_alone_tells_policies_and_brings_a_customer(app: Flask) -> None:
    make_customer()
    made = client_of()
    with clock.frozen(NOON):
        client = Described(app, made.client_id, made.secret)
        policy = client.body_of("put") | {
            "holder_phone": "13900000077",
            "number": "PN-77",
            "product_name": {"en": "Life"},
        }
        policy["insured"][0] |= {"relation": "self", "name": "Li"}
        assert client.call("put", 200, policy, key="p-1")["outcome"] == "created"
        assert client.call("put", 422, {**policy, "version": 0}, key="p-1")["field"] == "version"
        assert client.call("get", 200, key="p-1")["version"] == policy["version"]
        client.call("get", 404, key="p-2")
        line = {"key": "p-2", **policy, "number": "PN-78"}
        assert [each["status"] for each in client.call("tell", 200, [line, {}])] == ["created", "refused"]
        snapshot = client.call("open", 201, client.body_of("open"))["id"]
        client.call("tell", 200, [line], snapshot=snapshot)
        assert client.call("snapshot", 200, snapshot_id=snapshot)["named"] == 1
        client.call("complete", 200, snapshot_id=snapshot)
        client.call("vanished", 200, snapshot_id=snapshot, limit="5")
        link = client.call("create", 201, client.body_of("create") | {"policy": "p-1"})
        assert re.fullmatch(r"http.+/arrive/[\w-]{50,}", link["url"])
    assert client.used == set(client.operations), "each operation is called"


def test_the_description_is_the_applications_own_and_names_every_scope(app: Flask) -> None:
    answer = app.test_client().get("/insurer/v1/openapi.json")
    assert answer.text == INSURER_API.file.read_text(encoding="utf-8"), "run `flask --app wsgi openapi write`"
    [scheme] = SPEC["components"]["securitySchemes"].values()
    assert scheme["flows"]["clientCredentials"]["scopes"] == dict(INSURERS_SCOPES)


def test_the_documents_are_served_and_their_links_lead_to_what_is_served(app: Flask) -> None:
    client = app.test_client()
    index = client.get("/insurer/docs").text
    for name in DOCUMENTS.files:
        answer = client.get(f"/insurer/docs/{name}")
        assert answer.status_code == 200 and f"(/insurer/docs/{name})" in index
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", answer.text if name.endswith(".md") else ""):
            assert client.get(f"/insurer/docs/{target}").status_code == 200, target
    assert client.get("/insurer/docs/keys.md").status_code == 404
