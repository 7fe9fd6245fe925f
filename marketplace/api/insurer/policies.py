"""Policies, one by one and line by line: `/policies`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
from flask import Response, request
from marshmallow import fields as out

from marketplace import wording
from marketplace.api.insurer.door import Resource, caller, needs, one_at_a_time
from marketplace.api.insurer.forms import MOST_BYTES, MOST_LINES, PolicyForm, PolicyLine, facts_of, read_lines
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound, Refusal, TooMany
from marketplace.rest.fields import Answer, Id, Request
from marketplace.rest.programs import without_key
from marketplace.rest.reading import NDJSON, NotNdjson, large_body
from marketplace.rest.views import reads_body, refuses, takes_large_body
from vip.insurers import telling
from vip.insurers.snapshots import SnapshotOver
from vip.insurers.telling import Answered, Fault, Telling

PATH = "/policies/<string(maxlength=100):key>"
_LINE = orjson.OPT_APPEND_NEWLINE
_STATUSES = ["created", "updated", "unchanged", "older", "refused"]

blueprint = Resource("policies", __name__, description="Policies: told by you, and as we hold them.")


class PoliciesTooLarge(Refusal):
    """More lines, or more bytes, than a call may have."""

    code = "batch_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(lines=MOST_LINES, bytes=MOST_BYTES)


class PolicyPut(Answer):
    """What became of a put. `older`: we hold a newer version, and nothing was written. `version` is the one that counts
    now, `changed` which facts differ from the version before."""

    key = out.String(required=True)
    id = out.String(required=True, metadata={"description": "Our id of the policy."})
    outcome = out.String(required=True, metadata={"enum": _STATUSES[:4]})
    version = out.Integer(required=True)
    changed = out.List(out.String(), required=True)


class ProductName(Answer):
    """Words in both languages."""

    zh = out.String(required=True)
    en = out.String(required=True)


class InsuredNow(Answer):
    """Somebody insured: what she is to the holder, and from and until when. Who she is, you have said."""

    relation = out.String(required=True)
    since = out.Date(required=True)
    ended_on = out.Date(required=True, allow_none=True, metadata={"description": "The first day that is not insured."})


class Policy(Answer):
    """A policy as we hold it. `vanished`: the snapshot for which it was ended, until you tell it again."""

    key = out.String(required=True)
    id = out.String(required=True)
    version = out.Integer(required=True)
    number_masked = out.String(required=True)
    product = out.String(required=True)
    product_name = out.Nested(ProductName, required=True)
    long_term = out.Boolean(required=True)
    in_force_from = out.Date(required=True)
    in_force_until = out.Date(required=True, allow_none=True)
    status = out.String(required=True)
    insured = out.List(out.Nested(InsuredNow), required=True)
    vanished = out.String(required=True, allow_none=True)
    updated_at = out.DateTime(required=True)


class LinesQuery(Request):
    """The snapshot that the lines are for."""

    snapshot = Id("snp_7c1x9d4t6b3n0v8m5r2k", load_default=None)


class PolicyLineError(Answer):
    """What is wrong with a line; `field` is `line` for the line as a whole."""

    field = out.String(required=True)
    detail = out.String(required=True)


class PolicyLineAnswer(Answer):
    """What became of a line. After the last one follows a line with the counts: `{"summary": {"lines": 2, …}}`."""

    line = out.Integer(required=True, metadata={"description": "Its place in the body, from 1."})
    status = out.String(required=True, metadata={"enum": _STATUSES})
    version = out.Integer(required=True, allow_none=True)
    errors = out.List(out.Nested(PolicyLineError), required=True)


@blueprint.route(PATH, methods=["PUT"], endpoint="put")
@needs("policies")
@reads_body
@without_key
@refuses(Busy)
@blueprint.arguments(PolicyForm())
@blueprint.response(200, PolicyPut)
def put(body: dict[str, Any], key: str) -> Any:
    """Tell a policy

    By your own opaque key, which stays; the number stands in the body. Sent again it changes nothing, an older version
    than we hold neither, and the same version with other contents is refused: so it may be repeated without fear.
    """
    made = telling.tell(_telling(), facts_of(key, body))
    return {
        "key": key,
        "id": made.policy_id,
        "outcome": made.outcome,
        "version": made.version,
        "changed": list(made.changed),
    }


@blueprint.route(PATH, methods=["GET"], endpoint="get")
@needs("policies")
@blueprint.response(200, Policy)
def get(key: str) -> Any:
    """A policy as we hold it

    The number is masked, and nobody is named.
    """
    return telling.held_policy(caller().insurer_id, key)


@blueprint.route("/policies", methods=["POST"], endpoint="tell")
@needs("policies")
@reads_body
@takes_large_body
@without_key
@refuses(NotNdjson, PoliciesTooLarge, NotFound, SnapshotOver, TooMany, Busy)
@blueprint.arguments(LinesQuery(), location="query")
@blueprint.response(200, PolicyLineAnswer, content_type=NDJSON)
@blueprint.doc(requestBody={"required": True, "content": {NDJSON: {"schema": PolicyLine}}})
def tell(query: dict[str, Any]) -> Response:
    """Tell policies

    A JSON object a line, at most 500 lines and 1 MiB: those that changed, or with `?snapshot=` a part of a snapshot.
    Each line is answered in its place, and one that is refused holds up no other. Sent again, lines that are known are
    `unchanged`. Send one call after the other: a second one at the same time waits or is refused (429).
    """
    if request.mimetype != NDJSON:
        raise NotNdjson()
    with one_at_a_time():
        lines = read_lines(large_body(MOST_BYTES, PoliciesTooLarge))
        if len(lines) > MOST_LINES:
            raise PoliciesTooLarge()
        return Response(_written(telling.tell_lines(_telling(query["snapshot"]), lines)), content_type=NDJSON)


def _telling(snapshot: str | None = None) -> Telling:
    return Telling(caller().insurer_id, caller().client, clock.now(), snapshot)


def _written(answers: Iterable[Answered]) -> bytes:
    """An answer a line, and the counts."""
    counts = Counter[str]()
    written = []
    for number, answer in enumerate(answers, 1):
        counts[answer.status] += 1
        errors = [{"field": fault.field, "detail": _detail(fault)} for fault in answer.faults]
        written.append({"line": number, "status": answer.status, "version": answer.version, "errors": errors})
    summary = {"lines": counts.total(), **{status: counts[status] for status in _STATUSES}}
    return b"".join(orjson.dumps(each, None, _LINE) for each in (*written, {"summary": summary}))


def _detail(fault: Fault) -> str:
    if not fault.facts:
        return wording.reason(fault.reason)
    return wording.sentence(Invalid(field=fault.field, reason=fault.reason, **fault.facts))
