"""The automatic way: the best first, the next one after a no or a silence, and people once there is nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.changes import proposals
from booking.changes.reschedule import reschedule
from booking.escort.assign import accept, decline, replace
from booking.escort.assigning.refusals import NotToBeEscorted, WorkerUnavailable
from booking.escort.dispatch import find
from booking.escort.dispatch.find import AGAIN, ALONE_FOR, ANSWER_IS_LATE, DESK_IS_LATE, _alone, find_workers
from booking.escort.dispatch.nobody import NOBODY
from booking.escort.dispatch.watch import close_cases, expire_due_asks
from booking.escort.matching.load import SILENCE_LASTS
from booking.escort.models import EscortAssignment, EscortKnows, EscortSearch, EscortWorker
from booking.idempotency import Repeatable
from booking.messages.freshness import stale
from booking.models import Booking
from booking.proposal import Proposal
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.messages import compose
from tests.booking.escort.staff import DESK, EIGHT, absent, after, asked, assignments, cases, make_staff, notices
from tests.people import NOON
from tests.world import booking_row, go, set_provider

pytestmark = pytest.mark.usefixtures("db")


def test_who_fits_best_is_asked_then_the_next_one_until_there_is_nobody_and_people_are_asked_at_once() -> None:
    staff = make_staff(2)
    first, second = staff.workers
    with transaction() as session:
        session.add(EscortKnows(worker_id=second.id, site_id=staff.made.venue.id))
    booking = staff.book()
    assert find_workers(now=NOON) == {"asked": 1}
    assert find_workers(now=NOON) == {}
    assert asked(booking) == [(second.id, "asked", None)]
    decline(second.id, assignments(booking)[0].public_id, now=after(minutes=3))
    assert find_workers(now=after(minutes=3)) == {"asked": 1}
    due = after(minutes=18)
    assert expire_due_asks(now=due - timedelta(seconds=1)) == {}
    assert expire_due_asks(now=due) == {"expired": 1} and expire_due_asks(now=due) == {}
    assert asked(booking) == [(second.id, "declined", "declined"), (first.id, "expired", "no_answer")]
    assert notices(NOBODY) == [] == cases(NOBODY)

    assert find_workers(now=due) == {"nobody": 1}
    assert cases(NOBODY) == [(booking, "")]
    (told,) = notices(NOBODY)
    zh, en = (compose.say(told.kind, told.facts, language, as_of=NOON) for language in ("zh", "en"))
    assert "我们和陪诊机构还在找" in zh.text and "也可以在预约页面改期，最近的时间" in zh.text
    assert "We and the escort service go on looking" in en.text and "The nearest times: " in en.text
    assert find_workers(now=due + AGAIN - timedelta(seconds=1)) == {}
    assert find_workers(now=due + AGAIN) == {"still_nobody": 1}
    assert len(notices(NOBODY)) == 1, "she is told once"

    new = staff.add()
    assert find_workers(now=due + 2 * AGAIN) == {"asked": 1}
    with reading() as session:
        assert stale(session, told, due + 2 * AGAIN) == "", "nobody has said yes yet"
    accept(new.id, assignments(booking)[-1].public_id, now=due + 2 * AGAIN)
    assert cases(NOBODY) == [(booking, "assigned")] and booking_row(booking).state is BookingState.CONFIRMED
    with reading() as session:
        assert stale(session, told, due + 2 * AGAIN) == "moved_on"
        (comes,) = notices("escort_confirmed")
        assert stale(session, comes, due + 2 * AGAIN) == ""
    replace(staff.provider.id, booking, "ill", actor=DESK, now=due + 2 * AGAIN)
    with reading() as session:
        assert stale(session, comes, due + 2 * AGAIN) == "moved_on"


def test_whom_only_the_desk_may_ask_is_left_to_it_until_it_gets_late() -> None:
    staff = make_staff(auto=False, firm=True)
    booking, lost = staff.book(), staff.book(1)
    assert find_workers(now=NOON) == {"left_to_the_desk": 2}
    assert cases(NOBODY) == [] == notices(NOBODY)
    late = EIGHT - DESK_IS_LATE
    accept(staff.workers[0].id, staff.ask(lost), now=NOON)
    assert find_workers(now=late - timedelta(seconds=1)) == {"left_to_the_desk": 1}
    assert find_workers(now=late + timedelta(minutes=1)) == {"nobody": 1}
    assert cases(NOBODY) == [(booking, "")] and len(notices(NOBODY)) == 1
    replace(staff.provider.id, lost, "ill", actor=DESK, now=late + timedelta(minutes=1))
    assert find_workers(now=late + timedelta(minutes=1)) == {"nobody": 1}, "somebody was promised for it"


def test_where_the_desk_could_ask_others_the_customer_is_not_told_yet() -> None:
    staff = make_staff(0, firm=True)
    staff.add(auto=False)
    absent(staff.add(), NOON, None)
    booking = staff.book()
    assert find_workers(now=NOON) == {"nobody": 1}
    assert cases(NOBODY) == [(booking, "")] and notices(NOBODY) == []
    absent(staff.workers[0], NOON, None)
    assert find_workers(now=NOON + AGAIN) == {"still_nobody": 1}
    assert len(notices(NOBODY)) == 1, "now nobody at all can"


def test_nobody_is_sought_for_what_is_over_held_without_workers_or_another_kind() -> None:
    staff = make_staff(0)
    gone, _held = staff.book(), staff.made.hold(1)
    waits = staff.book(2)
    assert find_workers(now=NOON) == {}, "its provider has no workers here"
    staff.add()
    go(gone, BookingState.REJECTED)
    assert find_workers(now=NOON) == {"asked": 1}
    assert asked(waits) != [] and asked(gone) == []
    assert find_workers(now=EIGHT + timedelta(hours=3)) == {}


def test_one_booking_that_breaks_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff(3)
    bookings = [staff.book(slot) for slot in range(3)]
    bad, real = booking_row(bookings[0]).id, find.place

    def place(session: object, row: Booking, worker_id: int, **how: object) -> EscortAssignment:
        if row.id == bad:
            raise ValueError("broken")
        return real(session, row, worker_id, **how)  # type: ignore[arg-type]

    def no_plan(*_what: object) -> object:
        raise ValueError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(find, "place", place)
        patched.setattr(find, "plan", no_plan)
        assert find_workers(now=NOON) == {"broken": 1, "asked": 2}
        assert find_workers(now=NOON) == {}, "it has its turn as the others have"
    assert find_workers(now=NOON + AGAIN) == {"asked": 1}
    assert len({asked(booking)[0][0] for booking in bookings}) == 3


def test_who_did_not_answer_is_asked_again_half_a_day_later() -> None:
    staff = make_staff()
    booking = staff.book()
    with transaction() as session:
        session.execute(update(Booking).values(answer_due_at=EIGHT))
    find_workers(now=NOON)
    due = assignments(booking)[0].answer_due_at
    expire_due_asks(now=due)
    assert find_workers(now=due + SILENCE_LASTS - AGAIN) == {"nobody": 1}
    assert find_workers(now=due + SILENCE_LASTS) == {"asked": 1}


def test_where_the_plan_breaks_in_the_database_each_is_matched_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff(2)
    bookings = [staff.book(slot) for slot in range(2)]

    def no_plan(*_what: object) -> object:
        raise ProgrammingError("SELECT 1", {}, ValueError("broken"))

    monkeypatch.setattr(find, "plan", no_plan)
    assert find_workers(now=NOON) == {"asked": 2}
    assert all(asked(booking) for booking in bookings)


def test_nothing_is_remembered_where_its_provider_sends_people_by_itself() -> None:
    """What is remembered says that somebody of ours was to come."""
    staff = make_staff(firm=True)
    booking = staff.book()
    set_provider(staff.provider, adapter="open_protocol")
    assert find_workers(now=NOON) == {}
    assert find._find(booking_row(booking).id, None, NOON) == "not_wanted", "it was given away in that moment"
    with reading() as session:
        assert session.scalars(select(EscortSearch)).all() == []


def test_where_the_last_worker_has_left_people_are_asked() -> None:
    staff = make_staff(firm=True)
    booking, never = staff.book(), staff.book(1)
    accept(staff.workers[0].id, staff.ask(booking), now=NOON)
    with transaction() as session:
        session.execute(update(EscortWorker).values(ended_at=NOON))
    replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON)
    assert find_workers(now=NOON) == {"nobody": 1}
    assert cases(NOBODY) == [(booking, "")] and asked(never) == []


def test_a_request_that_only_the_desk_can_ask_for_is_brought_before_people_before_it_ends() -> None:
    staff = make_staff(auto=False)
    booking = staff.book()
    due = booking_row(booking).answer_due_at
    assert due is not None
    assert find_workers(now=due - ANSWER_IS_LATE - timedelta(seconds=1)) == {"left_to_the_desk": 1}
    assert find_workers(now=due - ANSWER_IS_LATE + AGAIN) == {"nobody": 1}
    assert cases(NOBODY) == [(booking, "")] and notices(NOBODY) == [], "the desk can still ask"


def test_what_has_begun_before_anybody_looked_is_brought_before_people_once() -> None:
    staff = make_staff(2, firm=True, slots=4)
    her, other = staff.workers
    alone, accompanied, ended = staff.book(0), staff.book(0), staff.book(0)
    accept(her.id, staff.ask(accompanied, her), now=NOON)
    begun = EIGHT + timedelta(minutes=5)
    go(ended, BookingState.CANCELLED)
    assert find_workers(now=begun) == {"begun": 1}
    assert cases(NOBODY) == [(alone, "")] and [each.booking_id for each in notices(NOBODY)] == [booking_row(alone).id]
    assert find_workers(now=begun) == {}
    accept(other.id, staff.ask(alone, other, now=begun), now=begun)
    assert cases(NOBODY) == [(alone, "assigned")]
    assert _alone(booking_row(alone).id, begun) == "moved_on"


def test_what_has_begun_an_hour_ago_is_another_rules() -> None:
    make_staff(1, firm=True).book()
    assert find_workers(now=EIGHT + ALONE_FOR) == {}
    assert find_workers(now=EIGHT + ALONE_FOR - timedelta(seconds=1)) == {"begun": 1}


def test_nobody_is_asked_while_the_customer_is_asked_about_another_time() -> None:
    staff = make_staff()
    row, slot = booking_row(staff.book()), staff.made.world.slots[2]
    with transaction() as session:
        proposal = Proposal(
            public_id=new_id("prp"),
            booking_id=row.id,
            slot_id=slot.id,
            slot_ref="x",
            service_date=slot.service_date,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            expires_at=after(hours=1),
            reason="",
            made_at=NOON,
        )
        session.add(proposal)
    assert find_workers(now=NOON) == {}
    with transaction() as session:
        session.execute(update(Proposal).values(state="declined", closed_at=NOON))
    assert find_workers(now=NOON) == {"asked": 1}


def test_nobody_is_asked_for_a_time_that_the_customer_has_given_up_for_one_that_was_proposed() -> None:
    staff = make_staff(2, slots=6)
    first, second = staff.workers
    booking = staff.book()
    asked_before = staff.ask(booking, first)
    said = ProvidersAnswer(staff.provider.id, booking, Repeatable("test", "proposes", b"x" * 32))
    new = staff.made.world.slots[4]
    answer.propose(said, new.external_ref, reason="", expires_at=None, now=NOON)
    with reading() as session:
        proposal = session.scalars(select(Proposal.public_id)).one()
    proposals.accept(staff.made.world.principal, booking, proposal, now=after(minutes=1))
    for act in (
        lambda: accept(first.id, asked_before, now=after(minutes=2)),
        lambda: staff.ask(booking, second, now=after(minutes=2)),
    ):
        with pytest.raises(NotToBeEscorted) as refused:
            act()
        assert refused.value.facts == {"reason": "moves"}
    decline(first.id, asked_before, now=after(minutes=3))
    assert find_workers(now=after(minutes=20)) == {}
    agreed = ProvidersAnswer(staff.provider.id, booking, Repeatable("test", "agrees", b"x" * 32))
    answer.accept_change(agreed, now=after(minutes=21))
    assert (booking_row(booking).state, booking_row(booking).starts_at) == (BookingState.CONFIRMED, new.starts_at)
    assert find_workers(now=after(minutes=22)) == {"asked": 1}


def test_what_the_customer_is_told_of_is_one_whatever_zone_the_moment_is_read_in() -> None:
    staff = make_staff(0)
    absent(staff.add(), NOON, None)
    staff.book()
    find_workers(now=NOON)
    (told,) = notices(NOBODY)
    assert told.subject.endswith("+00:00")


def test_many_at_once_are_planned_so_that_each_gets_somebody() -> None:
    """Who speaks Cantonese fits both; whoever asks for the best one first would leave the second without anybody."""
    staff = make_staff(0)
    both = staff.add(languages=["mandarin", "cantonese"])
    with transaction() as session:
        session.add(EscortKnows(worker_id=both.id, site_id=staff.made.venue.id))
    other = staff.add()
    anybody, cantonese = staff.book(), staff.book(1, language="cantonese")
    assert find_workers(now=NOON) == {"asked": 2}
    assert (asked(anybody)[0][0], asked(cantonese)[0][0]) == (other.id, both.id)


def test_whose_time_was_taken_in_that_moment_is_passed_over_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff(2)
    booking = staff.book()
    real, refused = find.place, list[int]()

    def place(session: object, row: Booking, worker_id: int, **how: object) -> EscortAssignment:
        if not refused:
            refused.append(worker_id)
            raise WorkerUnavailable(reason="busy")
        return real(session, row, worker_id, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(find, "place", place)
    assert find_workers(now=NOON) == {"asked": 1}
    assert {asked(booking)[0][0], *refused} == {each.id for each in staff.workers}


def test_near_the_start_who_can_be_there_in_time_goes_before_who_fits_better() -> None:
    staff = make_staff(0, firm=True)
    far = staff.add(home_longitude=120.15, home_latitude=30.60)
    near = staff.add(home_longitude=120.15, home_latitude=30.25)
    with transaction() as session:
        venue = session.merge(staff.made.venue)
        venue.longitude, venue.latitude = 120.15, 30.25
        session.add(EscortKnows(worker_id=far.id, site_id=venue.id))
    days, soon = staff.book(), staff.book(1)
    assert find_workers(now=NOON) == {"asked": 2}
    assert asked(days)[0][0] == far.id
    for booking in (days, soon):
        go(booking, BookingState.CANCELLED)
    last = staff.book(2)
    assert find_workers(now=EIGHT + timedelta(hours=1)) == {"asked": 1}
    assert asked(last)[0][0] == near.id


def test_what_was_asked_of_people_ends_where_the_booking_moves_to_another_time() -> None:
    staff = make_staff(firm=True, slots=25)
    absent(staff.workers[0], NOON, EIGHT + timedelta(hours=9))
    other, booking = staff.book(), staff.book(1)
    assert find_workers(now=NOON) == {"nobody": 2}
    assert close_cases(now=NOON)["moved"] == 0
    reschedule(staff.made.world.principal, booking, staff.made.world.slots[24].public_id, now=after(minutes=1))
    assert close_cases(now=after(minutes=1))["moved"] == 1
    assert cases(NOBODY) == [(other, ""), (booking, "moved")]
    assert find_workers(now=after(minutes=2)) == {"asked": 1}


def test_what_is_remembered_of_a_search_and_its_case_end_with_the_booking() -> None:
    staff = make_staff()
    absent(staff.workers[0], NOON, None)
    other, booking = staff.book(), staff.book(1)
    assert find_workers(now=NOON) == {"nobody": 2}
    go(booking, BookingState.REJECTED)
    assert close_cases(now=after(minutes=1), most=1) == {"ended": 1, "forgotten": 1}, "one that is true is in no way"
    assert cases(NOBODY) == [(other, ""), (booking, "rejected")]
    with reading() as session:
        assert session.scalars(select(EscortSearch.booking_id)).all() == [booking_row(other).id]
