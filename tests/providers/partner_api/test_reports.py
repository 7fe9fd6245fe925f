"""Reports that a provider delivers over the partner API: they come to the customer as fetched ones do."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from threading import BoundedSemaphore
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, false, select, text
from werkzeug import formparser
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from booking.models import Discrepancy
from booking.reports import deliver as delivering
from booking.reports.delete import delete_report
from booking.reports.fetch import announce
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.web.cookies import SIGNED_IN
from providers.reported import ReportContent
from tests.concurrency.controls import all_at_once
from tests.files import make_pdf
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON, consents
from tests.providers.partner_api.partner import Partner, partner_of
from tests.reports import LATER, PDF, content, examined_once, fetch, listed, looks, report_row, versions
from tests.world import World, booking_row, go, make_offer, make_world
from vip.customers.consent import withdraw_consent
from vip.customers.family import NewMember, add_member

ROWS: list[dict[str, Any]] = [
    {"name": "收缩压", "value": "128", "loinc": "8480-6", "unit": "mm[Hg]", "low": 90, "high": 139, "flag": "normal"},
    {"name": "低密度脂蛋白胆固醇", "value": "3.92", "loinc": "22748-8", "unit": "mmol/L", "high": 3.4, "flag": "high",
     "low": None, "section": "血脂", "note": None, "code": "LDL", "range_text": "<3.4", "mark": "↑"},
]  # fmt: skip

NOT_UTF8 = b'--x\r\nContent-Disposition: form-data; name="report"\r\n\r\n\xff\xff\r\n--x--'


@pytest.fixture(autouse=True)
def files_are_examined_once() -> Iterator[None]:
    """The examiner is a process of its own; the same bytes are the same answer."""
    with examined_once():
        yield


@pytest.fixture
def world(db: object) -> World:
    """A customer, and a provider of hers."""
    return make_world(quantity=4)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """The provider's program."""
    return partner_of(app, world.provider, "reports")


@pytest.fixture
def booking(world: World) -> str:
    """A booking that was attended."""
    public_id = world.submit()
    go(public_id, BookingState.CONFIRMED, BookingState.FULFILLED)
    return public_id


def told(file: bytes = PDF, **changes: Any) -> dict[str, Any]:
    """The JSON of a report whose file this is."""
    return {
        "reference": "RR-1",
        "version": 1,
        "status": "final",
        "issued_at": "2026-03-01T09:00:00+08:00",
        "items": ROWS,
        "conclusion": "血脂偏高，三个月后复查。",
        "document_sha256": hashlib.sha256(file).hexdigest(),
        **changes,
    }


def deliver(
    partner: Partner,
    booking: str,
    report: Any = None,
    file: bytes = PDF,
    media_type: str = "application/pdf",
    key: str | None = None,
) -> TestResponse:
    """One delivery. `report` is JSON, or bytes that are sent as they are."""
    report = told(file) if report is None else report
    raw = report if isinstance(report, bytes) else json.dumps(report).encode()
    parts = {
        "report": (io.BytesIO(raw), "report.json", "application/json"),
        "document": (io.BytesIO(file), "report.pdf", media_type),
    }
    return post(partner, booking, parts, key)


def post(partner: Partner, booking: str, parts: Any, key: str | None = None) -> TestResponse:
    boundary, body = encode_multipart(
        {
            name: FileStorage(part[0], part[1], name, *part[2:]) if isinstance(part, tuple) else part
            for name, part in parts.items()
        }
    )
    return partner.post(
        f"/bookings/{booking}/reports",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def listing(partner: Partner, booking: str) -> Any:
    answer = partner.get(f"/bookings/{booking}/reports")
    assert answer.status_code == 200, answer.text
    return answer.get_json()["items"]


def cases() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None)).order_by(Discrepancy.id))
        return [(row.kind, row.subject, str(row.facts.get("reason", ""))) for row in rows]


