"""What is left of a transaction that a server carried out in part, or whose answer was lost, is put right there."""

from __future__ import annotations

from typing import Any

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.port import Confirmed, NotFound, Refused, RetryAfter, Unknown
from providers.reported import RemoteBooking
from tests.fhir_servers import SYSTEM, FhirTenant
from tests.providers.fhir.conftest import Meanwhile
from tests.providers.fhir.wishes import by_ours, cancelling, wish


def undone(hospital: FhirTenant) -> list[dict[str, Any]]:
    return [each for each in hospital.all("Appointment") if each["status"] == "entered-in-error"]


def nobody_is_left(hospital: FhirTenant) -> bool:
    """Whether what was undone says nothing of anybody and is found under none of our references."""
    return all(
        "contained" not in each
        and "王小明" not in str(each)
        and SYSTEM not in [i["system"] for i in each["identifier"]]
        for each in undone(hospital)
    )


@pytest.mark.parametrize("atomic_looking", [False, True])
@pytest.mark.parametrize("rival", ["reception", "ours"])
def test_an_appointment_whose_slot_went_to_another_is_undone_before_anything_is_answered(
    hospital: FhirTenant, adapter: Fhir, slots: list[str], meanwhile: Meanwhile, rival: str, atomic_looking: bool
) -> None:
    """The server answers `412`, `201` inside HTTP 200; or HTTP 412, having made the Appointment all the same."""
    hospital.configure(transactions=atomic_looking)
    wanted, other = wish(hospital, slots[0]), wish(hospital, slots[0])
    if rival == "reception":
        meanwhile(lambda: hospital.alter("Slot", slots[0], status="busy"))
    else:
        meanwhile(lambda: hospital.adapter().reserve(other))
    assert adapter.reserve(wanted) == Refused("sold_out")
    if not atomic_looking:
        assert hospital.seen()[-1] == ["412", "201"]
    assert hospital.live(wanted.our_reference) == []
    assert len(undone(hospital)) == 1 and nobody_is_left(hospital)
    assert hospital.get("Slot", slots[0])["status"] == "busy"
    assert len(hospital.live()) == (rival == "ours")
    assert adapter.look_up(by_ours(wanted)) == NotFound()


def test_a_slot_that_was_only_edited_meanwhile_is_booked_all_the_same(
    hospital: FhirTenant, adapter: Fhir, slots: list[str], meanwhile: Meanwhile
) -> None:
    wanted = wish(hospital, slots[0])
    meanwhile(lambda: hospital.alter("Slot", slots[0], comment="second floor"))
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Confirmed) and hospital.seen() == [["412", "201"], ["200", "201"]]
    [there] = hospital.live()
    assert there["id"] == answer.reference
    slot = hospital.get("Slot", slots[0])
    assert (slot["status"], slot["comment"]) == ("busy", "second floor")
    assert len(undone(hospital)) == 1 and nobody_is_left(hospital)


