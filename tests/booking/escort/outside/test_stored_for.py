"""For how long what a provider's own system said of an escort is stored, and what becomes of it with the person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.listening import EscortLineTaken
from booking.personal.retention import forget_escorts
from marketplace.core.database.db import reading, transaction
from tests.booking.escort.outside.stage import Outside, assigned, came_of, deeds, line, make_outside
from tests.people import NOON
from tests.world import EIGHT, booking_row
from vip.customers import person_keys

pytestmark = pytest.mark.usefixtures("db")


def digests() -> int:
    """How many lines can still be told from others."""
    with reading() as session:
        return session.scalar(select(func.count(EscortLineTaken.digest_sealed))) or 0


@pytest.mark.parametrize("escort", ["e-1", "e-9"], ids=["a deed", "kept out"])
def test_the_digest_of_a_line_goes_when_what_was_told_does(escort: str) -> None:
    it = make_outside()
    booking = it.book()
    if escort == "e-1":
        it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2 if escort == "e-1" else 1, "note", words="已取号", escort=escort), now=EIGHT)
    assert digests() == (2 if escort == "e-1" else 1)
    assert forget_escorts(now=NOON.replace(year=NOON.year + 30) + timedelta(days=30)) == {"expired": 1}
    assert digests() == 0
    again = line(booking, 2 if escort == "e-1" else 1, "note", words="别的", escort=escort)
    assert it.tell(again, now=EIGHT) == "known"


def told_after(it: Outside, booking: str, seq: int) -> str:
    """What comes of a note that is told once the person's data was deleted."""
    with transaction() as session:
        person_keys.destroy(session, [booking_row(booking).beneficiary_id], "medical", NOON)
    return it.tell(line(booking, seq, "note", words="已取号"), now=EIGHT)


def test_nothing_more_is_stored_of_who_was_erased_and_no_line_is_lost() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    assert told_after(it, booking, 2) == "kept_out"
    assert (deeds(booking), came_of(booking)) == ([], ["named", "kept_out"])
    assert it.tell(line(booking, 1, "note", words="别的"), now=EIGHT) == "known"
