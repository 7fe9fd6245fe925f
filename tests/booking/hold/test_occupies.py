"""Who is where at what time: two of what occupies a person never, and what occupies nobody beside anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from booking.changes.reschedule import reschedule
from booking.models import Booking
from booking.refusals import AlreadyBooked
from marketplace.catalog import kinds
from marketplace.catalog.benefit_kind import Traits
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from tests.people import NOON, give
from tests.world import FakeAdapter, World, add_offer, booking_row, make_slot, make_world, one_pass

MODULE = """
from marketplace.catalog.benefit_kind import BenefitKind, Traits
from marketplace.core.text import Text

KIND = BenefitKind(
    code="{code}",
    name=Text("服务", "{code}"),
    traits=Traits(supply="slot", occupies_person={occupies}),
    package_schema={{"type": "object"}},
    details_schema={{"type": "object"}},
    check_eligible=lambda package, sex, birth_date, on_date: None,
)
"""
OCCUPIES = {"there": True, "anywhere": False}
"""Two invented kinds with times: one to which a person goes, and one that goes on wherever she is."""


@pytest.fixture
def toys(db: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for code, occupies in OCCUPIES.items():
        (tmp_path / f"{code}.py").write_text(MODULE.format(code=code, occupies=occupies))
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    kinds.kinds.cache_clear()
    yield
    kinds.kinds.cache_clear()
    for code in OCCUPIES:
        sys.modules.pop(f"{kinds.__name__}.{code}", None)


def also(world: World, kind: str) -> World:
    """The same person with an offer of another kind at the same times, and a benefit for it."""
    with transaction() as session:
        provider, offer, slots = add_offer(session, kind=kind)
    entitlement = give(world.customer, 5, kind=kind)
    return World(provider, offer, slots, world.customer, world.beneficiary, entitlement, world.principal)


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("first", OCCUPIES)
@pytest.mark.parametrize("second", OCCUPIES)
def test_at_one_time_only_two_that_both_occupy_her_are_refused(first: str, second: str) -> None:
    world = make_world(kind=first, quantity=5)
    before = world.hold(0)
    other = also(world, second)
    if OCCUPIES[first] and OCCUPIES[second]:
        with pytest.raises(AlreadyBooked) as refused:
            other.hold(0)
        assert refused.value.facts["booking"] == before
    else:
        assert other.hold(0) != before
    assert other.hold(1), "at another time there is no question"


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(("kind", "empty"), [("there", False), ("anywhere", True)])
def test_a_new_date_occupies_her_as_the_old_one_did(kind: str, empty: bool) -> None:
    world = make_world(kind=kind, quantity=5)
    booking = world.submit(0)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    asked = booking_row(booking)
    assert (asked.period.isempty, asked.pending_period is not None and asked.pending_period.isempty) == (empty, empty)
    assert one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON) == ["applied"]
    moved = booking_row(booking)
    assert (moved.starts_at, moved.period.isempty) == (world.slots[1].starts_at, empty)


@pytest.mark.usefixtures("toys")
def test_what_occupies_nobody_moves_to_a_time_at_which_she_is_elsewhere() -> None:
    world = make_world(kind="anywhere", quantity=5)
    booking = world.submit(0)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    also(world, "there").hold(1)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    assert booking_row(booking).pending_period is not None


@pytest.mark.usefixtures("db")
@pytest.mark.every_postgres
def test_the_constraint_refuses_two_visits_at_once_and_takes_what_is_empty_for_no_time() -> None:
    world = make_world(quantity=5, slots=1)
    with transaction() as session:
        later = make_slot(world.offer.pool_id, world.slots[0].starts_at + timedelta(hours=5), 5)  # type: ignore[operator]
        session.add(later)
    world.slots.append(later)
    world.hold(0)
    second = world.hold(1)
    with reading() as session:
        taken = session.scalars(select(Booking.period).order_by(Booking.id)).first()
    with pytest.raises(DBAPIError, match="ex_booking_one_place_at_a_time"), transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == second).values(period=taken))
    with transaction() as session:
        session.execute(update(Booking).values(period="empty"))


def test_what_is_immediate_has_no_time_in_which_it_could_occupy_anybody() -> None:
    with pytest.raises(ValueError, match="occupies nobody"):
        Traits(supply="immediate")
    assert not Traits(supply="immediate", occupies_person=False).has_times
    assert Traits(supply="slot").has_times and Traits(supply="window").has_times
