"""The desk's reports: what is owed, looking at how results are read, delivering, correcting, and every refusal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from booking.answering.shown import SHOWN
from booking.models import Booking
from booking.reports.deliver import DELIVERED, reports_of
from booking.reports.models import Report
from booking.states import BookingState
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.edge import BODY_LIMIT
from marketplace.web import formats
from tests.desk import at_desk, make_member, member
from tests.files import make_pdf
from tests.marketplace.web.visitors import Visitor, main
from tests.marketplace.web.visitors import words as words_of
from tests.people import NOON, consents
from tests.reports import examined_once
from tests.world import World, booking_row, go, make_world, set_provider
from vip.customers import family
from vip.customers.family import NewMember

PDF = make_pdf("a check-up on paper")
RESULTS = "白细胞\t12.1\t10^9/L\t3.5-9.5\n血糖\t5.1\tmmol/L\t3.9-6.1"


@pytest.fixture(autouse=True)
def files_are_examined_once() -> Iterator[None]:
    """The examiner is a process of its own; the same bytes are the same answer."""
    with examined_once():
        yield


@pytest.fixture
def clinic(db: object) -> World:
    """A provider that answers at its desk."""
    made = make_world(quantity=4)
    set_provider(made.provider, adapter="desk")
    return made


@pytest.fixture
def visit(clinic: World) -> str:
    """A visit that is done, whose report is owed."""
    booking = clinic.submit()
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    with transaction() as session:
        changed = {"report_state": "expected", "report_due_at": NOON}
        session.execute(update(Booking).where(Booking.public_id == booking).values(**changed))
    return booking


@pytest.fixture
def desk(app: Flask, clinic: World) -> Visitor:
    """A clinician, who brings results in."""
    return at_desk(app, make_member(clinic.provider.code, "clinician"))


def send(
    desk: Visitor, booking: str, document: bytes | None = PDF, name: str = "report.pdf", **fields: str
) -> TestResponse:
    path = f"/desk/bookings/{booking}/reports"
    page = desk.get(path).text
    found = dict(re.findall(r'<input type="hidden" name="(csrf_token|key)" value="([^"]*)"', page))
    fields = {name: text.replace("NEWEST", _newest(page)) for name, text in fields.items()}
    data = {"status": "final", "report": "", **found, **fields}
    files = {} if document is None else {"document": FileStorage(io.BytesIO(document), "report.pdf", "document")}
    headers = {"Accept-Language": desk.language}
    body, _size, boundary = stream_encode_multipart({**data, **files}, use_tempfile=False)
    return desk.client.post(
        path, data=body.read(), content_type=f"multipart/form-data; boundary={boundary}", headers=headers
    )


def _newest(page: str) -> str:
    found = re.findall(r'<option value="([^"]+@[0-9]+)"', page)
    return found[-1] if found else ""


def versions(clinic: World, booking: str) -> list[tuple[int, str, int]]:
    return [
        (it.version, it.status, it.results) for each in reports_of(clinic.provider.id, booking) for it in each.versions
    ]


def test_what_is_owed_is_listed_and_leads_to_its_delivery(desk: Visitor, visit: str) -> None:
    page = desk.get("/desk/reports")
    assert booking_row(visit).reference[-3:] in main(page) and "Overdue" in main(page)
    assert f"/desk/bookings/{visit}/reports" in page.text
    assert "沈静宜" not in page.text
    assert desk.get("/desk/reports?cursor=nonsense").status_code == 422


def test_the_list_goes_on_where_it_ended(
    desk: Visitor, clinic: World, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clinic.submit(1)
    go(other, BookingState.CONFIRMED, BookingState.FULFILLED)
    with transaction() as session:
        changed = {"report_state": "expected", "report_due_at": NOON}
        session.execute(update(Booking).where(Booking.public_id == other).values(**changed))
    monkeypatch.setattr("marketplace.web.desk.results.delivering._SHOWN", 1)
    first = desk.get("/desk/reports").text
    more = re.search(r'href="(/desk/reports\?cursor=[^"]+)"', first)
    assert more is not None and visit in first and other not in first
    second = desk.get(more[1]).text
    assert other in second and visit not in second and "Show more" not in second


def test_nothing_owed_says_so(desk: Visitor) -> None:
    assert "No report is owed" in main(desk.get("/desk/reports"))


def test_a_report_is_delivered_and_the_list_is_empty_again(desk: Visitor, clinic: World, visit: str) -> None:
    done = send(desk, visit, results=RESULTS, conclusion="复查血常规。")
    assert (done.status_code, done.headers["Location"]) == (303, f"/desk/bookings/{visit}/reports")
    answer = desk.get(f"/desk/bookings/{visit}/reports")
    assert "Delivered: version 1." in words_of(answer)
    assert "2 results" in main(answer) and "The customer sees this one" in main(answer)
    assert versions(clinic, visit) == [(1, "final", 2)]
    assert "No report is owed" in main(desk.get("/desk/reports"))
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == DELIVERED)).one()
        report = session.scalars(select(Report)).one()
    assert (line.subject, line.actor_kind, line.insurer_id) == (report.public_id, "provider", report.insurer_id)
    assert line.actor == member("clinician").public_id


def test_how_results_are_read_is_shown_before_anything_is_delivered(desk: Visitor, clinic: World, visit: str) -> None:
    looked = main(send(desk, visit, None, results=RESULTS, look="1"))
    assert "Above its range" in looked and "Within its range" in looked and "Nothing is delivered yet" in looked
    assert "3.9-6.1" in looked, "what was typed is still in the form"
    assert versions(clinic, visit) == []
    assert "No results were given" in main(send(desk, visit, None, look="1"))
    again = "Choose the file once more"
    assert again not in looked and again in main(send(desk, visit, PDF, results=RESULTS, look="1"))


def test_after_a_whole_report_a_correction_is_offered_first(desk: Visitor, visit: str) -> None:
    def first() -> list[str]:
        return re.findall(r'<option value="([a-z]+)" selected', desk.get(f"/desk/bookings/{visit}/reports").text)

    assert first() == ["final"]
    send(desk, visit, status="partial")
    assert first() == ["final"]
    send(desk, visit, status="final", report="NEWEST")
    assert first() == ["corrected"]


def test_a_correction_is_a_new_version_of_the_same_report(desk: Visitor, clinic: World, visit: str) -> None:
    send(desk, visit, results=RESULTS)
    form = desk.get(f"/desk/bookings/{visit}/reports").text
    assert re.search(r'<option value="[^"]+@1" selected', form), "of one report alone a new version is what is meant"
    corrected = send(desk, visit, report="NEWEST", status="corrected", results="血糖\t5.4\tmmol/L\t3.9-6.1")
    assert corrected.status_code == 303
    assert versions(clinic, visit) == [(2, "corrected", 1), (1, "final", 2)]
    page = main(desk.get(f"/desk/bookings/{visit}/reports"))
    assert "Replaced by a newer one" in page


def test_a_second_report_stands_beside_the_first(desk: Visitor, clinic: World, visit: str) -> None:
    send(desk, visit)
    send(desk, visit, make_pdf("an X-ray"))
    assert versions(clinic, visit) == [(1, "final", 0), (1, "final", 0)]


def test_a_correction_names_what_it_corrects(desk: Visitor, clinic: World, visit: str) -> None:
    send(desk, visit, results=RESULTS)
    refused = send(desk, visit, report="", status="corrected", results="血糖\t5.4")
    assert refused.status_code == 422 and "Choose the report that this corrects." in main(refused)
    assert versions(clinic, visit) == [(1, "final", 2)]


def test_a_correction_of_a_version_that_was_corrected_since_is_refused(
    desk: Visitor, clinic: World, visit: str
) -> None:
    send(desk, visit, results=RESULTS)
    seen = _newest(desk.get(f"/desk/bookings/{visit}/reports").text)
    assert send(desk, visit, report=seen, status="corrected", results="钾\t4.1").status_code == 303
    assert send(desk, visit, make_pdf("hers"), report=seen, status="corrected", results="血糖\t5.4").status_code in (
        409,
        412,
    )
    send(desk, visit, report="NEWEST", status="corrected", results="钾\t4.2")
    assert send(desk, visit, report=seen, status="corrected", results="血糖\t5.4").status_code == 412
    assert [number for number, _, _ in versions(clinic, visit)] == [3, 2, 1]


def test_a_form_that_is_sent_twice_delivers_once(desk: Visitor, clinic: World, visit: str) -> None:
    for _ in range(2):
        assert send(desk, visit, key="the-same-form", results=RESULTS).status_code == 303
    assert versions(clinic, visit) == [(1, "final", 2)]
    other = send(desk, visit, key="the-same-form", results="血糖\t5.4")
    assert other.status_code == 422 and versions(clinic, visit) == [(1, "final", 2)]
    assert "This form was delivered before." in main(other) and "血糖" in main(other)
    assert 'name="key" value="the-same-form"' not in other.text, "the next try is a new one"


def test_results_beside_a_file_that_holds_some_are_refused(desk: Visitor, clinic: World, visit: str) -> None:
    refused = send(desk, visit, b'{"resourceType": "DiagnosticReport"}', results=RESULTS)
    assert refused.status_code == 422 and "This file holds its results itself." in main(refused)
    assert versions(clinic, visit) == []


def test_who_came_is_told_apart_and_each_look_is_a_line(desk: Visitor, visit: str) -> None:
    page = main(desk.get(f"/desk/bookings/{visit}/reports"))
    assert "沈静宜" in page and "Age on the day" in page
    with reading() as session:
        looks = session.scalars(select(AuditLine).where(AuditLine.action == SHOWN, AuditLine.subject == visit)).all()
    assert [line.actor for line in looks] == [member("clinician").public_id]


def test_rows_of_people_with_one_name_are_told_apart_by_their_numbers(
    app: Flask, desk: Visitor, clinic: World, visit: str
) -> None:
    assert formats.reference(booking_row(visit).reference) in main(desk.get("/desk"))


@pytest.mark.parametrize(
    ("document", "fields", "words"),
    [
        (None, {}, "Choose the report's file"),
        (b"", {}, "Choose the report's file"),
        (PDF, {"results": "血糖,5,2"}, "Line 1 has a number where its unit or mark belongs."),
        (PDF, {"status": "done"}, "This is not one of the possible values."),
        (PDF, {"report": "another-reference"}, "This is not one of the possible values."),
        (PDF, {"report": "another-reference@1"}, "This is not one of the possible values."),
        (b"x" * (5 * 2**20 + 1), {}, "The file may have at most 5 MiB."),
        (b"not a document", {"results": ""}, "The file was refused"),
        (PDF, {"conclusion": "x" * 50_001}, "This may have at most 50000 characters."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_delivered(
    desk: Visitor, clinic: World, visit: str, document: bytes | None, fields: dict[str, str], words: str
) -> None:
    refused = send(desk, visit, document, **{"results": RESULTS, **fields})
    assert 400 <= refused.status_code < 500 and words in main(refused)
    typed = fields.get("results", RESULTS).split("\n")[0].replace("\t", " ")
    assert typed in main(refused), "what was typed stays"
    assert versions(clinic, visit) == []


def test_a_file_larger_than_any_report_is_refused_unread(desk: Visitor, visit: str) -> None:
    assert send(desk, visit, b"x" * (7 * 2**20)).status_code == 413


def test_other_pages_take_no_more_than_before(desk: Visitor) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert desk.client.post("/desk/bookings", data=b"x" * (BODY_LIMIT + 1), headers=headers).status_code == 413


def test_no_file_is_written_to_disk(desk: Visitor, visit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Werkzeug would keep what is larger than half a MiB in a temporary file."""

    def written(*_: object, **__: object) -> None:
        raise AssertionError("results on disk")

    large = b"%PDF-1.4" + b"x" * 2**20
    assert send(desk, visit, large).status_code == 422  # templates are compiled now, which are files of their own
    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", written)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", written, raising=False)
    monkeypatch.setattr("werkzeug.formparser.TemporaryFile", written, raising=False)
    assert send(desk, visit, large).status_code == 422


def test_before_somebody_came_there_is_nothing_to_deliver(desk: Visitor, clinic: World) -> None:
    booking = clinic.submit()
    go(booking, BookingState.CONFIRMED)
    assert "Nobody has come for this booking yet." in main(desk.get(f"/desk/bookings/{booking}/reports"))
    assert send(desk, booking, key="k").status_code == 409
    assert versions(clinic, booking) == []


def test_without_consent_nothing_is_taken_and_nothing_typed_is_lost(desk: Visitor, clinic: World) -> None:
    father = family.add_member(
        clinic.principal, NewMember("father", "沈国栋", "male", date(1955, 5, 1)), NOON
    ).public_id
    visit = clinic.hold(beneficiary=father)
    go(visit, BookingState.CONFIRMED, BookingState.FULFILLED)
    refused = send(desk, visit, results=RESULTS)
    assert refused.status_code == 409 and "has not agreed" in main(refused) and "白细胞" in main(refused)
    assert versions(clinic, visit) == []
    consents(father)
    assert send(desk, visit, results=RESULTS).status_code == 303
