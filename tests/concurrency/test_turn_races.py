"""One try of a purpose is worked on at a time in a process, whoever tries; without turns several are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from functools import partial
from threading import Condition
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from tests.concurrency.controls import all_at_once
from tests.tries import (
    ATTACKERS,
    PURPOSES,
    Tries,
    second_factor_by_app,
    second_factor_by_recovery_code,
    second_factor_of_a_member,
)
from vip.operators import operators, sign_in_steps
from vip.signin import limits, turns
from vip.signin.limits import Limit
from vip.signin.turns import Turns

pytestmark = pytest.mark.usefixtures("db")
every_purpose = pytest.mark.parametrize("purpose", PURPOSES, ids=lambda it: it.__name__)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords whose comparing takes no time, and nobody goes without a turn, however slow the machine is."""
    monkeypatch.setattr(operators, "HASHING", "pbkdf2:sha256:1")
    monkeypatch.setattr(turns, "LONGEST_WAIT", 60.0)
    operators._nobodys_hash.cache_clear()
    yield
    operators._nobodys_hash.cache_clear()


BEHIND_A_LOCK = (second_factor_by_app, second_factor_by_recovery_code, second_factor_of_a_member)
"""Where a try is counted, its operator is locked already: how many come that far is seen one step before."""


def at_once(purpose: Callable[[], Tries], monkeypatch: pytest.MonkeyPatch, *, wait: float) -> int:
    """How many tries were worked on at the same time: each stays where it is counted until another one comes there, or
    for `wait` seconds."""
    tries, here, most, changed = purpose(), 0, 0, Condition()

    @contextmanager
    def staying() -> Iterator[None]:
        nonlocal here, most
        with changed:
            here += 1
            most = max(most, here)
            changed.notify_all()
            changed.wait_for(lambda: most > 1, wait)
        try:
            yield
        finally:
            with changed:
                here -= 1

    take, show = limits.take, sign_in_steps._show

    def take_slowly(session: Session, limit: Limit, *key: str, now: datetime) -> int:
        if key[0] == "wrong":  # what came of a try is noted after it
            return take(session, limit, *key, now=now)
        with staying():
            return take(session, limit, *key, now=now)

    def show_slowly(*args: Any) -> object:
        with staying():
            return show(*args)

    def attempt(who: str) -> None:
        with suppress(Refusal):
            tries.wrong(who, tries.since)

    for who in ATTACKERS:  # a step before the one that is meant is behind them
        attempt(who)
    if purpose in BEHIND_A_LOCK:
        monkeypatch.setattr(sign_in_steps, "_show", show_slowly)
    else:
        monkeypatch.setattr(limits, "take", take_slowly)
    assert all_at_once([partial(attempt, who) for who in ATTACKERS]) == [None] * len(ATTACKERS)
    return most


@every_purpose
def test_one_try_is_worked_on_at_a_time(purpose: Callable[[], Tries], monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_once(purpose, monkeypatch, wait=0.02) == 1


@every_purpose
def test_without_turns_several_are(purpose: Callable[[], Tries], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turns, "turn", lambda queue, who: nullcontext())
    assert at_once(purpose, monkeypatch, wait=30) > 1
