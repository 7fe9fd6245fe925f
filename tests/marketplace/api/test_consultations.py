"""Asking a doctor through the API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, update

from booking.consultation.close import close
from booking.consultation.intake.bounds import LARGEST
from booking.consultation.read import messages_after
from booking.consultation.summary import NextService, Summary
from marketplace.core import clock
from marketplace.core.database.db import transaction
from providers.staff.models import Clinician
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.pictures import make_picture, seen

PHONE, OTHER = "13800000021", "13800000022"


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice()


@pytest.fixture
def patient(app: Flask, practice: Practice) -> Caller:
    return Caller.of(app, PHONE)


def body(practice: Practice, **changes: Any) -> dict[str, Any]:
    world = practice.world
    return {
        "offer_id": world.offer.public_id,
        "beneficiary_id": world.beneficiary.public_id,
        "language": "zh",
        **changes,
    }


def begin(caller: Caller, wanted: Any, key: str = "") -> Any:
    return caller.post("/consultations", wanted, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def say(caller: Caller, talk: str, text: str, key: str = "") -> Any:
    message = {"client_message_id": key or str(uuid.uuid4()), "text": text}
    return caller.post(f"/consultations/{talk}/messages", message)


def show(caller: Caller, talk: str, content: bytes, *, key: str = "", kind: str = "image/jpeg") -> Any:
    path = f"/consultations/{talk}/pictures?client_message_id={key or uuid.uuid4()}"
    return caller.post(path, data=content, headers={"Content-Type": kind})


def test_a_consultation_is_opened_asked_answered_and_closed(practice: Practice, patient: Caller) -> None:
    answer = begin(patient, body(practice, department="dermatology"))
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    talk = made["id"]
    assert answer.headers["Location"] == f"/api/v1/consultations/{talk}"
    assert (made["state"], made["department_name"], made["unread"]) == (
        "waiting",
        {"zh": "皮肤科", "en": "Dermatology"},
        0,
    )
    taken = say(patient, talk, "起了疹子").get_json()
    practice.answer(talk, "多久了？")
    items = patient.get(f"/consultations/{talk}/messages").get_json()["items"]
    assert [(it["seq"], it["author"], it["kind"], it["text"]) for it in items] == [
        (1, "customer", "text", "起了疹子"),
        (2, "clinician", "text", "多久了？"),
    ]
    assert (items[0]["id"], items[1]["clinician"]["name"]) == (taken["id"], "何医生")
    assert patient.get(f"/consultations/{talk}/messages?after=2").get_json() == {"items": []}
    for query, seqs in (
        ("before=99", [1, 2]),
        ("before=99&limit=1", [2]),
        ("before=2", [1]),
        ("before=99&after=1", [2]),
    ):
        found = patient.get(f"/consultations/{talk}/messages?{query}").get_json()["items"]
        assert [it["seq"] for it in found] == seqs, query
    assert patient.post(f"/consultations/{talk}/read", {"seq": 2}).get_json() == {"read_seq": 2}

    close(practice.clinician, talk, Summary("湿疹", "少抓", NextService("health_check", "skin")), now=NOON)
    last = patient.get(f"/consultations/{talk}/messages?after=2").get_json()["items"][0]
    assert last["summary"] == {
        "summary": "湿疹",
        "advice": "少抓",
        "next_service": {"benefit": "health_check", "department": "skin"},
    }
    found = patient.get(f"/consultations/{talk}").get_json()
    assert (found["state"], found["unread"], found["read_seq"], found["typing"]) == ("closed", 1, 2, False)
    assert found["reopen_until"] == (NOON + timedelta(hours=24)).isoformat()
    assert [it["id"] for it in patient.get("/consultations").get_json()["items"]] == [talk]
    problem(say(patient, talk, "还有"), 409, "conversation_closed")
    again = patient.post(f"/consultations/{talk}/reopen")
    assert (again.status_code, again.get_json()["state"]) == (200, "open")


def test_one_key_opens_one_consultation(practice: Practice, patient: Caller) -> None:
    first, again = begin(patient, body(practice), key="k"), begin(patient, body(practice), key="k")
    assert (first.status_code, first.get_json()["id"]) == (again.status_code, again.get_json()["id"])
    problem(begin(patient, body(practice, language="en"), key="k"), 422, "idempotency_key_reused", "Idempotency-Key")
    problem(patient.post("/consultations", body(practice)), 400, "idempotency_key_missing", "Idempotency-Key")


def test_one_message_id_is_one_message_for_ever(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    first, again = say(patient, talk, "嗓子疼", "message-1"), say(patient, talk, "嗓子疼", "message-1")
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json())
    problem(say(patient, talk, "头疼", "message-1"), 422, "message_id_reused", "client_message_id")
    problem(show(patient, talk, make_picture(), key="message-1"), 422, "message_id_reused", "client_message_id")
    problem(say(patient, talk, "  "), 422, "invalid", "text")
    problem(say(patient, talk, "头疼", "no id!"), 422, "invalid", "client_message_id")


def test_pictures_are_shown_small_and_large_and_kept_nowhere(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    assert show(patient, talk, make_picture("PNG", 640, 480), kind="image/png").status_code == 201
    [message] = patient.get(f"/consultations/{talk}/messages").get_json()["items"]
    picture = message["picture"]
    assert (message["kind"], message["text"], picture["width"], picture["height"]) == ("picture", None, 640, 480)
    for path, size in (("", (640, 480)), ("/thumbnail", (320, 240))):
        answer = patient.get(f"/consultations/{talk}/pictures/{picture['id']}{path}")
        assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "no-store"
        assert seen(answer.data).size == size


@pytest.mark.parametrize(
    ("content", "language", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(64), "en", "HEIC"),
        (b"\0\0\0\x18ftypheic" + bytes(64), "zh", "截图"),
        (b"GIF89a" + bytes(64), "en", "JPEG"),
        (b"\xff\xd8\xff" + bytes(LARGEST), "en", "10 MiB"),
    ],
)
def test_a_picture_that_is_refused_says_what_would_do(
    practice: Practice, patient: Caller, content: bytes, language: str, words: str
) -> None:
    talk = practice.open().conversation
    path = f"/consultations/{talk}/pictures?client_message_id=message-1"
    headers = {"Content-Type": "image/jpeg", "Accept-Language": language}
    answer = problem(patient.post(path, data=content, headers=headers), 422, "invalid", "picture")
    assert words in answer["detail"]
    assert patient.get(f"/consultations/{talk}/messages").get_json()["items"] == []


def test_a_picture_is_sent_as_one(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    problem(show(patient, talk, make_picture(), kind="text/plain"), 415, "unsupported_media_type")


def test_typing_is_said_without_an_answer(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    assert [patient.post(f"/consultations/{talk}/typing").status_code for _ in range(2)] == [204, 204]


def test_what_is_anothers_is_absent(app: Flask, practice: Practice, patient: Caller) -> None:
    make_practice(phone=OTHER)
    talk = practice.open().conversation
    show(patient, talk, make_picture())
    [message] = patient.get(f"/consultations/{talk}/messages").get_json()["items"]
    stranger = Caller.of(app, OTHER)
    picture = f"/consultations/{talk}/pictures/{message['picture']['id']}"
    for path in (f"/consultations/{talk}", f"/consultations/{talk}/messages"):
        problem(stranger.get(path), 404, "not_found", "conversation_id")
    for path in (picture, f"{picture}/thumbnail"):
        problem(stranger.get(path), 404, "not_found", "conversation_id")
    problem(say(stranger, talk, "x"), 404, "not_found", "conversation_id")
    problem(show(stranger, talk, make_picture()), 404, "not_found", "conversation_id")
    problem(stranger.post(f"/consultations/{talk}/read", {"seq": 1}), 404, "not_found", "conversation_id")
    for deed in ("typing", "reopen"):
        problem(stranger.post(f"/consultations/{talk}/{deed}"), 404, "not_found", "conversation_id")
    problem(stranger.get(f"/consultations/{talk}/place"), 404, "not_found", "conversation_id")
    problem(stranger.post(f"/consultations/{talk}/choice", {"choice": "wait"}), 404, "not_found", "conversation_id")
    assert stranger.get("/consultations").get_json()["items"] == []


def test_a_doctor_is_named_as_she_was_verified(practice: Practice, patient: Caller) -> None:
    """Not as her colleagues know her account."""
    with transaction() as session:
        session.execute(update(Clinician).values(shown_name="何静"))
    talk = practice.open().conversation
    practice.ask(talk, "头痛")
    practice.answer(talk, "你好")
    named = {"name": "何静", "title": {"zh": "主治医师", "en": "Attending physician"}}
    of_message = patient.get(f"/consultations/{talk}/messages").get_json()["items"][1]["clinician"]
    of_talk = patient.get(f"/consultations/{talk}").get_json()["clinician"]
    assert of_message == of_talk == {"id": practice.clinician.public_id, **named}
    [_asked, answered] = messages_after(practice.clinician, talk, 0, now=NOON)
    assert answered.clinician is not None and answered.clinician.name == "何医生"


def test_who_waits_sees_her_place_and_the_clock(practice: Practice, patient: Caller) -> None:
    ahead, talk = practice.open().conversation, practice.open().conversation
    shown = patient.get(f"/consultations/{talk}/place").get_json()
    assert (shown["position"], shown["pledge"]) == (None, None)
    practice.ask(ahead, "头痛")
    say(patient, talk, "咳嗽")
    shown = patient.get(f"/consultations/{talk}/place").get_json()
    assert (shown["position"], shown["on_shift"], shown["choice"]) == (2, 1, None)
    clock_of = shown["pledge"]
    assert (clock_of["state"], clock_of["seconds"], clock_of["ended_at"], clock_of["given"]) == ("pending", 90, None, 0)
    practice.answer(talk, "你好")
    shown = patient.get(f"/consultations/{talk}/place").get_json()
    assert (shown["position"], shown["pledge"]["state"]) == (None, "met")


def test_what_she_does_while_nobody_is_there_is_said_once(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    say(patient, talk, "咳嗽")
    path, at = f"/consultations/{talk}/choice", (NOON + timedelta(hours=2)).isoformat()
    shown = patient.post(path, {"choice": "call_back", "call_back_at": at}).get_json()
    assert (shown["choice"], shown["call_back_at"], shown["pledge"]["state"]) == ("call_back", at, "pending")
    problem(patient.post(path, {"choice": "sleep"}), 422, "invalid", "choice")
    problem(patient.post(path, {"choice": "call_back"}), 422, "invalid", "call_back_at")
    later = datetime.fromisoformat(shown["call_back_until"]) + timedelta(seconds=1)
    for moment in (NOON, later):
        wanted = {"choice": "call_back", "call_back_at": moment.isoformat()}
        problem(patient.post(path, wanted), 422, "invalid", "call_back_at")
    practice.answer(talk, "你好")
    close(practice.clinician, talk, Summary("小结"), now=NOON)
    problem(patient.post(path, {"choice": "wait"}), 409, "conversation_closed")


def test_signs_of_an_emergency_are_told_to_programs_too(practice: Practice, patient: Caller) -> None:
    talk = practice.open().conversation
    assert patient.get(f"/consultations/{talk}").get_json()["signs"] == []
    say(patient, talk, "胸口压榨样疼痛，出冷汗")
    assert patient.get(f"/consultations/{talk}").get_json()["signs"] == ["chest_pain"]


def test_a_service_is_rated_once_it_is_done(practice: Practice, patient: Caller) -> None:
    opened = practice.open()
    path = f"/bookings/{opened.booking}/rating"
    rated = {"stars": 5, "words": "很耐心"}
    problem(patient.call("PUT", path, json=rated), 409, "rating_too_early")
    problem(patient.get(path), 404, "not_found", "booking_id")
    practice.answer(opened.conversation, "你好")
    close(practice.clinician, opened.conversation, Summary("小结"), now=NOON)
    assert patient.call("PUT", path, json=rated).status_code == 200
    found = patient.get(path).get_json()
    assert (found["stars"], found["words"]) == (5, "很耐心")
    problem(patient.call("PUT", path, json={"stars": 6}), 422, "invalid", "stars")
    with clock.frozen(NOON + timedelta(hours=24)):
        problem(patient.call("PUT", path, json={"stars": 1}), 409, "rating_fixed")
