"""What the clock watches of those who were asked: who is away, and who should be on the way and is not."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.escort.assign import accept, decline, replace
from booking.escort.assigning.refusals import WorkerUnavailable
from booking.escort.assigning.way import Service
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.nobody import AWAY, LATE, NOBODY
from booking.escort.dispatch.steps import has_met
from booking.escort.dispatch.watch import (
    GRACE,
    MARGIN,
    _replace_late,
    close_cases,
    late_from,
    replace_absent,
    replace_late,
)
from booking.escort.evidence.models import EscortDeed
from booking.escort.matching.travel import SAME_PLACE_SECONDS, VERY_LARGE_SECONDS, Stop
from booking.escort.models import EscortAssignment, EscortWorker
from booking.messages.freshness import stale
from booking.models import ProviderTask
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.booking.escort.assigning.test_way import book_at, lie_at
from tests.booking.escort.staff import (
    DESK,
    EIGHT,
    Staff,
    absent,
    add_operator,
    after,
    asked,
    assignment,
    assignments,
    cases,
    make_staff,
    notices,
)
from tests.people import NOON
from tests.world import go
from vip.models import Operator

pytestmark = pytest.mark.usefixtures("db")

SECOND = timedelta(seconds=1)
WAY = timedelta(seconds=VERY_LARGE_SECONDS)
"""Nobody knows where anything is in this city."""


def did(row: int, kind: str) -> None:
    """The next step of an assignment."""
    with transaction() as session:
        done = select(func.count()).where(EscortDeed.assignment_id == row)
        session.add(
            EscortDeed(
                public_id=new_id("esd"),
                assignment_id=row,
                booking_id=session.get_one(EscortAssignment, row).booking_id,
                key=uuid.uuid4(),
                number=(session.scalar(done) or 0) + 1,
                kind=kind,
                at=NOON,
                received_at=NOON,
            )
        )


def with_phone(staff: Staff, worker: EscortWorker) -> None:
    """She is a member who has the phone's page."""
    with transaction() as session:
        member = add_operator(staff.provider)
        session.add(member)
        session.flush()
        session.execute(update(EscortWorker).where(EscortWorker.id == worker.id).values(member_id=member.id))


def promised(staff: Staff, worker: EscortWorker, slot: int = 0) -> tuple[str, int]:
    """A firm booking that she has said yes to; its public id and her assignment's internal one."""
    booking = staff.book(slot)
    row = staff.ask(booking, worker)
    accept(worker.id, row, now=NOON)
    return booking, assignment(row).id


def test_who_falls_ill_is_replaced_at_once_and_the_next_one_asked() -> None:
    staff = make_staff(3, firm=True)
    ill, leaves, busy = staff.workers
    first, _row = promised(staff, ill)
    second = staff.book(1)
    staff.ask(second, leaves)
    begun, row = promised(staff, busy, 2)
    did(row, "met")
    absent(ill, EIGHT + timedelta(hours=3), None)
    absent(leaves, EIGHT, EIGHT + timedelta(days=1), "leave")
    absent(busy, EIGHT, None)
    assert replace_absent(now=after(hours=1)) == {"replaced": 2, "begun": 1}
    assert asked(first) == [(ill.id, "replaced", "ill")] and asked(second) == [(leaves.id, "replaced", "desk")]
    assert asked(begun) == [(busy.id, "accepted", None)], "how it goes on is for people"
    assert cases(AWAY) == [(begun, "")], "who close it"
    staff.add()
    assert find_workers(now=after(hours=1))["asked"] == 1
    assert replace_absent(now=after(hours=1)) == {}, "a person is asked, once"
    close_cases(now=after(hours=1))
    assert cases(AWAY) == [(begun, "")]


