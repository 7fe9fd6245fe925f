"""Nothing stays unknown for more than ten minutes unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.exchange.escalate import raise_unknown
from booking.notices.models import Notification
from marketplace.core.database.db import reading
from providers.port import NotFound as NotThere
from providers.port import Unknown
from tests.booking.reconcile.comparing import cases, there
from tests.people import NOON
from tests.world import (
    DAY,
    FakeAdapter,
    World,
    booking_row,
    one_pass,
    set_provider,
)

pytestmark = pytest.mark.usefixtures("db")


def told() -> list[tuple[str, str]]:
    with reading() as session:
        query = select(Notification).where(Notification.kind == "outcome_unknown")
        return [(row.kind, row.subject.split(":")[0]) for row in session.scalars(query)]


def test_a_person_is_asked_and_the_customer_told_before_ten_minutes_are_over(world: World) -> None:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    assert raise_unknown(now=NOON + timedelta(minutes=9, seconds=29)) == 0 and told() == []
    assert raise_unknown(now=NOON + timedelta(minutes=9, seconds=45)) == 1
    assert raise_unknown(now=NOON + timedelta(minutes=10)) == 0
    assert cases() == [("outcome_unknown", public_id)] and told() == [("outcome_unknown", public_id)]


def test_a_command_that_is_sent_again_and_stays_silent_counts_from_its_first_silence(world: World) -> None:
    set_provider(world.provider, settle_window_seconds=60)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")] * 8, found=[NotThere()] * 40)
    second = 0
    while second < 600:
        one_pass(world, adapter, now=NOON + timedelta(seconds=second))
        raise_unknown(now=NOON + timedelta(seconds=second))
        second += 15
    assert len(adapter.sent) > 2, "it was sent again"
    assert ("outcome_unknown", public_id) in cases()
    assert told() == [("outcome_unknown", public_id)], "and told once"


def test_what_settles_in_the_last_moment_asks_nobody(world: World) -> None:
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[there(world, public_id)])
    one_pass(world, adapter, now=NOON)
    one_pass(world, adapter, now=NOON + timedelta(minutes=9, seconds=50))
    assert raise_unknown(now=NOON + timedelta(minutes=10)) == 0
    assert cases() == [] and told() == [] and booking_row(public_id).service_date == DAY
