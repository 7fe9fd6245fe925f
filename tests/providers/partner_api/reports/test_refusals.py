"""Which reports are not taken, though they can be read."""

from __future__ import annotations

import json
from datetime import date
from threading import BoundedSemaphore
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from booking.reports import deliver as delivering
from booking.reports.delete import delete_report
from booking.states import BookingState
from providers.reported import ReportContent
from tests.files import make_pdf
from tests.marketplace.api.caller import problem
from tests.people import NOON, consents
from tests.providers.partner_api.partner import Partner, partner_of
from tests.providers.partner_api.reports.delivering import cases, deliver, listing, told
from tests.reports import LATER, PDF, report_row, versions
from tests.world import World, go, make_offer
from vip.customers.consent import withdraw_consent
from vip.customers.family import NewMember, add_member


@pytest.mark.parametrize(("language", "title"), [("en", "The file is not the one announced"), ("zh", "不是所说的文件")])
def test_a_file_whose_hash_differs_is_not_stored(partner: Partner, booking: str, language: str, title: str) -> None:
    partner.language = language
    answer = deliver(partner, booking, told(b"another file"))
    assert problem(answer, 422, "hash_differs", "report.document_sha256")["title"] == title
    assert listing(partner, booking) == [] and cases() == []


@pytest.mark.parametrize(("language", "title"), [("en", "The file is refused"), ("zh", "文件被拒收")])
def test_a_refused_file_is_told_to_the_caller_and_to_the_desk(
    partner: Partner, booking: str, language: str, title: str
) -> None:
    partner.language = language
    for file, media_type, reason in (
        (PDF, "image/png", "wrong_type"),
        (b"", "application/pdf", "empty"),
        (make_pdf(root=b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), "application/pdf", "pdf_active"),
    ):
        body = problem(deliver(partner, booking, told(file), file, media_type), 422, "report_file_refused", "document")
        assert (body["title"], body["facts"]) == (title, {"reason": reason})
        assert reason in body["detail"]
    assert cases() == [("report_refused", "RR-1", "wrong_type")]
    assert listing(partner, booking) == []
    assert deliver(partner, booking).status_code == 201
    assert cases() == []


def test_a_file_that_names_another_person_is_told_to_the_caller_and_to_the_desk(partner: Partner, booking: str) -> None:
    def of(name: str) -> bytes:
        report = {"resourceType": "DiagnosticReport", "status": "final", "conclusion": "x"}
        return json.dumps({**report, "subject": {"display": name}}).encode()

    other, right = of("李四"), of("沈 靜宜")
    answer = deliver(partner, booking, told(other), other, "application/fhir+json")
    assert problem(answer, 422, "report_file_refused", "document")["facts"] == {"reason": "another_person"}
    assert (listing(partner, booking), cases()) == ([], [("report_refused", "RR-1", "another_person")])
    assert deliver(partner, booking, told(right), right, "application/fhir+json").status_code == 201
    assert cases() == []


@pytest.mark.parametrize(("language", "title"), [("en", "The person has not agreed"), ("zh", "本人尚未同意")])
def test_without_consent_a_report_is_not_taken(partner: Partner, world: World, language: str, title: str) -> None:
    partner.language = language
    father = add_member(world.principal, NewMember("father", "沈国栋", "male", date(1955, 5, 1)), NOON).public_id
    asked = world.hold(beneficiary=father)
    go(asked, BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED)
    answer = deliver(partner, asked)
    assert problem(answer, 409, "report_without_consent")["title"] == title
    assert listing(partner, asked) == []
    consents(father)
    assert deliver(partner, asked).status_code == 201


@pytest.mark.parametrize(("language", "title"), [("en", "Not confirmed yet"), ("zh", "尚未确认")])
@pytest.mark.parametrize("ending", [[], [BookingState.REJECTED], [BookingState.CANCELLED]])
def test_a_report_of_a_booking_that_was_never_agreed_to_is_not_taken(
    partner: Partner, world: World, ending: list[BookingState], language: str, title: str
) -> None:
    partner.language = language
    asked = world.submit()
    go(asked, *ending)
    assert problem(deliver(partner, asked), 409, "not_confirmed")["title"] == title
    assert listing(partner, asked) == [] and versions() == []


