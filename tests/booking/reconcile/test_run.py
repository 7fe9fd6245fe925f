"""A comparison of both books: what agrees, what is a case, what is repaired by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.actors import CLOCK, Actor
from booking.changes.cancel import cancel
from booking.discrepancies import EXPLAINED, Discrepancy, close_discrepancy
from booking.exchange.inbound import apply_remote
from booking.feeds.unreadable import record_rows
from booking.models import Feed
from booking.reconcile import examine
from booking.reconcile.models import ReconcileRun
from booking.reconcile.queue import LostLease, ask_for_run, begin
from booking.reconcile.run import carry_out, run_due, run_now
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed, ProviderError
from providers.reported import UnreadableRow
from tests.booking.reconcile.comparing import cases, there
from tests.books import Books
from tests.people import NOON, counters
from tests.world import (
    EIGHT,
    FakeAdapter,
    World,
    booking_row,
    connection_to,
    history,
    one_pass,
    set_provider,
    taken,
    tasks,
)

pytestmark = pytest.mark.usefixtures("db")

LATER = NOON + timedelta(hours=1)

OPERATOR = Actor("operator", "opr_1")


@pytest.fixture
def books() -> Books:
    return Books()


def confirmed(world: World, books: Books, reference: str = "R-1", slot: int = 0) -> str:
    """A booking that both sides have."""
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    books.put(there(world, public_id, reference, slot=slot))
    return public_id


def run(world: World, books: Books, now: Any = LATER) -> dict[str, int]:
    counts = run_now(connection_to(world.provider), books, CLOCK, clock=lambda: now)  # type: ignore[arg-type]
    assert counts is not None
    return counts


def case() -> Discrepancy:
    with reading() as session:
        return session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None))).one()


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def test_books_that_agree_leave_no_trace(world: World, books: Books) -> None:
    for number in range(3):
        confirmed(world, books, f"R-{number}", number)
    counts = run(world, books)
    assert (counts["listed"], counts["compared"], counts["found"]) == (3, 3, 0)
    assert books.asked == [] and cases() == [] and cases(closed=True) == []


def test_a_cancel_nobody_told_us_of_gives_the_quota_back(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="cancelled")
    assert run(world, books)["repaired"] == 1
    assert (state(public_id), booking_row(public_id).cause) == ("cancelled", "cancelled_by_provider")
    assert counters(world.entitlement.id)["available"] == 3 and taken(world.slots[0]) == 0
    assert cases() == [] and cases(closed=True) == [("state_differs", "followed_provider")]
    with reading() as session:
        row = session.scalars(select(Discrepancy)).one()
    assert (row.quota_units, row.money_minor, row.currency) == (-1, -128000, "CNY")
    assert (row.facts["ours"], row.facts["theirs"]) == ("confirmed", "cancelled")


def test_a_change_without_a_new_version_is_found_too(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="fulfilled", version=1)
    run(world, books, EIGHT)
    assert history(public_id)[-1] == "fulfilled" and counters(world.entitlement.id)["used"] == 1


def test_what_their_books_say_before_its_day_moves_nothing_and_does_not_come_true_with_the_day(
    world: World, books: Books
) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="fulfilled", version=2)
    for now in (LATER, LATER + timedelta(hours=1), EIGHT):
        run(world, books, now)
        assert state(public_id) == "confirmed" and cases() == [("too_early", "R-1")]
    books.change("R-1", status="fulfilled", version=3)
    run(world, books, EIGHT + timedelta(hours=1))
    assert state(public_id) == "fulfilled" and cases() == []


def test_of_two_words_before_their_day_the_second_does_not_come_true_with_the_day_either(
    world: World, books: Books
) -> None:
    public_id = confirmed(world, books)
    for version, status in ((2, "checked_in"), (3, "fulfilled")):
        books.change("R-1", status=status, version=version)
        with transaction() as session:
            apply_remote(session, world.provider.id, books.rows["R-1"], now=LATER)
    run(world, books, EIGHT)
    assert state(public_id) == "confirmed" and cases() == [("too_early", "R-1")]
    with reading() as session:
        facts = session.scalars(select(Discrepancy.facts)).one()
    assert facts["reports"] == [{"version": 2, "theirs": "checked_in"}, {"version": 3, "theirs": "fulfilled"}]


def test_a_note_explains_a_word_before_its_day_until_that_day_has_come(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="fulfilled", version=2)
    run(world, books, LATER)
    close(world, "too_early", "R-1")
    assert run(world, books, LATER + timedelta(hours=1))["explained"] == 1
    assert cases() == []
    assert run(world, books, EIGHT)["opened"] == 1
    assert state(public_id) == "confirmed" and cases() == [("state_differs", public_id)]
    close(world, "state_differs", public_id)
    assert run(world, books, EIGHT + timedelta(hours=1))["explained"] == 1
    assert state(public_id) == "confirmed" and cases() == []


def test_a_note_on_a_word_before_its_day_explains_no_other_state_of_ours(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="fulfilled", version=2)
    run(world, books, LATER)
    close(world, "too_early", "R-1")
    evening = EIGHT - timedelta(hours=10)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        move(session, booking, BookingState.CHECKED_IN, actor=CLOCK, now=evening)
    assert run(world, books, evening)["opened"] == 1
    assert state(public_id) == "checked_in" and cases() == [("state_differs", public_id)]


def close(world: World, kind: str, subject: str) -> None:
    with transaction() as session:
        assert close_discrepancy(session, world.provider.id, kind, subject, EXPLAINED, now=LATER)


def test_a_yes_that_never_arrived_confirms(world: World, books: Books) -> None:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1")]), now=NOON)
    books.put(there(world, public_id))
    assert run(world, books)["repaired"] == 1
    assert state(public_id) == "confirmed"


def test_an_older_copy_of_their_books_moves_nothing(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="checked_in", version=5)
    run(world, books, EIGHT)
    books.change("R-1", status="cancelled", version=2)
    assert run(world, books, EIGHT + timedelta(hours=1))["opened"] == 1
    assert state(public_id) == "checked_in" and cases() == [("state_differs", public_id)]


def test_what_changes_while_we_look_is_no_false_alarm(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    lost = books.rows.pop("R-1")
    books.meanwhile = lambda: books.put(lost)
    assert run(world, books)["agrees"] == 1
    assert state(public_id) == "confirmed" and cases() == []


def test_a_command_that_starts_while_we_look_is_left_alone(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="cancelled")
    books.meanwhile = lambda: cancel(world.principal, public_id, now=LATER)
    assert run(world, books)["busy"] == 1
    assert state(public_id) == "confirmed" and tasks(public_id)[-1] == ("cancel", "queued")


def test_a_booking_with_unfinished_commands_is_not_compared(world: World, books: Books) -> None:
    public_id = world.submit()
    assert run(world, books) == {"listed": 0, "compared": 0, "found": 0, "left": 0}
    books.put(there(world, public_id, status="cancelled"))
    run(world, books)
    assert state(public_id) == "awaiting_provider" and cases() == []


def test_ours_only_becomes_a_case_after_the_settle_window(world: World, books: Books) -> None:
    set_provider(world.provider, settle_window_seconds=7200)
    public_id = confirmed(world, books)
    books.rows.clear()
    assert run(world, books)["unsettled"] == 1
    assert cases() == []
    assert run(world, books, NOON + timedelta(hours=3))["opened"] == 1
    found = case()
    assert (found.kind, found.subject, found.quota_units, found.money_minor) == ("ours_only", public_id, -1, -128000)
    assert run(world, books, NOON + timedelta(hours=4))["standing"] == 1
    assert state(public_id) == "confirmed" and taken(world.slots[0]) == 1
    books.put(there(world, public_id))
    run(world, books, NOON + timedelta(hours=5))
    assert cases() == [] and cases(closed=True) == [("ours_only", "agrees_again")]


def test_a_list_that_breaks_off_is_judged_by_nobody(world: World, books: Books) -> None:
    for number in range(3):
        confirmed(world, books, f"R-{number}", number)
    books.broken_page = 1
    with pytest.raises(ProviderError):
        run(world, books)
    assert cases() == [] and books.asked == []
    with reading() as session:
        (noted,) = session.scalars(select(ReconcileRun))
    assert (noted.state, noted.reason) == ("failed", "status 500")


def test_a_provider_that_does_not_answer_the_second_question_changes_nothing(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="cancelled")
    books.silent = True
    assert run(world, books)["unverified"] == 1
    assert state(public_id) == "confirmed" and cases() == []


def test_a_booking_that_nobody_of_ours_made_is_a_case(world: World, books: Books) -> None:
    books.put(there(world, None, "R-9"))
    run(world, books)
    found = case()
    assert (found.kind, found.subject, found.booking_id, found.money_minor) == ("theirs_only", "R-9", None, 0)
    books.change("R-9", status="cancelled")
    run(world, books)
    assert cases() == []


def test_a_booking_that_ended_here_is_cancelled_there_once(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="cancelled")
    run(world, books)
    books.change("R-1", status="confirmed")
    assert run(world, books)["repaired"] == 1
    assert run(world, books)["found"] == 1, "the case; the booking has a command on its way"
    assert tasks(public_id) == [("reserve", "done"), ("cancel", "queued")]
    assert cases() == [("theirs_only", "R-1")]
    adapter = FakeAdapter(answers=[Confirmed("R-1", 9)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-1"
    assert cases() == [] and ("theirs_only", "cancelled_there") in cases(closed=True)


def test_a_duplicate_is_cancelled_and_the_booking_stands(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.put(there(world, public_id, "R-2"))
    assert run(world, books)["repaired"] == 1
    found = case()
    assert (found.kind, found.subject, found.quota_units) == ("duplicate_there", "R-2", 1)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 2)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-2"
    books.change("R-2", status="cancelled")
    assert run(world, books)["found"] == 0
    assert state(public_id) == "confirmed" and cases() == []


def test_a_duplicate_is_found_where_only_our_number_can_be_asked_for(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.put(there(world, public_id, "R-2"))
    books.by_our_number_only = True
    assert run(world, books)["repaired"] == 1
    assert tasks(public_id)[-1] == ("cancel", "queued")


def test_another_time_there_is_a_case_and_the_customers_date_stands(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", starts_at=world.slots[1].starts_at)
    run(world, books)
    found = case()
    assert (found.kind, found.facts["starts_at"]) == ("time_differs", world.slots[1].starts_at.isoformat())  # type: ignore[union-attr]
    assert booking_row(public_id).starts_at == world.slots[0].starts_at
    books.change("R-1", starts_at=world.slots[0].starts_at)
    run(world, books)
    assert cases() == []


def test_what_a_person_explained_is_not_asked_again_until_it_changes(world: World, books: Books) -> None:
    books.put(there(world, None, "R-9"))
    run(world, books)
    with transaction() as session:
        session.execute(update(Discrepancy).values(closed_at=LATER, resolution=examine.EXPLAINED))
    assert run(world, books)["explained"] == 1
    assert cases() == []
    books.change("R-9", status="fulfilled")
    assert run(world, books)["opened"] == 1


def test_a_cancel_that_the_provider_refused_is_not_tried_again_and_again(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="cancelled")
    run(world, books)
    books.change("R-1", status="confirmed")
    with transaction() as session:
        examine.open_discrepancy(session, world.provider.id, "cancel_refused", "R-1", now=NOON)
    run(world, books)
    assert tasks(public_id) == [("reserve", "done")]
    assert ("theirs_only", "R-1") in cases()


def test_one_run_at_a_time_and_a_killed_one_is_given_up(world: World, books: Books) -> None:
    connection = connection_to(world.provider)
    first = begin(connection.id, CLOCK, now=NOON)
    assert first is not None and begin(connection.id, OPERATOR, now=NOON) is None
    assert run_now(connection, books, OPERATOR, clock=lambda: NOON) is None  # type: ignore[arg-type]
    later = NOON + timedelta(minutes=2)
    assert run_now(connection, books, OPERATOR, clock=lambda: later) is not None  # type: ignore[arg-type]
    with pytest.raises(LostLease):
        carry_out(connection, books, first, clock=lambda: later)  # type: ignore[arg-type]
    with reading() as session:
        noted = [(row.state, row.reason) for row in session.scalars(select(ReconcileRun).order_by(ReconcileRun.id))]
    assert noted == [("failed", "stopped"), ("done", "")]


def test_the_clock_runs_one_when_it_is_due_and_people_when_they_like(world: World, books: Books) -> None:
    connection, every = connection_to(world.provider), timedelta(hours=1)

    def due(minutes: int) -> dict[str, int]:
        return run_due(connection, books, every=every, clock=lambda: NOON + timedelta(minutes=minutes))  # type: ignore[arg-type]

    assert due(0) != {} and due(59) == {}
    assert ask_for_run(connection.id, OPERATOR, now=NOON) is True
    assert ask_for_run(connection.id, OPERATOR, now=NOON) is False, "queued once"
    assert due(59) != {} and due(60) == {} and due(119) != {}
    books.broken_page = 0
    with pytest.raises(ProviderError):
        due(200)
    assert due(200) == {}, "left alone for a minute after a failure"
    with pytest.raises(ProviderError):
        due(201)


def unreadable(reference: str | None, ours: str | None = None) -> UnreadableRow:
    return UnreadableRow("status.unknown", b"{}", f"{reference} {ours}", reference, ours)


@pytest.mark.parametrize("by", ["theirs", "ours", "nobody's"])
def test_what_the_provider_lists_and_cannot_be_read_is_not_missing(world: World, books: Books, by: str) -> None:
    first = confirmed(world, books)
    confirmed(world, books, "R-2", slot=1)
    confirmed(world, books, "R-3", slot=2)
    del books.rows["R-1"]
    books.unreadable = [unreadable("R-1" if by == "theirs" else None, first if by == "ours" else None)]
    assert run(world, books)["found"] == 0
    assert books.asked == []
    books.unreadable = []
    assert run(world, books, LATER + timedelta(hours=1))["found"] == 1


def test_a_list_that_is_mostly_unreadable_is_not_compared(world: World, books: Books) -> None:
    confirmed(world, books)
    books.unreadable = [unreadable("R-2"), unreadable("R-3")]
    with pytest.raises(ProviderError, match="most of the list"):
        run(world, books)
    with reading() as session:
        assert session.scalars(select(ReconcileRun.state)).one() == "failed"
        assert session.scalars(select(Discrepancy)).all() == []


def test_a_comparison_closes_what_it_could_read_again(world: World, books: Books) -> None:
    confirmed(world, books)
    record_rows(world.provider.id, Feed.BOOKINGS, [unreadable("R-1"), unreadable("R-9"), unreadable(None)], now=NOON)
    run(world, books)
    with reading() as session:
        closed = session.execute(select(Discrepancy.subject, Discrepancy.resolution).order_by(Discrepancy.id)).all()
    assert [row.resolution for row in closed] == ["read_again", "not_delivered_again", "not_delivered_again"]
