"""What a run makes at a live provider is nobody's difference: not in a poll, a comparison or a list of reports."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.reconcile.compare import compare
from booking.reports.fetch import announce
from marketplace.core.database.db import reading, transaction
from providers.reported import TEST_PREFIX, RemoteBooking, RemoteReport
from tests.people import NOON
from tests.world import World


@pytest.mark.parametrize(("ours", "cases"), [(f"{TEST_PREFIX}0123456789abcdef", 0), ("somebody-else", 2)])
def test_a_test_booking_and_its_report_open_no_case(world: World, ours: str, cases: int) -> None:
    there = RemoteBooking("R-1", ours, "confirmed", 1, date(2026, 3, 10))
    report = RemoteReport("P-1", "R-1", ours, 1, "final", NOON)
    with transaction() as session:
        assert apply_remote(session, world.provider.id, there, now=NOON).what == "unmatched"
        assert announce(session, world.provider.id, report, now=NOON) == "unmatched"
    with reading() as session:
        assert len(session.scalars(select(Discrepancy)).all()) == cases
    assert len(compare([], [there])) == min(cases, 1)
