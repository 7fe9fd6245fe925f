"""What was found to be over by the clock, and was moved on by somebody else before it was locked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from booking.changes import unanswered
from booking.changes.cancel import cancel
from booking.exchange.inbound import apply_remote
from booking.hold import expire
from booking.models import Booking
from marketplace.core.database.db import transaction
from marketplace.core.one_by_one import one_by_one
from providers.port import Accepted
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, remote

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

HOLD_OVER, ANSWER_DUE = NOON + timedelta(minutes=10), NOON + timedelta(hours=48)


def before_the_lock(monkeypatch: pytest.MonkeyPatch, module: Any, rival: Callable[[], object]) -> list[dict[str, int]]:
    """Let `rival` act between finding and locking; the outcomes of the run are put into the list."""
    outcomes: list[dict[str, int]] = []

    def found(what: str, rows: Iterable[int], work: Callable[[int], str], **more: Any) -> Any:
        rival()
        counts = one_by_one(what, rows, work, **more)
        outcomes.append(dict(counts))
        return counts

    monkeypatch.setattr(module, "one_by_one", found)
    return outcomes


def put_off(column: str) -> None:
    with transaction() as session:
        session.execute(update(Booking).values({column: ANSWER_DUE + timedelta(hours=1)}))


def asked() -> tuple[World, str]:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    return world, public_id


def test_a_hold_that_was_given_up_since_it_was_found_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(quantity=1)
    public_id = world.hold()
    outcomes = before_the_lock(monkeypatch, expire, lambda: cancel(world.principal, public_id, now=NOON))
    assert expire.expire_holds(now=HOLD_OVER) == 0
    assert outcomes == [{"moved_on": 1}] and booking_row(public_id).state == "cancelled"


def test_a_hold_that_was_prolonged_since_it_was_found_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    public_id = make_world(quantity=1).hold()
    outcomes = before_the_lock(monkeypatch, expire, lambda: put_off("hold_expires_at"))
    assert expire.expire_holds(now=HOLD_OVER) == 0
    assert outcomes == [{"moved_on": 1}] and booking_row(public_id).state == "held"


def test_a_request_that_was_answered_since_it_was_found_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    world, public_id = asked()

    def answer() -> None:
        with transaction() as session:
            apply_remote(session, world.provider.id, remote(public_id, "confirmed", 2), now=ANSWER_DUE)

    outcomes = before_the_lock(monkeypatch, unanswered, answer)
    assert unanswered.end_unanswered(now=ANSWER_DUE) == 0
    assert outcomes == [{"moved_on": 1}] and booking_row(public_id).state == "confirmed"


def test_a_request_whose_deadline_was_put_off_since_it_was_found_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _, public_id = asked()
    outcomes = before_the_lock(monkeypatch, unanswered, lambda: put_off("answer_due_at"))
    assert unanswered.end_unanswered(now=ANSWER_DUE) == 0
    assert outcomes == [{"moved_on": 1}] and booking_row(public_id).state == "awaiting_provider"
