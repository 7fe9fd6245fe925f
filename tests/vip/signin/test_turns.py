"""Turns: one at a time, the longest waiting first, and no caller more often than another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread

import pytest

from tests.people import NOON, OTHER_PHONE, PHONE, SmsBox, make_customer
from vip.signin import codes, signin, turns
from vip.signin.limits import Caller
from vip.signin.turns import Crowded, Turns

ATTACKER, OWNER = Caller("203.0.113.9"), Caller("198.51.100.7")


def wait_for(fact: Callable[[], bool]) -> None:
    """Until it is so."""
    until = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody waits until the test is over."""
    monkeypatch.setattr(turns, "LONGEST_WAIT", 60.0)


@contextmanager
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who is refused meanwhile has not waited."""
    with monkeypatch.context() as patched:
        patched.setattr(turns, "Event", lambda: pytest.fail("she waits"))
        yield


def queue_up(queue: Turns, names: list[str], served: list[str]) -> list[Thread]:
    """Callers who wait in this order, behind who waits already; who is served says so."""

    def wait(name: str) -> None:
        with queue.turn(name):
            served.append(name)

    threads = [Thread(target=wait, args=(name,), daemon=True) for name in names]
    for name, thread in zip(names, threads, strict=True):
        thread.start()
        wait_for(partial(queue._waiting.__contains__, name))
    return threads


@pytest.mark.usefixtures("patient")
def test_the_longest_waiting_is_next_and_one_is_served_at_a_time() -> None:
    queue, served = Turns(), list[str]()
    with queue.turn("first"):
        waiting = queue_up(queue, ["b", "a", "c"], served)
        assert served == []
    for thread in waiting:
        thread.join(30)
    assert served == ["b", "a", "c"]
    with queue.turn("a new one"):
        pass


@pytest.mark.usefixtures("patient")
def test_of_one_caller_one_waits_so_that_others_are_no_further_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, served = Turns(), list[str]()
    with queue.turn("attacker"):
        waiting = queue_up(queue, ["attacker"], served)
        for _ in range(100):
            with at_once(monkeypatch), pytest.raises(Crowded), queue.turn("attacker"):
                pass
        waiting += queue_up(queue, ["owner"], served)
    for thread in waiting:
        thread.join(30)
    assert served == ["attacker", "owner"]


@pytest.mark.usefixtures("patient")
def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 2)
    queue, served = Turns(), list[str]()
    with queue.turn("first"):
        waiting = queue_up(queue, ["a", "b"], served)
        with at_once(monkeypatch), pytest.raises(Crowded) as refused, queue.turn("c"):
            pass
        assert refused.value.facts["retry_after"] == 60
    for thread in waiting:
        thread.join(30)
    assert served == ["a", "b"]


@pytest.mark.usefixtures("impatient")
def test_who_gave_up_waiting_leaves_no_gap_and_what_breaks_gives_its_turn_back() -> None:
    queue = Turns()
    with pytest.raises(ZeroDivisionError), queue.turn("first"):
        with pytest.raises(Crowded), queue.turn("second"):
            pass
        assert not queue._waiting
        raise ZeroDivisionError
    with queue.turn("third"):
        pass


@pytest.mark.usefixtures("db", "impatient")
def test_strangers_who_ask_or_guess_hold_up_no_known_device_and_nobody_who_has_a_code() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    box = SmsBox()
    known = signin.issue_token(OTHER_PHONE, NOON).device
    signin.send_code(PHONE, now=NOON, gateway=box, caller=OWNER)
    with turns.asking.strangers.turn(ATTACKER.name), turns.trying.strangers.turn(ATTACKER.name):
        with pytest.raises(Crowded):
            signin.send_code(PHONE, now=NOON, gateway=box, caller=OWNER)
        with pytest.raises(Crowded):
            signin.sign_in("13900000001", "123456", channel="web", now=NOON, caller=OWNER)
        assert signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON, caller=OWNER).token
        signin.send_code(OTHER_PHONE, now=NOON, gateway=box, caller=OWNER, known_by=known)
        with turns.trying.holders.turn(ATTACKER.name):
            hers = box.code_for(OTHER_PHONE)
            assert signin.sign_in(OTHER_PHONE, hers, channel="web", now=NOON, caller=OWNER, known_by=known).token


@pytest.mark.usefixtures("db", "impatient")
def test_a_try_without_a_turn_costs_its_caller_no_try() -> None:
    make_customer()
    for _ in range(2 * codes.TRIES):
        with turns.trying.strangers.turn(ATTACKER.name), pytest.raises(Crowded):
            signin.sign_in(PHONE, "123456", channel="web", now=NOON, caller=OWNER)
    with pytest.raises(codes.CodeEnded):
        signin.sign_in(PHONE, "123456", channel="web", now=NOON, caller=OWNER)


@pytest.mark.usefixtures("db")
def test_the_text_is_sent_after_the_turn_since_a_gateway_may_be_slow() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    box = SmsBox()

    class Slow(SmsBox):
        def send(self, phone: str, text: str, *, key: str = "") -> None:
            signin.send_code(OTHER_PHONE, now=NOON, gateway=box, caller=ATTACKER)

    signin.send_code(PHONE, now=NOON, gateway=Slow(), caller=OWNER)
    assert box.code_for(OTHER_PHONE)
