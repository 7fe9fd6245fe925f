"""Customer, web server, worker, sandbox, doctor, event, page: what is said on one side stands on the other."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from marketplace.development.database import DevDatabase
from tests.eventually import eventually
from tests.pictures import make_picture
from tests.providers.consultations.chat import Chat, begin, cases, set_clinic, verify
from tests.stage import Stage


def texts(chat: Chat) -> list[str]:
    """What the doctors said, in our order."""
    return [each["text"] for each in chat.messages("clinician")]


def stands_here(chat: Chat) -> bool:
    """Whether all words of the doctors stand here as there, and all of the customer's there as here."""
    there = chat.there()
    theirs = [line["text"] for line in there["said"] if line["kind"] == "text"]
    mine = [each["text"] for each in chat.messages("customer") if each["kind"] == "text"]
    ours = [each["text"] for each in chat.messages("clinician") if each["kind"] == "text"]
    return ours == theirs and mine == [each["text"] for each in there["heard"] if each["bytes"] is None]


def test_a_customer_is_answered_shown_a_picture_and_given_a_summary(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clinic(own_server, tmp_path, monkeypatch, pictures=1) as stage:
        chat = begin(stage, 1)
        chat.write("头疼三天了，有点发烧")
        said = chat.answers(2)
        assert [each["kind"] for each in said] == ["text", "picture"]
        assert "头疼三天了，有点发烧" in said[0]["text"]
        doctor = next(each for each in chat.control.doctors() if each["name"] == said[0]["clinician"]["name"])
        assert doctor["code"] == chat.there()["doctor"]
        assert chat.state()["first_answer_at"] is not None and chat.state()["booking_state"] == "in_service"
        seen = chat.call("GET", f"/consultations/{chat.id}/pictures/{said[1]['picture']['id']}")
        assert seen.headers["Content-Type"] == "image/jpeg"
        chat.show(make_picture("PNG", 300, 200))
        assert "图片我看到了" in chat.answers(3)[2]["text"]
        eventually(lambda: chat.state()["state"] == "closed", 30)
        summary = chat.messages("clinician")[-1]["summary"]
        assert "头疼三天了" in summary["summary"] and summary["next_service"]["benefit"] == "health_check"
        page = chat.page()
        assert "头疼三天了，有点发烧" in page and summary["advice"] in page and doctor["name"] in page
        assert chat.state()["booking_state"] == "fulfilled"
        eventually(lambda: stands_here(chat))
        chat.call("POST", f"/consultations/{chat.id}/reopen")
        chat.write("还有一个问题")
        eventually(lambda: any("还有一个问题" in (text or "") for text in texts(chat)), 30)


def test_what_is_told_twice_late_out_of_order_or_never_stands_once_and_in_order(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clinic(own_server, tmp_path, monkeypatch, answer_after=None) as stage:
        chat, control = begin(stage, 1), stage.sandbox.control()
        chat.write("在吗")
        eventually(lambda: chat.there()["heard"])
        reference = chat.there()["reference"]
        for number, fault in enumerate(("line_twice", "webhook_duplicate", "webhook_reorder", "", "webhook_drop", "")):
            if fault:
                control.fault(fault, "*" if fault.startswith("line") else "consultation.message")
            control.say(reference, text=f"第 {number} 句")
        eventually(lambda: texts(chat) == [f"第 {number} 句" for number in range(6)], 30)
        control.replay_webhooks()
        control.fault("webhook_drop", "consultation.message", times=None)
        control.say(reference, text="只在列表里")
        eventually(lambda: texts(chat)[6:] == ["只在列表里"], 90)
        control.clear_faults()
        control.fault("error_after_commit", "post", times=3)
        chat.write("第一句")
        chat.write("第二句")
        eventually(lambda: len(chat.there()["heard"]) == 3, 60)
        assert stands_here(chat) and cases() == []


def test_what_breaks_the_contract_is_told_to_operators_and_stops_nobody(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clinic(own_server, tmp_path, monkeypatch, answer_after=None) as stage:
        chat, control = begin(stage, 1), stage.sandbox.control()
        chat.write("在吗")
        eventually(lambda: chat.there()["heard"])
        reference = chat.there()["reference"]
        verify("D002", verified=False)
        control.say(reference, text="等人核对的话", clinician="D002")
        eventually(lambda: "clinician_not_verified" in cases(), 30)
        assert texts(chat) == []
        verify("D002")
        eventually(lambda: texts(chat) == ["等人核对的话"], 30)
        control.fault("line_unreadable")
        control.say(reference, text="读不懂")
        control.say(reference, text="读得懂")
        eventually(lambda: texts(chat) == ["等人核对的话", "读得懂"], 30)
        assert "line_unreadable" in [each["kind"] for each in chat.messages("automatic")]
        control.reword(reference, 1, "改过的话")
        eventually(lambda: "line_differs" in cases(), 30)
        assert texts(chat) == ["等人核对的话", "读得懂"]
        control.fault("line_stranger")
        control.say(reference, text="没有人认识")
        eventually(lambda: "clinician_unknown" in cases(), 30)
        assert texts(chat) == ["等人核对的话", "读得懂"]


def test_who_is_never_answered_is_made_good_once_and_a_late_answer_still_comes(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clinic(own_server, tmp_path, monkeypatch, pledge=2, answer_after=None) as stage:
        chat = begin(stage, 1)
        chat.write("在吗")
        eventually(lambda: pledges(stage) == [("breached", 1)], 30)
        chat.control.settings(consultations={"answer_after": [0, 0]})
        assert chat.answers(1)
        assert pledges(stage) == [("breached", 1)]


def test_whoever_cancels_while_a_doctor_answers_has_her_unit_back_and_operators_are_told(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_clinic(own_server, tmp_path, monkeypatch, answer_after=None) as stage:
        chat = begin(stage, 1)
        chat.write("在吗")
        eventually(lambda: chat.there()["heard"])
        chat.control.fault("answer_first", "cancel")
        chat.control.fault("webhook_drop", "consultation.message")
        answer = chat.call("POST", f"/bookings/{chat.booking}/cancel", {})
        assert answer.status_code == 200, answer.text
        eventually(lambda: chat.state()["booking_state"] == "cancelled", 30)
        eventually(lambda: cases() == ["cancel_refused"], 30)
        assert texts(chat) == [], "she has gone: what was said then is no answer to her"
        with psycopg.connect(stage.server.owner_url) as connection:
            assert connection.execute("SELECT reserved, used FROM entitlement").fetchone() == (0, 0)


def pledges(stage: Stage) -> list[tuple[str, int]]:
    """State and number of compensations of each pledge, by bare SQL."""
    query = """
        SELECT p.state, (SELECT count(*) FROM pledge_compensation c WHERE c.pledge_id = p.id) FROM pledge p
    """
    with psycopg.connect(stage.server.owner_url) as connection:
        return [(str(state), int(number)) for state, number in connection.execute(query).fetchall()]
