"""What is written down of a run holds no personal data and no secrets, whatever the provider answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from providers.adapters.http import NoAnswer, Reply
from providers.conformance.journal import FileJournal
from providers.conformance.kit import PERSON, Kit
from providers.conformance.run import run
from providers.conformance.step import Capability
from providers.conformance.transcript import Transcript, shown
from providers.conformance.writing import junit, line, summary
from providers.port import Person
from providers.sandbox import bookings
from tests.providers.conformance.served import KEY, WEBHOOK_SECRET, failed, serve

PHONE, ID_NUMBER = "13912345678", "110101199001011234"


def test_a_provider_that_repeats_person_and_key_everywhere_shows_none_of_it_in_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers hold them in fields that are shown and in fields that are not."""
    show = bookings.shown
    told = " ".join((PERSON.name, PHONE, ID_NUMBER, KEY, WEBHOOK_SECRET, PERSON.birth_date.isoformat()))
    monkeypatch.setattr(
        "providers.sandbox.bookings.shown", lambda row: {**show(row), "offer": told, "reason": told, told: told}
    )
    monkeypatch.setattr("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    with serve(tmp_path) as served:
        target = served.target(patience=1)
        person = Person(PERSON.name, "male", PERSON.birth_date, PHONE, ID_NUMBER)
        journal = FileJournal(tmp_path / "j")
        result = run(replace(target, person=person), journal, only=[Capability.BOOKING])
        journal.close()
    assert failed(result)
    written = "\n".join([*map(line, result.steps), summary(result), junit(result).decode()])
    assert "POST /bookings" in written
    for secret in (PERSON.name, PHONE, ID_NUMBER, KEY, WEBHOOK_SECRET, PERSON.birth_date.isoformat()):
        assert secret not in written, secret


def test_what_no_database_stores_is_written_as_a_question_mark() -> None:
    transcript = Transcript(())
    transcript.note("half \ud800 and NUL \0, 测试")
    assert transcript.lines == ["half ? and NUL ?, 测试"]


def test_only_known_fields_of_a_body_are_shown() -> None:
    body = {
        "status": "confirmed",
        "person": {"name": "王小明"},
        "title": "王小明",
        "bookings": [{"reference": "R"}] * 5,
    }
    assert shown(body) == {
        "status": "confirmed",
        "person": "…",
        "title": "…",
        "bookings": [{"reference": "R"}] * 3 + ["… (5)"],
    }


def test_a_call_is_shown_with_its_key_and_without_its_credentials() -> None:
    transcript = Transcript(["hush-hush"])
    parts = {
        "params": None,
        "json": {"our_reference": "kit-1", "answers": {"a": "b"}, "slot": "hush-hush"},
        "headers": {"Idempotency-Key": "kit-1-key", "Authorization": "Bearer hush-hush"},
    }
    body = json.dumps({"code": "sold_out", "detail": "for 王小明"}).encode()
    transcript.heard("POST /bookings", parts, Reply(409, "application/problem+json", body, {"retry-after": "3"}))
    assert transcript.lines == [
        '> POST /bookings [idempotency-key=kit-1-key] {"our_reference": "kit-1", "answers": "…", "slot": "…"}',
        '< 409 [retry-after=3] {"code": "sold_out", "detail": "…"}',
    ]


def test_what_is_no_json_is_told_by_its_size_and_no_answer_by_its_reason() -> None:
    transcript = Transcript([])
    transcript.heard("GET /x", {}, Reply(200, "text/html", b"<p>13912345678</p>", {}))
    transcript.heard("GET /x", {}, NoAnswer("the deadline passed", sent=True))
    assert [*map(str, transcript.lines[1::2])] == ["< 200 (18 bytes of text/html)", "< no answer: the deadline passed"]


def test_the_kit_tells_its_transcripts_every_secret_of_the_connection(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        journal = FileJournal(tmp_path / "j")
        kit = Kit(served.target(), journal)
        journal.close()
    assert kit.transcript.blot(f"{KEY} {WEBHOOK_SECRET} {PERSON.name}") == "… … …"
