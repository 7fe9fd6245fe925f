"""What the benchmark books, as far as it can be told without a database."""

from __future__ import annotations

from collections import Counter
from datetime import date

from bench.data import Booker, Loaded, Numbers


def made(customers: int) -> Loaded:
    numbers = Numbers(customers, 7, 1, 1, 1, 1, 1, 1, 1, date(2026, 3, 10))
    return Loaded(numbers, [Booker(f"t{n}", (f"self{n}", f"father{n}")) for n in range(customers)], [], [])


def test_nobody_is_booked_twice_for_one_slot() -> None:
    loaded = made(customers=11)
    booked = Counter(
        (body["beneficiary_id"], body["slot_id"])
        for _, body in (loaded.request(n, hot=False) for n in range(11 * 2 * 20))
    )
    assert len(booked) == 11 * 2 * 20


def test_everybody_fits_into_the_hot_slot_once() -> None:
    loaded = made(customers=11)
    wanted = [loaded.request(n, hot=True)[1] for n in range(loaded.numbers.people)]
    assert len({body["slot_id"] for body in wanted}) == 1
    assert len({body["beneficiary_id"] for body in wanted}) == loaded.numbers.people
