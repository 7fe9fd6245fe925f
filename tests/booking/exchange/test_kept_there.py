"""A change that was given up while the provider keeps the new booking."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from booking.changes.unanswered import end_past_changes
from booking.changes.withdraw import withdraw
from booking.discrepancies import Discrepancy
from booking.models import ChangeRequest
from booking.notices.models import Notification
from booking.reconcile.repair import repair
from booking.views.customer import booking as view
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lanes
from marketplace.core.database.db import reading
from providers.port import Answer, Confirmed, Refused, Unknown
from providers.reported import RemoteBooking
from tests.booking.exchange.replacing import LATER, ask, at, changing, new_one, open_kinds, places, tell
from tests.people import make_insurer
from tests.world import EIGHT, FakeAdapter, World, booking_row, one_pass, set_provider, tasks
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def given_up_late(first: Answer) -> tuple[World, str]:
    """A change that was taken back and done at the provider all the same; it has answered the cancel of that."""
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    withdraw(world.principal, public_id, now=LATER)
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "confirmed", 5)]), now=LATER + timedelta(minutes=1))
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0]), "the provider still holds the new place"
    one_pass(world, FakeAdapter(answers=[first]), now=LATER + timedelta(minutes=1))
    return world, public_id


def notices(kind: str) -> list[dict[str, object]]:
    with reading() as session:
        return [row.facts for row in session.scalars(select(Notification).where(Notification.kind == kind))]


def test_the_place_of_a_change_that_was_taken_back_goes_back_when_the_provider_has_cancelled_it() -> None:
    world, public_id = given_up_late(Confirmed("R-2", 9))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])
    assert view(world.principal, public_id, now=LATER).can_change


def test_a_provider_that_keeps_what_was_taken_back_is_a_case_and_its_place_stays_taken_until_that_has_ended() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 1, 0], ["cancel_refused"])
    (told,) = notices("provider_differs")
    assert (told["says"], told["new_starts_at"]) == ("keeps_both", world.slots[1].starts_at.isoformat())
    tell(world, new_one(world, public_id, "cancelled", 10))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])
    assert len(notices("provider_differs")) == 1


@pytest.mark.parametrize("action", ["cancel_there", "note"])
def test_a_person_ends_what_the_provider_kept(action: str) -> None:
    world, public_id = given_up_late(Refused("too_late"))
    admin = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id).where(Discrepancy.closed_at.is_(None))).one()
    repair(admin, case, action, note="They cancelled it by hand.", now=LATER)
    if action == "cancel_there":
        assert places(world) == [1, 1, 0], "nothing is known yet"
        one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 9)]), now=LATER + timedelta(minutes=2))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])


def test_a_visit_on_the_old_date_does_not_give_back_what_the_provider_keeps() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    tell(world, RemoteBooking("R-1", public_id, "checked_in", 8), EIGHT)
    assert (booking_row(public_id).state, places(world)) == ("checked_in", [1, 1, 0])


def over(world: World, slot: int) -> datetime:
    end = world.slots[slot].ends_at
    assert end is not None
    return end


def last_change() -> ChangeRequest:
    with reading() as session:
        return session.scalars(select(ChangeRequest).order_by(ChangeRequest.id.desc()).limit(1)).one()


def test_what_the_provider_keeps_locks_nobody_out_once_its_date_is_over_and_its_case_stays() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    day_over = over(world, 1)
    assert end_past_changes(now=day_over - timedelta(seconds=1)) == 0 and places(world) == [1, 1, 0]
    assert end_past_changes(now=day_over) == 1
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], ["cancel_refused"])
    change, version = last_change(), booking_row(public_id).version
    assert (change.state, change.closed_at, booking_row(public_id).pending_period) == ("withdrawn", day_over, None)
    assert end_past_changes(now=day_over) == 0 and booking_row(public_id).version == version
    assert notices("change_refused") == [], "the customer took it back herself"
    ask(world, public_id, 2)
    assert places(world) == [1, 0, 1]


def test_the_worker_closes_what_was_given_up_when_its_date_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = given_up_late(Refused("too_late"))
    monkeypatch.setattr("marketplace.core.clock.now", lambda: over(world, 1))
    (past,) = [job for job in all_jobs(Lanes(), Event()) if job.name == "past-changes"]
    assert past.work() == {"ended": 1} and places(world) == [1, 0, 0]


def test_what_ends_at_the_provider_after_its_date_changes_nothing_of_a_later_change() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    end_past_changes(now=over(world, 1))
    ask(world, public_id, 2)
    tell(world, new_one(world, public_id, "cancelled", 10))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 1], [])
    assert last_change().state == "open"


def test_the_place_of_a_booking_that_was_served_on_the_old_date_goes_back_when_the_new_one_is_over() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    tell(world, RemoteBooking("R-1", public_id, "fulfilled", 8), EIGHT + timedelta(hours=1))
    assert (booking_row(public_id).state, places(world)) == ("fulfilled", [1, 1, 0])
    assert end_past_changes(now=over(world, 1)) == 1
    assert (booking_row(public_id).state, places(world), open_kinds()) == ("fulfilled", [1, 0, 0], ["cancel_refused"])


def test_a_cancel_there_without_an_answer_holds_the_customer_up_no_longer_than_its_date() -> None:
    world, public_id = given_up_late(Unknown("timed out"))
    assert end_past_changes(now=over(world, 1)) == 1
    assert (places(world), tasks(public_id)[-1]) == ([1, 0, 0], ("cancel", "unknown"))
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "cancelled", 9)]), now=over(world, 1))
    assert (places(world), tasks(public_id)[-1], open_kinds()) == ([1, 0, 0], ("cancel", "done"), [])


def test_a_change_whose_own_outcome_is_not_known_waits_for_that_whatever_its_date() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    withdraw(world.principal, public_id, now=LATER)
    assert end_past_changes(now=over(world, 1)) == 0 and places(world) == [1, 1, 0]


def test_where_the_provider_moves_its_one_booking_the_clock_ends_no_change() -> None:
    world, _ = given_up_late(Refused("too_late"))
    set_provider(world.provider, adapter="open_protocol")
    assert end_past_changes(now=over(world, 1)) == 0 and places(world) == [1, 1, 0]
