"""A repair is made once, by who may, and only while it fits what is so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from booking.changes.cancel import cancel
from booking.discrepancies import open_discrepancy
from booking.reconcile.repair import repair
from booking.reconcile.repair_actions import CaseMovedOn, NotThisRepair
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from tests.booking.reconcile.differences import LATER, audited, case, cases, lost, one_place
from tests.books import Books
from tests.concurrency.controls import all_at_once
from tests.people import NOON, counters
from tests.world import World, history
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return one_place()


@pytest.fixture
def books() -> Books:
    return Books()


def test_two_operators_at_once_cancel_once(world: World, books: Books, operator: Principal) -> None:
    public_id, found = lost(world, books)
    results = all_at_once([lambda: repair(operator, found.public_id, "cancel_here", now=LATER)] * 4)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert history(public_id).count("cancelled") == 1 and audited() == ["cancel_here"]
    assert counters(world.entitlement.id)["available"] == 1


def test_a_case_that_moved_on_is_not_repaired_blindly(world: World, books: Books, operator: Principal) -> None:
    public_id, found = lost(world, books)
    cancel(world.principal, public_id, now=LATER)
    with pytest.raises(CaseMovedOn):
        repair(operator, found.public_id, "send_again", now=LATER)
    assert audited() == []


@pytest.mark.parametrize("action", ["send_again", "cancel_here", "take_their_time", "drop table", ""])
def test_what_does_not_fit_is_refused(world: World, operator: Principal, action: str) -> None:
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "R-9", now=NOON, facts={"status": "confirmed"})
    with pytest.raises(NotThisRepair):
        repair(operator, case().public_id, action, now=LATER)


def test_nobody_else_sees_or_repairs_a_case(world: World, books: Books, operator: Principal) -> None:
    _, found = lost(world, books)
    others: list[Callable[[], None]] = [
        lambda: repair(world.principal, found.public_id, "note", note="x", now=LATER),
        lambda: repair(
            Principal("operator", 2, "opr_2", operator.insurer_id + 1, 2, "UTC", "admin"),
            found.public_id, "note", note="x", now=LATER,
        ),
        lambda: repair(operator, "dsc_0", "note", note="x", now=LATER),
    ]  # fmt: skip
    for other in others:
        with pytest.raises(NotFound):
            other()
    assert len(cases()) == 1
