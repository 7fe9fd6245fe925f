"""Doctors to order: late, silent, twice, out of order, lost, changed, unknown, unreadable, without a summary."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.providers.consultations.asking import Asking, consulting, opened
from tests.sandboxes import Inbox, Sandbox, account, start_sandbox


def told(inbox: Inbox, asking: Asking) -> list[dict[str, Any]]:
    """The lines that events brought, in the order of arrival."""
    bodies = [json.loads(message.body) for message in list(inbox.received)]
    lines = [body["data"]["message"] for body in bodies if body["type"] == "consultation.message"]
    return [line for line in lines if line["our_reference"] == asking.our_reference]


def test_an_answer_comes_late(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    asking.control.fault("answer_late", seconds=1.5)
    began = time.monotonic()
    asking.write("在吗")
    asking.said(1)
    assert time.monotonic() - began > 1.4


def test_an_answer_never_comes(doctors: Sandbox) -> None:
    asking, other = opened(doctors, "quick"), opened(doctors, "quick")
    asking.control.fault("answer_never", about=asking.our_reference)
    asking.write("在吗")
    other.write("在吗")
    other.said(1)
    time.sleep(0.5)
    assert asking.lines() == [] and asking.kept()["doctor"] is not None
    asking.control.settings(consultations={"answer_after": [0.1, 0.3]})
    assert asking.said(1), "new times for all who wait"


def test_an_account_falls_silent_and_speaks_again(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    asking.write("在吗")
    time.sleep(0.6)
    assert asking.lines() == []
    asking.control.settings(consultations={"answer_after": [0, 0]})
    assert asking.said(1)
    asking.control.settings(consultations={"answer_after": None})


def test_a_line_is_told_twice_under_two_ids(doctors: Sandbox, inbox: Inbox) -> None:
    asking = opened(doctors, "quick")
    asking.control.fault("line_twice")
    asking.write("在吗")
    lines = asking.said(1)
    eventually(lambda: told(inbox, asking) == [lines[0]] * 2)
    received = [message for message in inbox.received if lines[0]["id"].encode() in message.body]
    assert len({message.headers["webhook-id"] for message in received}) == 2
    assert len(asking.lines()) == 1


def test_the_third_line_arrives_before_the_second(doctors: Sandbox, inbox: Inbox) -> None:
    asking = opened(doctors, "quick", department="general")
    asking.control.fault("answer_never", about=asking.our_reference)
    asking.write("在吗")
    asking.control.say(asking.reference, text="一")
    asking.control.fault("webhook_reorder", "consultation.message")
    asking.control.say(asking.reference, text="二")
    asking.control.say(asking.reference, text="三")
    eventually(lambda: [line["seq"] for line in told(inbox, asking)] == [1, 3, 2])
    assert [line["text"] for line in asking.lines()] == ["一", "二", "三"]


def test_a_lost_event_leaves_the_list(doctors: Sandbox, inbox: Inbox) -> None:
    asking = opened(doctors, "quick")
    asking.control.fault("webhook_drop", "consultation.message")
    asking.write("在吗")
    lines = asking.said(1)
    asking.control.say(asking.reference, text="二")
    eventually(lambda: told(inbox, asking))
    assert [line["seq"] for line in told(inbox, asking)] == [2] and lines[0]["seq"] == 1


def test_a_line_has_other_words_later(doctors: Sandbox, inbox: Inbox) -> None:
    asking = opened(doctors, "quick")
    asking.control.fault("line_changed", seconds=0.3)
    asking.write("在吗")
    honest, changed = eventually(lambda: found if len(found := told(inbox, asking)) == 2 else None)
    assert honest["text"] != changed["text"] and asking.lines()[0] == changed
    assert (changed["seq"], changed["id"]) == (honest["seq"], honest["id"])
    asking.control.reword(asking.reference, 1, "又改了")
    assert asking.lines()[0]["text"] == "又改了"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("line_stranger", {"clinician": "NOBODY"}),
        ("line_unreadable", {"kind": "voice"}),
        ("line_gap", {"seq": 2}),
    ],
)
def test_a_line_breaks_the_contract_in_the_list_and_the_event(
    doctors: Sandbox, inbox: Inbox, fault: str, seen: dict[str, object]
) -> None:
    asking = opened(doctors, "quick")
    asking.control.fault(fault)
    asking.write("在吗")
    line = asking.said(1)[0]
    assert line | seen == line
    eventually(lambda: told(inbox, asking) == [line])


def test_a_page_has_one_line_that_nobody_can_read(doctors: Sandbox) -> None:
    asking = opened(doctors, "quick")
    asking.write("在吗")
    good = asking.said(1)
    asking.control.fault("poisoned_row", "messages")
    assert asking.lines() != good
    assert asking.lines() == good
    asking.control.fault("poisoned_row", "clinicians")
    roster = asking.call("GET", "/clinicians").json()
    assert roster != asking.call("GET", "/clinicians").json()


def test_it_closes_without_a_summary(doctors: Sandbox) -> None:
    asking = opened(doctors, "single")
    asking.control.fault("no_summary")
    asking.write("在吗")
    eventually(lambda: asking.status() == "fulfilled")
    assert [line["kind"] for line in asking.lines()] == ["text"]
    other = opened(doctors, "quick")
    other.write("在吗")
    other.said(1)
    other.control.close_consultation(other.reference, summary=False)
    assert other.status() == "fulfilled"


def test_the_doctor_is_quicker_than_the_cancel(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    asking.write("在吗")
    asking.control.fault("answer_first", "cancel")
    refused = asking.cancel()
    assert (refused.status_code, refused.json()["code"]) == (409, "too_late")
    assert len(asking.lines()) == 1 and asking.status() == "in_service"


def test_a_line_comes_after_the_cancel(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    asking.cancel()
    asking.control.say(asking.reference, text="还在吗")
    assert len(asking.lines()) == 1 and asking.status() == "cancelled"


@pytest.mark.parametrize("command", ["open", "post", "close", "messages", "picture", "clinicians"])
def test_each_call_can_be_made_to_fail(doctors: Sandbox, command: str) -> None:
    asking = opened(doctors, "quick")
    asking.control.say(asking.reference, picture=True)
    picture = asking.lines()[0]["picture"]["id"]
    calls = {
        "open": lambda: asking.open(key="another-" + asking.our_reference),
        "post": lambda: asking.write("在吗"),
        "close": asking.close,
        "messages": lambda: asking.call("GET", f"/consultations/{asking.reference}/messages"),
        "picture": lambda: asking.call("GET", f"/consultations/{asking.reference}/pictures/{picture}"),
        "clinicians": lambda: asking.call("GET", "/clinicians"),
    }
    asking.control.fault("unavailable", command, retry_after=7)
    answer = calls[command]()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert calls[command]().status_code < 300


def test_what_was_taken_and_planned_survives_kill_9(tmp_path: Path) -> None:
    own = start_sandbox(tmp_path / "own", [account("quick", "prompt", consultations=consulting(answer_after=[1, 1]))])
    try:
        asking = opened(own, "quick")
        asking.write("在吗", identifier="the-first-message")
        own.control("quick").change_doctor("D001", name="改名")
        own.kill()
        own.restart()
        assert asking.post({"text": "在吗", "seq": 1}, "the-first-message").status_code == 201
        assert len(asking.said(1)) == 1 and len(asking.kept()["heard"]) == 1
        assert own.control("quick").doctors()[0]["name"] == "改名"
    finally:
        own.kill()
