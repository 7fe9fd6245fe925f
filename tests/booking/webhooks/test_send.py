"""Deliveries on their way: signed, in order, tried again by the schedule, and given up."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from booking.webhooks import endpoints, schedule, send
from booking.webhooks.make import make_deliveries
from marketplace.core.database.db import transaction
from marketplace.core.sending import outside
from tests.booking.webhooks.hooks import BY, add, booked, claim, confirmed, real_now, rows, send_all, send_due
from tests.booking.webhooks.receiver import Received, Receiver, Reply
from tests.people import NOON
from tests.world import World, make_world

DAY = timedelta(days=1)


def test_each_event_arrives_once_and_the_receivers_library_verifies_it(world: World, receiver: Receiver) -> None:
    endpoint = add(world, receiver.url)
    booking = confirmed(world)
    make_deliveries(now=NOON)
    assert send_all(real_now()) == ["done", "done"]
    assert send_all(real_now()) == []
    assert endpoint.secret is not None
    contents = [Webhook(endpoint.secret).verify(it.body, it.headers) for it in receiver.received]
    assert [it["data"]["booking"]["version"] for it in contents] == [2, 3]
    assert {it["data"]["booking"]["id"] for it in contents} == {booking}
    assert [it["type"] for it in contents] == ["booking.requested", "booking.confirmed"]
    assert len({it.id for it in receiver.received}) == 2
    assert [row.body_hash for row in rows()] == [hashlib.sha256(it.body).digest() for it in receiver.received]


def test_a_message_is_signed_with_both_secrets_until_one_ends(world: World, receiver: Receiver) -> None:
    first = add(world, receiver.url)
    second = endpoints.add_secret(world.provider.id, first.id, by=BY, now=NOON)
    assert first.secret is not None and second.secret is not None
    confirmed(world)
    make_deliveries(now=NOON)
    send_due(real_now())
    for secret in (first.secret, second.secret):
        assert Webhook(secret).verify(receiver.received[-1].body, receiver.received[-1].headers)
    endpoints.end_secret(world.provider.id, first.id, first.secrets[0].id, by=BY, now=NOON)
    send_due(real_now())
    last = receiver.received[-1]
    assert Webhook(second.secret).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first.secret).verify(last.body, last.headers)


def test_only_events_of_the_chosen_types_and_of_the_own_bookings_are_delivered(
    world: World, receiver: Receiver
) -> None:
    add(world, receiver.url, "booking.requested")
    other = make_world(phone="13800000077")
    other.submit()
    world.submit()
    make_deliveries(now=NOON)
    make_deliveries(now=NOON)
    send_all()
    assert [it.content["type"] for it in receiver.received] == ["booking.requested"]


def test_what_happened_before_the_endpoint_was_added_is_not_delivered(world: World, receiver: Receiver) -> None:
    world.submit()
    add(world, receiver.url)
    make_deliveries(now=NOON)
    assert rows() == []


def test_a_later_version_waits_until_the_earlier_one_has_arrived(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    receiver.says(500)
    assert send_due() == ["again"]
    receiver.says(200)
    assert send_due() == []
    assert send_all(NOON + timedelta(seconds=5)) == ["done", "done"]
    assert [it.content["data"]["booking"]["version"] for it in receiver.received] == [2, 2, 3]


def test_another_booking_does_not_wait_for_it(world: World, receiver: Receiver) -> None:
    endpoint = booked(world, receiver.url, 0)
    other = confirmed(world, 1)
    make_deliveries(now=NOON)
    receiver.answer = lambda it: Reply(200 if it.content["data"]["booking"]["id"] == other else 500)
    assert sorted(send_due()) == ["again", "done"]
    assert sorted(send_due()) == ["done"]
    assert endpoint.state == "active"


def test_the_schedule_goes_over_three_days_and_its_chance_is_stored(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    receiver.says(503)
    now, moments = NOON, []
    while rows()[0].state == "queued":
        assert send_due(now, chance=0.5) == [rows()[0].state if rows()[0].state == "failed" else "again"]
        moments.append(now)
        if rows()[0].state == "queued":
            now = rows()[0].run_after
            assert send_due(now - timedelta(seconds=1)) == []
    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert waits == [wait * 1.05 for wait in schedule.WAITS]
    assert 3 * DAY <= moments[-1] - moments[0] <= 4 * DAY
    assert {it.id for it in receiver.received} == {rows()[0].event_id}
    receiver.says(200)
    assert send_due(now) == ["done"], "the later version goes out once the earlier one is given up"


def test_a_wait_is_longer_by_chance_by_a_tenth_at_most() -> None:
    for failures, wait in enumerate(schedule.WAITS, 1):
        for chance in (0.0, 1.0):
            again = schedule.next_try(failures, now=NOON, chance=chance)
            assert again == NOON + wait * (1 + 0.1 * chance)
    assert schedule.next_try(len(schedule.WAITS) + 1, now=NOON, chance=0.0) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("600", 600), ("Mon, 02 Mar 2026 05:00:00 GMT", 3600), ("864000", 86400), ("1", 5), ("soon", 5)],
)
def test_retry_after_is_obeyed_for_the_whole_endpoint_up_to_a_day(
    world: World, receiver: Receiver, value: str, seconds: int
) -> None:
    booked(world, receiver.url, 0)
    world.submit(1)
    receiver.says(429, ("Retry-After", value))
    make_deliveries(now=NOON)
    tried = claim()[0]
    assert send.send(tried, lambda: NOON, lambda: 0.0) == "again"
    with transaction() as session:
        session.execute(text("UPDATE webhook_delivery SET lease_until = NULL"))
    assert {row.id: row.run_after for row in rows()}[tried.id] == NOON + timedelta(seconds=seconds)
    receiver.says(200)
    if seconds > 5:
        assert claim(NOON + timedelta(seconds=seconds - 1)) == []
    assert len(claim(NOON + timedelta(seconds=seconds))) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_everything_but_2xx_is_a_failure_and_a_redirect_is_not_followed(
    world: World, receiver: Receiver, status: int
) -> None:
    booked(world, receiver.url)
    receiver.says(status, ("Location", receiver.url + "/elsewhere"))
    assert send_due() == ["again"]
    assert [it.path for it in receiver.received] == ["/hook"]
    assert (rows()[0].status, rows()[0].failures) == (status, 1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_an_arrival(world: World, receiver: Receiver, status: int) -> None:
    booked(world, receiver.url)
    receiver.says(status)
    assert send_due() == ["done"]


def test_a_receiver_that_is_gone_ends_the_subscription(world: World, receiver: Receiver) -> None:
    endpoint = booked(world, receiver.url)
    receiver.says(410)
    assert send_due() == ["failed"]
    shown = endpoints.one(world.provider.id, endpoint.id)
    assert (shown.state, shown.reason) == ("ended", "gone")
    assert claim(NOON + DAY) == []
    with pytest.raises(endpoints.EndpointEnded):
        endpoints.change(world.provider.id, endpoint.id, receiver.url, ["booking.requested"], "active", by=BY, now=NOON)


def test_an_endpoint_that_fails_for_five_days_is_paused_and_said_to_be(
    world: World, receiver: Receiver, db: Engine
) -> None:
    endpoint = booked(world, receiver.url)
    receiver.says(500)
    send_due()
    assert endpoints.one(world.provider.id, endpoint.id).failing_since == NOON
    send_due(NOON + 5 * DAY - timedelta(seconds=1))
    assert endpoints.one(world.provider.id, endpoint.id).state == "active"
    send_due(NOON + 6 * DAY)
    shown = endpoints.one(world.provider.id, endpoint.id)
    assert (shown.state, shown.reason, shown.state_since) == ("paused", "failing", NOON + 6 * DAY)
    assert claim(NOON + 9 * DAY) == []
    with db.connect() as connection:
        said = connection.execute(
            text("SELECT facts->>'reason' FROM audit_line WHERE action = 'webhook_endpoint.stopped'")
        )
        assert said.scalars().all() == ["failing"]


def test_one_success_ends_the_failing(world: World, receiver: Receiver) -> None:
    endpoint = booked(world, receiver.url)
    receiver.says(500)
    send_due()
    receiver.says(200)
    send_due(NOON + timedelta(seconds=5))
    assert endpoints.one(world.provider.id, endpoint.id).failing_since is None


def test_a_paused_endpoint_gets_what_happened_meanwhile_when_it_goes_on(world: World, receiver: Receiver) -> None:
    endpoint = add(world, receiver.url, "booking.requested")
    change = (world.provider.id, endpoint.id, receiver.url, ["booking.requested"])
    endpoints.change(*change, "paused", by=BY, now=NOON)
    world.submit()
    make_deliveries(now=NOON)
    assert (rows(), send_due()) == ([], [])
    endpoints.change(*change, "active", by=BY, now=NOON)
    make_deliveries(now=NOON)
    assert send_all() == ["done"]


def test_a_sender_that_dies_leaves_its_delivery_to_the_next_under_the_same_id(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    [lost] = claim()
    assert claim(NOON + send.LEASE - timedelta(seconds=1)) == []
    later = NOON + send.LEASE
    [again] = claim(later)
    assert (again.id, again.tries) == (lost.id, lost.tries + 1)
    assert send.send(again, lambda: later, lambda: 0.0) == "done"


def test_a_claim_that_was_overtaken_records_nothing(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    [slow] = claim()
    receiver.says(500)

    def meanwhile(_message: Received) -> Reply:
        later = NOON + send.LEASE
        [faster] = claim(later)
        receiver.says(200)
        assert send.send(faster, lambda: later, lambda: 0.0) == "done"
        return Reply(500)

    receiver.answer = meanwhile
    assert send.send(slow, lambda: NOON, lambda: 0.0) == "overtaken"
    assert (rows()[0].state, rows()[0].failures) == ("done", 0)


def test_a_claim_whose_lease_would_end_during_the_call_is_not_sent(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    [slept] = claim()
    late = slept.lease_until - timedelta(seconds=9)
    assert send.send(slept, lambda: late, lambda: 0.0) == "overtaken"
    assert receiver.received == []


def test_the_beginning_of_the_answer_is_stored_and_nothing_of_it_breaks_us(world: World, receiver: Receiver) -> None:
    booked(world, receiver.url)
    receiver.says(500, body=b"\x00\xff" * 100_000)
    assert send_due() == ["again"]
    assert 0 < len(rows()[0].answer.encode()) <= 8192
    assert len(rows()[0].answer) == send.EXCERPT
    assert rows()[0].milliseconds is not None


def test_a_receiver_that_says_nothing_is_left_when_the_time_is_over(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(world, receiver.url)
    monkeypatch.setattr(send, "DEADLINE_SECONDS", 0.3)

    def silent(_message: Received) -> Reply:
        receiver.ended.wait(60)
        return Reply()

    receiver.answer = silent
    assert send_due() == ["again"]
    assert (rows()[0].status, rows()[0].error) == (None, "the deadline passed")


def test_an_address_that_became_ours_is_not_called(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(world, receiver.url.replace("127.0.0.1", "hooks.localhost"))
    monkeypatch.setattr(outside, "look_up", lambda host, port: ["10.0.0.1"])
    assert send_due() == ["again"]
    assert rows()[0].error == "the address is not public"
    with transaction() as session:
        session.execute(text("UPDATE webhook_endpoint SET url = 'https://10.0.0.1/'"))
    assert send_due(NOON + DAY) == ["again"]
    assert (rows()[0].error, receiver.received) == ("BadUrl", [])


def test_no_transaction_is_open_while_a_message_is_sent(world: World, receiver: Receiver, db: Engine) -> None:
    booked(world, receiver.url)
    seen: list[int] = []

    def look(_message: Received) -> Reply:
        with db.connect() as connection:
            open_ones = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            idle = connection.execute(
                text(f"{open_ones} AND state = 'idle in transaction' AND pid <> pg_backend_pid()")
            )
            seen.append(idle.scalar_one())
        return Reply()

    receiver.answer = look
    assert (send_due(), seen) == (["done"], [0])
