"""How often a row was tried is counted for each provider, feed and row."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from booking.feeds.models import RowTry
from booking.feeds.tries import count_try, forget_tries, not_applied
from marketplace.core.database.db import reading
from tests.people import NOON
from tests.world import make_world, remote

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def left() -> set[tuple[int, str, str, int]]:
    with reading() as session:
        rows = session.scalars(select(RowTry)).all()
        return {(row.provider_id, row.feed, row.reference, row.tries) for row in rows}


def test_a_row_that_was_applied_forgets_its_own_tries_only() -> None:
    one, other = make_world().provider.id, make_world(phone="13800000099").provider.id
    for provider, feed, reference in (
        (one, "bookings", "R-1"),
        (one, "bookings", "R-2"),
        (one, "reports", "R-1"),
        (other, "bookings", "R-1"),
    ):
        count_try(provider, feed, reference, now=NOON)
    assert count_try(one, "bookings", "R-2", now=NOON) == 2
    forget_tries(one, "bookings", [])
    forget_tries(one, "bookings", ["R-1"])
    assert left() == {(one, "bookings", "R-2", 2), (one, "reports", "R-1", 1), (other, "bookings", "R-1", 1)}


@pytest.mark.parametrize("told", [{"reference": "R-1", "n": 1}, ["R-1"], "R-1", int])
def test_what_could_not_be_applied_is_kept_in_any_form(told: object) -> None:
    assert json.loads(not_applied("R-1", told).delivered) == (told if not isinstance(told, type) else str(told))


def test_a_row_of_the_port_is_kept_field_by_field_and_always_the_same() -> None:
    row = not_applied("R-1", remote("bkg_1", "confirmed", 2))
    kept = json.loads(row.delivered)
    assert (kept["status"], kept["version"], row.our_reference) == ("confirmed", 2, "bkg_1")
    assert list(kept) == sorted(kept)
    assert row.digest == not_applied("R-1", remote("bkg_1", "confirmed", 2)).digest