def test_a_report_of_a_booking_that_was_cancelled_after_it_was_confirmed_is_taken(
    partner: Partner, world: World
) -> None:
    asked = world.submit()
    go(asked, BookingState.CONFIRMED, BookingState.CANCELLED)
    assert deliver(partner, asked).status_code == 201


def test_consent_that_is_withdrawn_while_the_file_is_examined_counts(
    partner: Partner, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    father = add_member(world.principal, NewMember("father", "沈国栋", "male", date(1955, 5, 1)), NOON).public_id
    asked = world.hold(beneficiary=father)
    go(asked, BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED)
    consents(father)
    examine = delivering.examine

    def withdrawn_meanwhile(given: ReportContent) -> Any:
        withdraw_consent(world.principal, father, now=NOON)
        return examine(given)

    monkeypatch.setattr(delivering, "examine", withdrawn_meanwhile)
    problem(deliver(partner, asked), 409, "report_without_consent")
    assert versions() == []


@pytest.mark.parametrize(("language", "title"), [("en", "The report was deleted"), ("zh", "报告已删除")])
def test_a_report_that_the_customer_deleted_does_not_come_back(
    partner: Partner, world: World, booking: str, language: str, title: str
) -> None:
    partner.language = language
    deliver(partner, booking)
    delete_report(world.principal, report_row().public_id, now=LATER)
    for version in (1, 2):
        answer = deliver(partner, booking, told(version=version))
        assert problem(answer, 409, "report_deleted")["title"] == title
    (report,) = listing(partner, booking)
    assert (report["state"], report["versions"][0]["state"], report["versions"][0]["results"]) == (
        "deleted", "deleted", 0)  # fmt: skip


@pytest.mark.parametrize(("language", "title"), [("en", "A report of another booking"), ("zh", "这是另一预约的报告")])
def test_a_reference_stays_with_its_booking(
    partner: Partner, world: World, booking: str, language: str, title: str
) -> None:
    partner.language = language
    deliver(partner, booking)
    other = world.submit(1)
    go(other, BookingState.CONFIRMED)
    answer = deliver(partner, other, told(version=2))
    assert problem(answer, 409, "report_of_another_booking", "report.reference")["title"] == title
    assert cases() == [("report_unmatched", "RR-1", "")]
    assert (listing(partner, other), len(versions())) == ([], 1)


def test_another_providers_booking_is_not_there(app: Flask, partner: Partner, booking: str) -> None:
    stranger = partner_of(app, make_offer()[0], "reports")
    deliver(partner, booking)

    def plain(answer: TestResponse) -> dict[str, Any]:
        body = problem(answer, 404, "not_found")
        return {name: value for name, value in body.items() if name != "instance"}

    missing = "bkg_00000000000000000000"
    assert plain(deliver(stranger, booking)) == plain(deliver(stranger, missing))
    mine, none = (stranger.get(f"/bookings/{public_id}/reports") for public_id in (booking, missing))
    assert plain(mine) == plain(none)
    assert len(versions()) == 1


@pytest.mark.parametrize("ending", [[], [BookingState.EXPIRED], [BookingState.CANCELLED]])
def test_a_hold_that_was_never_submitted_is_not_there(
    partner: Partner, world: World, ending: list[BookingState]
) -> None:
    hold = world.hold()
    go(hold, *ending)
    problem(deliver(partner, hold), 404, "not_found")
    problem(partner.get(f"/bookings/{hold}/reports"), 404, "not_found")
    assert versions() == []


def test_only_so_many_files_are_examined_at_a_time(
    partner: Partner, booking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    examiners = BoundedSemaphore(2)
    monkeypatch.setattr("booking.reports.deliver._examiners", examiners)
    deliver(partner, booking, told(b"MZ"), b"MZ")
    assert examiners.acquire() and examiners.acquire(), "a refused file keeps no place"
    answer = deliver(partner, booking)
    problem(answer, 429, "too_many")
    assert answer.headers["Retry-After"] == "2"
    examiners.release()
    assert deliver(partner, booking).status_code == 201