# --- to the customer -------------------------------------------------------------------------------------------------


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


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_correction_is_a_version_of_its_own(partner: Partner, booking: str) -> None:
    deliver(partner, booking)
    corrected = told(version=2, status="corrected", items=[{**ROWS[1], "value": "3.10", "flag": "normal"}])
    assert deliver(partner, booking, corrected).get_json()["stored"]["state"] == "current"
    (report,) = listing(partner, booking)
    assert (report["reference"], report["state"]) == ("RR-1", "corrected")
    assert [(it["version"], it["status"], it["results"], it["state"]) for it in report["versions"]] == [
        (2, "corrected", 1, "current"), (1, "final", 2, "superseded")]  # fmt: skip
    assert "3.10" not in json.dumps(report) and "value" not in json.dumps(report)


def test_a_part_becomes_the_whole(partner: Partner, booking: str) -> None:
    deliver(partner, booking, told(status="partial", items=ROWS[:1]))
    assert booking_row(booking).report_state == "partial"
    deliver(partner, booking, told(version=2))
    assert booking_row(booking).report_state == "ready"


def test_an_older_version_that_comes_late_is_kept_and_never_shown(partner: Partner, booking: str) -> None:
    deliver(partner, booking, told(version=2, status="corrected"))
    late = deliver(partner, booking, told(items=ROWS[:1]))
    assert (late.status_code, late.get_json()["stored"]["state"]) == (201, "superseded")
    assert (report_row().fetched_version, report_row().announced_version, report_row().fetch_after) == (2, 2, None)
    assert booking_row(booking).report_state == "corrected"


def test_after_a_lost_answer_the_same_is_answered_and_nothing_is_stored_twice(partner: Partner, booking: str) -> None:
    first = deliver(partner, booking, key="k-1")
    again = deliver(partner, booking, key="k-1")
    by_another_key = deliver(partner, booking, key="k-2")
    assert (first.status_code, first.get_json()) == (201, again.get_json())
    assert (again.status_code, by_another_key.status_code) == (201, 201)
    assert by_another_key.get_json() == first.get_json()
    assert len(versions()) == 1


