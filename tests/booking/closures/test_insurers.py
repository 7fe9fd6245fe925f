"""A site where several insurers' bookings stand: each closes it for its own, the places are closed while any does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import ColumnElement, Connection, select

from booking.closures import close
from booking.closures.close import ClosingAlready, close_site, reopen_site, work_closures
from booking.closures.closed_by_others import closed_by_others
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.closures.view import closure, closures, preview
from booking.discrepancies import Discrepancy
from booking.models import Booking, Slot
from booking.notices.models import Notification
from booking.states import LIVE, BookingState
from booking.sync.slots import apply_slots
from marketplace.catalog.models import Offer, Site
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Confirmed, Refused
from providers.reported import RemoteSlot
from tests.concurrency.controls import all_at_once
from tests.people import NOON, TODAY, make_insurer
from tests.world import DAY, FakeAdapter, World, booking_row, go, join, make_world, one_pass
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def ours() -> World:
    return make_world(quantity=5)


@pytest.fixture
def theirs(ours: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A customer of another insurer, with the same offer and slots."""
    with monkeypatch.context() as other:
        other.setenv("INSURER_CODE", "other")
        settings.cache_clear()
        make_insurer()
        joined = join(ours.provider, ours.offer, ours.slots, phone="13800000099", quantity=5)
    settings.cache_clear()
    assert joined.customer.insurer_id != ours.customer.insurer_id
    yield joined


def admin(world: World) -> Principal:
    """An administrator of the customer's insurer."""
    insurer = world.customer.insurer_id
    return Principal("operator", insurer, f"opr_{insurer}", insurer, insurer, "Asia/Shanghai", "admin")


def site(world: World) -> str:
    with reading() as session:
        return session.get_one(Site, world.offer.site_id).public_id


def confirmed(world: World, slot: int, reference: str) -> str:
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    return public_id


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def told(world: World) -> list[str]:
    """What the customer was notified about the closing of her sites."""
    with reading() as session:
        rows = session.scalars(
            select(Notification).where(
                Notification.kind == "site_closed", Notification.customer_id == world.customer.id
            )
        )
        return [str(row.facts["closing"]) for row in rows]


def cancel_site(world: World, from_day: date = DAY, to_day: date | None = None) -> str:
    return close_site(admin(world), site(world), from_day, to_day, "cancel", now=NOON)


def entries(world: World) -> list[tuple[date, date | None, int]]:
    found = closed_by_others(admin(world), now=NOON)
    assert {it.site_id for it in found} <= {site(world)}
    return [(it.from_day, it.to_day, it.bookings) for it in found]


def closed_slots() -> set[bool]:
    with reading() as session:
        return set(session.scalars(select(Slot.closed)))


def read_all_again(world: World, version: int) -> None:
    """What the provider's next full list says: all is open."""
    feed = [
        RemoteSlot("pool-1", it.external_ref, it.service_date, it.starts_at, it.ends_at, 5, version=version)
        for it in world.slots
    ]
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    apply_slots(world.provider.id, feed, {"pool-1": world.slots[0].pool_id}, counts, now=NOON)


def test_an_insurer_that_closes_a_site_touches_and_sees_no_bookings_of_another(ours: World, theirs: World) -> None:
    firm = confirmed(ours, 0, "R-1")
    assert preview(admin(theirs), site(ours), DAY, None, now=NOON).bookings == 0
    closing = cancel_site(theirs)
    assert work_closures(now=NOON) == {"over": 0} and state(firm) == "confirmed" and told(ours) == []
    found = closure(admin(theirs), closing)
    assert (found.remaining, found.outcomes, found.state) == ([], {}, "done")


def test_the_other_insurer_finds_what_of_its_own_stands_at_the_closed_site(ours: World, theirs: World) -> None:
    confirmed(ours, 0, "R-1")
    ours.hold(1)
    go(confirmed(ours, 2, "R-3"), BookingState.CHECKED_IN)  # the service has begun: nothing to decide
    theirs.hold(1)
    cancel_site(theirs, DAY, DAY)
    assert entries(ours) == [(DAY, DAY, 2)] and entries(theirs) == []
    with pytest.raises(NotFound):
        closed_by_others(replace(admin(ours), role="agent"), now=NOON)


