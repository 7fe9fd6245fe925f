"""The list of test bookings: page by page, by one query however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update

from booking.offers.at_desk import offer_lines
from booking.states import BookingState
from booking.twins.act import change_as_customer
from booking.twins.book import book_for_test
from booking.twins.clear import clear, to_clear
from booking.twins.view import trial_booking, trial_bookings
from marketplace.catalog.models import Offer
from marketplace.core.database.db import engine, transaction
from marketplace.core.errors import Invalid
from tests.booking.twins.stage import BY, Stage, make_stage, more_services
from tests.people import NOON
from tests.world import go

pytestmark = pytest.mark.usefixtures("db")


@contextmanager
def queries() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(*call: Any) -> None:
        if call[2].lstrip().startswith(("SELECT", "WITH")):
            asked.append(call[2])

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine(), "before_cursor_execute", note)


def booked(stage: Stage, number: int) -> list[str]:
    """So many test bookings, the newest first."""
    made = [
        book_for_test(stage.twin.id, stage.offer.public_id, stage.slots[at].public_id, 1, NOON) for at in range(number)
    ]
    return made[::-1]


def pages(stage: Stage, limit: int) -> list[list[str]]:
    """The public ids of each page."""
    found, cursor = [], None
    while True:
        page = trial_bookings(stage.twin.id, cursor=cursor, limit=limit, now=NOON)
        found.append([each.id for each in page.items])
        cursor = page.next
        if cursor is None:
            return found


def test_every_one_is_on_one_page_and_the_last_page_leads_nowhere() -> None:
    stage = make_stage(slots=5)
    made = booked(stage, 5)
    assert pages(stage, 2) == [made[:2], made[2:4], made[4:]]
    assert pages(stage, 5) == [made]
    with pytest.raises(Invalid) as refused:
        trial_bookings(stage.twin.id, cursor="elsewhere", limit=2, now=NOON)
    assert refused.value.at == "cursor"


def test_it_is_one_query_however_many_there_are() -> None:
    stage = make_stage(slots=4)
    made = booked(stage, 3)
    for booking in made:
        go(booking, BookingState.CONFIRMED)
    change_as_customer(stage.twin.id, made[0], stage.slots[3].public_id, now=NOON)
    with queries() as asked:
        shown = trial_bookings(stage.twin.id, cursor=None, limit=50, now=NOON).items
    assert len(asked) == 1, asked
    assert [(each.asked, each.may_change) for each in shown] == [("reschedule", False), ("", True), ("", True)]
    assert [trial_booking(stage.twin.id, each, now=NOON) for each in made] == list(shown)


def test_what_was_cleared_is_in_no_list_and_counted_no_more() -> None:
    stage = make_stage()
    booked(stage, 2)
    assert (to_clear(stage.twin.id), to_clear(stage.world.provider.id)) == (2, 0)
    stage.world.submit()
    assert to_clear(stage.world.provider.id) == 0, "nothing live is ever cleared"
    clear(stage.twin.id, BY, NOON)
    assert (to_clear(stage.twin.id), pages(stage, 2)) == (0, [[]])


def test_services_on_sale_fill_their_pages_whatever_has_ended_between_them() -> None:
    stage = make_stage()
    more_services(stage, 6)
    with transaction() as session:
        session.execute(update(Offer).where(Offer.external_ref.in_(["X0", "X1", "X2", "X4"])).values(active=False))
    first = offer_lines(stage.twin.id, cursor=None, limit=2, now=NOON, selling=True)
    second = offer_lines(stage.twin.id, cursor=first.next, limit=2, now=NOON, selling=True)
    references = [each.reference for each in (*first.items, *second.items)]
    assert references == sorted([stage.offer.external_ref, "X3", "X5"]) and second.next is None
    assert len(offer_lines(stage.twin.id, cursor=None, limit=50, now=NOON).items) == 7, "the desk's own list has all"
