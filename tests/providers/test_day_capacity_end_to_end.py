"""A provider that gives out places per day and our worker, both as processes: what neither tells, is polled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import SYSTEM
from booking.calls.connections import connection_of
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.models import Slot
from booking.reconcile.run import run_now
from booking.refusals import AlreadyBooked
from booking.reports.box import reports
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.database.db import reading
from tests.conftest import TestDatabase
from tests.sandboxes import eventually, start_day_sandbox
from tests.stage import Stage, let_its_day_come, set_stage
from tests.world import booking_row, history, tasks


@pytest.fixture
def stage(processes_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The provider with its days pulled, and a worker."""
    provider: dict[str, Any] = {"adapter": "day_capacity", "settings": {"app_key": "prompt"}}
    provider |= {"deadline_seconds": 1, "settle_window_seconds": 1}
    with set_stage(processes_database, tmp_path, monkeypatch, start=start_day_sandbox, **provider) as made:
        made.worker()
        yield made


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def days(stage: Stage) -> list[str]:
    with reading() as session:
        return list(
            session.scalars(
                select(Slot.public_id).where(Slot.pool_id == stage.offer.pool_id).order_by(Slot.service_date)
            )
        )[3:]


def day_of(slot: str) -> date:
    with reading() as session:
        return session.scalars(select(Slot.service_date).where(Slot.public_id == slot)).one()


def live(stage: Stage, public_id: str) -> list[dict[str, Any]]:
    """What lives at the provider for the booking, under whichever number of ours."""
    return [each for each in stage.sandbox.control().bookings() if each["live"] and public_id in each["our_reference"]]


def discrepancies() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(select(Discrepancy.kind, Discrepancy.resolution).order_by(Discrepancy.id))
        return [(row.kind, row.resolution) for row in rows]


def compare(stage: Stage) -> dict[str, int] | None:
    """Both sides compared now; None while another comparison is at it."""
    with reading() as session:
        known = connection_of(session.get_one(Provider, stage.provider.id))
    return run_now(known, known.open(), SYSTEM, clock=clock.now)


def test_a_day_is_booked_confirmed_attended_and_reported_though_nothing_is_pushed(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    slot = days(stage)[0]
    public_id = stage.submit(principal, beneficiary, slot)
    with pytest.raises(AlreadyBooked):
        stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "confirmed", 30)
    row = booking_row(public_id)
    assert (row.service_date, row.starts_at, row.ends_at) == (day_of(slot), None, None)
    (there,) = live(stage, public_id)
    assert there["service_date"] == day_of(slot).isoformat()
    control = stage.sandbox.control()
    let_its_day_come(control, public_id, there["reference"])
    control.move(there["reference"], "check_in")
    eventually(lambda: state(public_id) == "checked_in", 30)
    control.move(there["reference"], "fulfil")
    eventually(lambda: state(public_id) == "fulfilled", 30)
    eventually(lambda: booking_row(public_id).report_state == "ready", 30)
    (card,) = reports(principal, cursor=None, limit=10, now=clock.now()).items
    assert card.booking_id == public_id and card.items > 30
    stage.assert_books_add_up()


def test_a_change_books_the_new_day_and_then_cancels_the_old_one(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    slot, other, third = days(stage)[:3]
    public_id = stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "confirmed", 30)
    control = stage.sandbox.control()
    control.fault("error_after_commit", "reserve")
    reschedule(principal, public_id, other, now=clock.now())
    eventually(lambda: booking_row(public_id).service_date == day_of(other), 30)
    eventually(lambda: len(live(stage, public_id)) == 1, 30)
    (there,) = live(stage, public_id)
    assert there["service_date"] == day_of(other).isoformat() and there["our_reference"] != public_id
    control.fault("sold_out", "reserve")
    reschedule(principal, public_id, third, now=clock.now())
    eventually(lambda: tasks(public_id)[-1] == ("change", "refused"), 30)
    assert booking_row(public_id).service_date == day_of(other)
    assert [each["reference"] for each in live(stage, public_id)] == [there["reference"]]
    compared = eventually(lambda: compare(stage), 30)
    assert (compared["listed"], compared["compared"], compared["found"]) == (2, 1, 0)
    let_its_day_come(control, public_id, there["reference"])
    control.move(there["reference"], "fulfil")
    eventually(lambda: booking_row(public_id).report_state == "ready", 30)
    assert history(public_id)[-1] == "fulfilled" and discrepancies() == []
    stage.assert_books_add_up()


def test_a_duplicate_from_a_late_commit_is_found_cancelled_and_explained(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    control = stage.sandbox.control()
    control.fault("late_commit", "reserve", seconds=12)  # long after it was looked for and sent again
    public_id = stage.submit(principal, beneficiary, days(stage)[0])
    eventually(lambda: len(control.bookings(public_id)) == 2, 60)
    eventually(lambda: control.live(public_id) == 1, 60)
    eventually(lambda: discrepancies() == [("duplicate_there", "cancelled_there")], 30)
    assert state(public_id) == "confirmed"
    cancel(principal, public_id, now=clock.now())
    eventually(lambda: state(public_id) == "cancelled", 30)
    assert control.live(public_id) == 0
    stage.assert_books_add_up()


def test_a_restart_of_the_provider_and_faults_on_everything_leave_one_booking_each(stage: Stage) -> None:
    control = stage.sandbox.control()
    for fault, command in (
        ("commit_then_drop", "reserve"),
        ("garbage", "look_up"),
        ("broken_json", "bookings"),
        ("no_reference", "reserve"),
    ):
        control.fault(fault, command)
    booked = []
    for number, slot in enumerate(days(stage)[:3]):
        principal, beneficiary, _ = stage.customer(number + 1)
        booked.append(stage.submit(principal, beneficiary, slot))
    eventually(lambda: control.bookings(), 30)
    stage.sandbox.kill()
    stage.sandbox.restart()
    for public_id in booked:
        eventually(lambda booking=public_id: state(booking) == "confirmed", 60)
        assert control.live(public_id) == 1
    eventually(lambda: stage.open_tasks() == 0, 60)
    stage.assert_books_add_up()