def test_no_entry_stays_when_the_days_are_over_the_closure_is_taken_back_or_the_own_takes_the_bookings_in(
    ours: World, theirs: World
) -> None:
    booked = confirmed(ours, 0, "R-1")
    first = cancel_site(theirs)
    assert closed_by_others(admin(ours), now=NOON + timedelta(days=40)) == []
    own = cancel_site(ours, DAY + timedelta(days=1))
    assert entries(ours) == [(DAY, None, 1)], "the own closure begins later"
    reopen_site(admin(ours), own, now=NOON)
    own = cancel_site(ours)
    assert entries(ours) == []
    reopen_site(admin(ours), own, now=NOON)
    assert entries(ours) == [(DAY, None, 1)]
    reopen_site(admin(theirs), first, now=NOON)
    assert entries(ours) == [] and state(booked) == "confirmed"


def test_an_entry_leads_to_days_that_can_still_be_closed(ours: World, theirs: World) -> None:
    ours.hold(0)
    with transaction() as session:
        session.add(
            SiteClosure(
                public_id="clo_1", insurer_id=theirs.customer.insurer_id, site_id=ours.offer.site_id, mode="cancel",
                from_day=TODAY - timedelta(days=9), state="done", actor="opr_2", asked_at=NOON, finished_at=NOON,
            )
        )  # fmt: skip
    [(first, last, _number)] = entries(ours)
    assert (first, last) == (TODAY, None) and cancel_site(ours, first, last)


def test_two_insurers_close_one_site_while_the_provider_has_not_answered_and_both_end_right(
    ours: World, theirs: World
) -> None:
    booked = {"R-1": confirmed(ours, 0, "R-1"), "R-2": confirmed(theirs, 1, "R-2")}
    first = cancel_site(ours)
    assert work_closures(now=NOON) == {"asked": 1, "over": 0}
    second = cancel_site(theirs)
    assert work_closures(now=NOON) == {"asked": 1, "over": 0}
    assert (told(ours), told(theirs)) == (["cancelled"], ["cancelled"])
    one_pass(ours, FakeAdapter(answers=[Confirmed("R-1", 2), Refused("too_late")]), now=NOON)
    work_closures(now=NOON)
    found = {"ours": closure(admin(ours), first), "theirs": closure(admin(theirs), second)}
    assert {who: (it.state, it.outcomes) for who, it in found.items()} == {
        "ours": ("done", {"asked": 1}),
        "theirs": ("done", {"asked": 1}),
    }
    assert (state(booked["R-1"]), state(booked["R-2"])) == ("cancelled", "confirmed")
    with reading() as session:
        case = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None))).one()
    assert (case.kind, case.subject, case.facts["closure"]) == ("closure_stands", booked["R-2"], second)
    assert [it.id for it in closures(admin(ours))] == [first] and [it.id for it in closures(admin(theirs))] == [second]


def test_places_stay_closed_until_the_last_closure_is_taken_back(ours: World, theirs: World) -> None:
    first, second = cancel_site(ours), cancel_site(theirs)
    work_closures(now=NOON)
    reopen_site(admin(ours), first, now=NOON)
    read_all_again(ours, 2)
    assert closed_slots() == {True}
    reopen_site(admin(theirs), second, now=NOON)
    read_all_again(ours, 3)
    assert closed_slots() == {False} and ours.hold(0)


def closing_at_once(ours: World, theirs: World) -> list[str | Exception]:
    return all_at_once([partial(cancel_site, ours), partial(cancel_site, theirs)] * 2)


def test_two_insurers_that_close_at_once_have_a_closure_each(ours: World, theirs: World) -> None:
    booked = [confirmed(ours, 0, "R-1"), theirs.hold(1)]
    found = closing_at_once(ours, theirs)
    assert found[0] == found[2] != found[1] == found[3] and not any(isinstance(it, Exception) for it in found)
    results = all_at_once([partial(work_closures, now=NOON)] * 4)
    assert not any(isinstance(it, Exception) for it in results)
    assert [state(it) for it in booked] == ["confirmed", "cancelled"]
    assert (told(ours), told(theirs)) == (["cancelled"], ["cancelled"])


