"""What was sent is read as marshmallow reads it, whichever way is taken."""

from __future__ import annotations

from typing import Any
from unittest import mock

import marshmallow as ma
import pytest

from marketplace.api.v1.bookings import BookingListing, NewBooking
from marketplace.api.v1.offers import OfferListing
from marketplace.rest.fields import Inner, Items, Number, Request, Text


class Line(Request):
    """One of a list."""

    amount = Number(least=0, most=9, required=True)
    note = Text(longest=3, load_default="")


class Order(Request):
    """Fields under other names, nested, optional, with defaults."""

    named = Text(longest=3, required=True, data_key="Named", attribute="name")
    lines = Items(Inner(Line), least=1, most=2, required=True)
    left_out = Number(least=0, most=9)
    maybe = Number(least=0, most=9, load_default=None, allow_none=True)


class Apart(Request):
    """What is loaded is nested though what is sent is not, and a name is blank."""

    city = Text(longest=3, attribute="place.city")
    blank = Text(longest=3, data_key="")


class Pair(Request):
    """A schema with a word of its own."""

    one = Number(least=0, most=9, required=True)
    two = Number(least=0, most=9, required=True)

    @ma.validates_schema
    def _ordered(self, data: dict[str, Any], **_: Any) -> None:
        if data["two"] < data["one"]:
            raise ma.ValidationError("range", "two")

    @ma.post_load
    def _as_tuple(self, data: dict[str, Any], **_: Any) -> tuple[int, int]:
        return data["one"], data["two"]


IDS = {"offer_id": "ofr_1", "slot_id": "slt_1", "beneficiary_id": "ben_1"}


def _outcome(load: Any) -> Any:
    try:
        return load()
    except ma.ValidationError as refused:
        return "refused", refused.messages, refused.valid_data


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (NewBooking(), IDS),
        (NewBooking(), {**IDS, "details": {"note": "x"}, "venue_id": None}),
        (NewBooking(), {**IDS, "details": None}),
        (NewBooking(), {**IDS, "more": 1}),
        (NewBooking(), {**IDS, "offer_id": 7, "slot_id": ""}),
        (NewBooking(), {"offer_id": "ofr_1", "more": 1, "less": 2}),
        (NewBooking(), {}),
        (NewBooking(), []),
        (NewBooking(), None),
        (NewBooking(), "text"),
        (BookingListing(), {"when": "past", "limit": "7"}),
        (BookingListing(), {"when": "soon", "limit": "0"}),
        (OfferListing(), {"city": "上海市", "cursor": "x" * 2001}),
        (Order(), {"Named": "abc", "lines": [{"amount": 3}]}),
        (
            Order(),
            {"Named": "abc", "lines": [{"amount": 3.0, "note": "xyz"}, {"amount": 0}], "left_out": 1, "maybe": None},
        ),
        (Order(), {"named": "abc", "lines": [{"amount": 3}]}),
        (Order(), {"Named": "abcd", "lines": [{"amount": 3, "more": 1}, {"note": 5}]}),
        (Order(), {"Named": "abc", "lines": []}),
        (Apart(), {"city": "abc"}),
        (Apart(), {"": "abc"}),
        (Apart(), {"blank": "abc"}),
        (Pair(), {"one": 1, "two": 2}),
        (Pair(), {"one": 2, "two": 1}),
        (Line(many=True), [{"amount": 1}, {"amount": 10}]),
        (Line(many=True), {"amount": 1}),
        (Line(partial=True), {"amount": 1}),
        (Line(partial=True), {}),
        (Line(unknown=ma.EXCLUDE), {"amount": 1, "more": 2}),
    ],
)
def test_what_is_sent_is_read_and_refused_as_marshmallow_does(schema: Request, sent: Any) -> None:
    assert _outcome(lambda: schema.load(sent)) == _outcome(lambda: ma.Schema.load(schema, sent))


def test_what_the_caller_of_load_asks_for_is_done() -> None:
    assert Line().load([{"amount": 1}], many=True) == [{"amount": 1, "note": ""}]
    assert Line().load({"amount": 1, "more": 2}, unknown=ma.EXCLUDE) == {"amount": 1, "note": ""}
    assert Line().load({"amount": 1}, partial=True) == {"amount": 1}
    with pytest.raises(ma.ValidationError):
        Line().load({"amount": 1}, many=True)
    assert Line().load({"amount": 1, "more": 2}, unknown=ma.INCLUDE) == {"amount": 1, "note": "", "more": 2}


def test_of_a_list_that_is_too_long_no_item_is_read() -> None:
    sent = {"Named": "abc", "lines": [{}] * 3}
    with mock.patch.object(Line, "load", autospec=True) as read, pytest.raises(ma.ValidationError) as refused:
        Order().load(sent)
    assert refused.value.messages == {"lines": ["length"]}
    assert read.call_count == 0
