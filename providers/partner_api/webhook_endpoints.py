"""Where webhooks go, and what was delivered: `/webhook-endpoints`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import fields as out

from booking.idempotency import Repeatable
from booking.webhooks import deliveries, endpoints, events
from booking.webhooks.deliveries import TestWaiting
from booking.webhooks.endpoints import By, EndpointEnded, LastSecret, TooManyEndpoints
from marketplace.clients.credentials import TwoSecrets
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Choice, Items, Listing, Request, Text, page_of
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("webhook_endpoints", __name__, description="Where webhooks go, and the log of their delivery.")

_STATES = {"enum": ["active", "paused", "ended"]}
_DELIVERY_STATES = ("queued", "done", "failed", "dropped")
_MOMENT = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


class _Where(Request):
    url = Text(
        shortest=1,
        longest=2000,
        required=True,
        metadata={"description": "https, to a public address.", "examples": ["https://hooks.example/anxiang"]},
    )
    event_types = Items(Choice(*events.TYPES), least=1, most=len(events.TYPES), required=True)


class NewEndpoint(_Where):
    """Where to tell of which events."""


class ChangedEndpoint(_Where):
    """What the endpoint is to be. While it is paused nothing is sent; what happened meanwhile follows afterwards."""

    state = Choice("active", "paused", required=True)


class Span(Request):
    """The events that occurred from `since` until before `until`, in UTC; a day at most."""

    since = Text(longest=20, pattern=_MOMENT, required=True, metadata={"examples": ["2026-03-02T04:00:00Z"]})
    until = Text(longest=20, pattern=_MOMENT, required=True, metadata={"examples": ["2026-03-02T05:00:00Z"]})


class Deliveries(Listing):
    """Query of the log."""

    state = Choice(*_DELIVERY_STATES, load_default=None)


class LiveSecret(Answer):
    """A secret that messages are signed with; not the secret itself."""

    id = out.String(required=True)
    created_at = out.DateTime(required=True)


class Endpoint(Answer):
    """An endpoint. `reason`: why it is not active: `asked`, `failing` (for five days), `gone` (it answered 410)."""

    id = out.String(required=True)
    url = out.String(required=True)
    event_types = out.List(out.String(), required=True)
    state = out.String(required=True, metadata=_STATES)
    reason = out.String(required=True)
    state_since = out.DateTime(required=True)
    failing_since = out.DateTime(required=True, allow_none=True)
    created_at = out.DateTime(required=True)
    secrets = out.List(out.Nested(LiveSecret), required=True)


class EndpointWithSecret(Endpoint):
    """An endpoint with the secret that was made for it, shown in this answer alone; null where it has ended since."""

    secret = out.String(required=True, allow_none=True)


class Endpoints(Answer):
    """All endpoints, the oldest first."""

    items = out.List(out.Nested(Endpoint), required=True)


class Delivery(Answer):
    """An event on its way, and its last try: status and beginning of the answer, or `error` where there was none."""

    id = out.String(required=True)
    event_id = out.String(required=True, metadata={"description": "The `webhook-id` of the message."})
    event_type = out.String(required=True)
    booking_id = out.String(required=True, allow_none=True, metadata={"description": "null for a test."})
    version = out.Integer(required=True, allow_none=True)
    occurred_at = out.DateTime(required=True)
    state = out.String(required=True, metadata={"enum": list(_DELIVERY_STATES)})
    tries = out.Integer(required=True)
    next_try = out.DateTime(required=True, allow_none=True)
    sent_at = out.DateTime(required=True, allow_none=True)
    url = out.String(required=True, allow_none=True, metadata={"description": "Where the last try was sent."})
    body_sha256 = out.String(required=True, allow_none=True)
    status = out.Integer(required=True, allow_none=True)
    answer = out.String(required=True)
    error = out.String(required=True)
    milliseconds = out.Integer(required=True, allow_none=True)
    finished_at = out.DateTime(required=True, allow_none=True)
    created_at = out.DateTime(required=True)


@blueprint.route("/webhook-endpoints", methods=["POST"])
@needs("webhooks")
@reads_body
@refuses(Invalid, TooManyEndpoints, Busy)
@blueprint.arguments(NewEndpoint())
@blueprint.response(201, EndpointWithSecret)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def add_endpoint(body: dict[str, Any]) -> Any:
    """Add an endpoint

    It is told of what happens from now on. Its first secret is shown in this answer alone.
    """
    repeat = _repeatable(body)
    return endpoints.add(
        caller().provider_id, body["url"], body["event_types"], by=_by(), now=clock.now(), repeat=repeat
    )


@blueprint.route("/webhook-endpoints")
@needs("webhooks")
@blueprint.response(200, Endpoints)
def endpoint_list() -> Any:
    """All endpoints"""
    return {"items": endpoints.listed(caller().provider_id)}


@blueprint.route("/webhook-endpoints/<id:endpoint_id>")
@needs("webhooks")
@blueprint.response(200, Endpoint)
def endpoint(endpoint_id: str) -> Any:
    """One endpoint"""
    return endpoints.one(caller().provider_id, endpoint_id)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>", methods=["PUT"])
@needs("webhooks")
@reads_body
@refuses(Invalid, EndpointEnded, Busy)
@blueprint.arguments(ChangedEndpoint())
@blueprint.response(200, Endpoint)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def change_endpoint(body: dict[str, Any], endpoint_id: str) -> Any:
    """Change, pause or resume an endpoint"""
    repeat = _repeatable(body)
    return endpoints.change(caller().provider_id, endpoint_id, **body, by=_by(), now=clock.now(), repeat=repeat)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>", methods=["DELETE"])
@needs("webhooks")
@refuses(Busy)
@blueprint.response(204)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def delete_endpoint(endpoint_id: str) -> None:
    """Delete an endpoint

    Nothing more is sent; its secrets and its log end with it.
    """
    endpoints.delete(caller().provider_id, endpoint_id, by=_by(), now=clock.now(), repeat=_repeatable({}))


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/test", methods=["POST"])
@needs("webhooks")
@refuses(EndpointEnded, TestWaiting, Busy)
@blueprint.response(202, Delivery)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def test_endpoint(endpoint_id: str) -> Any:
    """Send a test

    A signed message of the type `webhook.test`, once, also to an endpoint that is paused; the log of deliveries says
    what came of it. It changes nothing of the endpoint's state. One at a time.
    """
    return deliveries.send_test(caller().provider_id, endpoint_id, repeat=_repeatable({}), now=clock.now())


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/secrets", methods=["POST"])
@needs("webhooks")
@refuses(TwoSecrets, Busy)
@blueprint.response(201, EndpointWithSecret)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def add_endpoint_secret(endpoint_id: str) -> Any:
    """Add a second secret

    Messages are signed with both. Let the receiver know the new one, then end the other.
    """
    repeat = _repeatable({})
    return endpoints.add_secret(caller().provider_id, endpoint_id, by=_by(), now=clock.now(), repeat=repeat)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/secrets/<id:secret_id>", methods=["DELETE"])
@needs("webhooks")
@refuses(LastSecret, Busy)
@blueprint.response(204)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def end_endpoint_secret(endpoint_id: str, secret_id: str) -> None:
    """End a secret

    Twice is the same as once; the last one can't be ended.
    """
    repeat = _repeatable({})
    endpoints.end_secret(caller().provider_id, endpoint_id, secret_id, by=_by(), now=clock.now(), repeat=repeat)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/deliveries")
@needs("webhooks")
@blueprint.arguments(Deliveries(), location="query")
@blueprint.response(200, page_of(Delivery))
def delivery_list(query: dict[str, Any], endpoint_id: str) -> Any:
    """What was delivered, or is on its way

    Newest first, of the last 30 days.
    """
    return deliveries.deliveries(caller().provider_id, endpoint_id, **query)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/deliveries/<id:delivery_id>/replay", methods=["POST"])
@needs("webhooks")
@refuses(EndpointEnded, Busy)
@blueprint.response(204)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def replay_delivery(endpoint_id: str, delivery_id: str) -> None:
    """Send a delivery once more

    Under the same `webhook-id`, also where it was done; the schedule begins anew.
    """
    repeat = _repeatable({})
    deliveries.replay(caller().provider_id, endpoint_id, delivery_id, repeat=repeat, now=clock.now())


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/replay", methods=["POST"])
@needs("webhooks")
@reads_body
@refuses(Invalid, EndpointEnded, Busy)
@blueprint.arguments(Span())
@blueprint.response(204)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def replay_span(body: dict[str, Any], endpoint_id: str) -> None:
    """Send all of a time once more

    Every delivery that has ended of the events that occurred in this time.
    """
    since, until = _moment(body, "since"), _moment(body, "until")
    repeat = _repeatable(body)
    deliveries.replay_span(caller().provider_id, endpoint_id, since, until, repeat=repeat, now=clock.now())


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(body[name])
    except ValueError as none:
        raise Invalid(field=name, reason="format") from none


def _repeatable(body: dict[str, Any]) -> Repeatable:
    return Repeatable(caller().scope_of_secret_keys, idempotency.key(), idempotency.fingerprint(body))


def _by() -> By:
    return By("provider", caller().client)
