"""What a provider's answers, silences and messages make of a booking."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import CancelTooLate, NotCancellable, cancel
from booking.changes.unanswered import end_unanswered
from booking.exchange.escalate import raise_unknown
from booking.exchange.follow import follow_state
from booking.exchange.inbound import apply_remote
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.send import run_task
from booking.exchange.settle import settle_answer
from booking.hold.expire import expire_holds
from booking.hold.submit import HoldExpired, NotHeld, submit
from booking.models import ChangeRequest, Discrepancy, ProviderBooking, Slot
from booking.notices.models import Notification
from booking.sync.webhooks import forget_events, receive_event
from booking.transition import lock_booking
from booking.views.customer import When, bookings
from booking.views.customer import booking as view
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Accepted, Confirmed, Refused, RetryAfter, Unknown
from providers.port import NotFound as NotThere
from providers.reported import Event, RemoteBooking
from tests.people import NOON, counters
from tests.world import (
    DAY,
    EIGHT,
    FakeAdapter,
    World,
    booking_row,
    breaker_row,
    claim_all,
    connection_to,
    history,
    join,
    make_world,
    one_pass,
    remote,
    set_breaker,
    set_provider,
    taken,
    tasks,
)
from vip.models import Entitlement

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def unit(world: World) -> tuple[int | None, int | None, int | None]:
    found = counters(world.entitlement.id)
    return found["available"], found["reserved"], found["used"]


def tell(world: World, told: RemoteBooking, now: datetime = LATER) -> str:
    with transaction() as session:
        return apply_remote(session, world.provider.id, told, now=now).what


def roles(public_id: str) -> dict[str, str]:
    with reading() as session:
        rows = session.scalars(select(ProviderBooking).where(ProviderBooking.booking_id == booking_row(public_id).id))
        return {row.reference: row.role for row in rows}


def open_cases() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


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


def test_a_late_yes_to_an_ended_booking_starts_a_compensating_cancel() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "cancelled", 2)) == "applied"
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    tell(world, remote(public_id, "confirmed", 3, "R-2"))
    assert state(public_id) == "cancelled"
    assert roles(public_id) == {"R-1": "current", "R-2": "stray"}
    adapter = FakeAdapter(answers=[Confirmed("R-2", 4)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-2"
    assert unit(world) == (1, 0, 0)


def test_a_second_booking_for_the_same_is_cancelled_and_the_first_stays() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "confirmed", 1, "R-2")) == "stray"
    adapter = FakeAdapter(answers=[Confirmed("R-2", 2)])
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[0].reference, state(public_id)) == ("R-2", "confirmed")


def test_an_older_version_never_overwrites_a_newer() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "fulfilled", 5), EIGHT) == "applied"
    assert tell(world, remote(public_id, "cancelled", 4), EIGHT) == "unchanged"
    assert state(public_id) == "fulfilled"


def test_a_message_may_arrive_before_the_answer() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    (claimed,) = claim_all(world, now=NOON)
    assert tell(world, remote(public_id, "fulfilled", 3), EIGHT) == "applied"
    assert history(public_id) == ["held", "awaiting_provider", "confirmed", "fulfilled"]
    assert settle_answer(claimed, Confirmed("R-1", 1), now=LATER).what == "stale"
    assert unit(world) == (0, 0, 1)


def test_a_message_that_nothing_is_decided_yet_leaves_the_reserve_to_be_looked_up() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    assert tell(world, remote(public_id, "requested")) == "applied"
    assert (state(public_id), tasks(public_id)) == ("outcome_unknown", [("reserve", "unknown")])


@pytest.mark.parametrize("status", ["rejected", "cancelled"])
def test_a_no_by_message_to_what_waits_for_its_provider_confirms_nothing_first(status: str) -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    tell(world, remote(public_id, status, 2))
    assert history(public_id) == ["held", "awaiting_provider", status]


def test_a_providers_cancel_gives_the_unit_back() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    tell(world, remote(public_id, "cancelled", 2, reason="closed"))
    assert (state(public_id), booking_row(public_id).cause, unit(world)) == ("cancelled", "closed", (1, 0, 0))


def test_a_booking_we_do_not_know_is_a_difference() -> None:
    world = make_world()
    assert tell(world, remote("bkg_00000000000000000000", "confirmed")) == "unmatched"
    assert open_cases() == ["theirs_only"]


def test_the_same_webhook_twice_has_one_effect() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    event = Event("evt-1", "booking.confirmed", NOON, remote(public_id, "confirmed", 2))
    assert receive_event(world.provider.id, event, now=SOON) == "applied"
    assert receive_event(world.provider.id, event, now=SOON) == "duplicate"
    assert history(public_id).count("confirmed") == 1
    assert forget_events(now=SOON + timedelta(days=89)) == 0
    assert forget_events(now=SOON + timedelta(days=91)) == 1


def test_allotment_places_are_firm_at_once_and_cancel_at_once() -> None:
    world = make_world(quantity=1, allotment=True)
    public_id = world.submit()
    assert state(public_id) == "confirmed"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-1"


def test_an_allotment_the_provider_refuses_is_a_difference_not_a_lost_booking() -> None:
    world = make_world(allotment=True)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=NOON)
    assert state(public_id) == "confirmed"
    assert open_cases() == ["allotment_refused"]


def test_a_paused_provider_gets_nothing_new_but_is_still_asked() -> None:
    world = make_world()
    asked, waiting = world.submit(0), None
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    waiting = world.submit(1, now=SOON)
    set_provider(world.provider, paused_at=SOON)
    adapter = FakeAdapter(found=[remote(asked, "confirmed")])
    one_pass(world, adapter, now=LATER)
    assert (state(asked), state(waiting), adapter.sent) == ("confirmed", "awaiting_provider", [])


@pytest.mark.parametrize("failure", [Unknown("timed out"), RetryAfter(5, reached=False)])
def test_five_failures_in_a_row_open_the_breaker_for_a_while(failure: Unknown | RetryAfter) -> None:
    world = make_world(slots=6, quantity=6)
    for slot in range(6):
        world.submit(slot)
    one_pass(world, FakeAdapter(answers=[failure] * 6), now=NOON)
    assert claim_all(world, now=NOON + timedelta(seconds=10)) == []
    assert len(claim_all(world, now=NOON + timedelta(seconds=16))) == 1


@pytest.mark.parametrize("answer", [Confirmed("R-1"), Refused("closed"), RetryAfter(5)])
def test_any_answer_of_the_provider_closes_the_breaker(answer: Confirmed | Refused | RetryAfter) -> None:
    world = make_world()
    world.submit()
    set_breaker(world.provider, failures=7, open_until=NOON)
    one_pass(world, FakeAdapter(answers=[answer]), now=NOON)
    assert breaker_row(world.provider) == (0, None, None)


def test_a_hold_ends_with_the_clock_and_cannot_be_confirmed_after() -> None:
    world = make_world(quantity=1)
    public_id = world.hold()
    with pytest.raises(HoldExpired):
        submit(world.principal, public_id, now=NOON + timedelta(minutes=10))
    assert expire_holds(now=NOON + timedelta(minutes=9)) == 0
    assert expire_holds(now=NOON + timedelta(minutes=10)) == 1
    assert (state(public_id), unit(world), taken(world.slots[0])) == ("expired", (1, 0, 0), 0)
    with pytest.raises(HoldExpired):
        submit(world.principal, public_id, now=NOON)


def test_confirming_twice_sends_once_and_a_cancelled_one_cannot_be_confirmed() -> None:
    world = make_world()
    public_id = world.submit()
    submit(world.principal, public_id, now=SOON)
    assert tasks(public_id) == [("reserve", "queued")]
    cancel(world.principal, public_id, now=SOON)
    with pytest.raises(NotHeld):
        submit(world.principal, public_id, now=SOON)


def test_a_stranger_finds_no_booking() -> None:
    world = make_world()
    public_id = world.hold()
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    for attempt in (submit, cancel, view):
        with pytest.raises(NotFound):
            attempt(other.principal, public_id, now=NOON)  # type: ignore[operator]
    assert state(public_id) == "held"


def test_the_window_for_cancelling_closes() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    starts = world.slots[0].starts_at
    assert starts is not None
    with pytest.raises(CancelTooLate):
        cancel(world.principal, public_id, now=starts - timedelta(hours=24))
    tell(world, remote(public_id, "checked_in", 2), EIGHT)
    with pytest.raises(NotCancellable):
        cancel(world.principal, public_id, now=NOON)


def test_a_request_nobody_answers_ends_at_its_deadline_when_the_provider_agrees() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert end_unanswered(now=NOON + timedelta(hours=47)) == 0
    deadline = NOON + timedelta(hours=48)
    assert end_unanswered(now=deadline) == 1
    assert state(public_id) == "awaiting_provider"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=deadline)
    assert (state(public_id), booking_row(public_id).cause, unit(world)) == (
        "cancelled",
        "not_answered_in_time",
        (1, 0, 0),
    )


@pytest.mark.parametrize("heard", [True, False], ids=["asked, and it never decided", "no worker ever asked"])
def test_what_the_clock_cancels_after_validity_is_the_providers_fault_and_gets_the_grace(heard: bool) -> None:
    world = make_world(quantity=1)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=DAY, grace_days=30))
    public_id = world.submit()
    if heard:
        one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    after = NOON + timedelta(days=10)  # two days after the entitlement's last day
    assert end_unanswered(now=after) == 1
    if heard:
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=after)
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    with reading() as session:
        assert session.get_one(Entitlement, world.entitlement.id).valid_until == date(2026, 4, 11)
        line = session.scalars(select(AuditLine).where(AuditLine.action == "entitlement.lengthened")).one()
    assert line.facts == {"by": "provider", "before": "2026-03-10", "after": "2026-04-11"}


def test_an_outcome_unknown_for_ten_minutes_becomes_a_case_once() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "confirmed")])
    one_pass(world, adapter, now=NOON)
    assert raise_unknown(now=NOON + timedelta(minutes=9)) == 0
    raise_unknown(now=NOON + timedelta(minutes=10))
    raise_unknown(now=NOON + timedelta(minutes=11))
    assert open_cases() == ["outcome_unknown"]
    one_pass(world, adapter, now=NOON + timedelta(minutes=12))
    assert open_cases() == []


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


def test_a_provider_cannot_confirm_what_it_was_never_asked() -> None:
    world = make_world()
    public_id = world.hold()
    assert tell(world, remote(public_id, "confirmed")) == "unmatched"
    assert (state(public_id), open_cases()) == ("held", ["theirs_only"])


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_what_is_over_there_and_was_never_asked_is_no_difference(status: str) -> None:
    world = make_world()
    public_id = world.hold()
    assert tell(world, remote(public_id, status)) == "unmatched"
    assert (state(public_id), open_cases()) == ("held", [])


def test_a_provider_that_has_not_decided_yet_moves_no_booking_and_makes_no_difference() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    undecided = remote(public_id, "requested", 2)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        follow_state(session, booking, ProviderBookings(session, booking), undecided, LATER)
    assert (state(public_id), open_cases()) == ("confirmed", [])


def test_an_older_answer_does_not_bring_an_older_status_back() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        theirs = ProviderBookings(session, booking)
        told = [("cancelled", 3), ("confirmed", 2), ("rejected", 3)]
        kept = [theirs.record(remote(public_id, status, version), LATER) for status, version in told[:2]]
        assert [(row.status, row.version) for row in kept] == [("cancelled", 3)] * 2
        same = theirs.record(remote(public_id, *told[2]), LATER)
        assert (same.status, same.version) == ("rejected", 3)


def test_a_reference_that_the_provider_reuses_moves_nobody_elses_booking() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote("bkg_00000000000000000000", "cancelled", 9)) == "unmatched"
    assert state(public_id) == "confirmed"


def test_a_look_up_that_finds_the_service_given_moves_the_booking_there() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "fulfilled", 4)])
    one_pass(world, adapter, now=NOON)
    assert one_pass(world, adapter, now=EIGHT) == ["applied"]
    assert history(public_id)[-2:] == ["confirmed", "fulfilled"]
    assert unit(world) == (0, 0, 1)


@pytest.mark.parametrize("status", ["rejected", "cancelled", "requested", "checked_in"])
def test_whatever_a_look_up_finds_ends_the_case(status: str) -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, status)])
    one_pass(world, adapter, now=NOON)
    assert raise_unknown(now=NOON + timedelta(minutes=10)) == 1
    one_pass(world, adapter, now=EIGHT)
    assert open_cases() == []


def test_a_cancel_that_was_unknown_leaves_no_case_when_it_is_done() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "cancelled", 2)])
    one_pass(world, adapter, now=LATER)
    raise_unknown(now=LATER + timedelta(minutes=10))
    assert open_cases() == ["outcome_unknown"]
    one_pass(world, adapter, now=LATER + timedelta(minutes=11))
    assert (state(public_id), open_cases()) == ("cancelled", [])


def test_the_oldest_cases_do_not_hide_a_new_one() -> None:
    world = make_world(slots=3, quantity=3)
    for slot in range(3):
        world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")] * 3), now=NOON)
    assert [raise_unknown(now=LATER + timedelta(minutes=10), limit=2) for _ in range(3)] == [2, 1, 0]
    assert open_cases() == ["outcome_unknown"] * 3


@pytest.mark.parametrize(("quantity", "again"), [(1, 1), (2, 0)], ids=["the unit is spent", "the person is elsewhere"])
def test_a_dispute_that_our_books_cannot_take_is_a_difference_and_stops_no_feed(quantity: int, again: int) -> None:
    world = make_world(quantity=quantity)
    with transaction() as session:
        session.execute(update(Entitlement).values(no_show_uses=False))
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "no_show", 2), EIGHT) == "applied"
    other = world.submit(again, now=LATER)
    assert tell(world, remote(public_id, "checked_in", 3), EIGHT) == "applied"
    assert (state(public_id), state(other)) == ("no_show", "awaiting_provider")
    assert open_cases() == ["state_differs"]
    assert unit(world) == (quantity - 1, 1, 0)


def test_a_request_for_a_whole_day_is_answered_before_that_day_begins_at_the_site() -> None:
    world = make_world()
    midnight = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)  # of 10 March in Shanghai
    with transaction() as session:
        session.execute(update(Slot).values(starts_at=None, ends_at=None))
    public_id = world.submit(now=midnight - timedelta(hours=20))
    assert booking_row(public_id).answer_due_at == midnight - timedelta(hours=1)
    assert view(world.principal, public_id, now=NOON).cancel_until == midnight - timedelta(hours=24)


def test_a_provider_that_takes_its_time_has_it_until_an_hour_before_the_visit() -> None:
    world = make_world()
    public_id = world.submit()
    begins = booking_row(public_id).starts_at
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1, answer_by=begins + timedelta(days=2))]), now=NOON)
    assert booking_row(public_id).answer_due_at == begins - timedelta(hours=1)


@pytest.mark.parametrize(("hour", "when"), [(15, "upcoming"), (16, "past")])
def test_a_booking_is_past_when_its_day_is_over_at_the_site(hour: int, when: When) -> None:
    world = make_world()
    public_id = world.submit()
    now = datetime(2026, 3, 10, hour, 0, tzinfo=UTC)  # 23:00, and midnight in Shanghai
    assert [card.id for card in bookings(world.principal, cursor=None, limit=10, now=now, when=when).items] == [
        public_id
    ]


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
