"""Escorts to order: late, absent, somebody else, nobody, in two places at once; and lines that are wrong in every way
that the contract forbids."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from providers.port import Accepted, ProviderError
from providers.reported import UnreadableRow
from tests.eventually import eventually
from tests.providers.escorts.sending import Sent, booked, sending, told, wanted
from tests.sandboxes import Inbox, Sandbox, start_sandbox


def unreadable(sent: Sent) -> list[UnreadableRow]:
    """What of its lines cannot be read."""
    return list(sent.adapter.escort_lines_after(sent.reference, 0).unreadable)


def moved_on(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Sandbox, Path]:
    """A server of its own whose clock is moved by a file, and the file."""
    moved = folder / "moved"
    moved.write_text("0")
    patch.setenv("DEMO_CLOCK_FILE", str(moved))
    return start_sandbox(folder / "box", [sending("clock", every=None)]), moved


def test_she_is_forty_minutes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, moved = moved_on(tmp_path, monkeypatch)
    try:
        sandbox.control("clock").fault("escort_late", seconds=2400)
        sent = booked(sandbox, "clock")
        sent.until("assigned")
        assert sent.slot.starts_at is not None
        away = (sent.slot.starts_at - datetime.now(UTC)).total_seconds()
        moved.write_text(str(int(away) - 6 * 60))
        time.sleep(0.5)
        assert [each.kind for each in sent.lines()] == ["assigned"]
        moved.write_text(str(int(away) - 4 * 60))
        sent.until("on_the_way")
        moved.write_text(str(int(away) + 31 * 60))
        lines = sent.until("arrived")
        assert lines[-1].at - sent.slot.starts_at > timedelta(minutes=30)
    finally:
        sandbox.kill()


def test_the_provider_cancels_an_hour_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, moved = moved_on(tmp_path, monkeypatch)
    try:
        sandbox.control("clock").fault("escort_cancels")
        sent = booked(sandbox, "clock")
        sent.until("assigned")
        assert sent.slot.starts_at is not None
        away = (sent.slot.starts_at - datetime.now(UTC)).total_seconds()
        moved.write_text(str(int(away) - 62 * 60))
        time.sleep(0.5)
        assert sent.status() == "confirmed"
        moved.write_text(str(int(away) - 59 * 60))
        eventually(lambda: sent.status() == "cancelled")
        moved.write_text(str(int(away)))
        time.sleep(0.5)
        assert [each.kind for each in sent.lines()] == ["assigned"]
    finally:
        sandbox.kill()


def test_the_booking_is_cancelled_by_the_next_step_where_steps_have_a_pace(escorts: Sandbox) -> None:
    escorts.control("quick").fault("escort_cancels")
    sent = booked(escorts, "quick")
    eventually(lambda: sent.status() == "cancelled")
    assert escorts.control("quick").bookings(sent.ours)[0]["reason"] == "no_escort"


def test_she_is_named_and_does_nothing(escorts: Sandbox) -> None:
    escorts.control("quick").fault("escort_absent")
    sent, other = booked(escorts, "quick"), booked(escorts, "quick")
    both = [sent, other]
    eventually(lambda: any(each.status() == "fulfilled" for each in both))
    [absent] = [each for each in both if each.status() != "fulfilled"]
    assert [each.kind for each in absent.lines()] == ["assigned"] and absent.status() == "confirmed"


def test_somebody_else_comes_and_who_was_named_before_says_that_she_arrived(escorts: Sandbox) -> None:
    escorts.control("quick").fault("escort_swapped")
    sent = booked(escorts, "quick")
    lines = sent.until("handed_over")
    first, second = [each for each in lines if each.kind == "assigned"]
    assert first.escort != second.escort and first.safe_word != second.safe_word
    late = [each for each in lines if each.seq > second.seq and each.escort == first.escort]
    assert [each.kind for each in late] == ["arrived"]
    assert {each.escort for each in lines if each.seq > late[0].seq} == {second.escort}
    assert sent.status() == "fulfilled"


def test_she_is_released_and_nobody_else_is_named(escorts: Sandbox) -> None:
    escorts.control("quick").fault("escort_released")
    sent = booked(escorts, "quick")
    lines = sent.until("released")
    assert [each.kind for each in lines] == ["assigned", "on_the_way", "released"] and lines[-1].cause == "ill"
    time.sleep(0.5)
    assert len(sent.lines()) == 3 and sent.kept()["worker"] is None and sent.status() == "confirmed"


def test_she_is_in_two_places_at_once(escorts: Sandbox) -> None:
    first = booked(escorts, "clock")
    [one] = first.until("assigned")
    escorts.control("clock").fault("escort_double")
    second = Sent(escorts, "clock", first.slot)
    second.book()
    [other] = second.until("assigned")
    assert one.escort == other.escort


def test_she_proves_the_meeting_by_a_code_that_is_not_the_persons(escorts: Sandbox) -> None:
    escorts.control("quick").fault("escort_wrong_code")
    met = next(each for each in booked(escorts, "quick").until("met") if each.kind == "met")
    assert (met.code, met.position, met.accuracy_m) == ("0000", None, None)


def test_a_request_is_never_answered(escorts: Sandbox) -> None:
    escorts.control("deliberate").fault("undecided", "decide")
    sent = wanted(escorts, "deliberate")
    assert isinstance(sent.book(), Accepted)
    other = wanted(escorts, "deliberate")
    other.book()
    eventually(lambda: "requested" not in {each.status() for each in (other,)} or sent.status() != "requested")
    time.sleep(0.5)
    assert sorted(each.status() == "requested" for each in (sent, other)) == [False, True]


def test_a_line_is_told_twice_late_lost_and_out_of_order(escorts: Sandbox, inbox: Inbox) -> None:
    sent = booked(escorts, "idle")
    control = sent.control
    control.deed(sent.reference, "assigned")
    control.fault("line_twice")
    control.deed(sent.reference, "on_the_way")
    eventually(lambda: [each["seq"] for each in told(inbox, sent)] == [1, 2, 2])
    control.fault("webhook_reorder", "escort.line")
    control.deed(sent.reference, "arrived")
    control.deed(sent.reference, "met")
    eventually(lambda: [each["seq"] for each in told(inbox, sent)] == [1, 2, 2, 4, 3])
    control.fault("webhook_drop", "escort.line")
    control.deed(sent.reference, "registered")
    control.deed(sent.reference, "note")
    eventually(lambda: [each["seq"] for each in told(inbox, sent)] == [1, 2, 2, 4, 3, 6])
    assert [each.seq for each in sent.lines()] == [1, 2, 3, 4, 5, 6], "the list has all"


def test_a_number_is_left_out(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    sent.control.deed(sent.reference, "assigned")
    sent.control.fault("line_gap")
    sent.control.deed(sent.reference, "on_the_way")
    assert [each.seq for each in sent.lines()] == [1, 3]


def test_a_line_is_of_a_kind_that_nobody_knows(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    sent.control.deed(sent.reference, "assigned")
    sent.control.fault("line_unreadable")
    sent.control.deed(sent.reference, "on_the_way")
    sent.control.deed(sent.reference, "arrived")
    page = sent.adapter.escort_lines_after(sent.reference, 0)
    assert [each.seq for each in page.lines] == [1, 3]
    assert [(each.reason, each.seq) for each in page.unreadable] == [("kind.unknown", 2)]


def test_a_line_is_of_somebody_whom_nobody_named(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    [named] = [sent.control.deed(sent.reference, "assigned")]
    sent.control.fault("line_stranger")
    sent.control.deed(sent.reference, "met")
    assert sent.lines()[-1].escort not in (named["escort"], "")


def test_words_change_under_a_number(escorts: Sandbox, inbox: Inbox) -> None:
    sent = booked(escorts, "idle")
    sent.control.deed(sent.reference, "assigned")
    sent.control.fault("line_changed", seconds=0.2)
    assert sent.control.deed(sent.reference, "note", words="在三楼候诊")["words"] == "在三楼候诊"
    eventually(lambda: sent.lines()[-1].words != "在三楼候诊")
    assert [each.seq for each in sent.lines()] == [1, 2]
    sent.control.alter_deed(sent.reference, 2, words="第三种说法")
    eventually(lambda: [each["seq"] for each in told(inbox, sent)] == [1, 2, 2, 2])
    assert len({json.dumps(each) for each in told(inbox, sent)[1:]}) == 3


@pytest.mark.parametrize("way", ["lost", "fault"])
def test_a_picture_does_not_come(escorts: Sandbox, way: str) -> None:
    sent = booked(escorts, "idle")
    sent.control.deed(sent.reference, "assigned")
    line = sent.control.deed(sent.reference, "paper")
    if way == "lost":
        sent.control.lose_picture(sent.reference, line["picture"]["id"])
    else:
        sent.control.fault("error_before_commit", "paper", times=None)
    with pytest.raises(ProviderError):
        sent.adapter.fetch_paper(sent.lines()[-1])


def test_the_list_fails_in_the_ways_of_every_list(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    sent.control.deed(sent.reference, "assigned")
    for fault in ("broken_json", "error_after_commit", "rate_limited", "redirect", "garbage"):
        sent.control.fault(fault, "lines")
        with pytest.raises(ProviderError):
            sent.adapter.escort_lines_after(sent.reference, 0)
    sent.control.fault("poisoned_row", "lines")
    assert len(unreadable(sent)) == 1
    assert len(sent.lines()) == 1


def test_what_she_does_can_be_told_in_any_words(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    control, staff = sent.control, sent.control.staff()
    control.deed(sent.reference, "assigned", escort=staff[2]["code"], safe_word="Butterfly")
    control.deed(sent.reference, "met", code="4711", position=None, accuracy_m=None)
    control.deed(sent.reference, "cost", cost={"amount": 0, "currency": "CNY", "purpose": "x"}, picture=None)
    assigned, met, cost = sent.lines()
    assert assigned.worker is not None and (assigned.worker.code, assigned.safe_word) == (staff[2]["code"], "Butterfly")
    assert (met.code, met.position) == ("4711", None) and cost.cost is not None and cost.cost.amount == 0
    assert cost.picture == "" and sent.status() == "checked_in"
    control.next_step(sent.reference)
    assert sent.lines()[-1].kind == "on_the_way", "the script goes on where it stands"