def test_after_a_lost_answer_the_file_is_not_examined_again(
    partner: Partner, world: World, booking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = deliver(partner, booking, key="k-1")
    examiners = BoundedSemaphore(1)
    monkeypatch.setattr(delivering, "_examiners", examiners)
    assert examiners.acquire()
    again = deliver(partner, booking, key="k-1")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    problem(deliver(partner, booking, told(version=2), key="k-1"), 422, "idempotency_key_reused", "Idempotency-Key")
    problem(deliver(partner, booking, key="k-2"), 429, "too_many")
    monkeypatch.setattr(delivering, "may_show", lambda *_: false())
    problem(deliver(partner, booking, key="k-1"), 409, "report_without_consent")


def test_a_key_is_for_one_content(partner: Partner, booking: str) -> None:
    deliver(partner, booking, key="k-1")
    problem(deliver(partner, booking, told(version=2), key="k-1"), 422, "idempotency_key_reused", "Idempotency-Key")
    without = partner.post(
        f"/bookings/{booking}/reports",
        data=b"",
        content_type="multipart/form-data; boundary=x",
        headers={"Idempotency-Key": ""},
    )
    problem(without, 400, "idempotency_key_missing", "Idempotency-Key")


@pytest.mark.parametrize(
    "other",
    [
        {"items": ROWS[:1]},
        {"conclusion": "another"},
        {"status": "partial"},
        {"issued_at": "2026-03-01T09:00:01+08:00"},
    ],
)
def test_a_version_is_never_taken_with_other_content(partner: Partner, booking: str, other: Any) -> None:
    deliver(partner, booking)
    problem(deliver(partner, booking, told(**other)), 409, "version_taken", "report.version")
    assert len(versions()) == 1


def test_a_version_is_never_taken_with_another_file(partner: Partner, booking: str) -> None:
    deliver(partner, booking)
    problem(deliver(partner, booking, file=make_pdf("another paper")), 409, "version_taken", "report.version")


def test_the_same_under_a_new_number_is_answered_with_what_is_stored(partner: Partner, booking: str) -> None:
    deliver(partner, booking)
    same = deliver(partner, booking, told(version=2))
    assert (same.status_code, same.get_json()["stored"]["version"]) == (200, 1)
    assert deliver(partner, booking, told(version=2)).get_json() == same.get_json()
    assert len(versions()) == 1


def test_twelve_deliveries_at_once_are_one_version(app: Flask, world: World, partner: Partner, booking: str) -> None:
    answers = all_at_once([lambda: deliver(partner, booking)] * 6 + [lambda: deliver(partner, booking, key="k")] * 6)
    codes = [answer.status_code for answer in answers if isinstance(answer, TestResponse)]
    assert len(codes) == 12 and set(codes) <= {201, 409, 429} and 201 in codes
    assert len(versions()) == 1
    assert deliver(partner, booking).status_code == 201


# --- refusals --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("language", "title"), [("en", "The person has not agreed"), ("zh", "本人尚未同意")])
def test_without_consent_a_report_is_not_taken(partner: Partner, world: World, language: str, title: str) -> None:
    partner.language = language
    father = add_member(world.principal, NewMember("father", "沈国栋", "male", date(1955, 5, 1)), NOON).public_id
    asked = world.hold(beneficiary=father)
    go(asked, BookingState.AWAITING_PROVIDER)
    answer = deliver(partner, asked)
    assert problem(answer, 409, "report_without_consent")["title"] == title
    assert listing(partner, asked) == []
    consents(father)
    assert deliver(partner, asked).status_code == 201


def test_consent_that_is_withdrawn_while_the_file_is_examined_counts(
    partner: Partner, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    father = add_member(world.principal, NewMember("father", "沈国栋", "male", date(1955, 5, 1)), NOON).public_id
    asked = world.hold(beneficiary=father)
    go(asked, BookingState.AWAITING_PROVIDER)
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
        ([BookingState.AWAITING_PROVIDER], "requested"),
        ([BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN], "requested"),
        ([BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED], "confirmed"),
    ],
)
def test_how_the_booking_stands_is_said_in_the_words_of_the_partner_api(
    partner: Partner, world: World, states: list[BookingState], status: str
) -> None:
    asked = world.hold()
    go(asked, *states)
    assert deliver(partner, asked).get_json()["booking_status"] == status


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": ""}, "report.reference"),
        ({"reference": "x" * 256}, "report.reference"),
        ({"reference": "a\x00b"}, "reference"),
        ({"version": 0}, "report.version"),
        ({"version": 2**31}, "report.version"),
        ({"version": "1"}, "report.version"),
        ({"version": True}, "report.version"),
        ({"status": "draft"}, "report.status"),
        ({"issued_at": "2026-03-01T09:00:00"}, "report.issued_at"),
        ({"issued_at": "2026-02-30T09:00:00Z"}, "report.issued_at"),
        ({"issued_at": None}, "report.issued_at"),
        ({"items": {}}, "report.items"),
        ({"items": ROWS[:1] * 2001}, "report.items"),
        ({"items": [ROWS[0], 7]}, "report.items.1"),
        ({"items": [{**ROWS[0], "value": 128}]}, "report.items.0.value"),
        ({"items": [ROWS[0], {**ROWS[0], "low": "90"}]}, "report.items.1.low"),
        ({"items": [{**ROWS[0], "low": 1e300}]}, "report.items.0.low"),
        ({"items": [{**ROWS[0], "flag": "very high"}]}, "report.items.0.flag"),
        ({"items": [{**ROWS[0], "value": "x" * 4001}]}, "report.items.0.value"),
        ({"items": [{**ROWS[0], "surprise": 1}]}, "report.items.0.surprise"),
        ({"conclusion": "x" * 50_001}, "report.conclusion"),
        ({"document_sha256": "A" * 64}, "report.document_sha256"),
        ({"document_sha256": "a" * 64 + "\n"}, "report.document_sha256"),
        ({"patient": "somebody"}, "report.patient"),
    ],
)
def test_what_cannot_be_read_is_named(partner: Partner, booking: str, changes: Any, field: str) -> None:
    problem(deliver(partner, booking, told(**changes)), 422, "invalid", field)
    assert listing(partner, booking) == []


