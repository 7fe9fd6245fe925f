"""A FHIR server that we did not write and our worker, as processes: booked, changed, cancelled, its report read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.actors import SYSTEM as BY_SYSTEM
from booking.calls.connections import connection_of
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.models import Booking, Slot
from booking.reconcile.run import run_now
from booking.refusals import SlotClosed, SlotFull
from booking.reports.box import reports
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from tests.conftest import TestDatabase
from tests.fhir_servers import SYSTEM, FhirProcess, FhirTenant
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import booking_row, history, tasks

RIVALS = 40


class Hospital:
    """A hospital at the server, as the stage wants a provider."""

    def __init__(self, server: FhirProcess) -> None:
        self.tenant = server.tenant()
        self.tenant.schedule()

    def base_url(self) -> str:
        """Where its API is."""
        return self.tenant.base

    def control(self) -> Hospital:
        """Itself: its people write resources."""
        return self

    def settings(self, **_: Any) -> None:
        """It pushes nothing."""

    def kill(self) -> None:
        """The server is there for others too."""


@pytest.fixture
def stage(
    processes_database: TestDatabase, fhir_server: FhirProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """The provider with its slots pulled, and a worker."""
    provider: dict[str, Any] = {"adapter": "fhir", "settings": {"auth": "none"}, "slots_seconds": 1}
    provider |= {"deadline_seconds": 3, "settle_window_seconds": 1}

    def start(*_: Any) -> Any:
        return Hospital(fhir_server)

    with set_stage(processes_database, tmp_path, monkeypatch, start=start, **provider) as made:
        made.worker()
        yield made


def there(stage: Stage) -> FhirTenant:
    """What the hospital's people see."""
    return stage.sandbox.tenant  # type: ignore[attr-defined,no-any-return]


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def reference_of(slot: str) -> str:
    with reading() as session:
        return session.scalars(select(Slot.external_ref).where(Slot.public_id == slot)).one()


def discrepancies() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).order_by(Discrepancy.id)))


def its_day_comes(stage: Stage, public_id: str, appointment: str) -> None:
    """Date the booking today in both books: no test waits for the day that it was booked for."""
    now = clock.now().replace(microsecond=0)
    with transaction() as session:
        values = {"service_date": clock.today("Asia/Shanghai", now), "starts_at": now, "ends_at": now}
        session.execute(update(Booking).where(Booking.public_id == public_id).values(**values))
    there(stage).alter("Appointment", appointment, start=now.isoformat(), end=now.isoformat())


def test_a_booking_is_made_changed_attended_and_its_report_read(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    hospital, (slot, other, *_) = there(stage), stage.slots()
    public_id = stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "confirmed", 30)
    [first] = hospital.live(public_id)
    assert first["start"] == hospital.get("Slot", reference_of(slot))["start"]
    reschedule(principal, public_id, other, now=clock.now())
    eventually(lambda: [each["id"] for each in hospital.live(public_id)] not in ([first["id"]], []), 30)
    eventually(lambda: len(hospital.live(public_id)) == 1, 30)
    [second] = hospital.live(public_id)
    assert second["slot"] == [{"reference": f"Slot/{reference_of(other)}"}]
    assert hospital.get("Appointment", first["id"])["status"] == "cancelled"
    eventually(lambda: hospital.get("Slot", reference_of(slot))["status"] == "free", 30)
    eventually(lambda: tasks(public_id) == [("reserve", "done"), ("change", "done"), ("cancel", "done")], 30)
    with reading() as session:
        known = connection_of(session.get_one(Provider, stage.provider.id))
    compared = eventually(lambda: run_now(known, known.open(), BY_SYSTEM, clock=clock.now), 30)
    assert compared is not None and compared["found"] == 0
    its_day_comes(stage, public_id, second["id"])
    hospital.alter("Appointment", second["id"], status="arrived")
    eventually(lambda: state(public_id) == "checked_in", 30)
    hospital.alter("Appointment", second["id"], status="fulfilled")
    eventually(lambda: state(public_id) == "fulfilled", 30)
    hospital.put(
        {
            "resourceType": "Observation", "id": "glucose", "status": "final", "code": {"text": "Glucose"},
            "valueQuantity": {"value": 7.25, "unit": "mmol/L"},
            "referenceRange": [{"low": {"value": 3.9, "unit": "mmol/L"}, "high": {"value": 6.1, "unit": "mmol/L"}}],
        }
    )  # fmt: skip
    hospital.put(
        {
            "resourceType": "DiagnosticReport", "id": "report-1", "status": "final", "code": {"text": "Check-up"},
            "identifier": [{"system": SYSTEM, "value": public_id}], "issued": clock.now().isoformat(),
            "result": [{"reference": "Observation/glucose"}], "conclusion": "Come again in a year.",
        }
    )  # fmt: skip
    eventually(lambda: booking_row(public_id).report_state == "ready", 30)
    (card,) = reports(principal, cursor=None, limit=10, now=clock.now()).items
    assert (card.booking_id, card.items) == (public_id, 1)
    assert history(public_id)[-1] == "fulfilled" and discrepancies() == []
    stage.assert_books_add_up()


