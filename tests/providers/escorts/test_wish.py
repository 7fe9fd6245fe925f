"""All that an escort needs to know reaches the provider that sends her, and nothing that was not asked for."""

from __future__ import annotations

from typing import Any

import pytest

from booking.hold.submit import submit
from providers.adapters.open_wire import reserve_body
from providers.port import Confirmed
from tests.escorts import ANSWERS, make_escorts
from tests.people import NOON
from tests.world import FakeAdapter, one_pass

pytestmark = pytest.mark.usefixtures("db")

ALL = {**ANSWERS, "meeting_point": "门诊楼东门", "language": "cantonese", "escort_sex": "female", "note": "耳背"}
HELP = {name: ANSWERS[name] for name in ("department", "contact_name", "contact_phone", "share")}


def body_of(kind: str, details: dict[str, Any]) -> dict[str, Any]:
    """What POST /bookings carries for a booking of this kind."""
    made = make_escorts(kind=kind)
    submit(made.world.principal, made.hold(details=details), now=NOON)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1)])
    one_pass(made.world, adapter, now=NOON)
    (sent,) = adapter.sent
    body = reserve_body(sent)
    assert body["venue"]["id"] == made.venue.public_id
    return body


@pytest.mark.parametrize(("kind", "details"), [("hospital_escort", ALL), ("appointment_help", HELP)])
def test_where_to_whom_and_what_she_wished_stands_in_the_booking(kind: str, details: dict[str, Any]) -> None:
    body = body_of(kind, details)
    assert body["answers"] == details
    venue = {name: body["venue"][name] for name in ("name", "city", "district", "address")}
    assert venue == {"name": "杭州示范总院", "city": "杭州市", "district": "西湖区", "address": "文溪路 8 号"}
    assert set(body) == {"our_reference", "offer", "pool", "slot", "person", "answers", "venue"}
    assert set(body["person"]) == {"name", "sex", "birth_date"}
