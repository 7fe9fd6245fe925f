"""Rivals for what has no slot: the last unit, one key, and how many may be open, each with the control that shows the
race."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import date
from threading import Barrier

import pytest

from booking.consultation.open import Opened
from booking.hold import begin
from marketplace.core.errors import Refusal
from tests.booking.consultation.rooms import Practice, make_practice
from tests.concurrency import controls
from tests.people import NOON, counters
from vip.customers.family import NewMember, add_member

pytestmark = pytest.mark.usefixtures("many_connections")


def opener(practice: Practice, key: str | None = None, **changes: object) -> Callable[[], Opened]:
    key = key or str(uuid.uuid4())
    return lambda: practice.open(key=key, **changes)


def tally(results: list[Opened | Exception]) -> Counter[str]:
    return Counter(each.code if isinstance(each, Refusal) else type(each).__name__ for each in results)


def children(practice: Practice, number: int) -> list[str]:
    """So many of them in her family: nobody has to agree."""
    new = NewMember("other", "小宝", "female", date(2016, 1, 1))
    return [add_member(practice.world.principal, new, NOON).public_id for _ in range(number)]


def all_look_first(monkeypatch: pytest.MonkeyPatch, guard: str, rivals: int) -> None:
    """Take a guard of begin() away: all of the rivals look before the first of them writes."""
    barrier = Barrier(rivals)
    monkeypatch.setattr(begin, guard, lambda *_given: barrier.wait(timeout=30))


def test_64_requests_at_once_take_the_last_unit_once() -> None:
    practice = make_practice(quantity=1)
    results = controls.all_at_once([opener(practice) for _ in range(64)])
    assert tally(results) == {"Opened": 1, "entitlement_exhausted": 63}
    assert counters(practice.world.entitlement.id)["reserved"] == 1


def test_one_key_64_times_at_once_is_one_consultation_and_one_answer() -> None:
    practice = make_practice(quantity=5)
    results = controls.all_at_once([opener(practice, key="once")] * 64)
    assert tally(results) == {"Opened": 64}
    assert len({(it.booking, it.conversation) for it in results if isinstance(it, Opened)}) == 1
    assert counters(practice.world.entitlement.id)["reserved"] == 1


def test_a_family_that_asks_at_once_has_five_open_at_most() -> None:
    practice = make_practice(quantity=None)
    results = controls.all_at_once([opener(practice, beneficiary=each) for each in children(practice, 9)])
    assert tally(results) == {"Opened": begin.MOST_OPEN, "too_many_open": 4}


def test_without_taking_turns_a_family_has_more_open_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    practice = make_practice(quantity=None)
    people = children(practice, 9)
    all_look_first(monkeypatch, "_take_turn", len(people))
    results = controls.all_at_once([opener(practice, beneficiary=each) for each in people])
    assert tally(results) == {"Opened": 9}


def test_without_any_lock_the_ledger_still_gives_the_last_unit_once(monkeypatch: pytest.MonkeyPatch) -> None:
    practice = make_practice(quantity=1)
    people = children(practice, 5)
    monkeypatch.setattr(begin, "_take_turn", lambda *_given: None)
    monkeypatch.setattr(begin, "_lock_entitlements", lambda *_given: None)
    looked, choose = Barrier(len(people)), begin._first_with_a_unit

    def looking(*given: object) -> int:
        found = choose(*given)  # type: ignore[arg-type]
        looked.wait(timeout=30)
        return found

    monkeypatch.setattr(begin, "_first_with_a_unit", looking)
    results = controls.all_at_once([opener(practice, beneficiary=each) for each in people])
    assert tally(results) == {"Opened": 1, "entitlement_exhausted": 4}
    assert counters(practice.world.entitlement.id)["reserved"] == 1
