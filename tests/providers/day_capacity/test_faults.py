"""Every outcome of a call that goes wrong at a day-capacity provider."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import pytest
import requests

from providers.adapters.day_capacity import DayCapacity
from providers.adapters.signed_calls import sign
from providers.port import (
    Accepted,
    ComeBackLater,
    Confirmed,
    NotFound,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)
from providers.reported import RemoteBooking, RemoteSlot
from tests.providers.day_capacity.orders import SHANGHAI, by_ours, cancel, wish
from tests.sandboxes import Sandbox, eventually


@pytest.fixture
def hasty(sandbox: Sandbox) -> DayCapacity:
    """The same, but gives up after a second."""
    return DayCapacity(sandbox.connection(deadline_seconds=1))


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("error_after_commit", 0),
        ("commit_then_drop", 0),
        ("commit_then_hang", 3),
        ("broken_json", 0),
        ("garbage", 0),
        ("no_reference", 0),
        ("redirect", 0),
        ("bomb", 0),
    ],
)
def test_committed_but_not_told_is_unknown_and_found_by_our_reference(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot, fault: str, seconds: float
) -> None:
    sandbox.control().fault(fault, "reserve", seconds=seconds, megabytes=6)
    wanted = wish(day)
    assert isinstance((hasty if seconds else adapter).reserve(wanted), Unknown)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"
    assert sandbox.control().live(wanted.our_reference) == 1


@pytest.mark.parametrize("fault", ["error_after_commit", "no_reference", "garbage", "broken_json"])
def test_a_cancel_that_was_not_told_is_unknown_and_can_be_repeated(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str
) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    sandbox.control().fault(fault, "cancel")
    assert isinstance(adapter.cancel(cancel(wanted, booked.reference)), Unknown)
    assert isinstance(adapter.cancel(cancel(wanted, booked.reference)), Confirmed)


@pytest.mark.parametrize("fault", ["error_before_commit", "garbage", "no_reference", "broken_json"])
def test_a_look_up_that_cannot_be_read_says_nothing(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str
) -> None:
    wanted = wish(day)
    adapter.reserve(wanted)
    sandbox.control().fault(fault, "look_up")
    assert isinstance(adapter.look_up(by_ours(wanted)), Unknown)


def test_a_late_commit_comes_after_not_found(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("late_commit", "reserve", seconds=2)
    wanted = wish(day)
    assert isinstance(hasty.reserve(wanted), Unknown)
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    assert eventually(lambda: isinstance(adapter.look_up(by_ours(wanted)), RemoteBooking))


def test_an_error_before_the_commit_is_unknown_and_then_not_found(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("error_before_commit", "reserve")
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Unknown)
    assert adapter.look_up(by_ours(wanted)) == NotFound()


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_come_back_later_says_when(sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=2)
    wanted = wish(day)
    assert adapter.reserve(wanted) == RetryAfter(7)
    assert adapter.look_up(by_ours(wanted)) == RetryAfter(7)
    assert sandbox.control().bookings(wanted.our_reference) == []


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_a_read_that_comes_too_early_says_when_to_come_back(sandbox: Sandbox, adapter: DayCapacity, fault: str) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=1)
    with pytest.raises(ComeBackLater) as asked:
        adapter.bookings_since(None, None)
    assert asked.value.retry_after == 7


def test_sold_out_at_once_and_sold_out_at_confirm(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter, control = DayCapacity(sandbox.connection("deliberate")), sandbox.control("deliberate")
    control.fault("sold_out", "reserve")
    assert adapter.reserve(wish(day)) == Refused("sold_out")
    control.fault("sold_out", "decide")
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Accepted)

    def rejected() -> bool:
        found = adapter.look_up(by_ours(wanted))
        return isinstance(found, RemoteBooking) and (found.status, found.reason) == ("rejected", "sold_out")

    assert eventually(rejected)


def test_a_slow_answer_in_time_counts_and_a_dripping_one_is_cut(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("slow", "reserve", seconds=0.3)
    assert isinstance(adapter.reserve(wish(day)), Confirmed)
    sandbox.control().fault("drip", "reserve")
    began = time.monotonic()
    assert isinstance(hasty.reserve(wish(day)), Unknown)
    assert time.monotonic() - began < 5


def test_a_wrong_signature_or_app_key_refuses_no_customer(sandbox: Sandbox, day: RemoteSlot) -> None:
    for wrong in ({"secret": "wrong"}, {"settings": {"app_key": "nobody"}}):
        adapter = DayCapacity(replace(sandbox.connection(), **wrong))  # type: ignore[arg-type]
        wanted = wish(day)
        assert isinstance(adapter.reserve(wanted), RetryAfter)
        assert isinstance(adapter.look_up(by_ours(wanted)), RetryAfter)
        assert sandbox.control().bookings(wanted.our_reference) == []
        with pytest.raises(ProviderError):
            adapter.bookings_since(None, None)


def test_a_provider_that_is_not_there_took_nothing(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter = DayCapacity(replace(sandbox.connection(), base_url="http://127.0.0.1:9/p/prompt"))
    answer = adapter.reserve(wish(day))
    assert isinstance(answer, RetryAfter) and not answer.reached


def test_a_request_cannot_be_played_again_nor_altered(sandbox: Sandbox, day: RemoteSlot) -> None:
    now = datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    fields = {"app_key": "prompt", "method": "order.query", "timestamp": now, "nonce": "n" * 16}
    fields["biz"] = '{"outOrderNo": "bkg-x"}'
    fields["sign"] = sign(fields, "key-prompt")

    def code(body: dict[str, str]) -> int:
        answer = requests.post(f"{sandbox.base_url()}/order.query", json=body, timeout=10)
        assert answer.status_code == 200
        return int(answer.json()["code"])

    assert [code(fields), code(fields), code({**fields, "biz": "{}"})] == [0, 1007, 1002]
