"""DiagnosticReports with their Observations and papers, as delivered; and what our examiner makes of them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from booking.reports.files import FileRefused, examine
from booking.reports.intake.findings import MOST_PAPERS
from providers.adapters.fhir import reports
from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.reports import ExactNumbers, read_report
from providers.adapters.fhir.server import BadStatus, FhirServer, Gone
from providers.adapters.http import Reply
from providers.port import Confirmed, NotAuthorised, Oversize, ProviderError
from providers.reported import RemoteReport
from tests.fhir_servers import SYSTEM, FhirTenant
from tests.files import make_pdf
from tests.providers.fhir.wishes import everything, wish


@pytest.fixture
def ours(hospital: FhirTenant, adapter: Fhir, slots: list[str]) -> str:
    """The reference of a booking that the hospital has."""
    wanted = wish(hospital, slots[0])
    assert isinstance(adapter.reserve(wanted), Confirmed)
    return wanted.our_reference


def observation(identity: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": identity, "status": "final",
        "code": {"text": name, "coding": [{"system": "http://loinc.org", "code": "2339-0"}]}, **more,
    }  # fmt: skip


def report(ours: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": f"report-{ours.replace('_', '-')}", "status": "final",
        "identifier": [{"system": SYSTEM, "value": ours}], "code": {"text": "Check-up"},
        "issued": "2027-03-10T04:00:00Z", "conclusion": "Take more exercise.", **more,
    }  # fmt: skip


def test_a_report_is_told_with_its_results_in_the_digits_of_the_laboratory(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    hospital.put(
        observation(
            "glucose", "Glucose", valueQuantity={"value": 5.25, "unit": "mmol/L"},
            referenceRange=[{"low": {"value": 3.9, "unit": "mmol/L"}, "high": {"value": 6.1, "unit": "mmol/L"}}],
        )
    )  # fmt: skip
    hospital.put(observation("ldl", "LDL", valueQuantity={"value": 2.5, "unit": "mmol/L"}))
    hospital.put(observation("lipids", "Lipids", hasMember=[{"reference": "Observation/ldl"}]))
    results = [{"reference": "Observation/glucose"}, {"reference": f"{hospital.base}/Observation/lipids"}]
    hospital.put(report(ours, result=results))
    [told], _ = everything(adapter.reports_since)
    assert isinstance(told, RemoteReport)
    assert (told.our_reference, told.status) == (ours, "final") and told.issued_at.year == 2027
    content = adapter.fetch_report(told)
    assert content.report == told and content.document_type == "application/fhir+json"
    examined = examine(content)
    items = {item.name: item for item in examined.content.items}
    assert (items["Glucose"].value, items["Glucose"].low, items["Glucose"].high) == ("5.25", 3.9, 6.1)
    assert items["LDL"].value == "2.5" and examined.missing == 0
    assert examined.content.conclusion == "Take more exercise."


def test_decimal_digits_are_handed_on_as_the_server_sent_them() -> None:
    numbers = ExactNumbers()
    sent = b'{"a":5.10,"b":[0.0,-1.50e3,7],"c":"5.10"}'
    assert numbers.written(numbers.read(Reply(200, "", sent))) == sent


def test_papers_are_fetched_from_the_same_server_and_from_nowhere_else(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    paper = make_pdf()
    encoded = base64.b64encode(paper).decode()
    hospital.put({"resourceType": "Binary", "id": "paper-1", "contentType": "application/pdf", "data": encoded})
    forms = [
        {"contentType": "application/pdf", "url": "Binary/paper-1"},
        {"contentType": "application/pdf", "url": "http://127.0.0.1:1/secret.pdf"},
        {"contentType": "application/pdf", "data": encoded},
    ]
    hospital.put(report(ours, presentedForm=forms))
    [told], _ = everything(adapter.reports_since)
    examined = examine(adapter.fetch_report(told))
    assert [each.media_type for each in examined.papers] == ["application/pdf"] * 2


def test_a_correction_is_a_newer_version_and_an_old_one_is_not_given_for_it(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    hospital.put(report(ours, status="preliminary"))
    [first], cursor = everything(adapter.reports_since)
    hospital.put(report(ours, status="corrected", conclusion="No finding."))
    [second], _ = everything(adapter.reports_since, cursor)
    assert (first.status, second.status) == ("partial", "corrected") and second.version > first.version
    assert adapter.fetch_report(first).report == second  # what is there now
    with pytest.raises(ProviderError, match="older report"):
        adapter.fetch_report(RemoteReport(second.reference, "", ours, second.version + 1, "final", second.issued_at))


def test_a_withdrawn_report_is_put_to_a_person_and_one_that_is_only_planned_is_not_told(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    hospital.put(report(ours, status="registered"))
    assert everything(adapter.reports_since)[0] == []
    hospital.put(report(ours, status="entered-in-error"))
    [told], _ = everything(adapter.reports_since)
    with pytest.raises(FileRefused, match="fhir_withdrawn"):
        examine(adapter.fetch_report(told))


def test_a_report_of_unknown_status_is_unreadable_and_stops_no_other(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    hospital.put(report(ours))
    hospital.put({**report(ours, status="unknown"), "id": "odd"})
    part = adapter.reports_since(None, None)
    assert len(part.reports) == 1
    assert [(row.reason, row.reference, row.our_reference) for row in part.unreadable] == [
        ("status.unknown", "odd", ours)
    ]


def test_results_that_are_elsewhere_are_missing_and_a_report_too_large_is_refused(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    results = [{"reference": "http://127.0.0.1:1/fhir/R4/Observation/a"}, {"reference": "Observation/nowhere"}]
    hospital.put(report(ours, result=results))
    [told], _ = everything(adapter.reports_since)
    assert examine(adapter.fetch_report(told)).missing == 2
    large = base64.b64encode(b"x" * 1_400_000).decode()
    for number in range(3):
        hospital.put({"resourceType": "Binary", "id": f"large-{number}", "contentType": "image/png", "data": large})
    forms = [{"contentType": "image/png", "url": f"Binary/large-{number}"} for number in range(3)]
    hospital.put(report(ours, presentedForm=forms))
    [told], _ = everything(adapter.reports_since)
    with pytest.raises(Oversize):
        adapter.fetch_report(told)


def test_whom_a_report_is_of_is_read_from_the_server_and_no_more_of_her(
    hospital: FhirTenant, adapter: Fhir, ours: str
) -> None:
    hospital.put(
        {"resourceType": "Patient", "id": "p-1", "name": [{"text": "李四"}], "birthDate": "1979-01-01",
         "gender": "male", "telecom": [{"system": "phone", "value": "13800000001"}]}
    )  # fmt: skip
    hospital.put(report(ours, subject={"reference": f"{hospital.base}/Patient/p-1"}))
    [told], _ = everything(adapter.reports_since)
    content = adapter.fetch_report(told)
    assert [(each.names, each.birth_date) for each in examine(content).named] == [(("李四",), "1979-01-01")]
    assert b"13800000001" not in content.document


@pytest.mark.parametrize("problem", [Gone("x"), NotAuthorised("x"), BadStatus(400)])
def test_a_patient_who_is_not_ours_to_read_keeps_no_report_back(
    hospital: FhirTenant, adapter: Fhir, ours: str, monkeypatch: pytest.MonkeyPatch, problem: ProviderError
) -> None:
    refuse_patients(monkeypatch, problem)
    hospital.put(report(ours, subject={"reference": "Patient/p-1", "display": "李四"}))
    [told], _ = everything(adapter.reports_since)
    assert [each.names for each in examine(adapter.fetch_report(told)).named] == [("李四",)]


def test_a_patient_whom_the_server_cannot_give_now_is_asked_for_again_with_the_report(
    hospital: FhirTenant, adapter: Fhir, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_patients(monkeypatch, BadStatus(502))
    hospital.put(report(ours, subject={"reference": "Patient/p-1"}))
    [told], _ = everything(adapter.reports_since)
    with pytest.raises(BadStatus):
        adapter.fetch_report(told)


def refuse_patients(monkeypatch: pytest.MonkeyPatch, problem: ProviderError) -> None:
    read = FhirServer.read

    def refused(self: FhirServer, kind: str, *more: Any) -> dict[str, Any]:
        if kind == "Patient":
            raise problem
        return read(self, kind, *more)

    monkeypatch.setattr(FhirServer, "read", refused)


def test_no_more_papers_are_read_than_a_report_may_have(
    hospital: FhirTenant, adapter: Fhir, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reports.MOST_PAPERS == MOST_PAPERS
    read, raw = [], FhirServer.raw

    def counted(self: FhirServer, path: str, *more: Any) -> Reply:
        read.append(path)
        return raw(self, path, *more)

    monkeypatch.setattr(FhirServer, "raw", counted)
    large = base64.b64encode(b"x" * 1_400_000).decode()
    hospital.put({"resourceType": "Binary", "id": "large", "contentType": "image/png", "data": large})
    form = {"contentType": "image/png", "url": "Binary/large"}
    for papers, calls in ((MOST_PAPERS, 3), (MOST_PAPERS + 1, 0)):
        hospital.put(report(ours, presentedForm=[form] * papers))
        [told], _ = everything(adapter.reports_since)
        read.clear()
        with pytest.raises(Oversize):
            adapter.fetch_report(told)
        assert len(read) == calls


@pytest.mark.parametrize(
    ("told", "counted"),
    [("1", 1), ("17", 17), ("1000000", None), ("000000000001999", None), ("x1", None), (None, None)],
)
def test_a_version_that_the_server_counts_is_shown_as_it_counts_it(told: str | None, counted: int | None) -> None:
    made = {**report("bkg_1"), "meta": {"versionId": told, "lastUpdated": "2027-03-10T04:00:00Z"}}
    version = read_report(made, SYSTEM).version
    assert version == counted if counted is not None else version > 10**6
