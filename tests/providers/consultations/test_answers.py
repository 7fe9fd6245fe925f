"""Doctors answer what a customer writes, in her language, in turns, and sum up; each message is taken once."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from PIL import Image

from tests.eventually import eventually
from tests.providers.consultations.asking import Asking, opened
from tests.sandboxes import Inbox, Sandbox


def test_a_consultation_is_answered_in_turns_and_summed_up(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick", department="dermatology")
    assert (asking.status(), asking.lines()) == ("confirmed", [])
    assert asking.write("手上起了红疹，很痒").status_code == 201
    first = asking.said(1)[0]
    assert (first["seq"], first["kind"], first["our_reference"]) == (1, "text", asking.our_reference)
    assert "皮肤科" in first["text"] and "手上起了红疹，很痒" in first["text"] and "预设回复" in first["text"]
    assert asking.status() == "in_service"
    asking.write("大约硬币那么大")
    lines = asking.said(3)
    assert [(line["seq"], line["kind"]) for line in lines] == [(1, "text"), (2, "text"), (3, "summary")]
    assert "大约硬币那么大" in lines[1]["text"]
    assert "手上起了红疹" in lines[2]["summary"]["summary"] and lines[2]["summary"]["advice"]
    assert asking.status() == "fulfilled"
    roster = asking.call("GET", "/clinicians").json()["clinicians"]
    assert {line["clinician"] for line in lines} < {each["code"] for each in roster}


@pytest.mark.parametrize(("language", "sign"), [("zh", "您好"), ("en", "Hello")])
def test_the_doctor_writes_in_the_customers_language(doctors: Sandbox, language: str, sign: str) -> None:
    asking = opened(doctors, "quick", language=language, answers={"symptoms": "Fever 38.5"})
    asking.write("?")
    text = asking.said(1)[0]["text"]
    assert text.startswith(sign) and ("temperature" in text) == (language == "en")


def test_who_answers_speaks_the_language_and_is_of_the_department(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick", language="en", department="dermatology")
    asking.write("A rash")
    code = asking.said(1)[0]["clinician"]
    one = next(each for each in asking.control.doctors() if each["code"] == code)
    assert "en" in one["languages"] and "dermatology" in one["departments"]


def test_nobody_answers_before_the_customer_has_written(doctors: Sandbox) -> None:
    asking, other = opened(doctors, "quick"), opened(doctors, "quick")
    other.write("在吗")
    other.said(1)
    assert asking.lines() == [] and asking.kept()["doctor"] is None


def test_a_sign_of_an_emergency_is_answered_first(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick", flagged=True)
    asking.write("胸口疼", flagged=True)
    assert "120" in asking.said(1)[0]["text"]


def test_a_picture_of_the_doctor_is_listed_by_its_hash(doctors: Sandbox) -> None:
    asking = opened(doctors, "drawing")
    asking.write("最近体温有变化")
    picture = asking.said(2)[1]
    assert picture["kind"] == "picture"
    answer = asking.call("GET", f"/consultations/{asking.reference}/pictures/{picture['picture']['id']}")
    assert hashlib.sha256(answer.content).hexdigest() == picture["picture"]["sha256"]
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    other = opened(doctors, "drawing")
    elsewhere = f"/consultations/{other.reference}/pictures/{picture['picture']['id']}"
    assert other.call("GET", elsewhere).status_code == 404


def test_a_picture_of_the_customer_is_seen(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 2_000_000
    assert asking.show(png).status_code == 201
    assert "图片" in asking.said(1)[0]["text"]
    assert asking.kept()["heard"][0]["bytes"] == len(png)
    assert asking.show(png, sha256="0" * 64).status_code == 422
    assert asking.show(png, content_type="image/gif").status_code == 422
    assert asking.show(b"<html>").status_code == 422
    assert asking.show(png[:8] + b"x" * (5 * 1024 * 1024)).status_code == 422


def test_a_message_is_taken_once_for_ever(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    first = asking.write("第一句", identifier="message-1-" + asking.our_reference)
    again = asking.post({"text": "第一句", "seq": 1}, "message-1-" + asking.our_reference)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = asking.post({"text": "别的", "seq": 1}, "message-1-" + asking.our_reference)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert [(each["seq"], each["text"]) for each in asking.kept()["heard"]] == [(1, "第一句")]


def test_an_opening_again_is_the_same_consultation(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    first = asking.reference
    assert asking.open().status_code == 201 and asking.reference == first
    assert asking.open(department="internal").status_code == 422
    assert len(asking.control.consultations(asking.our_reference)) == 1


@pytest.mark.parametrize(
    ("wish", "status"),
    [({"offer": "OTHER"}, 409), ({"language": "fr"}, 422), ({"person": {}}, 422), ({"department": ""}, 422)],
)
def test_what_cannot_be_opened_is_refused(doctors: Sandbox, wish: dict[str, object], status: int) -> None:
    assert Asking(doctors, "quick").open(**wish).status_code == status


def test_it_may_be_decided_later(doctors: Sandbox) -> None:
    asking = Asking(doctors, "deliberate")
    asking.control.settings(confirm_after=3600)
    assert asking.open().status_code == 202 and asking.status() == "requested"
    asking.control.settings(confirm_after=0.3)
    asking.control.move(asking.reference, "confirm")
    asking.write("在吗")
    asking.said(1)
    assert asking.status() == "in_service"


def test_who_waits_is_taken_in_turn_once_the_doctor_is_free(doctors: Sandbox) -> None:
    doctors.control("single").settings(consultations={"answer_after": None})
    first, second, urgent = (opened(doctors, "single") for _ in range(3))
    first.write("一")
    eventually(lambda: first.kept()["doctor"])
    second.write("二")
    urgent.write("三", flagged=True)
    assert (second.kept()["doctor"], urgent.kept()["doctor"]) == (None, None)
    doctors.control("single").settings(consultations={"answer_after": [0.1, 0.3]})
    lines = [each.said(2) for each in (first, urgent, second)]
    moments = [each[0]["sent_at"] for each in lines]
    assert moments == sorted(moments), "an emergency first, then by how long they wait"
    assert [each[1]["kind"] for each in lines] == ["summary"] * 3


def test_a_cancelled_patient_lets_the_doctor_go(doctors: Sandbox) -> None:
    doctors.control("single").settings(consultations={"answer_after": None})
    first, second = opened(doctors, "single"), opened(doctors, "single")
    first.write("一")
    second.write("二")
    assert (first.kept()["doctor"], second.kept()["doctor"]) == ("D001", None)
    assert first.cancel().json()["status"] == "cancelled"
    assert second.kept()["doctor"] == "D001"
    doctors.control("single").settings(consultations={"answer_after": [0, 0.1]})
    assert second.said(2) and first.lines() == []


def test_answers_come_by_the_seed_between_the_two_times(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    asking.control.settings(seed="7", consultations={"answer_after": [100, 200]})
    asking.write("在吗")
    first = asking.kept()
    wait = first["answer_due"] - first["waits_since"]
    assert 100 <= wait <= 200.5
    asking.control.settings(consultations={"answer_after": [100, 200]})
    assert abs(asking.kept()["answer_due"] - first["answer_due"]) < 10, "the same seed, the same dice"
    asking.control.settings(seed="8", consultations={"answer_after": [100, 200]})
    assert abs(asking.kept()["answer_due"] - first["answer_due"]) > 10
    asking.control.settings(consultations={"answer_after": None})


def test_after_its_end_a_message_opens_it_again_and_a_cancelled_one_stays_over(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    asking.write("一")
    asking.said(1)
    assert asking.close("idle").json()["status"] == "fulfilled"
    assert asking.close("idle").status_code == 200
    assert asking.write("还有一个问题").status_code == 201
    assert asking.said(2)[1]["seq"] == 2 and asking.status() == "in_service"
    other = opened(doctors, "silent")
    assert other.close("cancelled").json()["status"] == "cancelled"
    late = other.write("在吗")
    assert (late.status_code, late.json()["code"]) == (409, "closed")


def test_once_answered_it_cannot_be_cancelled(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    asking.write("一")
    asking.said(1)
    answer = asking.cancel()
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


def test_a_customer_who_falls_silent_is_summed_up(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    asking.control.settings(consultations={"patience": 0.3})
    asking.write("一")
    assert asking.said(2)[1]["kind"] == "summary"
    asking.control.settings(consultations={"patience": 600})


def test_lines_are_listed_in_pages(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    for number in range(5):
        asking.control.say(asking.reference, text=f"第 {number} 句")
    page = asking.page(limit=2)
    assert ([line["seq"] for line in page["messages"]], page["next"]) == ([1, 2], 2)
    page = asking.page(after=3, limit=2)
    assert ([line["seq"] for line in page["messages"]], page["next"]) == ([4, 5], None)
    assert asking.page(after=5) == {"messages": [], "next": None}


def test_events_bring_the_lines_of_the_list(doctors: Sandbox, inbox: Inbox) -> None:
    asking = opened(doctors, "quick")
    asking.write("一")
    asking.said(1)
    asking.write("二")
    lines = asking.said(3)
    expected = [
        "booking.confirmed",
        *("consultation.message", "booking.in_service", "consultation.message", "consultation.message"),
        "booking.fulfilled",
    ]
    eventually(lambda: [kind for kind in inbox.kinds() if kind in expected][-6:] == expected)
    bodies = [json.loads(message.body) for message in inbox.received]
    told = [body["data"]["message"] for body in bodies if body["type"] == "consultation.message"]
    assert [line for line in told if line["our_reference"] == asking.our_reference] == lines


def test_an_account_without_doctors_has_no_such_addresses(doctors: Sandbox) -> None:
    asking = Asking(doctors, "plain")
    assert asking.open().status_code == 404
    assert asking.call("GET", "/clinicians").status_code == 404
    stranger = Asking(doctors, "quick")
    stranger.account = "nobody"
    assert stranger.call("GET", "/clinicians").status_code == 401


def test_another_accounts_consultation_is_not_there(doctors: Sandbox) -> None:
    asking, other = opened(doctors, "silent"), opened(doctors, "quick")
    asking.reference = other.reference
    assert asking.write("在吗").status_code == 404
    assert asking.call("GET", f"/consultations/{other.reference}/messages").status_code == 404
    assert asking.close().status_code == 404


def test_a_consultation_has_no_slot_to_change(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    slot = {"our_reference": asking.our_reference, "reference": asking.reference, "slot": "P1@20260302T0730"}
    refused = asking.call("POST", "/changes", slot, asking.our_reference + "-change")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_late")
