"""A report that a provider delivers comes to the customer as a fetched one does."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from booking.reports.fetch import announce
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.web.cookies import SIGNED_IN
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.providers.partner_api.partner import Partner
from tests.providers.partner_api.reports.delivering import deliver, listing, post, told
from tests.reports import LATER, PDF, content, fetch, listed, looks, report_row, versions
from tests.world import World, booking_row, go


def test_what_is_delivered_stands_on_the_customers_page_and_in_her_api(
    app: Flask, world: World, partner: Partner, booking: str
) -> None:
    answer = deliver(partner, booking)
    assert answer.status_code == 201, answer.text
    assert answer.get_json() == {
        "booking_id": booking,
        "booking_status": "fulfilled",
        "reference": "RR-1",
        "stored": {
            "version": 1,
            "status": "final",
            "issued_at": "2026-03-01T01:00:00+00:00",
            "received_at": NOON.isoformat(),
            "results": 2,
            "state": "current",
        },
    }
    customer = Caller.of(app, "13800000021")
    with clock.frozen(LATER):
        (line,) = customer.get("/reports").get_json()["items"]
        shown = customer.get(f"/reports/{line['id']}").get_json()
        paper = customer.get(f"/reports/{line['id']}/document")
        browser = app.test_client()
        browser.set_cookie(SIGNED_IN.name, customer.token or "")
        page = browser.get(f"/reports/{line['id']}", headers={"Accept-Language": "zh"})
    assert (line["booking_id"], line["state"], line["abnormal"]) == (booking, "ready", 1)
    assert [(row["name"], row["value"], row["flag"]) for row in shown["results"]] == [
        ("低密度脂蛋白胆固醇", "3.92", "high"), ("收缩压", "128", "normal")]  # fmt: skip
    assert paper.data == PDF
    assert page.status_code == 200 and "3.92" in page.text and "血脂偏高" in page.text
    assert booking_row(booking).report_state == "ready"


def test_delivered_and_fetched_are_stored_alike(world: World, partner: Partner, booking: str) -> None:
    assert deliver(partner, booking).status_code == 201
    other = world.submit(1)
    remote = listed(world, other, reference="RR-2")
    with transaction() as session:
        announce(session, world.provider.id, remote, now=NOON)
    assert fetch(world, content(remote)) == {"stored": 1}
    mine, fetched = versions("RR-1")[0], versions("RR-2")[0]
    assert (mine.status, mine.document_type) == (fetched.status, fetched.document_type)
    assert (report_row("RR-1").state, report_row("RR-2").state) == ("ready", "ready")
    assert looks(report_row("RR-1").public_id) == looks(report_row("RR-2").public_id)
    assert fetch(world) == {}, "what was delivered is not fetched as well"


def test_the_report_may_be_a_plain_field_of_the_form(partner: Partner, booking: str) -> None:
    parts = {"report": json.dumps(told()), "document": (io.BytesIO(PDF), "r.pdf", "application/pdf")}
    assert post(partner, booking, parts).status_code == 201


def test_results_of_a_fhir_file_are_read_from_it(partner: Partner, booking: str) -> None:
    file = json.dumps(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "DiagnosticReport", "id": "d", "status": "final",
                 "code": {"text": "Check-up"}, "result": [{"reference": "urn:uuid:2"}], "conclusion": "Fine."}},
                {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Observation", "id": "o", "status": "final",
                 "code": {"text": "血红蛋白", "coding": [{"system": "http://loinc.org", "code": "718-7"}]},
                 "valueQuantity": {"value": 108, "unit": "g/L"}}},
            ],
        }
    ).encode()  # fmt: skip
    report = told(file)
    del report["items"], report["conclusion"]
    answer = deliver(partner, booking, report, file, "application/fhir+json")
    assert (answer.status_code, answer.get_json()["stored"]["results"]) == (201, 1), answer.text


def test_a_booking_that_nobody_attended_takes_a_report_as_a_fetched_one_and_says_so(
    partner: Partner, world: World
) -> None:
    public_id = world.submit()
    go(public_id, BookingState.CONFIRMED, BookingState.NO_SHOW)
    answer = deliver(partner, public_id)
    assert (answer.status_code, answer.get_json()["booking_status"]) == (201, "no_show")


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED], "confirmed"),
        ([BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED, BookingState.CHECKED_IN], "checked_in"),
    ],
)
def test_how_the_booking_stands_is_said_in_the_words_of_the_partner_api(
    partner: Partner, world: World, states: list[BookingState], status: str
) -> None:
    asked = world.hold()
    go(asked, *states)
    assert deliver(partner, asked).get_json()["booking_status"] == status


def test_nothing_of_a_delivered_report_can_be_read_in_the_table(
    partner: Partner, booking: str, owner_connection: Connection
) -> None:
    deliver(partner, booking)
    rows = owner_connection.execute(
        text("SELECT v::text FROM report_version v UNION ALL SELECT d::text FROM report_document d")
    )
    plain = " ".join(rows.scalars())
    assert "3.92" not in plain and PDF.hex() not in plain


def test_a_report_that_was_announced_and_then_delivered_is_not_fetched(
    partner: Partner, world: World, booking: str
) -> None:
    with transaction() as session:
        announce(session, world.provider.id, listed(world, booking), now=NOON)
    assert listing(partner, booking) == [{"reference": "RR-1", "state": "expected", "versions": []}]
    assert deliver(partner, booking).status_code == 201
    assert fetch(world, now=LATER + timedelta(days=1)) == {}
