"""Those whom a provider's own system sends are no workers of its desk: neither desk nor clock asks them anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.escort.assign import NobodyAssigned, ask, replace
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.watch import replace_absent, replace_late
from booking.escort.matching.load import match
from booking.escort.models import EscortWorker
from booking.escort.workers.read import worker_of, workers_of
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from tests.booking.escort.outside.stage import Outside, assigned, make_outside, sent
from tests.people import NOON
from tests.world import EIGHT, set_provider
from vip.principal import Member

pytestmark = pytest.mark.usefixtures("db")

DESK = Actor("provider", "mem_1")


@pytest.fixture
def named(db: object) -> tuple[Outside, str]:
    """A booking to which somebody comes; the provider has gone back to its desk since, where the most could happen."""
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    set_provider(it.made.world.provider, adapter="desk")
    return it, booking


def her() -> str:
    """Public id of the only worker."""
    with reading() as session:
        return session.scalars(select(EscortWorker.public_id)).one()


def test_the_clock_takes_her_off_nothing(named: tuple[Outside, str]) -> None:
    _, booking = named
    for now in (NOON, EIGHT - timedelta(minutes=20), EIGHT + timedelta(minutes=1)):
        assert (dict(replace_absent(now=now)), dict(replace_late(now=now))) == ({}, {})
    assert sent(booking) == [("accepted", None)]


def test_she_is_found_for_no_booking(named: tuple[Outside, str]) -> None:
    it, _ = named
    other = it.book(1)
    with reading() as session:
        found = match(session, other, now=NOON)
    assert (found.fitting, found.in_city) == ([], 0)
    find_workers(now=NOON)
    assert sent(other) == []
    with pytest.raises(NotFound):
        ask(it.provider_id, other, her(), actor=DESK, now=NOON)


def test_the_desk_sees_no_worker_and_takes_nobody_off(named: tuple[Outside, str]) -> None:
    it, booking = named
    manager = Member(0, "mem_1", it.provider_id, 0, "Asia/Shanghai", "manager")
    assert list(workers_of(manager, now=NOON)) == []
    with pytest.raises(NotFound):
        worker_of(manager, her(), now=NOON)
    with pytest.raises(NobodyAssigned):
        replace(it.provider_id, booking, "desk", actor=DESK, now=NOON)


def test_her_time_is_her_providers_matter() -> None:
    """The database keeps two services of our own workers apart, and not hers."""
    it = make_outside()
    first, second = it.book(0), it.book(1)
    it.tell(assigned(first), now=NOON)
    it.tell(assigned(second), now=NOON)
    assert sent(first) == sent(second) == [("accepted", None)]
