"""Bookings at a FHIR server that we did not write: made, found, cancelled; what stands there afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.port import Accepted, Change, Confirmed, Decline, LookUp, NotFound, Refused, Unknown
from providers.reported import RemoteBooking
from tests.fhir_servers import SYSTEM, FhirTenant
from tests.providers.fhir.wishes import by_ours, cancelling, wish


def test_a_booking_takes_its_slot_and_makes_one_appointment(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Confirmed) and answer.starts_at == wanted.starts_at
    [there] = hospital.live(wanted.our_reference)
    slot = hospital.get("Slot", slots[0])
    assert there["id"] == answer.reference and there["status"] == "booked"
    assert there["slot"] == [{"reference": f"Slot/{slots[0]}"}] and there["start"] == slot["start"]
    assert there["contained"][0]["name"] == [{"text": "王小明"}] and there["comment"] == "wheelchair: yes"
    assert slot["status"] == "busy" and slot["identifier"] == [{"system": SYSTEM, "value": wanted.our_reference}]
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking)
    assert (found.reference, found.status, found.version) == (answer.reference, "confirmed", answer.version)
    assert adapter.look_up(LookUp("", wanted.our_reference, answer.reference)) == found


def test_a_booking_that_the_hospital_decides_on_waits(hospital: FhirTenant, slots: list[str]) -> None:
    adapter = hospital.adapter(books_as="pending")
    wanted = wish(hospital, slots[0])
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Accepted)
    assert hospital.get("Slot", slots[0])["status"] == "busy-tentative"
    hospital.alter("Appointment", answer.reference, status="booked")
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed" and found.version > answer.version


def test_the_same_command_sent_twice_makes_one_booking(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    first, second = adapter.reserve(wanted), adapter.reserve(wanted)
    assert first == second and isinstance(first, Confirmed)
    assert len(hospital.live()) == 1


def test_a_slot_that_cannot_be_had_is_refused_with_its_reason(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    hospital.alter("Slot", slots[0], status="busy")
    assert adapter.reserve(wanted) == Refused("sold_out")
    hospital.alter("Slot", slots[0], status="busy-unavailable")
    assert adapter.reserve(wanted) == Refused("closed")
    assert adapter.reserve(replace(wanted, slot="no-such-slot")) == Refused("unknown_slot")
    other = wish(hospital, slots[1])
    assert adapter.reserve(replace(other, pool="another")) == Refused("unknown_slot")
    assert adapter.reserve(replace(other, starts_at=wanted.starts_at)) == Refused("unknown_slot")
    assert hospital.live() == []


def test_a_cancel_ends_the_appointment_and_gives_the_slot_back(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    answer = adapter.cancel(cancelling(wanted, booked.reference))
    assert isinstance(answer, Confirmed) and answer.version > booked.version
    assert hospital.live() == [] and hospital.get("Slot", slots[0])["status"] == "free"
    again = adapter.cancel(cancelling(wanted, booked.reference))
    assert again == answer
    assert isinstance(adapter.reserve(wish(hospital, slots[0])), Confirmed)


def test_a_cancel_without_their_number_ends_all_that_is_ours(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    assert adapter.cancel(cancelling(wanted, None)) == NotFound()
    assert isinstance(adapter.reserve(wanted), Confirmed)
    assert isinstance(adapter.cancel(cancelling(wanted, None)), Confirmed)
    assert hospital.live() == [] and hospital.get("Slot", slots[0])["status"] == "free"


def test_a_cancel_gives_a_slot_back_whose_mark_the_server_has_dropped(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Slot", slots[0], identifier=[])
    assert isinstance(adapter.cancel(cancelling(wanted, booked.reference)), Confirmed)
    assert hospital.get("Slot", slots[0])["status"] == "free"


def test_what_has_begun_is_not_cancelled(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Appointment", booked.reference, status="arrived")
    assert adapter.cancel(cancelling(wanted, booked.reference)) == Refused("too_late")
    assert hospital.get("Slot", slots[0])["status"] == "busy"


def test_another_ones_appointment_is_neither_told_nor_cancelled(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    one, other = wish(hospital, slots[0]), wish(hospital, slots[1])
    booked = adapter.reserve(one)
    assert isinstance(booked, Confirmed)
    assert isinstance(adapter.look_up(LookUp("", other.our_reference, booked.reference)), Unknown)
    assert isinstance(adapter.cancel(cancelling(other, booked.reference)), Unknown)
    assert len(hospital.live(one.our_reference)) == 1
    assert adapter.look_up(by_ours(other)) == NotFound()
    assert adapter.look_up(LookUp("", other.our_reference, "no-such-appointment")) == NotFound()


def test_there_is_no_call_to_change_and_none_to_decline(adapter: Fhir, hospital: FhirTenant, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    change = Change("k", wanted.our_reference, "A", slots[1], wanted.service_date, None, None)
    assert not adapter.capabilities.change and isinstance(adapter.change(change), Refused)
    assert isinstance(adapter.decline(Decline("k", wanted.our_reference, "A", slots[1])), Refused)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *(("proposed", "requested"), ("pending", "requested"), ("waitlist", "requested"), ("booked", "confirmed")),
        *(("arrived", "checked_in"), ("checked-in", "checked_in"), ("fulfilled", "fulfilled"), ("noshow", "no_show")),
        *(("cancelled", "cancelled"), ("entered-in-error", "cancelled")),
    ],
)
def test_each_status_has_its_meaning(
    hospital: FhirTenant, adapter: Fhir, slots: list[str], theirs: str, ours: str
) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Appointment", booked.reference, status=theirs)
    found = adapter.look_up(LookUp("", wanted.our_reference, booked.reference))
    assert isinstance(found, RemoteBooking) and found.status == ours