def test_with_one_open_closure_a_site_the_second_insurer_was_refused(
    ours: World, theirs: World, owner_connection: Connection
) -> None:
    owner_connection.exec_driver_sql(
        "CREATE UNIQUE INDEX uq_site_closure_open_once ON site_closure (site_id) WHERE state = 'open'"
    )
    try:
        assert any(isinstance(it, Exception) for it in closing_at_once(ours, theirs))
    finally:
        owner_connection.exec_driver_sql("DROP INDEX uq_site_closure_open_once")


def two_operators(world: World) -> list[str | Exception]:
    """What comes to two operators of one insurer who close for different days at once."""
    return all_at_once([partial(cancel_site, world, DAY, DAY + timedelta(days=n)) for n in range(2)])


def test_of_two_operators_of_one_insurer_who_close_at_once_one_is_refused(ours: World) -> None:
    assert [type(it) for it in two_operators(ours)].count(ClosingAlready) == 1
    assert len(closures(admin(ours))) == 1


def test_without_the_index_both_close(ours: World, owner_connection: Connection) -> None:
    made = owner_connection.exec_driver_sql(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_site_closure_open'"
    ).scalar_one()
    owner_connection.exec_driver_sql("DROP INDEX uq_site_closure_open")
    try:
        assert not any(isinstance(it, Exception) for it in two_operators(ours)) and len(closures(admin(ours))) == 2
    finally:
        with transaction() as session:
            session.query(SiteClosure).update({"state": "withdrawn"})
        owner_connection.exec_driver_sql(made)


# --- a closure under way while a release is rolled out ---------------------------------------------------------------


def of_everybody(closure: SiteClosure) -> tuple[ColumnElement[bool], ...]:
    """What the release before took for its bookings: those of all insurers."""
    return Offer.site_id == closure.site_id, Booking.state.in_(LIVE), Booking.service_date >= closure.from_day


def test_what_the_release_before_began_for_another_insurer_is_brought_to_its_end(
    ours: World, theirs: World, owner_connection: Connection
) -> None:
    refused, waits = confirmed(theirs, 0, "R-1"), confirmed(theirs, 1, "R-2")
    closing = cancel_site(ours)
    owner_connection.exec_driver_sql("ALTER TABLE site_closure_item DISABLE TRIGGER in_one_market")
    try:
        with transaction() as session:
            opened = session.scalars(select(SiteClosure)).one().id
            for public_id, outcome in ((refused, "moving"), (waits, "asked")):
                session.add(
                    SiteClosureItem(closure_id=opened, booking_id=booking_row(public_id).id, outcome=outcome, at=NOON)
                )
    finally:
        owner_connection.exec_driver_sql("ALTER TABLE site_closure_item ENABLE TRIGGER in_one_market")
    assert work_closures(now=NOON) == {"asked": 1, "over": 0}, "its move was refused: it is cancelled"
    assert told(theirs) == ["cancelled"]
    assert closure(admin(ours), closing).state == "open", "the provider has not answered"
    one_pass(theirs, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    work_closures(now=NOON)
    found = closure(admin(ours), closing)
    assert (state(refused), found.state) == ("cancelled", "done")
    assert (found.outcomes, found.remaining) == ({}, []), "another insurer's are not counted or named"
    with reading() as session:
        case = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None))).one()
    assert (case.kind, case.subject) == ("closure_stands", waits)


def test_a_worker_of_the_release_before_fails_at_another_insurers_bookings_and_goes_on(
    ours: World, theirs: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    another, own = confirmed(theirs, 0, "R-1"), ours.hold(1)
    cancel_site(ours)
    with monkeypatch.context() as before:
        before.setattr(close, "affected", of_everybody)
        assert work_closures(now=NOON) == {"broken": 1, "cancelled": 1, "over": 0}
    assert (state(another), state(own), told(theirs)) == ("confirmed", "cancelled", [])
    assert work_closures(now=NOON) == {"over": 0}
    assert closures(admin(ours))[0].state == "done", "this release's worker ends it"
