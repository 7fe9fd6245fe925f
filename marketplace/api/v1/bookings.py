"""Booking, following and cancelling: `/bookings`."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request
from marshmallow import fields as out

from booking import cancel as cancelling
from booking import confirm as confirming
from booking import place, view
from booking.states import BookingState
from marketplace.api import idempotency
from marketplace.api.blueprint import Resource, principal, reads_body, refuses
from marketplace.api.fields import Answer, Answers, Choice, Id, Listing, Request, page_of
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from vip import entitlements

blueprint = Resource("bookings", __name__, description="Booking, following and cancelling.")

STATES = {"enum": [state.value for state in BookingState]}


class NewBooking(Request):
    """What to book for whom. Without `entitlement_id` the earliest-expiring benefit that fits is used."""

    offer_id = Id("ofr_3k9x0v8m5r2k7c1x9d4t", required=True)
    slot_id = Id("slt_7c1x9d4t6b3n0v8m5r2k", required=True)
    entitlement_id = Id("ent_9d4t6b3n0v8m5r2k7c1x", load_default=None, allow_none=True)
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", required=True)
    details = Answers(
        load_default=dict, metadata={"description": "Answers to the benefit's questions; their schema is its own."}
    )


class Held(Answer):
    """A place, a unit and a price kept for ten minutes."""

    id = out.String(required=True)
    state = out.Constant("held", required=True)
