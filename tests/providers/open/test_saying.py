"""What goes out: an opening, what the customer says, the end; and what each answer means."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from urllib.parse import quote

import pytest

from providers.adapters.open.consultations import REUSED
from providers.conversing import Converses, Delivered, Picture, Posted
from providers.port import Accepted, Confirmed, Refused, RetryAfter, Unknown
from providers.registry import capabilities, conversing
from tests.providers.open.answering import JSON, PROBLEM, Hospital
from tests.providers.open.said import OURS, THEIRS, booking, closing, opening, saying

AT = f"/consultations/{quote(THEIRS, safe='')}"
TAKEN = {"id": "msg_1", "our_reference": OURS}


def test_systems_of_the_open_protocol_can_have_doctors_who_answer(hospital: Hospital) -> None:
    assert isinstance(hospital.adapter(), Converses)
    assert conversing() == ["open_protocol"] and not capabilities("fhir").converses


def test_an_opening_says_who_asks_what_and_is_a_booking(hospital: Hospital) -> None:
    hospital.says(201, booking())
    assert hospital.adapter().open(opening()) == Confirmed(THEIRS, 1)
    [asked] = hospital.asked
    assert (asked.verb, asked.path, asked.headers["Idempotency-Key"]) == ("POST", "/consultations", "key-1")
    assert asked.json == {
        "our_reference": OURS,
        "offer": "ASK",
        "department": "dermatology",
        "language": "zh",
        "person": {"name": "王小明", "sex": "male", "birth_date": "1985-05-20"},
        "answers": {"symptoms": "咳嗽", "since": "days"},
        "flagged": False,
        "answer_seconds": 90,
    }


def test_an_opening_may_be_accepted_and_decided_later(hospital: Hospital) -> None:
    hospital.says(202, booking(status="requested"))
    assert isinstance(hospital.adapter().open(opening()), Accepted)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, booking(status="requested")),
        (202, booking(status="confirmed")),
        (200, booking()),
        (201, booking(our_reference="bok_2")),
        (201, {}),
        (201, b"<html>Welcome</html>"),
        (204, b""),
        (302, booking()),
        (500, booking()),
    ],
)
def test_an_answer_that_does_not_suit_an_opening_leaves_it_open(hospital: Hospital, status: int, body: Any) -> None:
    hospital.says(status, body, Location=hospital.url)
    assert isinstance(hospital.adapter().open(opening()), Unknown)
    assert len(hospital.asked) == 1  # no redirect is followed


def test_words_go_out_under_their_own_id(hospital: Hospital) -> None:
    assert hospital.adapter().post(saying(flagged=True)) == Posted()
    [asked] = hospital.asked
    assert (asked.verb, asked.path, asked.headers["Idempotency-Key"]) == ("POST", f"{AT}/messages", "msg_1")
    assert asked.json == {
        "id": "msg_1",
        "our_reference": OURS,
        "seq": 3,
        "sent_at": "2026-03-05T08:00:01Z",
        "text": "您好",
        "flagged": True,
    }


def test_a_picture_of_five_mebibytes_goes_out_whole(hospital: Hospital) -> None:
    content = b"\xff\xd8\xff" + bytes(5 * 1024 * 1024 - 3)
    picture = Picture(content, "image/jpeg", hashlib.sha256(content).hexdigest())
    assert hospital.adapter().post(saying("", picture=picture)) == Posted()
    told = hospital.asked[0].json
    assert "text" not in told and told["picture"]["content_type"] == "image/jpeg"
    assert told["picture"]["sha256"] == picture.sha256
    assert base64.b64decode(told["picture"]["content"]) == content
    assert len(hospital.asked[0].body) < 8 * 1024 * 1024  # what the contract allows


@pytest.mark.parametrize(("status", "body"), [(200, TAKEN), (201, TAKEN), (201, {**TAKEN, "seq": 9}), (204, b"")])
def test_what_was_taken_now_or_before_is_posted(hospital: Hospital, status: int, body: Any) -> None:
    hospital.says(status, body)
    assert hospital.adapter().post(saying()) == Posted()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {**TAKEN, "id": "msg_2"}, JSON),
        (201, {**TAKEN, "our_reference": "bok_2"}, JSON),
        (200, {}, JSON),
        (200, {**TAKEN, "id": ["msg_1"]}, JSON),
        (200, b"<html>Sign in to the hospital's network</html>", "text/html"),
        (200, b"[]", JSON),
        (202, TAKEN, JSON),
        (302, TAKEN, JSON),
        (404, b"<html>Not here</html>", "text/html"),
        (408, {"code": "closed"}, PROBLEM),
        (500, TAKEN, JSON),
        (503, TAKEN, JSON),
    ],
)
def test_any_other_answer_leaves_open_whether_it_was_taken(
    hospital: Hospital, status: int, body: Any, kind: str
) -> None:
    hospital.says(status, body, kind, Location=hospital.url)
    assert isinstance(hospital.adapter().post(saying()), Unknown)
    assert len(hospital.asked) == 1


def test_what_is_refused_is_refused_with_its_word(hospital: Hospital) -> None:
    for status, code, word in ((409, "closed", "closed"), (404, "unknown_booking", "other"), (422, "invalid", "other")):
        hospital.refuses(status, code, "It is over")
        assert hospital.adapter().post(saying()) == Refused(word, "It is over")
    hospital.refuses(422, "idempotency_key_reused")
    assert hospital.adapter().post(saying()) == REUSED


@pytest.mark.parametrize("what", ["post", "close"])
def test_who_did_not_look_at_it_is_asked_again_later(hospital: Hospital, what: str) -> None:
    def deliver() -> Delivered:
        adapter = hospital.adapter()
        return adapter.post(saying()) if what == "post" else adapter.close(closing())

    hospital.says(429, Retry_After="7")
    assert deliver() == RetryAfter(7.0)
    hospital.says(503, Retry_After="9")
    assert deliver() == RetryAfter(9.0)
    for status in (401, 403):
        hospital.refuses(status, "closed")
        found = deliver()
        assert isinstance(found, RetryAfter) and found.reached


def test_nobody_there_was_told_nothing(hospital: Hospital) -> None:
    hospital.url = "http://127.0.0.1:1"
    found = hospital.adapter().post(saying())
    assert isinstance(found, RetryAfter) and not found.reached


def test_who_answers_too_late_may_have_taken_it(hospital: Hospital) -> None:
    hospital.seconds = 30
    began = time.monotonic()
    assert isinstance(hospital.adapter(0.5).post(saying()), Unknown)
    assert time.monotonic() - began < hospital.seconds / 2


def test_the_end_is_told_with_its_reason(hospital: Hospital) -> None:
    hospital.says(200, booking(status="fulfilled", version=4))
    assert hospital.adapter().close(closing()) == Posted()
    [asked] = hospital.asked
    assert (asked.verb, asked.path, asked.headers["Idempotency-Key"]) == ("POST", f"{AT}/close", "close-1")
    assert asked.json == {"our_reference": OURS, "reason": "idle"}
    hospital.says(204)
    assert hospital.adapter().close(closing()) == Posted()


def test_the_end_of_another_consultation_is_not_this_ones(hospital: Hospital) -> None:
    hospital.says(200, booking(our_reference="bok_2"))
    assert isinstance(hospital.adapter().close(closing()), Unknown)
    hospital.refuses(404, "unknown_booking")
    assert hospital.adapter().close(closing()) == Refused("other", "No")
