"""What becomes of a command: its answer, silence, look-ups, a dead worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.exchange.escalate import raise_unknown
from booking.exchange.send import run_task
from booking.exchange.settle import settle_answer
from booking.models import ChangeRequest
from booking.notices.models import Notification
from booking.views.customer import booking as view
from marketplace.core.database.db import reading
from providers.port import Accepted, Confirmed, Refused, RetryAfter, Unknown
from providers.port import NotFound as NotThere
from tests.booking.exchange.settling import LATER, SOON, roles, state, tell, unit, version_of
from tests.people import NOON
from tests.world import (
    FakeAdapter,
    booking_row,
    claim_all,
    connection_to,
    history,
    join,
    make_world,
    one_pass,
    remote,
    set_provider,
    taken,
    tasks,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_a_confirmed_answer_confirms() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1)])
    assert one_pass(world, adapter, now=NOON) == ["applied"]
    assert history(public_id) == ["held", "awaiting_provider", "confirmed"]
    assert tasks(public_id) == [("reserve", "done")]
    assert (adapter.sent[0].our_reference, adapter.sent[0].person.name) == (public_id, "沈静宜")
    assert roles(public_id) == {"R-1": "current"}


def test_an_accepted_request_waits_and_a_later_message_confirms() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert state(public_id) == "awaiting_provider"
    assert tell(world, remote(public_id, "confirmed", 2)) == "applied"
    assert state(public_id) == "confirmed"


def test_a_refusal_gives_place_and_quota_back_and_says_why() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=NOON)
    assert (state(public_id), booking_row(public_id).cause) == ("rejected", "sold_out")
    assert unit(world) == (1, 0, 0)
    assert taken(world.slots[0]) == 0


def test_a_time_out_is_neither_failed_nor_confirmed_and_settles_by_look_up() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "confirmed")])
    one_pass(world, adapter, now=NOON)
    assert state(public_id) == "outcome_unknown"
    assert unit(world) == (0, 1, 0)
    assert taken(world.slots[0]) == 1
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=2)) == ["applied"]
    assert state(public_id) == "confirmed"
    assert len(adapter.sent) == 1, "looked up, not sent again"


def test_nothing_found_is_believed_only_after_the_settle_window() -> None:
    world = make_world()
    set_provider(world.provider, settle_window_seconds=60)
    public_id = world.submit()
    adapter = FakeAdapter(
        answers=[Unknown("timed out"), Confirmed("R-1", 1)], found=[NotThere(), NotThere(), NotThere()]
    )
    one_pass(world, adapter, now=NOON)
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=30)) == ["waiting"]
    assert state(public_id) == "outcome_unknown"
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=61)) == ["resend"]
    assert state(public_id) == "awaiting_provider"
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=62)) == ["applied"]
    assert state(public_id) == "confirmed"
    assert adapter.sent[0].key == adapter.sent[1].key, "one key for life"


def test_a_reference_that_another_booking_has_confirms_nothing_and_leaves_that_one_alone() -> None:
    world = make_world()
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    first = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("0001", 1)]), now=NOON)
    second = other.submit()
    adapter = FakeAdapter(
        answers=[Confirmed("0001", 9)],
        found=[remote(second, "confirmed", reference="0001"), remote(second, "confirmed", reference="0002")],
    )
    assert one_pass(other, adapter, now=SOON) == ["waiting"]
    assert (state(second), tasks(second)) == ("outcome_unknown", [("reserve", "unknown")])
    assert one_pass(other, adapter, now=LATER) == ["waiting"], "said again, it is no truer"
    assert (state(second), taken(world.slots[0])) == ("outcome_unknown", 2)
    assert (roles(first), roles(second), version_of("0001")) == ({"0001": "current"}, {}, 1)
    later = LATER + timedelta(minutes=5)
    assert raise_unknown(now=later) == 1, "a person is asked while the provider keeps to it"
    assert one_pass(other, adapter, now=later) == ["applied"]
    assert (state(second), roles(second)) == ("confirmed", {"0002": "current"})


def test_a_late_commit_is_found_before_anything_is_sent_again() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[NotThere(), remote(public_id, "confirmed")])
    one_pass(world, adapter, now=NOON)
    one_pass(world, adapter, now=NOON + timedelta(seconds=5))
    one_pass(world, adapter, now=NOON + timedelta(seconds=50))
    assert state(public_id) == "confirmed"
    assert len(adapter.sent) == 1


def test_a_provider_that_asks_to_wait_has_taken_nothing_and_is_not_looked_up() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[RetryAfter(30), Confirmed("R-1")])
    one_pass(world, adapter, now=NOON)
    assert state(public_id) == "awaiting_provider"
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=10)) == []
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=31)) == ["applied"]
    assert adapter.asked == []


def test_a_dead_workers_task_is_looked_up_by_the_next() -> None:
    world = make_world()
    public_id = world.submit()
    assert len(claim_all(world, now=NOON, worker="dies")) == 1
    adapter = FakeAdapter(found=[remote(public_id, "confirmed")])
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=20)) == []
    assert one_pass(world, adapter, now=NOON + timedelta(seconds=31)) == ["applied"]
    assert (state(public_id), adapter.sent) == ("confirmed", [])


def test_a_fenced_claim_settles_nothing() -> None:
    world = make_world()
    public_id = world.submit()
    (slow,) = claim_all(world, now=NOON, worker="slow")
    one_pass(world, FakeAdapter(found=[remote(public_id, "confirmed")]), now=NOON + timedelta(seconds=31))
    assert settle_answer(slow, Refused("sold_out"), now=LATER).what == "stale"
    assert state(public_id) == "confirmed"


def test_an_unsent_booking_is_cancelled_at_once_and_never_sent() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    cancel(world.principal, public_id, now=SOON)
    assert state(public_id) == "cancelled"
    assert unit(world) == (1, 0, 0)
    assert claim_all(world, now=LATER) == []


def test_a_confirmed_booking_stands_until_the_provider_has_cancelled() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    cancel(world.principal, public_id, now=SOON)
    assert (state(public_id), unit(world)) == ("confirmed", (0, 1, 0))
    assert view(world.principal, public_id, now=SOON).change == "cancel"
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-1"
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    assert tasks(public_id) == [("reserve", "done"), ("cancel", "done")]
    assert view(world.principal, public_id, now=LATER).change is None, "nothing is asked for any more"


def test_a_refused_cancel_leaves_the_booking_and_says_so() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=LATER)
    seen = view(world.principal, public_id, now=LATER)
    assert (seen.state, seen.change, seen.change_refused) == ("confirmed", None, "too_late")
    asked, refused = seen.timeline[-2:]
    assert (asked.state, asked.cause) == ("cancel_asked", "customer_asked"), "her own cause stays beside the provider's"
    assert (refused.state, refused.cause) == ("cancel_refused", "too_late")
    with reading() as session:
        assert session.scalars(select(Notification.kind).order_by(Notification.id)).all()[-1] == "cancel_refused"


def test_a_cancel_waits_behind_an_unknown_reserve() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)], found=[remote(public_id, "confirmed")])
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    assert adapter.sent == [], "the cancel has not overtaken the reserve"
    assert state(public_id) == "confirmed"
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))


def test_a_cancel_behind_a_reserve_that_never_arrived_needs_no_call() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    adapter = FakeAdapter(found=[NotThere()])
    one_pass(world, adapter, now=NOON + timedelta(seconds=90))
    assert (state(public_id), unit(world), adapter.sent) == ("cancelled", (1, 0, 0), [])
    assert {state for _, state in tasks(public_id)} == {"refused"}


def test_an_unknown_cancel_is_asked_about_and_sent_again() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 2)], found=[NotThere()])
    one_pass(world, adapter, now=LATER)
    assert state(public_id) == "confirmed"
    one_pass(world, adapter, now=LATER + timedelta(seconds=5))
    assert state(public_id) == "cancelled"
    assert adapter.sent[0].key == adapter.sent[1].key


def test_a_command_that_is_sent_again_is_silent_only_from_then_on() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    looked = LATER + timedelta(minutes=20)  # nobody was there to look, and to ask a person, any earlier
    assert one_pass(world, FakeAdapter(found=[remote(public_id, "confirmed", 1)]), now=looked) == ["resend"]
    assert len(claim_all(world, now=looked)) == 1
    assert raise_unknown(now=looked) == 0


def test_a_cancel_asked_again_after_the_provider_was_busy_leaves_nothing_asked_for() -> None:
    world = make_world()
    public_id = world.submit()
    [task] = claim_all(world, now=NOON)
    cancel(world.principal, public_id, now=SOON)
    settle_answer(task, RetryAfter(30), now=SOON)
    cancel(world.principal, public_id, now=SOON)
    seen = view(world.principal, public_id, now=SOON)
    assert (seen.state, seen.change, taken(world.slots[0])) == ("cancelled", None, 0)
    with reading() as session:
        assert session.scalars(select(ChangeRequest.state)).all() == ["done"]


def test_a_dead_workers_task_is_never_sent_blindly_even_when_the_look_up_is_put_off() -> None:
    world = make_world()
    public_id = world.submit()
    claim_all(world, now=NOON, worker="dies")
    adapter = FakeAdapter(found=[RetryAfter(5), remote(public_id, "confirmed")])
    one_pass(world, adapter, now=NOON + timedelta(seconds=31))
    assert state(public_id) == "outcome_unknown"
    one_pass(world, adapter, now=NOON + timedelta(seconds=37))
    assert (state(public_id), adapter.sent) == ("confirmed", [])


def test_a_worker_that_slept_past_its_lease_sends_nothing() -> None:
    world = make_world()
    world.submit()
    (claimed,) = claim_all(world, now=NOON)
    adapter = FakeAdapter()
    known = connection_to(world.provider)
    assert run_task(known, adapter, claimed, lambda: NOON + timedelta(minutes=5)).what == "stale"  # type: ignore[arg-type]
    assert adapter.sent == []


def test_the_answer_to_a_claim_that_another_worker_took_over_is_stale() -> None:
    world = make_world()
    public_id = world.submit()
    (slept,) = claim_all(world, now=NOON)
    later = slept.lease_until + timedelta(seconds=1)
    (awake,) = claim_all(world, now=later, worker="w2")
    assert settle_answer(slept, Refused("sold_out"), now=later).what == "stale"
    assert (booking_row(public_id).state, tasks(public_id)) == ("awaiting_provider", [("reserve", "in_flight")])
    assert settle_answer(awake, Confirmed("R-1", 1), now=later).what == "applied"
    assert booking_row(public_id).state == "confirmed"
