"""Versions of a delivered report: each is stored once, and the newest is shown."""

from __future__ import annotations

import json
from threading import BoundedSemaphore
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import false
from werkzeug.test import TestResponse

from booking.reports import deliver as delivering
from tests.concurrency.controls import all_at_once
from tests.files import make_pdf
from tests.marketplace.api.caller import problem
from tests.providers.partner_api.partner import Partner
from tests.providers.partner_api.reports.delivering import ROWS, deliver, listing, told
from tests.reports import report_row, versions
from tests.world import World, booking_row


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
