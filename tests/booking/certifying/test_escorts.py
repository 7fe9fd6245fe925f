"""A run against a provider that sends escorts tries that too, and its offer is given out because of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.catalog.models import CapacityPool, Offer
from marketplace.core.database.db import transaction
from providers.conformance.step import Capability
from providers.sandbox import bookings, test_mode
from tests.booking.certifying.certified import certify, connect, offered, proved, runs
from tests.providers.conformance.served import limited, serve
from tests.world import World


@pytest.fixture
def sender(world: World) -> World:
    """The world, whose provider sells the escorts of the sandbox."""
    with transaction() as session:
        session.execute(update(Offer).values(kind="hospital_escort", external_ref="ESCORT"))
        session.execute(update(CapacityPool).values(external_ref="HZ"))
    return world


@pytest.mark.parametrize("names", [True, False])
def test_whoever_sends_escorts_is_certified_for_them_and_all_that_is_booked_of_them_says_where_and_what(
    sender: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: bool
) -> None:
    """And they are given out. The offer of the catalogue is tried where the test mode names none."""
    asked: list[dict[str, Any]] = []

    def taken(desk: Any, key: str, wish: Any) -> Any:
        asked.append(wish)
        return true(desk, key, wish)

    true = bookings.reserve
    monkeypatch.setattr(bookings, "reserve", taken)
    if not names:
        monkeypatch.setattr(test_mode, "suggested", lambda *_args, **_how: ("", ""))
    with serve(tmp_path, escorts=3) as served:
        connect(sender.provider, served)
        assert not offered(sender.offer)
        result = certify(sender.provider)
    assert result is not None and result.certified(Capability.ESCORTS)
    if names:
        assert result.passed
        assert proved(sender.provider)[Capability.ESCORTS] == "passed" and offered(sender.offer)
    escorts = [each for each in asked if each["offer"] == "ESCORT"]
    assert len(escorts) > 9 and all(each["venue"] and each["answers"]["mobility"] for each in escorts)
    assert all("venue" not in each and each["answers"] == {} for each in asked if each["offer"] != "ESCORT")
    assert not names or any(each["offer"] == "BASIC" for each in asked)
    assert "phone" not in json.dumps(asked)


def test_one_whose_lines_break_the_contract_sells_nothing(sender: World, tmp_path: Path) -> None:
    with serve(tmp_path, escorts=3) as served, limited("booking-look-up", "escorts-lines"):
        connect(sender.provider, served)
        served.desk.faults.add({"fault": "line_gap", "times": None})
        certify(sender.provider)
    assert Capability.ESCORTS not in proved(sender.provider) and not offered(sender.offer)
    steps = {step["name"]: step["outcome"] for step in runs(sender.provider)[0].steps}
    assert steps["escorts-lines"] == "failed" and steps["booking-look-up"] == "passed"
