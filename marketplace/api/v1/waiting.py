"""The waiting list: `/waiting`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.refusals import HasNoTimes, NotWaitedFor
from booking.states import BookingState
from booking.waiting import join, view
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.bookings import Names
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Day, Id, Items, Listing, Number, Request, Truth, page_of
from marketplace.rest.views import reads_body, refuses
from vip.entitlements import of_customer

blueprint = Resource("waiting", __name__, description="Waiting for a place where all are taken.")

ENTRY_STATES = {"enum": ["waiting", "offered", "booked", "ended", "withdrawn"]}
BOOKING_STATES = {"enum": [state.value for state in BookingState]}


class NewWaiting(Request):
    """What would do for whom. Days and hours are those of the sites; both days are included."""

    offer_ids = Items(Id("ofr_3k9x0v8m5r2k7c1x9d4t"), least=1, most=join.MOST_PLACES, required=True)
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", required=True)
    entitlement_id = Id("ent_9d4t6b3n0v8m5r2k7c1x", load_default=None, allow_none=True)
    first_day = Day(required=True)
    last_day = Day(required=True)
    weekdays = Items(
        Number(least=1, most=7),
        least=1,
        most=7,
        load_default=lambda: list(range(1, 8)),
        metadata={"description": "ISO 8601: 1 is Monday, 7 is Sunday."},
    )
    from_hour = Number(least=0, most=23, load_default=0)
    until_hour = Number(least=1, most=24, load_default=24)
    hours_before = Number(
        least=0,
        most=join.MOST_HOURS_BEFORE,
        load_default=0,
        metadata={"description": "No offer later than this before the start."},
    )
    auto_book = Truth(
        load_default=False,
        metadata={"description": "Submit a place at once, as long as it can still be cancelled free of charge."},
    )


class WaitingSite(Answer):
    """An offer that would do, and where."""

    offer_id = out.String(required=True)
    offer_name = out.Nested(Names, required=True)
    site_id = out.String(required=True)
    site_name = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    tier = out.String(required=True, allow_none=True)


class HeldPlace(Answer):
    """The place that is held for the entry now: confirm the booking before `until`, or it goes to the next in line."""

    booking_id = out.String(required=True)
    state = out.String(required=True, metadata=BOOKING_STATES)
    until = out.DateTime(required=True)
    offered_at = out.DateTime(required=True)
    offer_id = out.String(required=True)
    site_name = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    time_zone = out.String(required=True)


class Waiting(Answer):
    """An entry of the waiting list. `closes_at`: after it nothing can fit any more. `lapses` counts the offers that
    were let pass; the second ends the entry. `unit_free`: whether a unit of the benefit is left to take a place."""

    id = out.String(required=True)
    state = out.String(required=True, metadata=ENTRY_STATES)
    cause = out.String(required=True)
    version = out.Integer(required=True)
    benefit = out.String(attribute="kind", required=True)
    beneficiary_id = out.String(required=True)
    beneficiary_name = out.String(required=True)
    relation = out.String(required=True)
    entitlement_id = out.String(required=True, allow_none=True)
    sites = out.List(out.Nested(WaitingSite), required=True)
    first_day = out.Date(required=True)
    last_day = out.Date(required=True)
    weekdays = out.List(out.Integer(), required=True)
    from_hour = out.Integer(required=True)
    until_hour = out.Integer(required=True)
    hours_before = out.Integer(required=True)
    auto_book = out.Boolean(required=True)
    lapses = out.Integer(required=True)
    unit_free = out.Boolean(required=True)
    closes_at = out.DateTime(required=True)
    created_at = out.DateTime(required=True)
    updated_at = out.DateTime(required=True)
    held = out.Nested(HeldPlace, required=True, allow_none=True)


REFUSALS = (
    NotFound,
    Invalid,
    NotEligible,
    HasNoTimes,
    NotWaitedFor,
    join.AlreadyWaiting,
    join.WaitingListFull,
    of_customer.NoEntitlement,
    of_customer.EntitlementExhausted,
    of_customer.NotShared,
    of_customer.NotValidYet,
    of_customer.ValidityOver,
    of_customer.WrongKind,
    Busy,
)

_FULL = Waiting()


@blueprint.route("/waiting", methods=["POST"])
@reads_body
@refuses(*REFUSALS)
@blueprint.arguments(NewWaiting())
@blueprint.response(201, Waiting, headers={"Location": {"schema": {"type": "string", "format": "uri-reference"}}})
@blueprint.doc(
    parameters=[idempotency.PARAMETER],
    responses={
        201: {
            "links": {
                operation: {"operationId": operation, "parameters": {"waiting_id": "$response.body#/id"}}
                for operation in ("waiting", "stop_waiting")
            }
        }
    },
)
def wait(body: dict[str, Any]) -> Any:
    """Wait for a place

    Takes no place and no unit. When a place inside the limits becomes free, it is held for whoever began to wait
    first (`held`), for half an hour or until booking closes; confirm that booking to take it.
    """
    want = join.Criteria(
        offers=body["offer_ids"],
        beneficiary=body["beneficiary_id"],
        entitlement=body["entitlement_id"],
        first_day=body["first_day"],
        last_day=body["last_day"],
        weekdays=frozenset(body["weekdays"]),
        from_hour=body["from_hour"],
        until_hour=body["until_hour"],
        hours_before=body["hours_before"],
        auto_book=body["auto_book"],
    )
    who = principal()
    plain = {**body, "first_day": str(body["first_day"]), "last_day": str(body["last_day"])}
    joined = join.join(who, want, key=idempotency.key(), fingerprint=idempotency.fingerprint(plain), now=clock.now())
    found = view.waiting(who, joined.public_id)
    return found, 201, {"Location": f"/api/v1/waiting/{joined.public_id}"}


@blueprint.route("/waiting")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Waiting))
def waiting_list(query: dict[str, Any]) -> Any:
    """What the customer waits for, and waited for

    Newest first.
    """
    return view.waiting_list(principal(), **query)


@blueprint.route("/waiting/<id:waiting_id>")
@blueprint.response(200, Waiting)
def waiting(waiting_id: str) -> Any:
    """One entry of the waiting list"""
    return view.waiting(principal(), waiting_id)


@blueprint.route("/waiting/<id:waiting_id>", methods=["DELETE"])
@refuses(join.NotWaiting, Busy)
@blueprint.response(204)
def stop_waiting(waiting_id: str) -> None:
    """Stop waiting

    A place that is held and not confirmed is given back; what was submitted stands. Twice is the same as once.
    """
    join.withdraw(principal(), waiting_id, now=clock.now())
