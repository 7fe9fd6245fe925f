"""The threads of a worker: an endpoint that is dead or says nothing delays no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from booking.webhooks import events, send
from booking.webhooks.endpoints import Endpoint
from booking.webhooks.events import Event
from booking.webhooks.senders import EACH, Senders
from marketplace.core.database.db import reading, transaction
from tests.booking.webhooks.hooks import add, claim
from tests.booking.webhooks.receiver import Received, Receiver, Reply, listening
from tests.people import NOON
from tests.world import World

MANY = 1000


@pytest.fixture
def senders(db: object) -> Iterator[Senders]:
    """The threads of one worker."""
    made = Senders(lambda: NOON)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events as many as a test wants, of no booking."""
    monkeypatch.setattr(events, "event", lambda session, provider, id: Event(id, "booking.held", NOON, id, 1, {}))


def waiting(endpoint: Endpoint, many: int) -> None:
    """So many deliveries to the endpoint that are due, each of another booking."""
    with transaction() as session:
        session.execute(
            text(
                """
                INSERT INTO webhook_delivery
                       (public_id, endpoint_id, event_id, event_type, booking, version, occurred_at, run_after,
                        created_at)
                SELECT 'whd_' || e.id || '_' || n, e.id, 'evt_' || n, 'booking.held', 'bkg_' || n, 1, :now, :now, :now
                  FROM webhook_endpoint e, generate_series(1, :many) n WHERE e.public_id = :endpoint
                """
            ),
            {"now": NOON, "many": many, "endpoint": endpoint.id},
        )


def count(endpoint: Endpoint, state: str) -> int:
    with reading() as session:
        found = session.execute(
            text(
                "SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id"
                " WHERE e.public_id = :endpoint AND d.state = :state"
            ),
            {"endpoint": endpoint.id, "state": state},
        )
        return int(found.scalar_one())


def until(fact: Callable[[], bool], senders: Senders) -> None:
    end = time.monotonic() + 120
    while not fact():
        assert time.monotonic() < end, "it never came true"
        senders.round()
        time.sleep(0.05)


def test_a_thousand_deliveries_to_an_endpoint_that_says_nothing_delay_no_other(
    world: World, receiver: Receiver, senders: Senders
) -> None:
    """The silent one is ahead in the queue and holds each of its calls for ten seconds."""
    with listening() as silent:

        def say_nothing(_message: Received) -> Reply:
            silent.ended.wait(60)
            return Reply(500)

        silent.answer = say_nothing
        dead, well = add(world, silent.url), add(world, receiver.url)
        waiting(dead, MANY)
        waiting(well, 40)
        until(lambda: count(well, "done") == 40, senders)
        assert len({it.id for it in receiver.received}) == 40
        assert count(dead, "queued") == MANY
        silent.ended.set()


def test_an_endpoint_has_so_many_calls_at_a_time_and_while_it_fails_one(world: World, receiver: Receiver) -> None:
    endpoint = add(world, receiver.url)
    waiting(endpoint, 20)
    assert len(claim(each=EACH)) == EACH
    assert claim(each=EACH) == []
    with transaction() as session:
        session.execute(text("UPDATE webhook_delivery SET lease_until = NULL"))
        session.execute(text("UPDATE webhook_endpoint SET failing_since = :now"), {"now": NOON})
    assert claim(failing=False) == []
    assert len(claim(failing=True, each=1)) == 1
    assert claim(failing=True, each=1) == []


def test_what_breaks_while_it_is_sent_stays_claimed_and_the_thread_is_free_again(
    world: World, receiver: Receiver, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = add(world, receiver.url)
    waiting(endpoint, 1)
    broken: list[bool] = []

    def breaks(*_: object) -> None:
        broken.append(True)
        raise RuntimeError

    monkeypatch.setattr(send, "prepare", breaks)
    until(lambda: bool(broken), senders)
    assert claim() == []
    monkeypatch.undo()
    monkeypatch.setattr(events, "event", lambda session, provider, id: Event(id, "booking.held", NOON, id, 1, {}))
    [again] = claim(NOON + send.LEASE)
    assert send.send(again, lambda: NOON + send.LEASE, lambda: 0.0) == "done"
