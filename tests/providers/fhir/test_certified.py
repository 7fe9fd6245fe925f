"""A FHIR server is certified by what can be tried there: the protocol has no test mode."""

from __future__ import annotations

from pathlib import Path

from providers.conformance.journal import FileJournal
from providers.conformance.kit import Target
from providers.conformance.run import run
from providers.conformance.step import Capability, Outcome
from tests.fhir_servers import FhirTenant


def test_a_fhir_server_proves_what_is_asked_of_it_and_the_rest_is_said_to_be_untried(
    hospital: FhirTenant, slots: list[str], tmp_path: Path
) -> None:
    journal = FileJournal(tmp_path / "made.jsonl")
    result = run(Target("fhir", hospital.connection(), offer="BASIC", patience=3), journal)
    journal.close()
    assert [(step.name, step.expected, step.came) for step in result.steps if step.outcome is Outcome.FAILED] == []
    assert result.capabilities == [Capability.SLOTS, Capability.BOOKING, Capability.LISTS] and result.passed
    untried = {step.name: str(step.came) for step in result.steps if step.outcome is Outcome.NOT_TRIED}
    assert untried == dict.fromkeys(
        ("slots-changed", "booking-time-out", "booking-slot-gone", "booking-429"),
        "this kind of system has no test mode",
    )
    assert result.left == [] and hospital.live() == []
    assert {slot["status"] for slot in hospital.all("Slot")} == {"free"}
