"""Reports from the sandbox: items, conclusion and a PDF whose Chinese can be read."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from booking.reports.files import FileRefused, examine
from providers.adapters.open_protocol import OpenProtocol
from providers.port import Confirmed, Oversize, Person, ProviderError
from providers.reported import RemoteReport, RemoteSlot
from tests.providers.wishes import reserve
from tests.sandboxes import Sandbox, eventually

Deliver = Callable[[Person], RemoteReport]


@pytest.fixture
def deliver(sandbox: Sandbox, slot: RemoteSlot) -> Deliver:
    """Book and fulfil for a person; the report that came of it."""
    adapter = OpenProtocol(sandbox.connection())

    def delivered(person: Person) -> RemoteReport:
        booked = adapter.reserve(reserve(slot, person=person))
        assert isinstance(booked, Confirmed)
        sandbox.control().move(booked.reference, "fulfil")
        return eventually(lambda: newest(adapter, booked.reference))  # type: ignore[no-any-return]

    return delivered


def newest(adapter: OpenProtocol, booking: str) -> RemoteReport | None:
    page = adapter.reports_since(None, None)
    assert page.next is None
    return next((report for report in page.reports if report.booking_reference == booking), None)


def test_a_report_has_coded_items_with_ranges_and_some_abnormal(sandbox: Sandbox, deliver: Deliver) -> None:
    content = OpenProtocol(sandbox.connection()).fetch_report(deliver(Person("欧阳明", "male", date(1980, 2, 3))))
    assert len(content.items) >= 25
    assert sum(bool(item.loinc) for item in content.items) >= 25 and len({i.loinc for i in content.items}) >= 25
    odd = [item for item in content.items if item.flag in ("high", "low", "abnormal")]
    assert 1 <= len(odd) <= 12 and all(item.name in content.conclusion for item in odd)
    for item in content.items:
        if item.flag == "high":
            assert item.high is not None and float(item.value) > item.high
        if item.flag == "normal" and (item.low is not None or item.high is not None):
            assert (item.low or 0) <= float(item.value) <= (item.high or float("inf"))


def test_the_document_is_a_pdf_with_readable_chinese(sandbox: Sandbox, deliver: Deliver) -> None:
    content = OpenProtocol(sandbox.connection()).fetch_report(deliver(Person("欧阳明", "male", date(1980, 2, 3))))
    assert content.document_type == "application/pdf" and content.document.startswith(b"%PDF-")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content.document)).pages)
    for words in ("健康体检报告", "欧阳明", "血红蛋白", "总检结论"):
        assert words in text


def test_items_suit_the_sex(sandbox: Sandbox, deliver: Deliver) -> None:
    adapter = OpenProtocol(sandbox.connection())
    man = adapter.fetch_report(deliver(Person("王刚", "male", date(1980, 2, 3))))
    woman = adapter.fetch_report(deliver(Person("王芳", "female", date(1980, 2, 3))))
    assert "2857-1" in {item.loinc for item in man.items} and "10334-1" not in {item.loinc for item in man.items}
    assert "10334-1" in {item.loinc for item in woman.items} and "2857-1" not in {item.loinc for item in woman.items}


def test_a_correction_is_a_new_version_and_the_first_can_still_be_read(sandbox: Sandbox, deliver: Deliver) -> None:
    adapter = OpenProtocol(sandbox.connection())
    first = deliver(Person("赵倩", "female", date(1990, 2, 3)))
    before = adapter.reports_since(None, None)
    sandbox.control().move(first.booking_reference, "report")
    page = adapter.reports_since(before.cursor, None)
    assert [(r.reference, r.version, r.status) for r in page.reports] == [(first.reference, 2, "corrected")]
    old, new = adapter.fetch_report(first), adapter.fetch_report(page.reports[0])
    assert old.items != new.items and old.document != new.document
    assert [item.name for item in old.items] == [item.name for item in new.items]
    assert sum(bool(item.note) for item in new.items) == 1
    assert adapter.fetch_report(first) == old


@pytest.mark.parametrize(
    ("kind", "papers"),
    [("pdf", ["application/pdf"]), ("png", ["image/png"]), ("zip", ["application/pdf", "image/png"]),
     ("fhir", ["application/pdf"])],
)  # fmt: skip
def test_every_form_of_file_is_taken_with_the_same_results(
    sandbox: Sandbox, deliver: Deliver, kind: str, papers: list[str]
) -> None:
    adapter, report = OpenProtocol(sandbox.connection()), deliver(Person("王刚", "male", date(1980, 2, 3)))
    plain = adapter.fetch_report(report)
    sandbox.control().settings(report_file=kind)
    found = examine(adapter.fetch_report(report))
    sandbox.control().settings(report_file="pdf")
    assert [paper.media_type for paper in found.papers] == papers
    told = [(item.name, item.loinc, item.unit, item.low, item.high, item.flag, item.section) for item in plain.items]
    assert [(it.name, it.loinc, it.unit, it.low, it.high, it.flag, it.section) for it in found.content.items] == told
    assert found.content.conclusion == plain.conclusion


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("wrong_type", "wrong_type"), ("pdf_script", "pdf_active"), ("png_bomb", "png_bomb"), ("zip_bomb", "zip_bomb"),
     ("zip_path", "zip_path")],
)  # fmt: skip
def test_a_hostile_file_is_refused(sandbox: Sandbox, deliver: Deliver, kind: str, reason: str) -> None:
    adapter, report = OpenProtocol(sandbox.connection()), deliver(Person("王刚", "male", date(1980, 2, 3)))
    sandbox.control().settings(report_file=kind)
    content = adapter.fetch_report(report)
    sandbox.control().settings(report_file="pdf")
    with pytest.raises(FileRefused) as refused:
        examine(content)
    assert refused.value.reason == reason


def test_a_file_that_is_too_large_is_not_even_read_to_its_end(sandbox: Sandbox, deliver: Deliver) -> None:
    report = deliver(Person("王刚", "male", date(1980, 2, 3)))
    sandbox.control().settings(report_file="oversize")
    with pytest.raises(Oversize):
        OpenProtocol(sandbox.connection()).fetch_report(report)
    sandbox.control().settings(report_file="pdf")


def test_a_report_that_is_not_there_is_an_error(sandbox: Sandbox, deliver: Deliver) -> None:
    adapter = OpenProtocol(sandbox.connection())
    report = deliver(Person("王刚", "male", date(1980, 2, 3)))
    for wrong in (replace(report, version=9), replace(report, reference="../bookings"), replace(report, reference="x")):
        with pytest.raises(ProviderError):
            adapter.fetch_report(wrong)


@pytest.mark.parametrize(("fault", "command"), [("bomb", "document"), ("bomb", "report"), ("broken_json", "report")])
def test_a_spoiled_report_is_an_error(sandbox: Sandbox, deliver: Deliver, fault: str, command: str) -> None:
    report = deliver(Person("王刚", "male", date(1980, 2, 3)))
    sandbox.control().fault(fault, command, megabytes=20)
    with pytest.raises(ProviderError):
        OpenProtocol(sandbox.connection()).fetch_report(report)