def test_who_has_met_the_person_has_whatever_her_phone_tells_after_it() -> None:
    staff = make_staff(2, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, row = promised(staff, her)
    for kind in ("met", "on_the_way"):
        did(row, kind)
    absent(her, EIGHT, None)
    assert replace_absent(now=EIGHT + SECOND) == {"begun": 1}, "it is for people"
    with reading() as session:
        assert has_met(session, row)
    assert asked(booking) == [(her.id, "accepted", None)]


def test_who_has_left_or_whose_papers_were_taken_back_goes_nowhere() -> None:
    staff = make_staff(3, firm=True)
    left, unchecked, asked_too = staff.workers
    first, _row = promised(staff, left)
    second = staff.book(1)
    staff.ask(second, unchecked)
    third = staff.book(2)
    row = staff.ask(third, asked_too)
    with transaction() as session:
        papers = {"papers_checked_at": None, "papers_checked_by": None}
        session.execute(update(EscortWorker).where(EscortWorker.id == left.id).values(ended_at=NOON))
        session.execute(update(EscortWorker).where(EscortWorker.id != left.id).values(papers))
    with pytest.raises(WorkerUnavailable) as refused:
        accept(asked_too.id, row, now=NOON)
    assert refused.value.facts == {"reason": "papers"}
    assert replace_absent(now=NOON) == {"replaced": 3}
    assert [asked(each)[0][1:] for each in (first, second, third)] == [("replaced", "desk")] * 3


def test_an_absence_at_another_time_replaces_nobody() -> None:
    staff = make_staff(firm=True)
    booking, _row = promised(staff, staff.workers[0])
    absent(staff.workers[0], EIGHT - timedelta(days=1), EIGHT)
    absent(staff.workers[0], EIGHT + timedelta(hours=4), None)
    assert replace_absent(now=NOON) == {} and asked(booking)[0][1] == "accepted"


def test_who_has_not_set_out_in_time_is_replaced_where_somebody_else_can_be_there() -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, _row = promised(staff, her)
    goes = staff.add()
    with_phone(staff, goes)
    did(promised(staff, goes, 1)[1], "on_the_way")
    other = staff.add()
    moment = EIGHT - WAY - MARGIN
    assert replace_late(now=moment - SECOND) == {}
    assert replace_late(now=moment) == {"replaced": 1}
    assert asked(booking) == [(her.id, "replaced", "late"), (other.id, "asked", None)]
    accept(other.id, assignments(booking)[1].public_id, now=moment + SECOND)
    assert [each.kind for each in notices("escort_assigned", "escort_replaced")] == [
        *("escort_assigned", "escort_assigned"),
        "escort_replaced",
    ]
    assert replace_late(now=moment + timedelta(minutes=5)) == {}, "she has no phone's page: nobody knows"


def test_who_was_given_up_for_somebody_who_says_no_is_asked_again_once() -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, _row = promised(staff, her)
    other = staff.add()
    moment = EIGHT - WAY - MARGIN
    assert replace_late(now=moment) == {"replaced": 1}
    decline(other.id, assignments(booking)[1].public_id, now=moment + SECOND)
    assert find_workers(now=moment + SECOND) == {"asked": 1}
    again = assignments(booking)[2]
    assert (again.worker_id, again.state) == (her.id, "asked")
    decline(her.id, again.public_id, now=moment + 2 * SECOND)
    assert find_workers(now=moment + 2 * SECOND) == {"nobody": 1}


@pytest.mark.parametrize("corrected", [False, True], ids=["as-she-was-called", "under-a-corrected-name"])
def test_who_comes_after_all_is_told_as_herself(corrected: bool) -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, _row = promised(staff, her)
    other = staff.add()
    moment = EIGHT - WAY - MARGIN
    replace_late(now=moment)
    decline(other.id, assignments(booking)[1].public_id, now=moment + SECOND)
    if corrected:
        with transaction() as session:
            session.execute(update(EscortWorker).where(EscortWorker.id == her.id).values(shown_name="何静文"))
    find_workers(now=moment + SECOND)
    accept(her.id, assignments(booking)[2].public_id, now=moment + 2 * SECOND)
    assert [each.kind for each in notices("escort_assigned", "escort_replaced")] == ["escort_assigned"] * 2


def test_whom_the_desk_took_off_as_late_is_not_asked_again_by_itself() -> None:
    staff = make_staff(1, firm=True)
    booking, _row = promised(staff, staff.workers[0])
    replace(staff.provider.id, booking, "late", actor=DESK, now=EIGHT - WAY)
    assert find_workers(now=EIGHT - WAY) == {"nobody": 1}


def test_whoever_is_not_there_at_the_start_a_person_is_asked_and_the_customer_told_until_she_is() -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, row = promised(staff, her)
    did(row, "on_the_way")
    assert replace_late(now=EIGHT - SECOND) == {} and cases(LATE) == []
    assert replace_late(now=EIGHT) == {"not_there": 1} and replace_late(now=EIGHT) == {}
    assert cases(LATE) == [(booking, "")]
    (told,) = notices(LATE)
    with reading() as session:
        assert stale(session, told, EIGHT) == ""
    assert close_cases(now=EIGHT) == {"forgotten": 0}
    did(row, "arrived")
    with reading() as session:
        assert stale(session, told, EIGHT) == "moved_on"
    assert close_cases(now=EIGHT) == {"arrived": 1, "forgotten": 0}
    assert cases(LATE) == [(booking, "arrived")]


def test_whose_account_has_ended_can_tell_nothing_and_is_not_judged() -> None:
    staff = make_staff(2, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, _row = promised(staff, her)
    with transaction() as session:
        session.execute(update(Operator).where(Operator.login.like("member%")).values(disabled_at=NOON))
    assert replace_late(now=EIGHT - WAY) == replace_late(now=EIGHT + SECOND) == {}
    assert asked(booking) == [(her.id, "accepted", None)], "the desk telephones"


def test_who_was_cancelled_is_neither_late_nor_replaced_and_the_customer_is_told_of_nobody() -> None:
    staff = make_staff(2)
    her, _other = staff.workers
    with_phone(staff, her)
    booking = staff.book()
    row = staff.ask(booking, her)
    accept(her.id, row, now=NOON)
    with transaction() as session:
        session.execute(update(ProviderTask).values(state="done", first_sent_at=NOON, finished_at=NOON))
    cancel(staff.made.world.principal, booking, now=after(minutes=1))
    assert replace_late(now=EIGHT - WAY - MARGIN) == replace_late(now=EIGHT + SECOND) == {}
    assert _replace_late(assignment(row).id, EIGHT - WAY - MARGIN) == "cancel_under_way", "it came in between"
    assert asked(booking) == [(her.id, "accepted", None)]
    replace(staff.provider.id, booking, "desk", actor=DESK, now=EIGHT + SECOND)
    assert cases(LATE) == cases(NOBODY) == notices(LATE) == notices(NOBODY) == []


def test_whose_way_is_longer_since_the_one_before_was_withdrawn_is_seen_late_in_time() -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    before, booking = book_at(staff, 0), book_at(staff, 5)
    for each in (before, booking):
        accept(her.id, staff.ask(each), now=NOON)
    go(before, BookingState.CANCELLED)
    late = EIGHT + timedelta(hours=5) - WAY - MARGIN
    assert replace_late(now=late - SECOND) == {"in_time": 1}
    assert replace_late(now=late) == {"nobody_in_time": 1}


def test_where_nobody_else_can_be_there_she_stays_and_a_person_is_asked() -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, row = promised(staff, her)
    staff.add()
    too_late = EIGHT - WAY + SECOND
    assert replace_late(now=too_late) == {"nobody_in_time": 1}
    assert replace_late(now=too_late) == {"known": 1}
    assert asked(booking) == [(her.id, "accepted", None)] and cases(LATE) == [(booking, "")]
    did(row, "on_the_way")
    assert close_cases(now=too_late)["arrived"] == 0, "she may still not arrive"
    did(row, "arrived")
    assert close_cases(now=too_late)["arrived"] == 1
    assert cases(LATE) == [(booking, "arrived")]


def test_who_was_late_for_a_time_from_which_it_was_moved_is_not_late() -> None:
    staff = make_staff(1, firm=True, slots=25)
    with_phone(staff, staff.workers[0])
    booking, _row = promised(staff, staff.workers[0])
    staff.add()
    too_late = EIGHT - WAY + SECOND
    assert replace_late(now=too_late) == {"nobody_in_time": 1}
    assert close_cases(now=too_late)["moved"] == 0
    reschedule(staff.made.world.principal, booking, staff.made.world.slots[24].public_id, now=NOON)
    with transaction() as session:  # the customer did it after that
        session.execute(update(Discrepancy).values(opened_at=NOON))
    assert close_cases(now=too_late)["moved"] == 1
    assert cases(LATE) == [(booking, "moved")]


def test_those_of_whom_people_know_keep_none_from_being_looked_at() -> None:
    staff = make_staff(2, firm=True)
    booked = []
    for slot, her in enumerate(staff.workers):
        with_phone(staff, her)
        booked.append(promised(staff, her, slot)[0])
    with transaction() as session:
        session.execute(update(EscortWorker).values(auto=False))
    now = EIGHT - timedelta(minutes=1)
    for _pass in range(3):
        replace_late(now=now, most=1)
    assert [subject for subject, _resolution in cases(LATE)] == booked


def test_who_was_asked_late_is_given_a_moment_after_her_yes() -> None:
    staff = make_staff(1, firm=True, slots=8)
    her = staff.workers[0]
    other = staff.add(home_longitude=120.15, home_latitude=30.25)
    lie_at(staff.made.venue, 120.15, 30.25)
    for worker in (her, other):
        with_phone(staff, worker)
    _first, before = promised(staff, her)
    second, _row = promised(staff, her, 5)
    did(before, "met")
    starts = EIGHT + timedelta(hours=5)
    moment = starts - timedelta(seconds=SAME_PLACE_SECONDS) - MARGIN
    assert replace_late(now=moment - SECOND) == {}
    assert replace_late(now=moment) == {"replaced": 1}
    yes = moment + timedelta(minutes=1)
    accept(other.id, assignments(second)[1].public_id, now=yes)
    assert replace_late(now=yes + GRACE - SECOND) == {"in_time": 1}
    assert replace_late(now=yes + GRACE) == {"nobody_in_time": 1}, "and she who was taken off is not asked again"


@pytest.mark.parametrize(
    ("before_ends", "yes", "late"),
    [
        (None, -600, -55),  # forty minutes' way, and the margin
        (-120, -600, -55),
        (-50, -600, -45),  # she is with somebody until then
        (-120, -50, -45),  # she has said yes a moment ago
    ],
)
def test_when_she_is_late(before_ends: int | None, yes: int, late: int) -> None:
    def minutes(count: int) -> datetime:
        return EIGHT + timedelta(minutes=count)

    row = EscortAssignment(
        period=Range(EIGHT, minutes(240), bounds="[)"), travel_seconds=40 * 60, answered_at=minutes(yes)
    )
    before = None if before_ends is None else Service(minutes(-300), minutes(before_ends), Stop(), "Asia/Shanghai")
    assert late_from(row, before) == minutes(late)
