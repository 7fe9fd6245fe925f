"""Escorts to which nobody came: given back with grace, told with other times, and never the customer's no-show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from booking.attendance import no_show
from booking.attendance.early import TOO_EARLY
from booking.attendance.no_show import call_no_shows
from booking.changes.reschedule import reschedule
from booking.changes.unanswered import end_unanswered
from booking.discrepancies import UNREADABLE, Discrepancy, open_discrepancy
from booking.escort.after import lost as lost_way
from booking.escort.after.confirm import something_wrong
from booking.escort.after.lost import CAUSE, LOST, LOST_AFTER, end_lost, somebody_was_to_come
from booking.escort.after.settled import REPAIRS
from booking.escort.at_desk.cases import open_cases
from booking.escort.dispatch.nobody import NOBODY
from booking.escort.dispatch.watch import close_cases
from booking.escort.models import EscortSearch, EscortWorker
from booking.models import Booking, ChangeRequest
from booking.notices.models import Notification
from booking.outbox import enqueue
from booking.reconcile import repair
from booking.reconcile.cases import case as case_of
from booking.reconcile.repair_actions import CaseMovedOn, NotThisRepair
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from tests.desk import make_member, member
from tests.escorting import Escorted, another, escorted
from tests.people import NOON, counters
from tests.providers.partner_api.answering import work
from tests.world import EIGHT, booking_row, go, make_offer, set_provider, tasks
from vip.models import Entitlement
from vip.principal import Principal

LATE = EIGHT + timedelta(days=3)
"""Long after a no-show is called."""


def lost(now: object) -> dict[str, int]:
    return {name: count for name, count in end_lost(now=now).items() if name != "waits"}  # type: ignore[arg-type]


def valid_until(one: Escorted) -> date:
    with reading() as session:
        return session.get_one(Entitlement, one.made.world.entitlement.id).valid_until


def test_to_which_nobody_is_assigned_an_hour_after_its_beginning_it_is_lost(db: Engine) -> None:
    one = escorted(slots=30)
    one.ended("replaced", "ill", EIGHT - timedelta(minutes=20))
    assert lost(EIGHT + LOST_AFTER - timedelta(seconds=1)) == {}
    assert lost(EIGHT + LOST_AFTER) == {"lost": 1}
    assert lost(EIGHT + LOST_AFTER) == {}
    row = booking_row(one.booking)
    assert (row.state, row.cause) == (BookingState.CANCELLED, CAUSE)
    assert ("cancel", "queued") in tasks(one.booking), "both sides hold the same"
    assert counters(one.made.world.entitlement.id)["available"] == 2
    with reading() as session:
        told = session.scalars(select(Notification).where(Notification.kind == "cancelled")).one()
    assert told.facts["cause"] == CAUSE and told.facts["alternatives"], "the nearest other times"


def test_a_benefit_that_ended_meanwhile_is_usable_again_for_the_plans_grace(db: Engine) -> None:
    one = escorted(quantity=1)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=date(2026, 3, 10)))
    one.ended("replaced", "ill", EIGHT)
    after = EIGHT + timedelta(days=1)  # its last day is over
    assert lost(after) == {"lost": 1}
    assert valid_until(one) == date(2026, 3, 11) + timedelta(days=30)
    assert counters(one.made.world.entitlement.id)["available"] == 1


def test_nobody_found_by_the_deadline_gives_it_back_with_grace_too(db: Engine) -> None:
    one = escorted(confirmed=False, sent=False)
    due = booking_row(one.booking).answer_due_at
    assert due is not None and end_unanswered(now=due) == 1
    work(one.made.world, now=due)
    row = booking_row(one.booking)
    assert (row.state, row.cause) == (BookingState.CANCELLED, "not_answered_in_time")
    assert counters(one.made.world.entitlement.id)["available"] == 2


def test_while_somebody_comes_and_her_phone_is_silent_nothing_is_decided(db: Engine) -> None:
    one = escorted()
    assert lost(EIGHT + timedelta(hours=6)) == {}
    assert one.state() == "confirmed"
    assert lost(LATE) == {"lost": 1}


def test_who_was_not_met_by_somebody_who_had_arrived_is_a_no_show(db: Engine) -> None:
    one = escorted()
    one.did("arrived", 5, position="within")
    assert lost(LATE) == {"no_show": 1}
    assert one.state() == "no_show"


def test_who_was_met_is_neither(db: Engine) -> None:
    one = escorted()
    one.did("met", 5)
    assert lost(LATE) == {} and one.state() == "confirmed"


def test_a_providers_silence_makes_no_no_show_of_what_our_books_know(db: Engine) -> None:
    one = escorted()
    assert call_no_shows(now=LATE, spared=somebody_was_to_come()) == 0
    assert one.state() == "confirmed"


def test_of_a_provider_that_sends_by_itself_its_word_is_waited_for_as_before(db: Engine) -> None:
    one = escorted(sent=False)
    assert lost(LATE) == {}
    assert call_no_shows(now=LATE, spared=somebody_was_to_come()) == 1
    assert one.state() == "no_show"


def test_one_that_is_to_be_moved_waits_for_the_answer(db: Engine) -> None:
    one = escorted(slots=30)
    one.ended("replaced", "ill", NOON)
    reschedule(one.me, one.booking, one.made.world.slots[24].public_id, now=NOON)
    assert lost(EIGHT + LOST_AFTER) == {}


def test_one_that_has_begun_is_not_lost(db: Engine) -> None:
    one = escorted()
    one.ended("replaced", "ill", EIGHT)
    go(one.booking, BookingState.CHECKED_IN)
    assert lost(EIGHT + LOST_AFTER) == {}


def test_what_was_done_by_who_was_replaced_makes_nobody_a_no_show_and_strands_nothing(db: Engine) -> None:
    one = escorted(slots=30, quantity=3)
    one.did("arrived", 5)
    one.ended("replaced", "ill", NOON)
    one.send("周岚")
    assert lost(LATE) == {"lost": 1}
    assert (one.state(), counters(one.made.world.entitlement.id)["available"]) == ("cancelled", 3)
    two = another(one, 8)
    two.did("met", 5)
    two.ended("replaced", "ill", NOON)
    assert lost(LATE) == {"lost": 1} and two.state() == "cancelled"


def test_one_that_was_said_to_be_over_waits_for_its_customers_word(db: Engine) -> None:
    one = escorted()
    one.did("handed_over", 180, received=LATE)
    assert lost(LATE) == {} and one.state() == "confirmed"


def cases(kind: str = LOST) -> list[tuple[str, object, bool]]:
    """Of each case of the kind: its booking, whether that was cancelled, and whether the case is closed."""
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == kind).order_by(Discrepancy.id)).all()
        return [(row.subject, row.facts.get("cancelled"), row.closed_at is not None) for row in rows]


def open_case(one: Escorted, kind: str, **facts: str) -> None:
    row = booking_row(one.booking)
    with transaction() as session:
        open_discrepancy(session, row.provider_id, kind, row.public_id, now=NOON, booking_id=row.id, facts=dict(facts))


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: Any, happens: Callable[[], object]) -> None:
    """It happens between the look for what is due and the first transaction about it."""
    really = module.one_by_one

    def later(*args: Any, **named: Any) -> Any:
        happens()
        return really(*args, **named)

    monkeypatch.setattr(module, "one_by_one", later)


def test_whoever_sends_people_by_a_system_of_its_own_is_asked_first(db: Engine) -> None:
    one = escorted()
    one.ended("replaced", "desk", NOON)
    set_provider(one.made.world.provider, adapter="open_protocol")
    assert lost(LATE) == {} and one.state() == "confirmed"


def test_an_assignment_for_another_time_says_nothing_of_this_one_and_a_search_does(db: Engine) -> None:
    one = escorted(sent=False)
    one.send(at=EIGHT - timedelta(days=1), state="withdrawn", cause="moved")
    assert lost(LATE) == {} and one.state() == "confirmed"
    with transaction() as session:
        session.add(EscortSearch(booking_id=booking_row(one.booking).id, begun_at=NOON, look_at=NOON))
    assert lost(LATE) == {"lost": 1}


def test_what_its_providers_books_or_its_customer_leave_open_waits_for_a_person(db: Engine) -> None:
    one = escorted()
    one.did("arrived", 5)
    for kind in (TOO_EARLY, UNREADABLE):
        open_case(one, kind, feed="bookings")
        assert lost(LATE) == {}
        with transaction() as session:
            session.execute(update(Discrepancy).values(closed_at=NOON))
    something_wrong(one.me, one.booking, "other", now=EIGHT)
    assert lost(LATE) == {} and one.state() == "confirmed"


def test_where_the_desk_alone_chooses_a_person_finds_out_whether_somebody_went(db: Engine, manager: Principal) -> None:
    one = escorted()
    one.ended("replaced", "desk", EIGHT)
    with transaction() as session:
        session.execute(update(EscortWorker).values(auto=False))
    assert lost(EIGHT + LOST_AFTER) == {"for_a_person": 1}
    assert lost(EIGHT + LOST_AFTER) == {}, "once"
    assert one.state() == "confirmed" and cases() == [(one.booking, False, False)]


@pytest.fixture
def for_a_person(db: Engine) -> tuple[Escorted, str]:
    """One of which a person is to find out whether somebody went, and its case."""
    one = escorted(slots=30)
    one.ended("replaced", "desk", EIGHT)
    with transaction() as session:
        session.execute(update(EscortWorker).values(auto=False))
    assert lost(EIGHT + LOST_AFTER) == {"for_a_person": 1}
    with reading() as session:
        return one, session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == LOST)).one()


def test_a_note_does_not_close_it_while_the_booking_stands(
    for_a_person: tuple[Escorted, str], manager: Principal
) -> None:
    one, case = for_a_person
    later = EIGHT + LOST_AFTER
    assert case_of(manager, case, now=later).actions == ["took_place", "did_not_take_place"]
    for action in ("note", "cancel_here"):
        with pytest.raises(NotThisRepair):
            repair.repair(manager, case, action, note="没有人到场", now=later, more=REPAIRS)
    assert one.state() == "confirmed" and cases() == [(one.booking, False, False)]
    assert case_of(manager, case, now=EIGHT - timedelta(seconds=1)).actions == ["note"], "it was moved meanwhile"


def test_a_person_finds_that_nobody_came_and_it_is_as_where_the_clock_knew(
    for_a_person: tuple[Escorted, str], manager: Principal
) -> None:
    one, case = for_a_person
    for _twice in range(2):
        repair.repair(manager, case, "did_not_take_place", now=EIGHT + LOST_AFTER, more=REPAIRS)
    row = booking_row(one.booking)
    assert (row.state, row.cause) == (BookingState.CANCELLED, CAUSE)
    assert counters(one.made.world.entitlement.id)["available"] == 2 and cases() == [(one.booking, False, True)]
    assert ("cancel", "queued") in tasks(one.booking)
    with reading() as session:
        told = session.scalars(select(Notification).where(Notification.kind == "cancelled")).one()
    assert told.facts["cause"] == CAUSE and told.facts["alternatives"]


def test_a_person_finds_that_it_took_place_and_the_unit_is_used(
    for_a_person: tuple[Escorted, str], manager: Principal
) -> None:
    one, case = for_a_person
    for _twice in range(2):
        repair.repair(manager, case, "took_place", now=EIGHT + LOST_AFTER, more=REPAIRS)
    assert one.state() == "fulfilled" and cases() == [(one.booking, False, True)]
    figures = counters(one.made.world.entitlement.id)
    assert (figures["available"], figures["used"], figures["reserved"]) == (1, 1, 0)
    something_wrong(one.me, one.booking, "other", now=EIGHT + timedelta(days=6))


def test_it_is_settled_by_nobody_while_a_cancel_is_on_its_way(
    for_a_person: tuple[Escorted, str], manager: Principal
) -> None:
    one, case = for_a_person
    with transaction() as session:
        enqueue(session, session.get_one(Booking, booking_row(one.booking).id), "cancel", now=EIGHT)
    for action in REPAIRS:
        with pytest.raises(CaseMovedOn):
            repair.repair(manager, case, action, now=EIGHT + LOST_AFTER, more=REPAIRS)
    assert one.state() == "confirmed"


def test_the_desk_sees_it_with_its_booking_and_whether_that_stands(for_a_person: tuple[Escorted, str]) -> None:
    one, _case = for_a_person
    desk = member(make_member(one.made.world.provider.code, login="mei"))
    (shown,) = open_cases(desk)
    assert (shown.kind, shown.booking, shown.cancelled) == (LOST, one.booking, False)
    assert open_cases(desk, one.booking) == [shown] and open_cases(desk, "bkg_other") == []
    other, _offer, _slots = make_offer()
    assert open_cases(member(make_member(other.code, login="else"))) == []


def test_a_case_for_a_person_stands_when_the_booking_has_ended(db: Engine) -> None:
    one = escorted()
    one.ended("replaced", "ill", EIGHT)
    open_case(one, NOBODY)
    assert lost(EIGHT + LOST_AFTER) == {"lost": 1}
    close_cases(now=EIGHT + LOST_AFTER)
    assert cases(NOBODY) == [(one.booking, None, True)]
    assert cases() == [(one.booking, True, False)]


def test_who_was_elsewhere_makes_nobody_a_no_show_save_by_the_code(db: Engine) -> None:
    one = escorted(slots=30, quantity=3)
    one.did("arrived", 5, position="away")
    two = another(one, 8)
    two.did("arrived", 5, position="away", by_code=True)
    assert lost(LATE) == {"lost": 1, "no_show": 1}
    assert (one.state(), two.state()) == ("cancelled", "no_show")


def test_a_change_that_was_taken_back_ends_with_it_and_is_not_sent(db: Engine) -> None:
    one = escorted(slots=30)
    one.ended("replaced", "ill", NOON)
    reschedule(one.me, one.booking, one.made.world.slots[24].public_id, now=NOON)
    open_case(one, TOO_EARLY)
    with transaction() as session:
        session.execute(update(ChangeRequest).values(state="withdrawn"))
        session.execute(update(Discrepancy).values(closed_at=NOON))
    assert lost(EIGHT + LOST_AFTER) == {"lost": 1}
    with reading() as session:
        assert session.scalars(select(ChangeRequest.closed_at)).one() is not None
    assert [what for what, state in tasks(one.booking) if state == "queued"] == ["cancel"]


def test_those_that_wait_keep_none_that_is_lost_from_its_end(db: Engine) -> None:
    waits = escorted(slots=30, quantity=3)
    gone = another(waits, 8)
    gone.ended("replaced", "ill", NOON)
    start = booking_row(gone.booking).starts_at
    assert start is not None
    assert end_lost(now=start + LOST_AFTER, limit=1) == {"lost": 1}
    assert (waits.state(), gone.state()) == ("confirmed", "cancelled")


@pytest.mark.parametrize("happens", ["met", "asked", "assigned"])
def test_what_happens_meanwhile_is_looked_at_again(db: Engine, monkeypatch: pytest.MonkeyPatch, happens: str) -> None:
    one = escorted(slots=30)
    now = LATE
    if happens == "assigned":
        one.ended("replaced", "ill", NOON)
        now = EIGHT + LOST_AFTER

    def happen() -> None:
        if happens == "met":
            one.did("met", 5)
        elif happens == "asked":
            reschedule(one.me, one.booking, one.made.world.slots[24].public_id, now=NOON)
        else:
            one.send("周岚")

    meanwhile(monkeypatch, lost_way, happen)
    assert end_lost(now=now) == {"waits": 1} and one.state() == "confirmed"


def test_a_no_show_is_not_called_of_one_that_was_assigned_meanwhile(
    db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = escorted(sent=False)
    meanwhile(monkeypatch, no_show, one.send)
    assert call_no_shows(now=LATE, spared=somebody_was_to_come()) == 0
    assert one.state() == "confirmed"
