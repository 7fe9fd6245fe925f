"""A booking at a provider that is nobody's of ours is cancelled there with one click, and only while it is nobody's."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import CLOCK, Actor
from booking.calls.breaker import Call
from booking.calls.through import LeftAlone, through
from booking.discrepancies import UNREADABLE
from booking.exchange.inbound import apply_remote
from booking.exchange.models import StrayCancel
from booking.feeds.cursors import cursor_of
from booking.feeds.unreadable import record_rows
from booking.models import Discrepancy, ProviderBooking
from booking.reconcile import cases
from booking.reconcile.queue import queue_run
from booking.reconcile.repair import (
    LONGEST_NOTE,
    NotThisRepair,
    cancel_stray_by_command,
    explain_stray_by_command,
    repair,
)
from booking.reconcile.run import run_now
from booking.reconcile.strays import GIVE_UP_AFTER, LEASE, MOST_TRIES, STRAY_CANCELLED, cancel_due
from booking.sync import bookings
from booking.sync.bookings import poll_bookings
from booking.sync.webhooks import receive_event
from booking.worker.jobs import all_jobs
from booking.worker.lanes import Lane, Lanes
from marketplace.catalog.models import Insurer
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy, Invalid, NotFound
from providers.port import (
    Accepted,
    Answer,
    ComeBackLater,
    Confirmed,
    LookUp,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)
from providers.port import NotFound as NotThere
from providers.reported import BookingPage, Event, RemoteBooking, UnreadableRow
from tests.books import Books
from tests.people import NOON, make_insurer
from tests.world import FakeAdapter, World, booking_row, breaker_row, connection_to, make_world, one_pass, set_provider
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def operator(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")


@pytest.fixture
def books(world: World) -> Books:
    """A provider with a booking that nobody of ours made, found by a comparison."""
    there = Books()
    at = world.slots[0]
    there.put(RemoteBooking("R-9", None, "confirmed", 1, service_date=at.service_date, starts_at=at.starts_at))
    compare(world, there)
    return there


def compare(world: World, books: Books, now: datetime = LATER) -> None:
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: now) is not None


def case() -> Discrepancy:
    with reading() as session:
        return session.scalars(select(Discrepancy).order_by(Discrepancy.id.desc()).limit(1)).one()


def click(operator: Principal, now: datetime = LATER) -> None:
    repair(operator, case().public_id, "cancel_there", now=now)


def work(world: World, books: Any, now: datetime = LATER) -> dict[str, int]:
    return cancel_due(connection_to(world.provider), books, clock=lambda: now)


def job(world: World, books: Any, now: datetime) -> dict[str, int]:
    """As the worker does it: through the breaker of its kind of call."""
    known = connection_to(world.provider)
    return through(Call.STRAYS, known, lambda: work(world, books, now), lambda: now, may_idle=True)


def audited(action: str) -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(row.actor, row.subject) for row in rows]


def the_cancel() -> StrayCancel:
    with reading() as session:
        return session.scalars(select(StrayCancel)).one()


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


def take_over(world: World, public_id: str, reference: str = "R-9") -> None:
    """The provider says that the stray is the booking of ours."""
    with transaction() as session:
        ours = RemoteBooking(reference, public_id, "confirmed", 5)
        apply_remote(session, world.provider.id, ours, now=LATER)


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


def until_given_up(world: World, there: Any, step: timedelta) -> tuple[int, datetime]:
    """Work until nothing is left to try: how many passes there were, and when the last was."""
    now, passes = LATER, 0
    while the_cancel().finished_at is None:
        assert passes < 1000, "it is never given up"
        now += step
        with suppress(ProviderError):
            work(world, there, now)
        passes += 1
    return passes, now


def test_after_the_last_try_that_nobody_answered_its_case_tells_a_person_who_may_begin_anew(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    books.silent = True
    passes, now = until_given_up(world, books, timedelta(minutes=2))
    assert (passes, the_cancel().outcome) == (MOST_TRIES, "gave_up")
    view = cases.case(operator, case().public_id, now=now)
    assert (view.facts["gave_up"], view.facts["gave_up_why"]) == (MOST_TRIES, "silent")
    assert not view.cancelling and "cancel_there" in view.actions
    books.silent = False
    compare(world, books, now)
    assert case().facts["gave_up_why"] == "silent", "a comparison that finds it again keeps the reason"
    click(operator, now)
    assert not {"gave_up", "gave_up_why"} & case().facts.keys()
    assert work(world, books, now) == {"cancelled": 1}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Accepted("R-9"), "undecided"),
        (RetryAfter(60), "busy"),
        (RetryAfter(60, reached=False), "unreached"),
    ],
)
def test_a_provider_that_answers_is_given_a_day_and_the_case_says_what_was_the_matter(
    world: World, books: Books, operator: Principal, answer: Answer, why: str
) -> None:
    click(operator)
    books.answers = [answer] * 200
    passes, now = until_given_up(world, books, timedelta(minutes=15))
    assert (passes, now) == (96, LATER + GIVE_UP_AFTER)
    assert (case().facts["gave_up"], case().facts["gave_up_why"], case().closed_at) == (96, why, None)


def given_up(world: World, books: Books, operator: Principal) -> tuple[str, datetime]:
    """A booking of ours, and a cancel of R-9 that was sent and given up: the provider may still carry it out."""
    click(operator)
    public_id = world.submit()
    books.answers = [Unknown("timed out")] * MOST_TRIES
    _, now = until_given_up(world, books, timedelta(minutes=2))
    return public_id, now


def test_what_may_be_cancelled_after_giving_up_is_nobodys_until_a_person_closes_its_case(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    with pytest.raises(Busy):
        take_over(world, public_id)
    click(operator, now)
    with pytest.raises(Busy):
        take_over(world, public_id)
    repair(operator, case().public_id, "note", note="They have deleted our cancel.", now=now)
    take_over(world, public_id)
    assert booking_row(public_id).state == "confirmed"


def test_what_may_be_cancelled_after_giving_up_can_be_ours_once_a_later_cancel_was_refused(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    click(operator, now)
    books.answers = [Refused("too_late")]
    assert work(world, books, now) == {"refused": 1}
    take_over(world, public_id)
    assert booking_row(public_id).state == "confirmed"


class Feed:
    """The provider's list and single answers, both with what is `told`."""

    def __init__(self, *told: RemoteBooking) -> None:
        self.told = list(told)
        self.asked: list[str | None] = []

    def bookings_since(self, cursor: str | None, _page: str | None) -> BookingPage:
        return BookingPage(tuple(self.told) if cursor is None else (), None, "c1")

    def look_up(self, question: LookUp) -> RemoteBooking | NotThere:
        self.asked.append(question.reference)
        return next((each for each in self.told if each.reference == question.reference), NotThere())


