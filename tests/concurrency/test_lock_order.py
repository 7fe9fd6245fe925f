"""The order of locks: a booking before its commands, so that two who want both can't wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from booking.actors import Actor
from booking.changes.cancel import begin_cancel
from booking.exchange.settle import settle_answer
from booking.models import ProviderTask
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from tests.people import NOON
from tests.world import World, booking_row, claim_all, make_world, tasks

pytestmark = [pytest.mark.usefixtures("many_connections"), pytest.mark.every_postgres]

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
_FREE = select(ProviderTask.id).with_for_update(skip_locked=True)


def while_somebody_waits(public_id: str, work: Callable[[], object]) -> int:
    """How many commands are free while `work` waits for the booking, whose lock somebody holds."""
    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            # the row alone, as somebody who came first and has not looked at its commands yet
            session.execute(text("SELECT FROM booking WHERE id = :id FOR UPDATE"), {"id": booking_row(public_id).id})
            done = threads.submit(work)
            wait_until_blocked(done.done)
            with reading() as other:
                free = len(other.scalars(_FREE).all())
        done.result(timeout=30)
    return free


def wait_until_blocked(gone: Callable[[], bool]) -> None:
    with reading() as session:
        while not session.scalar(_WAITING):
            assert not gone(), "it did not wait for the booking"


def submitted() -> tuple[World, str]:
    world = make_world()
    return world, world.submit()


def test_who_waits_for_a_booking_holds_none_of_its_commands() -> None:
    _, public_id = submitted()

    def work() -> None:
        with transaction() as session:
            lock_booking(session, booking_row(public_id).id)

    assert while_somebody_waits(public_id, work) == 1


def test_an_answer_that_waits_for_its_booking_holds_not_even_its_own_command() -> None:
    world, public_id = submitted()
    (claimed,) = claim_all(world, now=NOON)
    free = while_somebody_waits(public_id, lambda: settle_answer(claimed, Confirmed("R-1", 1), now=NOON))
    assert free == 1 and tasks(public_id) == [("reserve", "done")]


def test_who_had_to_wait_sees_the_command_that_was_made_meanwhile() -> None:
    world, public_id = submitted()
    (claimed,) = claim_all(world, now=NOON)
    settle_answer(claimed, Confirmed("R-1", 1), now=NOON)

    def look() -> list[str]:
        with transaction() as session:
            return [task.command for task in lock_booking(session, booking_row(public_id).id)[1]]

    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            booking, found = lock_booking(session, booking_row(public_id).id)
            begin_cancel(session, booking, found, actor=Actor("operator"), cause="desk_mistake", now=NOON)
            seen = threads.submit(look)
            wait_until_blocked(seen.done)
        assert seen.result(timeout=30) == ["cancel"]