def test_hostile_bodies_are_refused_and_never_an_error_of_ours(partner: Partner, booking: str) -> None:
    path = f"/bookings/{booking}/reports"
    more = dict.fromkeys("abcdefghijk", "")
    refused = [
        deliver(partner, booking, raw)
        for raw in (b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 10_000, b'{"version":NaN}')
    ]
    refused += [
        post(partner, booking, {"report": json.dumps(told())}),
        post(partner, booking, {"document": (io.BytesIO(PDF), "r.pdf")}),
        post(partner, booking, {"report": json.dumps(told()), "document": "not a file"}),
        post(partner, booking, {"report": [json.dumps(told())] * 2, "document": (io.BytesIO(PDF), "r.pdf")}),
        post(partner, booking, {"report": "{}", "document": (io.BytesIO(PDF), "r.pdf"), "more": "x"}),
        post(partner, booking, {"report": "{}", "document": (io.BytesIO(PDF), "r.pdf"), **more}),
    ]
    for body, content_type in (
        (b"{}", "application/json"),
        (b"", ""),
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"\x00" * 1000, "multipart/form-data; boundary=x"),
        (NOT_UTF8, "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: attachment\r\n\r\n{}\r\n--x--", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data; boundary=\xe9"),
    ):  # fmt: skip
        headers = {"Idempotency-Key": "k"}
        refused.append(partner.post(path, data=body, content_type=content_type, headers=headers))
    assert {answer.status_code for answer in refused} <= {400, 413, 415, 422}, [it.status_code for it in refused]
    assert {answer.content_type for answer in refused} == {"application/problem+json"}
    assert listing(partner, booking) == []


def test_a_field_that_is_not_utf_8_is_refused_and_not_stored_with_its_letters_lost(
    partner: Partner, booking: str
) -> None:
    report = json.dumps(told(conclusion="血脂偏高"), ensure_ascii=False).encode("gb18030")
    head = b'--x\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: application/pdf\r\n\r\n'
    body = head % b"report" + report + b"\r\n" + head % b'document"; filename="r.pdf' + PDF + b"\r\n--x--\r\n"
    sent = {"data": body, "content_type": "multipart/form-data; boundary=x", "headers": {"Idempotency-Key": "k"}}
    problem(partner.post(f"/bookings/{booking}/reports", **sent), 422, "invalid", "report")
    sent["data"] = body.replace(report, report.decode("gb18030").encode())
    assert partner.post(f"/bookings/{booking}/reports", **sent).status_code == 201


@pytest.mark.parametrize(("language", "title"), [("en", "The request is too large"), ("zh", "请求过大")])
def test_more_than_a_part_may_have_is_refused(partner: Partner, booking: str, language: str, title: str) -> None:
    partner.language = language
    at_most = 5 * 2**20
    large = b"%PDF-" + b"x" * (at_most - 4)
    for answer in (
        deliver(partner, booking, told(large), large),
        deliver(partner, booking, told(), b"%PDF-" + b"x" * 2 * at_most),
        deliver(partner, booking, json.dumps(told()).encode() + b" " * 2**20),
        post(partner, booking, {"report": " " * (2**20 + 1), "document": (io.BytesIO(PDF), "r.pdf")}),
    ):
        assert problem(answer, 413, "report_too_large")["title"] == title


def test_a_file_of_nearly_five_mebibytes_comes_through_and_is_written_nowhere(
    partner: Partner, booking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("results in a file")

    monkeypatch.setattr(formparser, "SpooledTemporaryFile", refuse)
    file = make_pdf(contents=b"<< /Length %d >>\nstream\n%s\nendstream" % (5_000_000, b" " * 5_000_000))
    answer = deliver(partner, booking, told(file), file)
    assert answer.status_code == 201, answer.text


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


@pytest.mark.parametrize(("language", "title"), [("en", "This content type is not understood"), ("zh", "")])
def test_another_content_type_is_refused(partner: Partner, booking: str, language: str, title: str) -> None:
    partner.language = language
    answer = partner.post(f"/bookings/{booking}/reports", json=told(), headers={"Idempotency-Key": "k"})
    body = problem(answer, 415, "not_multipart")
    assert title in body["title"]
    assert ("multipart/form-data" in body["detail"]) and (language == "en") == body["detail"].isascii()


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
