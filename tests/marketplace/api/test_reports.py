"""The report box through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.reports.fetch import store
from booking.reports.files import examine
from booking.reports.models import Report
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.reported import RemoteReport, ReportContent, ReportItem
from tests.files import make_pdf
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.world import World, booking_row, join

PDF = make_pdf("demonstration")


def item(name: str, value: str, flag: str) -> ReportItem:
    """A result."""
    return ReportItem(
        name=name, value=value, loinc="2345-7", unit="mmol/L", low=3.9, high=6.1, flag=flag, section="", note=""
    )


def make_report(world: World) -> str:
    """A report of a booking of the world's customer; its public id."""
    kept = booking_row(world.submit())
    with transaction() as session:
        report = Report(
            public_id=new_id("rpt"),
            insurer_id=kept.insurer_id,
            provider_id=kept.provider_id,
            booking_id=kept.id,
            beneficiary_id=kept.beneficiary_id,
            customer_id=kept.customer_id,
            reference="R-1",
            state="expected",
            announced_version=1,
            issued_at=NOON,
            created_at=NOON,
        )
        session.add(report)
    remote = RemoteReport(
        reference="R-1",
        booking_reference="B-1",
        our_reference=kept.public_id,
        version=1,
        status="final",
        issued_at=NOON,
    )
    content = ReportContent(
        report=remote,
        items=(item("身高", "168", "normal"), item("葡萄糖", "7.2", "high"), item("尿蛋白", "NaN", "")),
        conclusion="空腹血糖偏高。",
        document=PDF,
        document_type="application/pdf",
    )
    store(report.id, examine(content), now=NOON + timedelta(minutes=1))
    return report.public_id


@pytest.fixture
def report_id(world: World) -> str:
    """The customer's report."""
    return make_report(world)


def looks() -> int:
    """Lines of the audit trail about reports."""
    with reading() as session:
        return session.scalars(select(func.count()).where(AuditLine.action.like("report.%"))).one()


def test_a_report_is_listed_without_results(caller: Caller, report_id: str) -> None:
    told = caller.get("/reports").get_json()
    assert [(card["id"], card["items"], card["abnormal"]) for card in told["items"]] == [(report_id, 3, 1)]
    assert "results" not in told["items"][0]
    assert looks() == 0


def test_a_report_opens_with_what_is_out_of_range_first_and_is_recorded(caller: Caller, report_id: str) -> None:
    told = caller.get(f"/reports/{report_id}").get_json()
    assert told["results"][0]["name"] == "葡萄糖"
    assert (told["results"][0]["number"], told["results"][0]["high"]) == (7.2, 6.1)
    assert {result["name"]: result["number"] for result in told["results"]}["尿蛋白"] is None
    assert told["conclusion"] == "空腹血糖偏高。"
    assert looks() == 1


def test_the_document_is_the_original_and_is_recorded(caller: Caller, report_id: str) -> None:
    answer = caller.get(f"/reports/{report_id}/document")
    assert (answer.content_type, answer.data) == ("application/pdf", PDF)
    assert answer.headers["Cache-Control"] == "no-store"
    assert looks() == 1


def test_another_customers_report_is_not_there(caller: Caller, world: World, app: Flask, report_id: str) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000077")
    other = Caller.of(app, "13800000077")
    for path in (f"/reports/{report_id}", f"/reports/{report_id}/document"):
        problem(other.get(path), 404, "not_found", "report_id")
    assert other.get("/reports").get_json()["items"] == []
    assert looks() == 0


def test_results_carry_our_reading_and_a_trend_can_be_asked_for(caller: Caller, world: World, report_id: str) -> None:
    told = caller.get(f"/reports/{report_id}").get_json()
    glucose = told["results"][0]
    assert (glucose["item"], glucose["mapped_by"], glucose["judged"], glucose["judged_by"]) == (
        "glucose", "loinc", "high", "provider_flag",
    )  # fmt: skip
    assert (glucose["our_value"], glucose["our_unit"], told["newest"]) == (7.2, "mmol/L", 1)
    trend = caller.get(f"/reports/trends?item=glucose&beneficiary_id={told['beneficiary_id']}").get_json()
    assert (trend["points"][0]["report_id"], trend["points"][0]["result"]["our_value"]) == (report_id, 7.2)
    problem(caller.get(f"/reports/trends?item=none&beneficiary_id={told['beneficiary_id']}"), 404, "not_found", "item")
    problem(caller.get(f"/reports/compare?a={report_id}&b={report_id}"), 422, "invalid", "b")
    problem(caller.get(f"/reports/compare?a={report_id}&b=rpt_0"), 404, "not_found", "report_id")
    problem(caller.get(f"/reports/{report_id}?version=9"), 404, "not_found", "report_id")