def test_a_booking_is_cancelled_there_and_its_slot_is_sold_again(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    hospital, (slot, *_) = there(stage), stage.slots()
    public_id = stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "confirmed", 30)
    cancel(principal, public_id, now=clock.now())
    eventually(lambda: state(public_id) == "cancelled", 30)
    assert hospital.live() == []
    # The Slot comes after its Appointment, and a poll may see the one before the other is written.
    eventually(lambda: hospital.get("Slot", reference_of(slot))["status"] == "free", 30)

    def sold_again() -> str:
        try:
            return stage.submit(principal, beneficiary, slot)
        except (SlotClosed, SlotFull):  # not pulled yet
            return ""

    again = eventually(sold_again, 30)
    eventually(lambda: state(again) == "confirmed", 30)
    stage.assert_books_add_up()


def test_forty_customers_race_for_one_slot_and_one_has_it_here_and_there(stage: Stage) -> None:
    hospital, (slot, *_) = there(stage), stage.slots()
    customers = [stage.customer(number + 1) for number in range(RIVALS)]
    start = Barrier(RIVALS)

    def book(customer: Any) -> str:
        principal, beneficiary, _ = customer
        start.wait(30)
        try:
            return stage.submit(principal, beneficiary, slot)
        except SlotFull:
            return ""

    with ThreadPoolExecutor(RIVALS) as pool:
        booked = [public_id for public_id in pool.map(book, customers) if public_id]
    assert len(booked) == 1
    eventually(lambda: state(booked[0]) == "confirmed", 30)
    [standing] = hospital.all("Appointment")
    assert standing["identifier"][0]["value"] == booked[0]
    eventually(lambda: stage.open_tasks() == 0, 30)
    stage.assert_books_add_up()


def test_a_slot_that_the_reception_sold_in_the_meantime_is_refused_and_nothing_is_left(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    hospital, (slot, *_) = there(stage), stage.slots()
    hospital.configure(sell_before_next=reference_of(slot))
    public_id = stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "rejected", 30)
    assert hospital.seen() == [["412", "201"]] and hospital.live() == []
    assert hospital.get("Slot", reference_of(slot))["status"] == "busy"
    assert tasks(public_id) == [("reserve", "refused")]
    stage.assert_books_add_up()


def test_answers_that_are_lost_leave_one_booking(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    hospital, (slot, *_) = there(stage), stage.slots()
    hospital.configure(drop="after")
    public_id = stage.submit(principal, beneficiary, slot)
    eventually(lambda: state(public_id) == "confirmed", 30)
    # Whether its look-up finds the booking or the poll of all appointments before it, is chance.
    eventually(lambda: tasks(public_id) == [("reserve", "done")], 30)
    assert hospital.lost() == 1 and len(hospital.live(public_id)) == 1
    stage.assert_books_add_up()
