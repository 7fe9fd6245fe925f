"""Escorts who do what they should: windows of a staff, somebody who is named, and a day that goes by."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from providers.port import Accepted, Confirmed, ProviderError, Refused, Reserve
from providers.sandbox.escorts.script import DAY
from tests.eventually import eventually
from tests.providers.escorts.sending import (
    ANSWERS,
    OFFER,
    PERSON,
    Sent,
    booked,
    sending,
    told,
    wanted,
    windows,
)
from tests.sandboxes import Inbox, Sandbox, start_sandbox

KINDS = ["assigned", *(step.kind for step in DAY)]


def test_windows_have_as_many_places_as_there_are_people(escorts: Sandbox) -> None:
    found = windows(escorts, "quick")
    assert {each.offered for each in found} == {6}
    assert {each.offered for each in windows(escorts, "single")} == {1}
    lengths = {each.ends_at - each.starts_at for each in found if each.starts_at and each.ends_at}
    assert lengths == {timedelta(hours=4)}
    assert len({(each.service_date, each.starts_at) for each in found}) == len(found)


def test_a_day_goes_by_and_moves_the_booking(escorts: Sandbox, inbox: Inbox) -> None:
    sent = booked(escorts, "quick")
    lines = sent.until("handed_over")
    assert [each.kind for each in lines] == KINDS
    assert [each.seq for each in lines] == list(range(1, len(KINDS) + 1))
    first = lines[0]
    assert first.worker is not None and first.safe_word and {each.escort for each in lines} == {first.worker.code}
    assert sent.status() == "fulfilled"
    eventually(lambda: len(told(inbox, sent)) == len(KINDS))
    assert [each["seq"] for each in told(inbox, sent)] == [each.seq for each in lines]
    eventually(lambda: "booking.fulfilled" in inbox.kinds())
    kinds = [kind for kind in inbox.kinds() if kind.startswith("booking.")]
    assert kinds == ["booking.confirmed", "booking.checked_in", "booking.in_service", "booking.fulfilled"]
    assert all(event["event"].escort in lines for event in _read(inbox, sent))


def _read(inbox: Inbox, sent: Sent) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    events = [sent.adapter.read_event(each.headers, each.body, now) for each in inbox.received]
    return [{"event": each} for each in events if each.kind == "escort.line"]


def test_a_paper_and_a_receipt_are_pictures(escorts: Sandbox) -> None:
    lines = booked(escorts, "quick").until("handed_over")
    for kind in ("paper", "cost"):
        line = next(each for each in lines if each.kind == kind)
        adapter = Sent(escorts, "quick", windows(escorts, "quick")[0]).adapter
        picture = adapter.fetch_paper(line)
        assert picture.content_type == "image/jpeg" and hashlib.sha256(picture.content).hexdigest() == picture.sha256
        assert Image.open(io.BytesIO(picture.content)).size == (600, 800)


def test_what_was_wished_for_is_there_and_decides_who_goes(escorts: Sandbox) -> None:
    for sex in ("female", "male"):
        sent = booked(escorts, "quick", escort_sex=sex)
        [line] = sent.until("assigned")[:1]
        assert line.worker is not None and line.worker.sex == sex
        kept = sent.kept()
        assert kept["answers"] == {**ANSWERS, "escort_sex": sex}
        assert kept["venue"]["name"] == "杭州示范总院"


def test_by_the_clock_nothing_is_done_before_the_day(escorts: Sandbox) -> None:
    sent = booked(escorts, "clock")
    sent.until("assigned")
    assert [each.kind for each in sent.lines()] == ["assigned"] and sent.status() == "confirmed"


def test_each_step_is_done_at_its_own_time_of_the_window(tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.write_text("0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMO_CLOCK_FILE", str(moved))
        sandbox = start_sandbox(tmp_path / "box", [sending("clock", every=None)])
    try:
        sent = booked(sandbox, "clock")
        sent.until("assigned")
        assert sent.slot.starts_at is not None
        away = (sent.slot.starts_at - datetime.now(UTC)).total_seconds()
        moved.write_text(str(int(away) - 46 * 60))
        assert [each.kind for each in sent.lines()] == ["assigned"]
        moved.write_text(str(int(away) - 44 * 60))
        sent.until("on_the_way")
        moved.write_text(str(int(away) - 9 * 60))
        sent.until("arrived")
        moved.write_text(str(int(away) + 4 * 3600))
        lines = sent.until("handed_over")
        assert [each.kind for each in lines] == KINDS
        assert all(one.at <= other.at for one, other in pairwise(lines))
    finally:
        sandbox.kill()


def test_two_of_one_window_are_never_given_to_the_same(escorts: Sandbox) -> None:
    first = booked(escorts, "clock")
    second = Sent(escorts, "clock", first.slot)
    assert isinstance(second.book(), Confirmed)
    ones = [each.until("assigned")[0].escort for each in (first, second)]
    assert len(set(ones)) == 2


def test_a_full_window_is_sold_out_and_free_again_after_a_cancel(escorts: Sandbox) -> None:
    first = booked(escorts, "single")
    first.until("assigned")
    second = Sent(escorts, "single", first.slot)
    wish = Reserve(
        *(f"{second.ours}-k", second.ours, OFFER, second.slot.pool, second.slot.reference),
        *(second.slot.service_date, second.slot.starts_at, second.slot.ends_at, PERSON),
    )
    assert second.adapter.reserve(wish) == Refused("sold_out", "No place is left")
    first.cancel()
    assert isinstance(second.book(), Confirmed)
    second.until("assigned")
    done = len(first.lines())
    assert first.status() == "cancelled" and len(first.lines()) == done, "nothing is done in what was cancelled"


def test_a_request_has_nobody_before_it_is_confirmed(escorts: Sandbox) -> None:
    sent = wanted(escorts, "deliberate")
    sent.control.settings(confirm_after=3600)
    assert isinstance(sent.book(), Accepted)
    sent.control.settings(confirm_after=0.3)
    assert sent.lines() == [] and sent.status() == "requested"
    sent.control.move(sent.reference, "confirm")
    sent.until("assigned")
    assert sent.status() != "requested"


def test_who_can_go_keeps_a_booking_that_is_moved(escorts: Sandbox) -> None:
    sent = booked(escorts, "clock")
    [line] = sent.until("assigned")
    before = sent.kept()["planned"]
    sent.move(wanted(escorts, "clock").slot)
    eventually(lambda: sent.kept()["planned"] == before + 2)
    assert [each.kind for each in sent.lines()] == ["assigned"]
    assert sent.kept()["worker"] == line.escort


def test_somebody_else_comes_where_who_was_named_is_busy(escorts: Sandbox) -> None:
    first, second = booked(escorts, "clock"), booked(escorts, "clock")
    one = first.until("assigned")[0].escort
    second.until("assigned")
    second.control.deed(second.reference, "assigned", escort=one)
    second.move(first.slot)
    lines = eventually(lambda: lines if len(lines := second.lines()) == 3 else None)
    assert [each.kind for each in lines] == ["assigned"] * 3 and lines[-1].escort != one
    assert lines[-1].safe_word != lines[-2].safe_word


def test_what_was_acknowledged_and_planned_survives_a_kill(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path, [sending("quick", every=0.3)])
    try:
        sent = booked(sandbox, "quick")
        before = sent.until("on_the_way")
        sandbox.kill()
        sandbox.restart()
        lines = sent.until("handed_over")
        assert lines[: len(before)] == before and [each.kind for each in lines] == KINDS
    finally:
        sandbox.kill()


def test_an_account_without_escorts_and_another_booking_have_no_lines(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    assert sent.lines() == []
    with pytest.raises(ProviderError):
        sent.adapter.escort_lines_after("NONE", 0)
