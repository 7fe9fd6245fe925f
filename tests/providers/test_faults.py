"""Every fault of the sandbox through the adapter: what is unclear stays unclear, and nothing is done twice."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Accepted, Answer, ComeBackLater, Confirmed, NotFound, Refused, RetryAfter, Unknown
from providers.reported import RemoteBooking, RemoteSlot
from providers.sandbox.faults import COMMANDS, FAULTS
from tests.providers.wishes import by_key, cancel, reserve
from tests.sandboxes import ROOT, Sandbox, eventually


def timed(adapter: OpenProtocol, slot: RemoteSlot) -> tuple[Answer, float]:
    began = time.monotonic()
    return adapter.reserve(reserve(slot)), time.monotonic() - began


@pytest.mark.parametrize(
    "fault", ["commit_then_hang", "commit_then_drop", "error_after_commit", "broken_json", "no_reference"]
)
def test_what_was_committed_but_not_answered_is_unknown_and_found_by_key(
    sandbox: Sandbox, adapter: OpenProtocol, hasty: OpenProtocol, slot: RemoteSlot, fault: str
) -> None:
    sandbox.control().fault(fault, "reserve", seconds=20)
    wish = reserve(slot)
    client = hasty if fault == "commit_then_hang" else adapter
    assert isinstance(client.reserve(wish), Unknown)
    found = adapter.look_up(by_key(wish))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"
    assert adapter.reserve(wish) == Confirmed(found.reference, 1, slot.starts_at)
    assert sandbox.control().live(wish.our_reference) == 1


def test_an_error_before_the_commit_is_unknown_and_then_not_found(
    sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot
) -> None:
    sandbox.control().fault("error_before_commit", "reserve")
    wish = reserve(slot)
    assert isinstance(adapter.reserve(wish), Unknown)
    assert adapter.look_up(by_key(wish)) == NotFound()


def test_a_late_commit_comes_after_not_found(
    sandbox: Sandbox, adapter: OpenProtocol, hasty: OpenProtocol, slot: RemoteSlot
) -> None:
    sandbox.control().fault("late_commit", "reserve", seconds=4)
    wish = reserve(slot)
    assert isinstance(hasty.reserve(wish), Unknown)
    assert adapter.look_up(by_key(wish)) == NotFound()
    assert eventually(lambda: isinstance(adapter.look_up(by_key(wish)), RemoteBooking))
    assert sandbox.control().live(wish.our_reference) == 1


def test_a_cancel_that_was_not_answered_is_unknown_and_idempotent(
    sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot
) -> None:
    wish = reserve(slot)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    sandbox.control().fault("error_after_commit", "cancel")
    assert isinstance(adapter.cancel(cancel(wish, booked.reference)), Unknown)
    assert isinstance(adapter.cancel(cancel(wish, booked.reference)), Confirmed)
    assert sandbox.control().live(wish.our_reference) == 0


def test_a_slow_answer_within_the_deadline_counts(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().fault("slow", "reserve", seconds=0.4)
    answer, seconds = timed(adapter, slot)
    assert isinstance(answer, Confirmed) and seconds >= 0.4


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_come_back_later_says_when(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot, fault: str) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=2)
    wish = reserve(slot)
    assert adapter.reserve(wish) == RetryAfter(7)
    assert adapter.look_up(by_key(wish)) == RetryAfter(7)
    assert sandbox.control().bookings(wish.our_reference) == []


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_a_read_that_comes_too_early_says_when_to_come_back(
    sandbox: Sandbox, adapter: OpenProtocol, fault: str
) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=1)
    with pytest.raises(ComeBackLater) as asked:
        adapter.bookings_since(None, None)
    assert asked.value.retry_after == 7
    assert adapter.bookings_since(None, None).bookings is not None


def test_sold_out_at_once_and_sold_out_at_confirm(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, control = OpenProtocol(sandbox.connection("deliberate")), sandbox.control("deliberate")
    control.fault("sold_out", "reserve")
    refused = adapter.reserve(reserve(slot))
    assert isinstance(refused, Refused) and refused.code == "sold_out"
    control.fault("sold_out", "decide")
    wish = reserve(slot)
    assert isinstance(adapter.reserve(wish), Accepted)

    def rejected() -> bool:
        found = adapter.look_up(by_key(wish))
        return isinstance(found, RemoteBooking) and (found.status, found.reason) == ("rejected", "sold_out")

    assert eventually(rejected)


def test_a_dripping_answer_is_cut_at_the_deadline(sandbox: Sandbox, hasty: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().fault("drip", "reserve")
    answer, seconds = timed(hasty, slot)
    assert isinstance(answer, Unknown) and 0.9 <= seconds < 9  # the whole answer would take minutes


def test_a_bomb_is_not_unpacked(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().fault("bomb", "reserve", megabytes=40)
    assert adapter.reserve(reserve(slot)) == Unknown("the answer is too large")


def test_a_redirect_is_not_followed(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().fault("redirect", "reserve")
    assert adapter.reserve(reserve(slot)) == Unknown("status 307")


def test_a_provider_that_is_not_there_took_nothing(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter = OpenProtocol(replace(sandbox.connection(), base_url="http://127.0.0.1:9/p/prompt"))
    answer = adapter.reserve(reserve(slot))
    assert isinstance(answer, RetryAfter) and not answer.reached


def test_a_hanging_command_does_not_hold_up_others(
    sandbox: Sandbox, adapter: OpenProtocol, hasty: OpenProtocol, slot: RemoteSlot
) -> None:
    sandbox.control().fault("commit_then_hang", "reserve", seconds=60, times=2)
    assert isinstance(hasty.reserve(reserve(slot)), Unknown)
    assert isinstance(hasty.reserve(reserve(slot)), Unknown)
    assert isinstance(adapter.reserve(reserve(slot)), Confirmed)


def test_a_fault_by_probability_strikes_some(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().fault("rate_limited", "look_up", times=None, probability=0.5, seed="7")
    answers = [adapter.look_up(by_key(reserve(slot))) for _ in range(40)]
    struck = sum(isinstance(answer, RetryAfter) for answer in answers)
    assert 5 < struck < 35 and sandbox.control().faults()[0]["struck"] == struck


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5", "6"])
def test_a_poisoned_row_is_unreadable_and_no_other(
    sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot, seed: str
) -> None:
    for _ in range(2):
        adapter.reserve(reserve(slot))
    good = adapter.bookings_since(None, None)
    sandbox.control().fault("poisoned_row", "bookings", seed=seed)
    poisoned = adapter.bookings_since(None, None)
    assert len(poisoned.unreadable) == 1
    assert len(poisoned.bookings) == len(good.bookings) - 1
    assert set(poisoned.references) < set(good.references)
    assert adapter.bookings_since(None, None) == good


def test_every_fault_is_explained_to_who_orders_it() -> None:
    said = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [each for each in FAULTS if f"`{each}`" not in said] == []
    commands = said[said.index("Commands: `") : said.index("With `about`")].split()
    assert {each.strip("`.") for each in commands[1:]} == set(COMMANDS)