def test_a_slot_whose_appointment_was_refused_is_given_back(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    """Two under our identifier that ended long ago: the conditional create matches both and is refused."""
    wanted = wish(hospital, slots[0])
    for number in (1, 2):
        hospital.put(
            {
                "resourceType": "Appointment", "id": f"old-{wanted.our_reference}-{number}", "status": "cancelled",
                "identifier": [{"system": SYSTEM, "value": wanted.our_reference}],
                "participant": [{"actor": {"display": "x"}, "status": "declined"}],
                "slot": [{"reference": f"Slot/{slots[0]}"}],
            }
        )  # fmt: skip
    assert adapter.reserve(wanted) == Refused("other")
    assert hospital.seen() == [["200", "412"]]
    assert hospital.get("Slot", slots[0])["status"] == "free" and hospital.live() == []


def test_an_appointment_under_the_references_of_two_bookings_is_nobodys_to_undo(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    """Its Slot is free: taken for either booking's alone it would be voided, and with it the other customer's."""
    ours, anothers = wish(hospital, slots[0]), wish(hospital, slots[0])
    both = [{"system": SYSTEM, "value": each.our_reference} for each in (ours, anothers)]
    hospital.put(
        {
            "resourceType": "Appointment", "id": f"both-{ours.our_reference.replace('_', '-')}", "status": "booked",
            "identifier": both, "participant": [{"actor": {"display": "x"}, "status": "accepted"}],
            "slot": [{"reference": f"Slot/{slots[0]}"}],
        }
    )  # fmt: skip
    assert isinstance(adapter.look_up(by_ours(ours)), Unknown)
    assert isinstance(adapter.cancel(cancelling(ours, None)), RetryAfter)
    assert undone(hospital) == [] and len(hospital.live(anothers.our_reference)) == 1
    [told] = adapter.bookings_since(None, None).unreadable
    assert told.reason == "identifier.several"


def test_a_lost_answer_is_found_out_by_our_identifier(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    hospital.configure(drop="after")
    assert isinstance(adapter.reserve(wanted), Unknown)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"
    assert hospital.get("Slot", slots[0])["status"] == "busy" and len(hospital.live()) == 1


def test_a_command_that_never_arrived_is_found_nowhere(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    hospital.configure(drop="before")
    assert isinstance(adapter.reserve(wanted), Unknown)
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    assert isinstance(adapter.reserve(wanted), Confirmed)


@pytest.mark.parametrize("rival", ["reception", "ours"])
def test_a_lost_answer_of_a_half_is_put_right_where_it_can_be_told(
    hospital: FhirTenant, adapter: Fhir, slots: list[str], meanwhile: Meanwhile, rival: str
) -> None:
    wanted, other = wish(hospital, slots[0]), wish(hospital, slots[0])

    def taken_and_silent() -> None:
        if rival == "ours":
            hospital.adapter().reserve(other)
        else:
            hospital.alter("Slot", slots[0], status="busy")
        hospital.configure(drop="after")

    meanwhile(taken_and_silent)
    assert isinstance(adapter.reserve(wanted), Unknown)
    if rival == "ours":  # its mark says so
        assert adapter.look_up(by_ours(wanted)) == NotFound()
        assert hospital.live(wanted.our_reference) == [] and len(hospital.live(other.our_reference)) == 1
    else:  # nothing says for whom the Slot is busy: a person has to ask
        assert isinstance(adapter.look_up(by_ours(wanted)), Unknown)
        assert len(hospital.live(wanted.our_reference)) == 1


def test_an_appointment_beside_a_free_slot_is_undone_and_what_arrives_late_cannot_take_the_slot(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    before = hospital.get("Slot", slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.put(before)  # as if that half were still under way
    version = hospital.get("Slot", slots[0])["meta"]["versionId"]
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    after = hospital.get("Slot", slots[0])
    assert after["status"] == "free" and after["meta"]["versionId"] != version
    assert hospital.live() == [] and nobody_is_left(hospital)
    assert isinstance(adapter.reserve(wanted), Confirmed)


def test_a_slot_with_our_mark_and_no_appointment_is_given_back(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    marked = [{"system": SYSTEM, "value": wanted.our_reference}]
    hospital.alter("Slot", slots[0], status="busy", identifier=marked)
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    assert hospital.get("Slot", slots[0])["status"] == "free"


def test_a_slot_that_a_cancel_did_not_give_back_is_given_back_by_the_next_look(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Appointment", booked.reference, status="cancelled")
    assert isinstance(adapter.cancel(cancelling(wanted, booked.reference)), Confirmed)
    assert hospital.get("Slot", slots[0])["status"] == "free"


def test_a_slot_that_the_hospital_gave_to_somebody_else_is_left_alone(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    """They cancelled our Appointment and sold the Slot at the counter, our mark still on it."""
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Appointment", booked.reference, status="cancelled")
    hospital.alter("Slot", slots[0], comment="walk-in")
    assert isinstance(adapter.cancel(cancelling(wanted, booked.reference)), Confirmed)
    assert hospital.get("Slot", slots[0])["status"] == "busy"


def test_two_appointments_of_one_booking_become_one(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.put({**hospital.get("Appointment", booked.reference), "id": "a-late-commit"})
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.reference == booked.reference
    assert [each["id"] for each in hospital.live()] == [booked.reference]
    assert hospital.get("Slot", slots[0])["status"] == "busy"


def test_what_is_looked_at_by_itself_is_not_touched(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> None:
    """The hospital's people moved it by hand: no command of ours is under way, so there is nothing to put right."""
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Slot", slots[0], status="free")
    asked = by_ours(wanted)
    found = adapter.look_up(type(asked)("", asked.our_reference, booked.reference))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"
    assert len(hospital.live()) == 1


def test_a_server_that_drops_our_mark_is_believed_if_its_transactions_are_atomic(
    hospital: FhirTenant, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    hospital.configure(drop="after")
    assert isinstance(hospital.adapter().reserve(wanted), Unknown)
    hospital.alter("Slot", slots[0], identifier=[])
    assert isinstance(hospital.adapter().look_up(by_ours(wanted)), Unknown)
    found = hospital.adapter(transactions="atomic").look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"


def test_a_server_without_transactions_takes_nothing_and_is_asked_later(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    hospital.configure(refuse=404)
    assert adapter.reserve(wish(hospital, slots[0])) == RetryAfter(60.0)
    hospital.configure(refuse=500)
    assert isinstance(adapter.reserve(wish(hospital, slots[0])), Unknown)
    assert hospital.live() == [] and hospital.get("Slot", slots[0])["status"] == "free"
