"""Ten minutes: whatever the cause, a person is asked and the customer notified."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.exchange.escalate import ASK_A_PERSON, raise_unknown
from booking.feeds.cursors import done
from booking.models import Feed, ProviderTask
from booking.notices.models import Notification
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Answer, Confirmed, RetryAfter, Unknown
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, claim_all, make_world, one_pass, remote, set_breaker

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SILENT = Unknown("timed out")


def asked() -> list[str]:
    """The bookings about which a person is asked now."""
    with reading() as session:
        return list(
            session.scalars(
                select(Discrepancy.subject).where(
                    Discrepancy.kind == "outcome_unknown", Discrepancy.closed_at.is_(None)
                )
            )
        )


def notified() -> int:
    with reading() as session:
        return len(session.scalars(select(Notification.id).where(Notification.kind == "outcome_unknown")).all())


def cancelling() -> tuple[World, str]:
    """A confirmed booking that its customer has cancelled at noon."""
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=NOON)
    return world, public_id


@pytest.mark.parametrize("answer", [RetryAfter(60), RetryAfter(60, reached=False), SILENT])
def test_a_cancel_that_cannot_get_out_is_raised_after_the_same_time_as_an_unknown_one(answer: Answer) -> None:
    world, public_id = cancelling()
    for minute in range(10):
        found = [SILENT] if isinstance(answer, Unknown) else []
        one_pass(world, FakeAdapter(answers=[answer], found=found), now=NOON + timedelta(minutes=minute))
        raise_unknown(now=NOON + timedelta(minutes=minute))
        assert asked() == []
    raise_unknown(now=NOON + ASK_A_PERSON)
    assert (asked(), notified()) == ([public_id], 1)
    later = NOON + timedelta(minutes=12)
    done = FakeAdapter(answers=[Confirmed("R-1", 2)], found=[remote(public_id, "cancelled", 2)])
    one_pass(world, done, now=later)
    assert (asked(), booking_row(public_id).state.value) == ([], "cancelled")


def test_a_cancel_that_is_found_undone_and_sent_again_and_again_counts_from_its_first_silence() -> None:
    world, public_id = cancelling()
    now = NOON
    while now < NOON + ASK_A_PERSON:
        one_pass(world, FakeAdapter(answers=[SILENT]), now=now)
        raise_unknown(now=now)
        assert asked() == []
        now += timedelta(seconds=61)
        one_pass(world, FakeAdapter(found=[remote(public_id, "confirmed")]), now=now)
    one_pass(world, FakeAdapter(answers=[SILENT]), now=now)
    raise_unknown(now=now)
    assert (asked(), notified()) == ([public_id], 1)


def test_a_look_up_that_nobody_makes_is_silence_though_the_provider_had_accepted() -> None:
    world, public_id = cancelling()
    with transaction() as session:  # as an accepted change stands, which is looked up until it is decided
        waiting = ProviderTask.state == "queued"
        session.execute(update(ProviderTask).where(waiting).values(state="unknown", run_after=NOON))
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON + timedelta(hours=1))
    assert claim_all(world, now=NOON + timedelta(minutes=5)) == []
    raise_unknown(now=NOON + timedelta(minutes=9))
    assert asked() == []
    raise_unknown(now=NOON + timedelta(minutes=10))
    assert (asked(), notified()) == ([public_id], 1)


def test_a_decision_that_could_not_be_seen_for_ten_minutes_is_raised_and_closes_when_the_feed_is_back() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1")]), now=NOON)
    done(world.provider.id, Feed.BOOKINGS, "c1", now=NOON)
    raise_unknown(now=NOON + timedelta(minutes=9))
    assert asked() == []
    raise_unknown(now=NOON + timedelta(minutes=10))
    raise_unknown(now=NOON + timedelta(minutes=11))
    assert (asked(), notified()) == ([public_id], 1)
    done(world.provider.id, Feed.BOOKINGS, "c2", now=NOON + timedelta(minutes=12))
    raise_unknown(now=NOON + timedelta(minutes=12))
    assert (asked(), booking_row(public_id).state.value) == ([], "awaiting_provider")


def test_a_provider_that_takes_its_time_to_decide_is_not_silent() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1")]), now=NOON)
    for minute in range(1, 30):
        now = NOON + timedelta(minutes=minute)
        one_pass(world, FakeAdapter(found=[remote(public_id, "requested")]), now=now)
        done(world.provider.id, Feed.BOOKINGS, "c1", now=now)
        raise_unknown(now=now)
    assert asked() == []
