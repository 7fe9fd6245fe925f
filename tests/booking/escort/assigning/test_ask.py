"""Who can be asked for what, whoever asks; and what stands behind it in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from booking.actors import CLOCK
from booking.changes.cancel import cancel
from booking.escort.assign import accept, ask, decline, replace
from booking.escort.assigning.refusals import AlreadyAsked, NotToBeEscorted, WorkerUnavailable
from booking.escort.assigning.way import lock_worker, renew_ways
from booking.escort.dispatch.nobody import NOBODY
from booking.escort.dispatch.watch import replace_absent
from booking.messages.freshness import stale
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import NotFound, Refusal
from tests.booking.escort.staff import (
    DESK,
    EIGHT,
    absent,
    add_worker,
    after,
    asked,
    assignment,
    assignments,
    cases,
    make_staff,
    notices,
)
from tests.people import NOON
from tests.world import booking_row, go, make_offer, make_world, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

HOUR = timedelta(hours=1)


def test_what_makes_it_impossible_is_refused_whoever_asks() -> None:
    staff = make_staff(0)
    booking = staff.book()
    ended = after(days=1)
    away = staff.add()
    absent(away, EIGHT + 3 * HOUR, None)
    busy = staff.add()
    accept(busy.id, staff.ask(staff.book(1), busy), now=NOON)
    near = staff.add(home_longitude=120.1, home_latitude=30.2)
    staff.ask(staff.book(2), near)
    unable = {
        "other_city": staff.add(city="上海市", province="上海市"),
        "not_yet": staff.add(active_from=EIGHT + 24 * HOUR),
        "left": staff.add(ended_at=ended),
        "papers": staff.add(papers=False),
        "absent": away,
        "busy": busy,
    }
    for actor in (DESK, CLOCK):
        for reason, worker in unable.items():
            with pytest.raises(WorkerUnavailable) as refused:
                ask(staff.provider.id, booking, worker.public_id, actor=actor, now=NOON)
            assert refused.value.facts == {"reason": reason}
    with pytest.raises(WorkerUnavailable) as gone:
        staff.ask(booking, unable["left"], now=ended)
    assert gone.value.facts == {"reason": "left"}
    assert asked(booking) == []


def test_the_desk_may_pass_over_roster_wishes_and_what_she_said_before_and_the_clock_may_not() -> None:
    staff = make_staff(0)
    booking = staff.book(language="cantonese", escort_sex="female")
    speaks: dict[str, Any] = {"languages": ["mandarin", "cantonese"]}
    declined = staff.add(**speaks)
    decline(declined.id, staff.ask(booking, declined), now=NOON)
    known = {
        "off_duty": staff.add(duty=False, **speaks),
        "language": staff.add(),
        "sex": staff.add(sex="male", **speaks),
        "declined": declined,
    }
    for reason, worker in known.items():
        with pytest.raises(WorkerUnavailable) as refused:
            ask(staff.provider.id, booking, worker.public_id, actor=CLOCK, now=NOON)
        assert refused.value.facts == {"reason": reason}
        decline(worker.id, staff.ask(booking, worker), now=NOON)


def test_one_is_asked_at_a_time() -> None:
    staff = make_staff(2)
    booking = staff.book()
    staff.ask(booking)
    for worker in staff.workers:
        with pytest.raises(AlreadyAsked) as refused:
            staff.ask(booking, worker)
        assert refused.value.facts == {"worker": staff.workers[0].public_id}


def test_nobody_is_sent_where_nobody_is_wanted() -> None:
    staff = make_staff()
    made = staff.made.world
    reasons: dict[str, str] = {"over": staff.made.hold()}
    reasons["begun"] = staff.book(1)  # and its provider has not answered
    reasons["cancel_under_way"] = staff.book(2)
    go(reasons["cancel_under_way"], BookingState.CONFIRMED)
    with transaction() as session:
        session.execute(text("UPDATE provider_task SET first_sent_at = now(), state = 'done', finished_at = now()"))
    cancel(made.principal, reasons["cancel_under_way"], now=NOON)
    for reason, booking in reasons.items():
        now = EIGHT + HOUR if reason == "begun" else NOON
        with pytest.raises(Refusal) as refused:
            staff.ask(booking, now=now)
        if reason == "over":  # its provider does not know of a hold
            assert isinstance(refused.value, NotFound)
        else:
            assert isinstance(refused.value, NotToBeEscorted) and refused.value.facts == {"reason": reason}
    waits = staff.book()
    due = booking_row(waits).answer_due_at
    assert due is not None
    with pytest.raises(NotToBeEscorted) as late:
        staff.ask(waits, now=due - timedelta(seconds=29))
    assert late.value.facts == {"reason": "no_time"}
    assert assignment(staff.ask(waits, now=due - timedelta(minutes=1))).answer_due_at == due
    theirs = staff.book()
    set_provider(staff.provider, adapter="open_protocol")
    with pytest.raises(NotToBeEscorted) as elsewhere:
        staff.ask(theirs)
    assert elsewhere.value.facts == {"reason": "elsewhere"}


def test_once_it_has_begun_the_desk_finds_somebody_for_what_is_left_of_it_and_people_are_told_until_then() -> None:
    staff = make_staff(3, firm=True)
    first, second, third = staff.workers
    booking = staff.book()
    accept(first.id, staff.ask(booking), now=NOON)
    late, end = EIGHT + HOUR / 6, EIGHT + 4 * HOUR
    assert cases(NOBODY) == [] == notices(NOBODY)
    replace(staff.provider.id, booking, "late", actor=DESK, now=late)
    assert cases(NOBODY) == [(booking, "")]
    (told,) = notices(NOBODY)
    with reading() as session:
        assert stale(session, told, late) == "", "it is told after the beginning, too"
    go(booking, BookingState.CHECKED_IN, BookingState.IN_SERVICE)
    row = assignment(staff.ask(booking, second, now=late))
    assert (row.answer_due_at, row.period.upper) == (late + 2 * HOUR / 60, end)
    decline(second.id, row.public_id, now=late)
    accept(third.id, staff.ask(booking, third, now=late), now=late + HOUR / 60)
    assert asked(booking)[-1] == (third.id, "accepted", None) and cases(NOBODY) == [(booking, "assigned")]
    (before,), (comes,) = notices("escort_assigned"), notices("escort_replaced")
    with reading() as session:
        assert stale(session, comes, late + HOUR / 60) == "", "she waits there for whom she does not know yet"
        assert stale(session, before, late + HOUR / 60) != ""
    replace(staff.provider.id, booking, "ill", actor=DESK, now=late + HOUR)
    assert len(notices(NOBODY)) == 2
    with pytest.raises(NotToBeEscorted) as over:
        staff.ask(booking, now=end)
    assert over.value.facts == {"reason": "begun"}


def test_who_is_replaced_after_they_met_before_the_time_leaves_nobody_alone() -> None:
    staff = make_staff(2, firm=True)
    her, _other = staff.workers
    booking = staff.book()
    accept(her.id, staff.ask(booking), now=NOON)
    go(booking, BookingState.CHECKED_IN)
    early = EIGHT - HOUR / 6
    replace(staff.provider.id, booking, "ill", actor=DESK, now=early)
    assert cases(NOBODY) == [(booking, "")] and len(notices(NOBODY)) == 1
    assert staff.ask(booking, staff.workers[1], now=early)


def test_who_was_busy_when_it_began_and_is_free_now_goes_for_what_is_left_of_it() -> None:
    staff = make_staff(1, firm=True, slots=10)
    (her,) = staff.workers
    before, booking, next_one = staff.book(), staff.book(2), staff.book(7)
    accept(her.id, staff.ask(before, her), now=NOON)  # until four hours after EIGHT, as far as anybody knows
    accept(her.id, staff.ask(next_one, her), now=NOON)
    begins, over = EIGHT + 2 * HOUR, EIGHT + 4 * HOUR
    with pytest.raises(WorkerUnavailable) as busy:
        staff.ask(booking, her, now=over - HOUR)
    assert busy.value.facts == {"reason": "busy"}
    now = over + HOUR / 2
    row = assignment(staff.ask(booking, her, now=now))
    assert (row.period.lower, row.padded.lower, row.needed.lower) == (begins, now, now)
    accept(her.id, row.public_id, now=now)
    with transaction() as session:  # nobody else moves what was kept of it
        renew_ways(session, lock_worker(session, her.id), now=now)
    again = assignment(row.public_id)
    assert (again.padded, again.state) == (row.padded, "accepted")
    following = assignments(next_one)[0]
    assert following.padded.lower >= row.padded.upper and following.travel_seconds > 0
    absent(her, EIGHT, now)
    assert replace_absent(now=now) == {}, "she was away before she was asked, not since"
    assert assignment(row.public_id).state == "accepted"


def test_what_had_begun_is_too_far_from_nowhere_but_the_next_one() -> None:
    staff = make_staff(1, firm=True, slots=10)
    (her,) = staff.workers
    booking, next_one = staff.book(), staff.book(4)
    accept(her.id, staff.ask(booking), now=NOON)
    replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON)
    accept(her.id, staff.ask(next_one, her, now=NOON), now=NOON)
    with pytest.raises(WorkerUnavailable) as far:
        staff.ask(booking, her, now=EIGHT + HOUR)
    assert far.value.facts == {"reason": "travel"}


def test_padding_leaves_out_a_part_of_the_service_only_where_it_had_begun() -> None:
    staff = make_staff(1)
    row = staff.ask(staff.book())
    later = "tstzrange(lower(period) + '1 min', upper(period))"
    shorter = f"UPDATE escort_assignment SET padded = {later} WHERE public_id = :row"
    with pytest.raises(DBAPIError) as refused, transaction() as session:
        session.execute(text(shorter), {"row": row})
    assert violated(refused.value) == "ck_escort_assignment_padded"


def test_nobody_is_sent_to_a_check_up() -> None:
    world = make_world(phone="13800000033")
    set_provider(world.provider, adapter="desk")
    worker = add_worker(world.provider)
    with pytest.raises(NotToBeEscorted) as refused:
        ask(world.provider.id, world.submit(), worker.public_id, actor=DESK, now=NOON)
    assert refused.value.facts == {"reason": "not_sent"}


def test_what_is_another_providers_is_not_there() -> None:
    staff = make_staff()
    booking, other = staff.book(), make_offer()[0]
    stranger = add_worker(other)
    with pytest.raises(NotFound) as worker:
        staff.ask(booking, stranger)
    with pytest.raises(NotFound) as hers:
        ask(other.id, booking, stranger.public_id, actor=DESK, now=NOON)
    assert (worker.value.at, hers.value.at) == ("worker", "booking_id")
    row, second = staff.ask(booking), booking_row(staff.book(1)).id
    copied = text(
        "INSERT INTO escort_assignment (public_id, booking_id, worker_id, provider_id, period, padded, travel_seconds,"
        " asked_at, answer_due_at, asked_by_kind, asked_by) SELECT 'esa_x', :booking, :worker, provider_id, period,"
        " padded, 0, asked_at, answer_due_at, 'clock', '' FROM escort_assignment WHERE public_id = :row"
    )
    with pytest.raises(DBAPIError) as refused, transaction() as session:
        session.execute(copied, {"booking": second, "worker": stranger.id, "row": row})
    assert violated(refused.value) == "fk_escort_assignment_worker"


def test_what_was_asked_is_written_once_and_what_has_ended_stands() -> None:
    staff = make_staff(2)
    booking = staff.book()
    row = staff.ask(booking)
    decline(staff.workers[0].id, row, now=NOON)
    for change in ("state = 'asked', ended_at = NULL, cause = NULL", "cause = 'ill'", "answer_due_at = now()"):
        with pytest.raises(DBAPIError) as refused, transaction() as session:
            session.execute(text(f"UPDATE escort_assignment SET {change} WHERE public_id = :row"), {"row": row})
        assert violated(refused.value) == "escort_assignment_stands"
    with transaction() as session:
        forgotten = "UPDATE escort_assignment SET safe_word_sealed = NULL, code_sealed = NULL WHERE public_id = :row"
        session.execute(text(forgotten), {"row": row})
