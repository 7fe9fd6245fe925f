"""Closing hospitals that somebody is sent to: found without offers of their own, and told to whoever has bookings."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from booking.closures.close import close_site, reopen_site, work_closures
from booking.closures.closed_by_others import closed_by_others
from booking.closures.view import find_sites, preview
from booking.models import Slot
from booking.places import decide
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from tests.escorts import add_site, make_escorts
from tests.marketplace.catalog.coverage.stage import other_insurer
from tests.people import NOON
from tests.sandboxes import ROOT
from tests.world import DAY, booking_row
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


def at_work(insurer: int) -> Principal:
    return Principal("operator", insurer, f"opr_{insurer}", insurer, insurer, "Asia/Shanghai", "admin")


def test_a_venue_is_closed_for_all_and_where_a_service_is_registered_for_none_of_its_windows() -> None:
    made = make_escorts(quantity=4)
    ours, theirs = at_work(made.world.customer.insurer_id), at_work(other_insurer("other"))
    with reading() as session:
        base = session.get_one(Site, made.world.offer.site_id).public_id
    add_site("上海示范总院", city="上海市", province="上海市")
    booked, venue = made.hold(0), made.venue.public_id
    assert [found[0] for found in find_sites(theirs, "示范总院")] == [venue], "nobody can be sent to the other"

    def entries() -> list[tuple[str, date, int]]:
        return [(it.site_id, it.from_day, it.bookings) for it in closed_by_others(ours, now=NOON)]

    def closed() -> set[bool]:
        with reading() as session:
            return set(session.scalars(select(Slot.closed)))

    assert preview(theirs, base, DAY, None, now=NOON).slots == 0
    close_site(theirs, base, DAY, None, "cancel", now=NOON)
    with transaction() as session:
        session.execute(update(Slot).values(service_date=Slot.service_date, closed=False))
    assert closed() == {False}, "what a feed says of the city's windows holds"
    assert entries() == [] and made.hold(1)

    first = close_site(theirs, venue, DAY, DAY, "cancel", now=NOON)
    assert entries() == [(venue, DAY, 2)]
    own = close_site(ours, venue, DAY, DAY, "cancel", now=NOON)
    assert entries() == []
    reopen_site(ours, own, now=NOON)
    reopen_site(theirs, first, now=NOON)
    entry = add_site("示范总院西门").public_id
    close_site(theirs, entry, DAY, None, "cancel", now=NOON)
    assert entries() == []
    decide.merge_sites(theirs, entry, venue, now=NOON)
    assert entries() == [(entry, DAY, 2)], "a closed entry of it closes the venue"
    close_site(ours, venue, DAY, None, "cancel", now=NOON)
    assert entries() == []
    work_closures(now=NOON)
    assert booking_row(booked).state == "cancelled"


def test_the_trigger_knows_the_kinds_for_which_somebody_is_sent() -> None:
    named = ", ".join(f"'{code}'" for code in sorted(dispatched()))
    assert f"o.kind IN ({named})" in (ROOT / "booking" / "closures" / "slot_stays_closed.sql").read_text()
