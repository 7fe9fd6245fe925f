"""Escorts of a customer: one that was said to be over, with a paper and a link for the family, and one that is done."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import update

from booking.escort.following.links import NewLink, make_link
from booking.models import Booking
from booking.states import BookingState
from marketplace.core.database.db import transaction
from tests.escorting import Escorted
from tests.escorts import KIND
from tests.people import NOON
from tests.world import World, go


def follow(world: World, word: str, slots: tuple[int, int]) -> dict[str, str]:
    """Both, by the names of the table; who came, what she wrote and for whom the link is have the customer's word."""
    goes_on, done = (_escort(world, word, slot) for slot in slots)
    picture = goes_on.did("paper", 10, picture=True, words=f"{word} 单据")
    goes_on.did("note", 20, words=f"{word} 记录")
    goes_on.did("handed_over", 30, words=f"{word} 小结", received=NOON)
    go(done.booking, BookingState.FULFILLED)
    made = make_link(world.principal, goes_on.booking, NewLink(f"{word} 哥哥", with_notes=True), now=NOON)
    return {
        "escort": goes_on.booking,
        "escort_paper": picture,
        "escort_link": made.link.id,
        "escort_token": made.token,
        "done_escort": done.booking,
    }


def _escort(world: World, word: str, slot: int) -> Escorted:
    """A booking of the world's, as an escort that began an hour ago."""
    began = NOON - timedelta(hours=1)
    day = began.astimezone(ZoneInfo("Asia/Shanghai")).date()
    values = {"kind": KIND, "service_date": day, "starts_at": began, "ends_at": began + timedelta(hours=4)}
    found = Escorted(cast(Any, SimpleNamespace(world=world)), world.submit(slot))
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == found.booking).values(**values))
    go(found.booking, BookingState.CONFIRMED)
    found.send(f"{word} 何静")
    return found