def put_aside() -> list[tuple[str, str]]:
    """Rows that could not be applied, with why."""
    with reading() as session:
        rows = session.scalars(
            select(Discrepancy).where(Discrepancy.kind == UNREADABLE, Discrepancy.closed_at.is_(None))
        )
        return [(row.facts["reference"], row.facts["reason"]) for row in rows]


def stray_case() -> str:
    with reading() as session:
        return session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == "theirs_only")).one()


def test_a_list_goes_on_past_what_may_be_cancelled_and_asks_for_it_until_that_has_ended(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    other = world.submit(1)
    feed = Feed(RemoteBooking("R-9", public_id, "confirmed", 5), RemoteBooking("R-10", other, "confirmed", 5))
    assert poll(world, feed, now)["put_off"] == 1
    assert (booking_row(public_id).state, booking_row(other).state) == ("awaiting_provider", "confirmed")
    with reading() as session:
        assert cursor_of(session, world.provider.id, "bookings") == "c1"
    assert put_aside() == [("R-9", "row.may_be_cancelled")]
    for minute in range(1, 5):
        poll(world, feed, now + timedelta(minutes=minute))
    assert feed.asked == ["R-9"] * 3, "later and later, as all that could not be applied"
    repair(operator, stray_case(), "note", note="They have deleted our cancel.", now=now)
    poll(world, feed, now + timedelta(hours=1))
    assert (booking_row(public_id).state, put_aside()) == ("confirmed", [])


def test_what_cannot_be_applied_yet_does_not_stand_in_the_way_of_what_was_put_aside_after_it(
    world: World, books: Books, operator: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookings, "ASK_AT_ONCE", 1)
    public_id, now = given_up(world, books, operator)
    poll(world, Feed(RemoteBooking("R-9", public_id, "confirmed", 5)), now)
    other = world.submit(1)
    record_rows(world.provider.id, "bookings", [UnreadableRow("status.unknown", b"", "d", "R-10", other)], now=now)
    feed = Feed(RemoteBooking("R-9", public_id, "confirmed", 5), RemoteBooking("R-10", other, "confirmed", 5))
    for minute in (1, 2, 3):
        poll(world, feed, now + timedelta(minutes=minute))
    assert feed.asked == ["R-9", "R-9", "R-10"] and booking_row(other).state == "confirmed"


def test_a_message_about_what_may_be_cancelled_is_taken_and_put_aside(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    told = Event("e1", "booking.confirmed", now, booking=RemoteBooking("R-9", public_id, "confirmed", 5))
    assert receive_event(world.provider.id, told, now=now) == "put_off"
    assert receive_event(world.provider.id, told, now=now) == "duplicate"
    assert put_aside() == [("R-9", "row.may_be_cancelled")]
    assert booking_row(public_id).state == "awaiting_provider"


def poll(world: World, feed: Feed, now: datetime) -> dict[str, int]:
    return poll_bookings(connection_to(world.provider), feed, now=now)  # type: ignore[arg-type]


def test_what_has_ended_there_after_giving_up_is_taken_over_as_ended(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    with transaction() as session:
        apply_remote(session, world.provider.id, RemoteBooking("R-9", public_id, "cancelled", 6), now=now)
    assert booking_row(public_id).state == "cancelled"


@pytest.fixture
def second_insurer(world: World) -> None:
    with transaction() as session:
        session.add(Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other", time_zone="UTC"))


@pytest.mark.parametrize("action", ["cancel_there", "note"])
def test_where_there_are_several_insurers_none_of_their_operators_settles_what_is_nobodys(
    books: Books, operator: Principal, second_insurer: None, action: str
) -> None:
    view = cases.case(operator, case().public_id, now=LATER)
    assert action not in view.actions and view.for_the_house
    with pytest.raises(NotThisRepair):
        repair(operator, case().public_id, action, note="Ours, surely.", now=LATER)
    assert case().closed_at is None


def test_whoever_runs_the_installation_has_it_cancelled(world: World, books: Books, second_insurer: None) -> None:
    assert cancel_stray_by_command(case().public_id, now=LATER)
    assert not cancel_stray_by_command(case().public_id, now=LATER), "it is on its way"
    assert audited("difference.repaired") == [("command", case().public_id)], "asking again does nothing"
    assert work(world, books) == {"cancelled": 1}
    assert audited("difference.repaired")[0] == audited("stray.cancelled")[0] == ("command", case().public_id)
    with pytest.raises(NotFound):
        cancel_stray_by_command(case().public_id, now=LATER)


def test_whoever_runs_the_installation_explains_what_the_provider_refuses_to_cancel(
    world: World, books: Books, second_insurer: None
) -> None:
    cancel_stray_by_command(case().public_id, now=LATER)
    books.answers = [Refused("too_late")]
    assert work(world, books) == {"refused": 1}
    for note in ("", "x" * (LONGEST_NOTE + 1)):
        with pytest.raises(Invalid):
            explain_stray_by_command(case().public_id, note, now=LATER)
    explain_stray_by_command(case().public_id, "A test of theirs.", now=LATER)
    found = case()
    assert (found.closed_at, found.resolution, found.note) == (LATER, "explained", "A test of theirs.")
    assert audited("difference.repaired") == [("command", found.public_id)] * 2
    compare(world, books, LATER + timedelta(minutes=5))
    assert case().id == found.id, "it is not raised again"
    with pytest.raises(NotFound):
        explain_stray_by_command(found.public_id, "Again.", now=LATER)


def test_a_case_about_a_booking_of_ours_is_not_explained_by_command(world: World, books: Books) -> None:
    ours = booking_row(world.submit()).id
    with transaction() as session:
        session.get_one(Discrepancy, case().id).booking_id = ours
    with pytest.raises(NotFound):
        explain_stray_by_command(case().public_id, "Somebody's.", now=LATER)
    assert case().closed_at is None


def test_the_worker_carries_it_out(
    world: World, books: Books, operator: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(operator)
    monkeypatch.setattr("marketplace.core.clock.now", lambda: LATER)
    monkeypatch.setattr(Lane, "adapter", lambda _lane: books)
    lanes = Lanes()
    lanes.refresh([connection_to(world.provider)], [])
    (strays,) = [each for each in all_jobs(lanes, threading.Event()) if each.name.startswith("strays:")]
    assert strays.work() == {"cancelled": 1}
    assert the_cancel().outcome == "cancelled"
    lanes.close()
