"""What of a delivery can be read: its parts, their fields, letters and sizes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug import formparser

from tests.files import make_pdf
from tests.marketplace.api.caller import problem
from tests.providers.partner_api.partner import Partner
from tests.providers.partner_api.reports.delivering import ROWS, deliver, listing, post, told
from tests.reports import PDF

NOT_UTF8 = b'--x\r\nContent-Disposition: form-data; name="report"\r\n\r\n\xff\xff\r\n--x--'


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


@pytest.mark.parametrize(("language", "title"), [("en", "This content type is not understood"), ("zh", "")])
def test_another_content_type_is_refused(partner: Partner, booking: str, language: str, title: str) -> None:
    partner.language = language
    answer = partner.post(f"/bookings/{booking}/reports", json=told(), headers={"Idempotency-Key": "k"})
    body = problem(answer, 415, "not_multipart")
    assert title in body["title"]
    assert ("multipart/form-data" in body["detail"]) and (language == "en") == body["detail"].isascii()
