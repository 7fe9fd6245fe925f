"""Late reports: when they are due, who is asked and told, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.notices.models import Notification
from booking.reports.chase import ASK_EVERY, ask_again, mark_overdue
from booking.reports.fetch import announce
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.kinds import kind
from marketplace.core.database.db import reading, transaction
from providers.port import ProviderError
from providers.reported import ReportPage
from tests.people import NOON
from tests.reports import ReportAdapter, content, deliver, fetch, listed
from tests.world import EIGHT, World, booking_row, connection_to, make_world

pytestmark = pytest.mark.usefixtures("db")
DONE = EIGHT + timedelta(hours=2)
DUE = datetime.fromisoformat("2026-03-18T00:00+08:00")
"""Seven days after 10 March: the end of the 17th in Hangzhou."""
CLINIC = Actor("provider", "clinic")


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


def fulfil(public_id: str, *, now: datetime = DONE) -> str:
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_row(public_id).id)
        if booking.state is BookingState.AWAITING_PROVIDER:
            move(session, booking, BookingState.CONFIRMED, actor=CLINIC, now=now)
        move(session, booking, BookingState.FULFILLED, actor=CLINIC, now=now)
    return public_id


def cases() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == "report_overdue").order_by(Discrepancy.id))
        return [(row.subject, row.resolution, "open" if row.closed_at is None else "closed") for row in rows]


def told() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Notification.subject).where(Notification.kind == "report_overdue")))


def ask(world: World, adapter: ReportAdapter, now: datetime) -> dict[str, int]:
    return ask_again(connection_to(world.provider), adapter, now=now)  # type: ignore[arg-type]


def test_a_report_is_due_at_the_end_of_the_promised_day_where_the_site_is(world: World) -> None:
    booking = booking_row(fulfil(world.submit()))
    assert (booking.report_state, booking.report_due_at) == ("expected", DUE)


def test_the_packages_own_promise_counts_before_the_kinds() -> None:
    world = make_world(package={"items": [], "sex": "any", "age_min": 0, "age_max": 120, "report_days": 2})
    assert booking_row(fulfil(world.submit())).report_due_at == DUE - timedelta(days=5)


def test_a_kind_without_a_report_promises_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = replace(kind("health_check"), traits=replace(kind("health_check").traits, report=False))
    monkeypatch.setattr("booking.deadlines.kind", lambda _code: plain)
    booking = booking_row(fulfil(world.submit()))
    assert (booking.report_state, booking.report_due_at) == ("none", None)
    assert mark_overdue(now=DUE + timedelta(days=90)) == 0


def test_a_late_report_is_marked_once_with_a_case_and_a_notice(world: World) -> None:
    public_id = fulfil(world.submit())
    before = booking_row(public_id).version
    assert mark_overdue(now=DUE - timedelta(seconds=1)) == 0
    assert mark_overdue(now=DUE) == 1
    assert mark_overdue(now=DUE + timedelta(days=1)) == 0
    assert (booking_row(public_id).report_state, booking_row(public_id).version) == ("overdue", before + 1)
    assert cases() == [(public_id, "", "open")] and told() == [public_id]


def test_what_comes_late_is_ready_and_closes_the_case(world: World) -> None:
    public_id = fulfil(world.submit())
    mark_overdue(now=DUE)
    deliver(world, public_id, now=DUE + timedelta(days=2))
    assert booking_row(public_id).report_state == "ready"
    assert cases() == [(public_id, "came", "closed")]
    assert mark_overdue(now=DUE + timedelta(days=3)) == 0 and told() == [public_id]


def test_the_rest_of_a_partial_report_is_chased_while_what_came_stays_readable(world: World) -> None:
    public_id = fulfil(world.submit())
    deliver(world, public_id, status="partial", now=DONE)
    assert mark_overdue(now=DUE) == 1 and mark_overdue(now=DUE + timedelta(days=1)) == 0
    assert booking_row(public_id).report_state == "partial"
    deliver(world, public_id, 2, status="final", now=DUE + timedelta(days=2))
    assert booking_row(public_id).report_state == "ready" and cases() == [(public_id, "came", "closed")]


def test_a_part_that_comes_late_leaves_the_case_open_for_the_rest(world: World) -> None:
    public_id = fulfil(world.submit())
    mark_overdue(now=DUE)
    deliver(world, public_id, status="partial", now=DUE + timedelta(days=1))
    assert booking_row(public_id).report_state == "partial" and cases() == [(public_id, "", "open")]


def test_what_the_provider_has_announced_is_not_called_late(world: World) -> None:
    public_id = fulfil(world.submit())
    with transaction() as session:
        announce(session, world.provider.id, listed(world, public_id), now=DONE)
    assert mark_overdue(now=DUE + timedelta(days=1)) == 0
    assert cases() == [] and told() == []


def test_asking_again_finds_a_report_whose_message_was_lost(world: World) -> None:
    public_id = fulfil(world.submit())
    mark_overdue(now=DUE)
    remote = listed(world, public_id)
    adapter = ReportAdapter(pages=[ReportPage([remote], None, "c9")])
    assert ask(world, adapter, DUE) == {"asked": 1, "noted": 1}
    assert adapter.asked == [(None, None)], "from the start, not from where we stood"
    assert fetch(world, content(remote), now=DUE + timedelta(minutes=1)) == {"stored": 1}
    assert booking_row(public_id).report_state == "ready" and cases() == [(public_id, "came", "closed")]


def test_a_provider_is_asked_once_a_day_and_only_for_what_it_owes(world: World) -> None:
    public_id = fulfil(world.submit())
    assert ask(world, ReportAdapter(), DUE - timedelta(days=1)) == {}
    mark_overdue(now=DUE)
    assert ask(world, ReportAdapter(pages=[ReportPage([], None, "c1")]), DUE) == {"asked": 1}
    assert ask(world, ReportAdapter(), DUE + ASK_EVERY - timedelta(seconds=1)) == {}
    assert ask(world, ReportAdapter(pages=[ReportPage([], None, "c2")]), DUE + ASK_EVERY) == {"asked": 1}
    assert booking_row(public_id).report_asked_at == DUE + ASK_EVERY
    later = fulfil(world.submit(1))
    mark_overdue(now=DUE + ASK_EVERY + timedelta(hours=1))
    assert ask(world, ReportAdapter(), DUE + ASK_EVERY + timedelta(hours=1)) == {}, "its whole list once a day"
    again = ReportAdapter(pages=[ReportPage([], None, "c3")])
    assert ask(world, again, DUE + 2 * ASK_EVERY) == {"asked": 2}
    assert booking_row(later).report_asked_at == DUE + 2 * ASK_EVERY


def test_a_provider_that_cannot_be_read_is_asked_again_at_the_next_turn(world: World) -> None:
    public_id = fulfil(world.submit())
    mark_overdue(now=DUE)
    with pytest.raises(ProviderError):
        ask(world, ReportAdapter(), DUE)
    assert booking_row(public_id).report_asked_at is None
    assert ask(world, ReportAdapter(pages=[ReportPage([], None, "c1")]), DUE) == {"asked": 1}


def test_a_check_that_was_reopened_owes_nothing_until_it_is_done_again(world: World) -> None:
    public_id = fulfil(world.submit(), now=NOON)
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_row(public_id).id)
        move(session, booking, BookingState.IN_SERVICE, actor=CLINIC, now=DONE)
    assert mark_overdue(now=DUE + timedelta(days=30)) == 0
    again = booking_row(fulfil(public_id, now=DONE + timedelta(days=1)))
    assert again.report_due_at == DUE + timedelta(days=1)


def test_the_due_day_is_told_with_the_booking(world: World) -> None:
    with reading() as session:
        fulfil(world.submit())
        assert session.scalars(select(Booking.report_due_at)).all() == [DUE]
