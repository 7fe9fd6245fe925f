"""Full snapshots of policies: `/policies/snapshots`."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields as out
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable, record_key
from marketplace.api.insurer.door import Resource, caller, needs
from marketplace.core import clock
from marketplace.core.errors import Busy
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Listing, Number, Request, Truth, page_of
from marketplace.rest.programs import without_key
from marketplace.rest.views import reads_body, refuses
from vip.insurers import snapshots
from vip.insurers.snapshots import MOST_PERCENT, USUAL_PERCENT, LinesRefused, SnapshotOver, TooManySnapshots

blueprint = Resource("snapshots", __name__, description="Full snapshots: what vanished from your books is found.")


class NewPolicySnapshot(Request):
    """What becomes of policies in force that the snapshot does not name."""

    ends_vanished = Truth(
        load_default=False,
        metadata={"description": "They are ended; else they are only reported. What you tell again comes back."},
    )
    most_percent = Number(
        least=0,
        most=MOST_PERCENT,
        load_default=USUAL_PERCENT,
        metadata={"description": "If more than so many per cent have vanished, none is ended until a person decides."},
    )


class PolicySnapshot(Answer):
    """A snapshot. It takes lines while it is `open`, until `ends_at`. `waiting`: more vanished than `most_percent`, and
    a person decides; `dismissed`: she left them. `named` counts what was told while it is open."""

    id = out.String(required=True)
    state = out.String(required=True, metadata={"enum": ["open", "waiting", "completed", "dismissed", "expired"]})
    ends_vanished = out.Boolean(required=True)
    most_percent = out.Integer(required=True)
    named = out.Integer(required=True)
    refused = out.Integer(required=True, metadata={"description": "How many of its lines were refused."})
    known = out.Integer(required=True, metadata={"description": "In force when it was completed."})
    vanished = out.Integer(required=True)
    ended = out.Integer(required=True)
    opened_at = out.DateTime(required=True)
    ends_at = out.DateTime(required=True)
    completed_at = out.DateTime(required=True, allow_none=True)


class VanishedPolicy(Answer):
    """A policy in force that the snapshot did not name. `returned`: you have told it again since."""

    key = out.String(required=True)
    ended = out.Boolean(required=True)
    returned = out.Boolean(required=True)


@blueprint.route("/policies/snapshots", methods=["POST"], endpoint="open")
@needs("policies")
@reads_body
@refuses(TooManySnapshots)
@blueprint.arguments(NewPolicySnapshot())
@blueprint.response(201, PolicySnapshot)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def open_snapshot(body: dict[str, Any]) -> Any:
    """Open a snapshot

    Then tell all your policies with `?snapshot=`, in as many calls as needed, and complete it within 24 hours. One that
    is not completed reports and ends nothing.
    """
    now = clock.now()
    scope = f"insurer:{caller().owner}"
    request_ = Repeatable(scope, idempotency.key(), idempotency.fingerprint(request.get_json()))

    def once(session: Session, public_id: str) -> str | None:
        return record_key(session, request_, public_id, now=now, status=201)

    return snapshots.open_snapshot(
        caller().insurer_id,
        ends_vanished=body["ends_vanished"],
        most_percent=body["most_percent"],
        once=once,
        now=now,
    )


@blueprint.route("/policies/snapshots/<id:snapshot_id>", methods=["GET"], endpoint="snapshot")
@needs("policies")
@blueprint.response(200, PolicySnapshot)
def snapshot(snapshot_id: str) -> Any:
    """A snapshot as it stands"""
    return snapshots.snapshot_of(caller().insurer_id, snapshot_id, now=clock.now())


@blueprint.route("/policies/snapshots/<id:snapshot_id>/complete", methods=["POST"], endpoint="complete")
@needs("policies")
@without_key
@refuses(SnapshotOver, LinesRefused, Busy)
@blueprint.response(200, PolicySnapshot)
def complete(snapshot_id: str) -> Any:
    """Complete a snapshot

    Policies in force that nobody has told since it was opened have vanished. Asked again, the answer is the same.
    """
    return snapshots.complete(caller().insurer_id, snapshot_id, actor=caller().client, now=clock.now())


@blueprint.route("/policies/snapshots/<id:snapshot_id>/vanished", methods=["GET"], endpoint="vanished")
@needs("policies")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(VanishedPolicy))
def vanished(query: dict[str, Any], snapshot_id: str) -> Any:
    """What vanished

    By your keys. Compare it with your books; what is still in force there, tell again.
    """
    limit = query["limit"]
    found = snapshots.vanished_of(caller().insurer_id, snapshot_id, after=query["cursor"] or "", limit=limit + 1)
    return {"items": found[:limit], "next": found[limit - 1].key if len(found) > limit else None}
