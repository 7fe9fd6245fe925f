"""A booking at a provider that is nobody's of ours is cancelled there with one click, and only while it is nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.calls.breaker import Call
from booking.calls.through import LeftAlone, through
from booking.models import ProviderBooking
from booking.reconcile import cases
from booking.reconcile.queue import queue_run
from booking.reconcile.repair import repair
from booking.reconcile.repair_actions import NotThisRepair
from booking.reconcile.strays import LEASE, STRAY_CANCELLED
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lane, Lanes
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy, NotFound
from providers.port import Accepted, Answer, ComeBackLater, Confirmed, ProviderError, Refused, RetryAfter, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.booking.reconcile.strays import (
    LATER,
    audited,
    case,
    click,
    compare,
    take_over,
    the_cancel,
    with_a_stray,
    work,
)
from tests.books import Books
from tests.world import FakeAdapter, World, booking_row, breaker_row, connection_to, make_world, one_pass, set_provider
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def books(world: World) -> Books:
    return with_a_stray(world)


def job(world: World, books: Any, now: datetime) -> dict[str, int]:
    """As the worker does it: through the breaker of its kind of call."""
    known = connection_to(world.provider)
    return through(Call.STRAYS, known, lambda: work(world, books, now), lambda: now, may_idle=True)


def test_one_click_cancels_it_there_closes_the_case_and_leaves_two_audit_lines(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    assert work(world, books) == {"cancelled": 1}
    (sent,) = books.sent
    assert (sent.reference, sent.our_reference, sent.reason) == ("R-9", "", "not_ours")
    found = case()
    assert (found.closed_at, found.resolution) == (LATER, "cancelled_there")
    assert audited("difference.repaired") == audited("stray.cancelled") == [("opr_1", found.public_id)]
    assert work(world, books) == {} and len(books.sent) == 1


def test_two_clicks_are_one_cancel_and_the_page_offers_it_no_more(
    world: World, books: Books, operator: Principal
) -> None:
    view = cases.case(operator, case().public_id, now=LATER)
    assert "cancel_there" in view.actions and not view.cancelling
    click(operator)
    click(operator)
    assert audited("difference.repaired") == [("opr_1", case().public_id)], "the second does nothing"
    view = cases.case(operator, case().public_id, now=LATER)
    assert "cancel_there" not in view.actions and view.cancelling
    work(world, books)
    assert work(world, books) == {} and len(books.sent) == 1


def test_a_look_up_of_the_same_case_that_is_queued_swallows_no_cancel(
    world: World, books: Books, operator: Principal
) -> None:
    with transaction() as session:
        assert queue_run(session, world.provider.id, Actor("operator", "opr_1"), now=LATER, case_id=case().id)
    click(operator)
    assert work(world, books) == {"cancelled": 1}


def test_whoever_may_not_see_discrepancies_cannot_cancel_it(books: Books, operator: Principal) -> None:
    with pytest.raises(NotFound):
        repair(replace(operator, role="agent"), case().public_id, "cancel_there", now=LATER)
    assert audited("difference.repaired") == []


def test_what_has_been_served_there_is_not_offered_to_be_cancelled(
    world: World, books: Books, operator: Principal
) -> None:
    books.change("R-9", status="fulfilled")
    compare(world, books)
    with pytest.raises(NotThisRepair):
        click(operator)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [(RetryAfter(90), 90), (RetryAfter(30, reached=False), 30), (Unknown("timed out"), 1), (Accepted("R-9"), 60)],
)
def test_an_answer_that_ends_nothing_leaves_it_open_and_it_is_sent_again_under_the_same_key(
    world: World, books: Books, operator: Principal, answer: Answer, wait: int
) -> None:
    click(operator)
    books.answers = [answer]
    try:
        work(world, books)
    except ProviderError:
        assert isinstance(answer, RetryAfter)
    assert case().closed_at is None
    again = LATER + timedelta(seconds=wait)
    assert work(world, books, again - timedelta(milliseconds=1)) == {}
    assert work(world, books, again) == {"cancelled": 1}
    first, second = books.sent
    assert first.key == second.key and case().resolution == "cancelled_there"


@pytest.mark.parametrize("found", [RetryAfter(90), Unknown("timed out")])
def test_nothing_is_sent_where_the_last_look_was_not_answered(
    world: World, books: Books, operator: Principal, found: Any
) -> None:
    click(operator)
    silent = FakeAdapter(found=[found])
    try:
        work(world, silent)
    except ComeBackLater:
        assert isinstance(found, RetryAfter)
    assert silent.sent == [] and case().closed_at is None
    assert work(world, books, LATER + timedelta(seconds=90)) == {"cancelled": 1}


@pytest.mark.parametrize("gone", ["not_there", "cancelled"])
def test_what_had_gone_before_was_cancelled_by_nobody_of_ours(
    world: World, books: Books, operator: Principal, gone: str
) -> None:
    click(operator)
    if gone == "not_there":
        del books.rows["R-9"]
    else:
        books.change("R-9", status="cancelled")
    assert work(world, books) == {"gone_before": 1}
    assert (case().resolution, books.sent) == ("agrees_again", [])
    with reading() as session:
        assert session.scalars(select(AuditLine).where(AuditLine.action == STRAY_CANCELLED)).all() == []


def test_what_the_cancel_did_not_find_any_more_closes_the_case(world: World, books: Books, operator: Principal) -> None:
    click(operator)
    books.answers = [NotThere()]
    assert work(world, books) == {"cancelled": 1}
    assert case().resolution == "cancelled_there"


def test_a_refusal_leaves_the_case_to_a_person_who_may_try_again_under_another_key(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    books.answers = [Refused("too_late")]
    assert work(world, books) == {"refused": 1}
    assert case().closed_at is None and case().facts["code"] == "too_late"
    compare(world, books, LATER + timedelta(minutes=5))
    assert case().facts["code"] == "too_late", "a comparison that finds it again keeps the reason"
    assert "cancel_there" in cases.case(operator, case().public_id, now=LATER).actions
    click(operator)
    assert work(world, books) == {"cancelled": 1}
    first, second = books.sent
    assert first.key != second.key


def test_what_has_been_served_meanwhile_is_not_cancelled(world: World, books: Books, operator: Principal) -> None:
    click(operator)
    books.change("R-9", status="checked_in")
    assert work(world, books) == {"refused": 1}
    assert books.sent == [] and case().closed_at is None


def test_a_case_that_was_closed_meanwhile_is_not_carried_out(world: World, books: Books, operator: Principal) -> None:
    click(operator)
    repair(operator, case().public_id, "note", note="It is a test of theirs", now=LATER)
    assert work(world, books) == {"case_closed": 1}
    assert books.sent == [] and case().resolution == "explained"


def test_what_has_become_ours_before_the_cancel_was_sent_is_not_cancelled(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    public_id = world.submit()
    books.meanwhile = lambda: take_over(world, public_id)
    assert work(world, books) == {"became_ours": 1}
    assert books.sent == [] and case().resolution == "became_ours"
    assert booking_row(public_id).state == "confirmed"


def test_what_may_have_been_cancelled_is_taken_over_by_nobody_until_that_is_known(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    public_id = world.submit()
    books.answers = [Unknown("timed out")]
    assert work(world, books) == {"failed": 1}
    with pytest.raises(Busy):
        take_over(world, public_id)
    assert booking_row(public_id).state == "awaiting_provider"
    books.answers = [Refused("too_late")]
    work(world, books, LATER + timedelta(seconds=1))
    take_over(world, public_id)
    assert booking_row(public_id).state == "confirmed"
    with reading() as session:
        row = session.scalars(select(ProviderBooking).where(ProviderBooking.reference == "R-9")).one()
    assert (row.role, row.version) == ("current", 5) and row.booking_id == booking_row(public_id).id


def test_a_reserve_that_is_answered_with_the_reference_is_looked_up_once_the_cancel_has_ended(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    public_id = world.submit()
    books.answers = [Unknown("timed out")]
    work(world, books)
    with pytest.raises(Busy):
        one_pass(world, FakeAdapter(answers=[Confirmed("R-9", 1)]), now=LATER)
    work(world, books, LATER + timedelta(seconds=1))
    later = LATER + timedelta(minutes=5)
    dead = RemoteBooking("R-9", public_id, "cancelled", 6)
    one_pass(world, FakeAdapter(found=[dead]), now=later)
    assert booking_row(public_id).state == "rejected"


def test_a_cancel_whose_process_was_killed_is_carried_out_by_another(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)

    def die() -> None:
        raise KeyboardInterrupt

    books.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        work(world, books)
    books.meanwhile = None
    assert work(world, books, LATER + LEASE - timedelta(seconds=1)) == {}
    assert work(world, books, LATER + LEASE) == {"cancelled": 1}


def test_an_answer_to_a_claim_that_another_process_has_taken_over_changes_nothing(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    slow = Books(rows=dict(books.rows), answers=[Refused("too_late")])
    slow.meanwhile = lambda: work(world, books, LATER + LEASE)
    assert work(world, slow) == {"stale": 1}
    assert slow.sent == [] and len(books.sent) == 1 and case().resolution == "cancelled_there"


def test_a_paused_provider_gets_no_cancel(world: World, books: Books, operator: Principal) -> None:
    click(operator)
    set_provider(world.provider, paused_at=LATER)
    assert work(world, books) == {} and books.sent == []


def test_a_provider_that_does_not_answer_it_still_gets_commands(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    books.silent = True
    now = LATER
    for _ in range(5):
        job(world, books, now)
        now += timedelta(minutes=2)
    assert breaker_row(world.provider, Call.STRAYS)[0] == 5
    assert breaker_row(world.provider) == (0, None, None)
    with pytest.raises(LeftAlone):
        job(world, books, now - timedelta(minutes=2))
    books.silent = False
    assert job(world, books, now) == {"cancelled": 1}
    assert breaker_row(world.provider, Call.STRAYS) == (0, None, None)


def test_the_worker_carries_it_out(
    world: World, books: Books, operator: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(operator)
    monkeypatch.setattr("marketplace.core.clock.now", lambda: LATER)
    monkeypatch.setattr(Lane, "adapter", lambda _lane, _call: books)
    lanes = Lanes()
    lanes.refresh([connection_to(world.provider)], [])
    (strays,) = [each for each in all_jobs(lanes, Event()) if each.name.startswith("strays:")]
    assert strays.work() == {"cancelled": 1}
    assert the_cancel().outcome == "cancelled"
    lanes.close()
