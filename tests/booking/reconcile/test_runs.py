"""Comparisons as operators see them, where there is another insurer beside theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.discrepancies import Discrepancy, open_discrepancy
from booking.reconcile.queue import queue_run
from booking.reconcile.runs import RunView, runs
from marketplace.catalog.models import Insurer
from marketplace.core.database.db import transaction
from tests.people import NOON
from tests.world import World, booking_row
from vip.operators.operators import create_admin
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def run_of_lin(world: World) -> str:
    """A comparison that the world's insurer's administrator asked for, of one case alone; the case's id."""
    lin, booking = create_admin("lin", "a long password", "林默", now=NOON), booking_row(world.submit())
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "ours_only", booking.public_id, now=NOON, booking_id=booking.id)
        case = session.scalars(select(Discrepancy)).one()
        queue_run(session, world.provider.id, Actor("operator", lin), now=NOON, case_id=case.id)
        return case.public_id


def seen_by(insurer: int) -> RunView:
    [found] = runs(Principal("operator", 1, "opr_1", insurer, 1, "UTC", "admin"), cursor=None, limit=9).items
    return found


def test_who_asked_and_for_which_case_is_shown_to_her_own_insurer(world: World, run_of_lin: str) -> None:
    run = seen_by(world.customer.insurer_id)
    assert (run.by, run.by_other, run.case) == ("林默", False, run_of_lin)


def test_another_insurer_sees_that_there_was_one_and_neither_whose_name_nor_which_case(run_of_lin: str) -> None:
    with transaction() as session:
        other = Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other", time_zone="UTC")
        session.add(other)
        session.flush()
        insurer = other.id
    run = seen_by(insurer)
    assert (run.by, run.by_other, run.case) == ("", True, None)
