"""What is made once is made by one thread, whoever else asks meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Event

import pytest

from marketplace.core.once import once
from tests.concurrency.controls import all_at_once

THREADS = 8


def asked_by_many(
    decorator: Callable[[Callable[[], object]], Callable[[], object]], patience: float
) -> tuple[int, int]:
    """How often it was made, and how many things those who asked at once were given. Who makes it waits so long for
    somebody who makes it too."""
    made: list[object] = []
    another = Event()

    @decorator
    def thing() -> object:
        """What it is."""
        made.append(object())
        if len(made) > 1:
            another.set()
        another.wait(patience)
        return made[-1]

    given = all_at_once([thing] * THREADS)
    assert thing() in made
    return len(made), len(set(map(id, given)))


def test_threads_that_ask_at_once_are_given_the_one_that_one_of_them_makes() -> None:
    assert asked_by_many(once, 0.05) == (1, 1)


def test_the_usual_cache_makes_it_for_each_of_them() -> None:
    times, _ = asked_by_many(cache, 30)
    assert times > 1


def test_what_could_not_be_made_is_tried_again_and_can_be_made_anew() -> None:
    tries = iter((ValueError("no"), "first", "second"))

    @once
    def thing() -> str:
        found = next(tries)
        if isinstance(found, ValueError):
            raise found
        return found

    with pytest.raises(ValueError, match="no"):
        thing()
    assert (thing(), thing()) == ("first", "first")
    thing.cache_clear()
    assert thing() == "second"
