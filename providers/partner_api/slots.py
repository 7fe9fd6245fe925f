"""Publishing slots and day capacities: `/slots`, line by line, and full snapshots of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response, request
from marshmallow import fields as out

from booking.idempotency import Repeatable
from booking.sync import held_slots, snapshots
from booking.sync.open_snapshots import SnapshotOver
from booking.sync.publish import Answered, Call, Faults, publish_slots
from marketplace import problems, wording
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound, Refusal, TooMany
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Day, Id, Items, Listing, Request, Text, page_of
from marketplace.rest.programs import without_key
from marketplace.rest.reading import NDJSON, NotNdjson, large_body
from marketplace.rest.views import reads_body, refuses, takes_large_body
from providers.partner_api import slot_lines
from providers.partner_api.door import Resource, caller, needs, one_at_a_time
from providers.partner_api.slot_lines import LONGEST_NAME, MOST_BYTES, MOST_LINES, SlotLine
from providers.reported import RemoteSlot

blueprint = Resource("slots", __name__, description="Slots and day capacities: published, and as we hold them.")


class BatchTooLarge(Refusal):
    """More lines, or more bytes, than a call may have."""

    code = "batch_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(lines=MOST_LINES, bytes=MOST_BYTES)


class LinesQuery(Request):
    """The snapshot that the lines are for."""

    snapshot = Id("snp_7c1x9d4t6b3n0v8m5r2k", load_default=None)


class LineError(Answer):
    """What is wrong with a line; `field` is `line` for the line as a whole."""

    field = out.String(required=True)
    detail = out.String(required=True)


class LineAnswer(Answer):
    """What became of a line. After the last one follows a line with the counts: `{"summary": {"lines": 2, …}}`."""

    line = out.Integer(required=True, metadata={"description": "Its place in the body, from 1."})
    status = out.String(required=True, metadata={"enum": ["created", "updated", "unchanged", "outdated", "refused"]})
    errors = out.List(out.Nested(LineError), required=True)


class SlotListing(Listing):
    """Which slots."""

    pool = Text(shortest=1, longest=LONGEST_NAME, required=True, metadata={"description": "Your name of the pool."})
    first = Day(data_key="from", load_default=None, metadata={"description": "The first day."})
    last = Day(data_key="to", load_default=None, metadata={"description": "The last day, included."})


class HeldSlot(Answer):
    """A slot as we hold it. `offered` is your last figure, `taken` how many of it are booked with us."""

    pool = out.String(required=True)
    reference = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    offered = out.Integer(required=True)
    taken = out.Integer(required=True)
    closed = out.Boolean(required=True)
    version = out.Integer(required=True)


class NewSnapshot(Request):
    """Which slots are going to be told, all of them."""

    pools = Items(Text(shortest=1, longest=LONGEST_NAME), least=1, most=1000, required=True)
    first = Day(data_key="from", required=True, metadata={"description": "The first day."})
    last = Day(data_key="to", required=True, metadata={"description": "The last day, included."})


class Snapshot(Answer):
    """A snapshot. It takes lines while it is `open`, until `ends_at`; `closed` counts the slots that it closed."""

    id = out.String(required=True)
    pools = out.List(out.String(), required=True)
    first = out.Date(data_key="from", required=True)
    last = out.Date(data_key="to", required=True)
    state = out.String(required=True, metadata={"enum": ["open", "closing", "completed", "expired"]})
    refused = out.Integer(required=True, metadata={"description": "How many of its lines were refused."})
    closed = out.Integer(required=True)
    opened_at = out.DateTime(required=True)
    ends_at = out.DateTime(required=True)


@blueprint.route("/slots", methods=["POST"], endpoint="publish")
@needs("slots")
@reads_body
@takes_large_body
@without_key
@refuses(NotNdjson, BatchTooLarge, NotFound, SnapshotOver, TooMany, Busy)
@blueprint.arguments(LinesQuery(), location="query")
@blueprint.response(200, LineAnswer, content_type=NDJSON)
@blueprint.doc(requestBody={"required": True, "content": {NDJSON: {"schema": SlotLine}}})
def publish(query: dict[str, Any]) -> Response:
    """Publish slots

    A JSON object a line, at most 10,000 lines and 5 MiB. Each line is answered in its place, and one that is refused
    holds up no other. Sent again, lines that are known are `unchanged`. Send one call after the other: a second one
    at the same time is refused (429), and so is any while several others are being written.
    """
    if request.mimetype != NDJSON:
        raise NotNdjson()
    with one_at_a_time():
        lines = _lines()
        call = Call(caller().provider_id, problems.reference(), query["snapshot"], clock.now())
        return Response(_written(publish_slots(call, lines)), content_type=NDJSON)


def _lines() -> list[RemoteSlot | Faults]:
    """The lines of the body. Raises BatchTooLarge."""
    body = large_body(MOST_BYTES, BatchTooLarge)
    if body.count(b"\n") > MOST_LINES:
        raise BatchTooLarge()
    lines = list(slot_lines.read_lines(body))
    if len(lines) > MOST_LINES:
        raise BatchTooLarge()
    return lines


def _written(answers: Iterable[Answered]) -> bytes:
    """An answer a line, and the counts."""
    counts = Counter[str]()
    written = []
    for number, answer in enumerate(answers, 1):
        counts[answer.status] += 1
        written.append(
            orjson.dumps({"line": number, "status": answer.status, "errors": _told(answer.faults)}, None, _LINE)
        )
    statuses = ("created", "updated", "unchanged", "outdated", "refused")
    summary = {"lines": counts.total(), **{status: counts[status] for status in statuses}}
    written.append(orjson.dumps({"summary": summary}, None, _LINE))
    return b"".join(written)


_LINE = orjson.OPT_APPEND_NEWLINE


def _told(faults: Faults) -> list[Mapping[str, str]]:
    return [{"field": fault.field, "detail": wording.reason(fault.reason)} for fault in faults]


@blueprint.route("/slots", methods=["GET"], endpoint="list")
@needs("slots")
@refuses(NotFound)
@blueprint.arguments(SlotListing(), location="query")
@blueprint.response(200, page_of(HeldSlot))
def held(query: dict[str, Any]) -> Any:
    """The slots of a pool as we hold them

    By day. Compare `offered`, `closed` and `version` with yours; `taken` is what is booked with us.
    """
    return held_slots.held_slots(
        caller().provider_id,
        query["pool"],
        query["first"],
        query["last"],
        cursor=query["cursor"],
        limit=query["limit"],
    )


@blueprint.route("/slots/snapshots", methods=["POST"], endpoint="open_snapshot")
@needs("slots")
@reads_body
@refuses(Invalid, snapshots.TooManySnapshots)
@blueprint.arguments(NewSnapshot())
@blueprint.response(201, Snapshot)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def open_snapshot(body: dict[str, Any]) -> Any:
    """Open a snapshot

    Then send all slots of its pools and days with `?snapshot=`, in as many calls as needed, and complete it within
    the hour. One that is not completed closes nothing.
    """
    key = Repeatable(caller().scope_of_keys, idempotency.key(), idempotency.fingerprint(request.get_json()))
    return snapshots.open_snapshot(
        caller().provider_id, body["pools"], body["first"], body["last"], repeatable=key, now=clock.now()
    )


@blueprint.route("/slots/snapshots/<id:snapshot_id>", endpoint="snapshot")
@needs("slots")
@blueprint.response(200, Snapshot)
def snapshot(snapshot_id: str) -> Any:
    """A snapshot as it stands"""
    return snapshots.snapshot_of(caller().provider_id, snapshot_id, now=clock.now())


@blueprint.route("/slots/snapshots/<id:snapshot_id>/complete", methods=["POST"], endpoint="complete_snapshot")
@needs("slots")
@refuses(SnapshotOver, snapshots.SnapshotRefused, Busy)
@blueprint.response(200, Snapshot)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def complete(snapshot_id: str) -> Any:
    """Complete a snapshot

    Slots of its pools and days that nobody has named since it was opened are closed; what is booked stays booked.
    Asked again, the answer is the same.
    """
    key = Repeatable(caller().scope_of_keys, idempotency.key(), idempotency.fingerprint({}))
    return snapshots.complete_snapshot(caller().provider_id, snapshot_id, repeatable=key, now=clock.now())
