"""Policies that an insurer's program tells in several calls at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.marketplace.api.insurer.policies import facts
from tests.people import NOON, OTHER_PHONE, PHONE, make_customer, make_insurer
from vip.insurers import telling
from vip.insurers.telling import Telling, tell, tell_lines
from vip.policies.facts import PolicyFacts
from vip.policies.put import Put

pytestmark = [pytest.mark.usefixtures("many_connections"), pytest.mark.every_postgres]


@pytest.fixture
def who() -> Telling:
    """The program of an insurer with two customers."""
    for phone in (PHONE, OTHER_PHONE):
        make_customer(phone)
    return Telling(make_insurer().id, "t", NOON)


def line(key: str, phone: str, version: int = 1) -> PolicyFacts:
    return facts(key, version=version, number=f"PN-{key}-0001", phone=phone)


def met(both: threading.Barrier) -> None:
    """Wait for the other call, or go on if it can't come so far."""
    with suppress(threading.BrokenBarrierError):
        both.wait(1)


def test_two_calls_of_lines_of_the_same_customers_never_wait_for_each_other_in_a_circle(
    who: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, both = telling.put_policy, threading.Barrier(2)

    def slowly(session: Session, *given: Any, **how: Any) -> Put:
        if given[-1].key in "cd":
            met(both)
        return put(session, *given, **how)

    monkeypatch.setattr(telling, "put_policy", slowly)
    calls = [[line("a", PHONE), line("d", OTHER_PHONE)], [line("b", OTHER_PHONE), line("c", PHONE)]]
    with ThreadPoolExecutor(2) as threads:
        told = [threads.submit(tell_lines, who, lines) for lines in calls]
        assert [answer.status for each in told for answer in each.result(60)] == ["created"] * 4


def test_nor_does_a_call_of_lines_and_one_of_a_single_policy(who: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(who, line("c", PHONE))
    put, both = telling.put_policy, threading.Barrier(2)

    def slowly(session: Session, *given: Any, **how: Any) -> Put:
        made = put(session, *given, **how)
        if given[-1].key == "a":
            met(both)
            sleep(0.5)
        return made

    def alone() -> str:
        met(both)
        return tell(who, line("c", PHONE, 2)).outcome

    monkeypatch.setattr(telling, "put_policy", slowly)
    with ThreadPoolExecutor(2) as threads:
        told = threads.submit(tell_lines, who, [line("a", PHONE), line("c", PHONE)])
        single = threads.submit(alone)
        assert [each.status for each in told.result(60)] == ["created", "unchanged"]
        assert single.result(60) == "updated"
