"""Where there are several insurers, whoever runs the installation settles what is nobody's, and no operator does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.discrepancies import Discrepancy
from booking.reconcile import cases
from booking.reconcile.repair import repair
from booking.reconcile.repair_actions import LONGEST_NOTE, NotThisRepair
from booking.reconcile.strays_by_command import cancel_stray_by_command, explain_stray_by_command
from marketplace.catalog.models import Insurer
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from providers.port import Refused
from tests.booking.reconcile.strays import LATER, audited, case, compare, with_a_stray, work
from tests.books import Books
from tests.world import World, booking_row, make_world
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def books(world: World) -> Books:
    return with_a_stray(world)


@pytest.fixture
def second_insurer(world: World) -> None:
    with transaction() as session:
        session.add(Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other", time_zone="UTC"))


@pytest.mark.parametrize("action", ["cancel_there", "note"])
def test_where_there_are_several_insurers_none_of_their_operators_settles_what_is_nobodys(
    books: Books, operator: Principal, second_insurer: None, action: str
) -> None:
    view = cases.case(operator, case().public_id, now=LATER)
    assert action not in view.actions and view.for_the_house
    with pytest.raises(NotThisRepair):
        repair(operator, case().public_id, action, note="Ours, surely.", now=LATER)
    assert case().closed_at is None


def test_whoever_runs_the_installation_has_it_cancelled(world: World, books: Books, second_insurer: None) -> None:
    assert cancel_stray_by_command(case().public_id, now=LATER)
    assert not cancel_stray_by_command(case().public_id, now=LATER), "it is on its way"
    assert audited("difference.repaired") == [("command", case().public_id)], "asking again does nothing"
    assert work(world, books) == {"cancelled": 1}
    assert audited("difference.repaired")[0] == audited("stray.cancelled")[0] == ("command", case().public_id)
    with pytest.raises(NotFound):
        cancel_stray_by_command(case().public_id, now=LATER)


def test_whoever_runs_the_installation_explains_what_the_provider_refuses_to_cancel(
    world: World, books: Books, second_insurer: None
) -> None:
    cancel_stray_by_command(case().public_id, now=LATER)
    books.answers = [Refused("too_late")]
    assert work(world, books) == {"refused": 1}
    for note in ("", "x" * (LONGEST_NOTE + 1)):
        with pytest.raises(Invalid):
            explain_stray_by_command(case().public_id, note, now=LATER)
    explain_stray_by_command(case().public_id, "A test of theirs.", now=LATER)
    found = case()
    assert (found.closed_at, found.resolution, found.note) == (LATER, "explained", "A test of theirs.")
    assert audited("difference.repaired") == [("command", found.public_id)] * 2
    compare(world, books, LATER + timedelta(minutes=5))
    assert case().id == found.id, "it is not raised again"
    with pytest.raises(NotFound):
        explain_stray_by_command(found.public_id, "Again.", now=LATER)


def test_a_case_about_a_booking_of_ours_is_not_explained_by_command(world: World, books: Books) -> None:
    ours = booking_row(world.submit()).id
    with transaction() as session:
        session.get_one(Discrepancy, case().id).booking_id = ours
    with pytest.raises(NotFound):
        explain_stray_by_command(case().public_id, "Somebody's.", now=LATER)
    assert case().closed_at is None
