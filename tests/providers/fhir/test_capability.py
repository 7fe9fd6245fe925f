"""The CapabilityStatement is read when a server joins; one that lacks something is refused with a sentence that names
it."""

from __future__ import annotations

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.capability import missing
from providers.port import ProviderError
from tests.fhir_servers import FhirTenant


def test_a_server_that_can_do_all_of_it_lacks_nothing(hospital: FhirTenant, adapter: Fhir) -> None:
    assert adapter.missing() == []


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ({"fhirVersion": "3.0.2"}, "The server speaks FHIR 3.0.2; R4 (4.0) is needed."),
        ({"fhirVersion": "4.3.0"}, "The server speaks FHIR 4.3.0; R4 (4.0) is needed."),
        ({"fhirVersion": "5.0.0"}, "The server speaks FHIR 5.0.0; R4 (4.0) is needed."),
        ({"format": ["xml"]}, "The server does not speak JSON."),
        ({"system": []}, "The server takes no transactions (system interaction `transaction`)."),
        ({"lacks": ["Slot"]}, "The server has no Slot."),
        ({"lacks": ["Slot.update"]}, "Slot lacks the interaction `update`."),
        ({"lacks": ["Slot.identifier"]}, "Slot cannot be searched by `identifier`."),
        ({"lacks": ["Slot.versioning"]}, "Slot has no versions, so that two could book the same one."),
        ({"lacks": ["Appointment.conditional"]}, "Appointment has no conditional create (`ifNoneExist`)."),
        ({"lacks": ["DiagnosticReport.search-type"]}, "DiagnosticReport lacks the interaction `search-type`."),
    ],
)
def test_what_is_missing_is_named(
    hospital: FhirTenant, adapter: Fhir, without: dict[str, object], sentence: str
) -> None:
    hospital.configure(statement=without)
    [said] = adapter.missing()
    assert said.en == sentence and said.zh and said.zh != sentence


@pytest.mark.parametrize("odd", [{}, {"resourceType": "OperationOutcome"}, {"resourceType": "CapabilityStatement"}])
def test_what_is_no_statement_is_refused_as_well(odd: dict[str, object]) -> None:
    [said] = missing(odd)
    assert "CapabilityStatement" in said.en or "FHIR none" in said.en


def test_a_server_that_says_nothing_is_no_server_without_faults(adapter: Fhir, hospital: FhirTenant) -> None:
    hospital.configure(statement={"status": 404})
    with pytest.raises(ProviderError):
        adapter.missing()
