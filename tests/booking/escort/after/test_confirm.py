"""An escort is done by its customer's word, or by her silence; a complaint of hers is a case and stops the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine

from booking.actors import Actor
from booking.answering.answer import report
from booking.attendance.complained import COMPLAINT, ComplaintOpen
from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.escort.after import confirm
from booking.escort.after.awaited import COMPLAIN_FOR, SILENCE
from booking.escort.after.confirm import (
    NOTICE,
    SILENT,
    WELL,
    WITHDRAWN,
    NothingToComplainOf,
    NothingToConfirm,
    ask_customers,
    complete_silent,
    something_wrong,
    went_well,
)
from booking.exchange.inbound import apply_remote
from booking.models import BookingHistory, ProviderBooking
from booking.notices.models import Notification
from booking.reconcile import repair
from booking.settlement.close_day import make_statements
from booking.settlement.models import StatementLine
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.messages import compose
from tests.booking.answering.desk import said
from tests.escorting import Escorted, another, escorted
from tests.people import NOON, counters, make_customer, signed_in
from tests.world import EIGHT, booking_row, go, remote
from vip.principal import Principal

OVER = EIGHT + timedelta(hours=3)


def handed_over(**terms: object) -> Escorted:
    """In service, and said to be over at eleven."""
    one = escorted(**terms)  # type: ignore[arg-type]
    one.did("met", 5)
    go(one.booking, BookingState.CHECKED_IN, BookingState.IN_SERVICE)
    one.did("handed_over", 180)
    return one


def ended(one: Escorted) -> tuple[str, str, str]:
    """Its state, and by whom and why it got there."""
    with reading() as session:
        line = session.scalars(select(BookingHistory).order_by(BookingHistory.id.desc()).limit(1)).one()
        return one.state(), line.actor_kind, line.cause


def cases(kind: str = COMPLAINT) -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == kind)).all()
        return [(row.subject, str(row.facts.get("what")), row.resolution) for row in rows]


def units(one: Escorted) -> tuple[int | None, int | None, int | None]:
    found = counters(one.made.world.entitlement.id)
    return found["available"], found["reserved"], found["used"]


def test_by_the_customers_word_it_is_done_and_the_unit_used_once(db: Engine) -> None:
    one = handed_over()
    assert units(one) == (1, 1, 0)
    for _time in range(2):
        went_well(one.me, one.booking, now=OVER)
    assert ended(one) == ("fulfilled", "customer", WELL)
    assert units(one) == (1, 0, 1)


def test_silence_says_so_after_its_time_and_not_before(db: Engine) -> None:
    one = handed_over()
    ask_customers(now=OVER)
    assert complete_silent(now=OVER + SILENCE - timedelta(seconds=1)) == 0
    assert complete_silent(now=OVER + SILENCE) == 1
    assert complete_silent(now=OVER + SILENCE) == 0
    assert ended(one) == ("fulfilled", "clock", SILENT)
    assert units(one) == (1, 0, 1)


def test_she_is_told_that_she_is_asked_once_and_until_when(db: Engine) -> None:
    one = handed_over()
    assert (ask_customers(now=OVER), ask_customers(now=OVER)) == (1, 0)
    with reading() as session:
        told = session.scalars(select(Notification).where(Notification.kind == NOTICE)).one()
    assert told.facts["until"] == (OVER + SILENCE).isoformat()
    for language, title in (("zh", "结束了，一切顺利吗？"), ("en", "is over: did it go well?")):
        said = compose.say(NOTICE, told.facts, language, as_of=OVER)  # type: ignore[arg-type]
        assert title in said.title and "{" not in said.title + said.text
    went_well(one.me, one.booking, now=OVER)
    assert ask_customers(now=OVER) == 0


def test_nobody_is_asked_before_it_is_over(db: Engine) -> None:
    one = escorted()
    one.did("met", 5)
    assert ask_customers(now=OVER) == 0
    go(one.booking, BookingState.FULFILLED)
    one.did("signed", 180)
    assert ask_customers(now=OVER) == 0


def test_her_time_runs_from_when_we_heard_not_from_what_a_phone_says(db: Engine) -> None:
    one = escorted()
    one.did("handed_over", 180, received=OVER + timedelta(hours=9))
    assert ask_customers(now=OVER + timedelta(hours=9)) == 1
    assert complete_silent(now=OVER + SILENCE + timedelta(hours=8)) == 0
    assert complete_silent(now=OVER + SILENCE + timedelta(hours=9)) == 1


def test_one_that_was_never_said_to_be_over_counts_from_the_end_of_its_time(db: Engine) -> None:
    one = escorted()
    end = EIGHT + timedelta(hours=4)
    assert complete_silent(now=end + SILENCE) == 0, "nobody was met"
    one.did("met", 5)
    assert (ask_customers(now=end - timedelta(seconds=1)), ask_customers(now=end)) == (0, 1)
    assert complete_silent(now=end + SILENCE - timedelta(seconds=1)) == 0
    assert complete_silent(now=end + SILENCE) == 1


def test_the_silence_of_a_customer_who_was_told_late_counts_from_then(db: Engine) -> None:
    one = handed_over()
    late = OVER + SILENCE  # nothing ran for a day
    assert (complete_silent(now=late), ask_customers(now=late)) == (0, 1)
    with reading() as session:
        told = session.scalars(select(Notification).where(Notification.kind == NOTICE)).one()
    assert told.facts["until"] == (late + SILENCE).isoformat()
    assert complete_silent(now=late + SILENCE - timedelta(seconds=1)) == 0
    assert complete_silent(now=late + SILENCE) == 1 and one.state() == "fulfilled"


def test_one_that_is_opened_again_is_not_closed_at_once(db: Engine) -> None:
    one = handed_over()
    ask_customers(now=OVER)
    assert complete_silent(now=OVER + SILENCE) == 1
    again = OVER + timedelta(days=2)
    with transaction() as session:
        row, _ = lock_booking(session, booking_row(one.booking).id)
        move(session, row, BookingState.IN_SERVICE, actor=Actor("provider"), now=again)
    assert complete_silent(now=again + SILENCE) == 0, "she does not know that she is asked again"
    told_at = again + timedelta(hours=1)
    assert (ask_customers(now=told_at), ask_customers(now=told_at)) == (1, 0)
    assert complete_silent(now=told_at + SILENCE - timedelta(seconds=1)) == 0
    assert one.state() == "in_service"
    assert complete_silent(now=told_at + SILENCE) == 1


@pytest.mark.parametrize(("happens", "outcome"), [("complaint", "complained"), ("no_show", "moved_on")])
def test_what_comes_with_the_end_of_her_silence_is_looked_at_again(
    db: Engine, monkeypatch: pytest.MonkeyPatch, happens: str, outcome: str
) -> None:
    one = escorted()
    one.did("handed_over", 180)
    ask_customers(now=OVER)
    really, outcomes = confirm.one_by_one, []

    def later(name: str, due: Sequence[int], do: Callable[[int], str]) -> Counter[str]:
        if happens == "complaint":
            something_wrong(one.me, one.booking, "late", now=OVER)
        else:
            go(one.booking, BookingState.NO_SHOW)
        counts = really(name, due, do)
        outcomes.extend(counts)
        return counts

    monkeypatch.setattr(confirm, "one_by_one", later)
    assert complete_silent(now=OVER + SILENCE) == 0
    assert outcomes == [outcome] and one.state() == ("confirmed" if happens == "complaint" else "no_show")


def test_who_was_replaced_or_is_early_says_of_none_that_it_is_over(db: Engine) -> None:
    before = EIGHT - timedelta(days=6)
    one = escorted(slots=25, quantity=3)
    one.did("handed_over", received=OVER)
    early = another(one, 8)
    early.did("handed_over", received=before)
    one.ended("replaced", "ill", before)
    moved = another(one, 16)
    moved.did("signed", received=OVER + timedelta(hours=16))
    moved.ended("withdrawn", "moved", before)
    for each in (one, moved):
        each.send("周岚")
    for now in (before, OVER, EIGHT + SILENCE, OVER + 2 * SILENCE):
        assert (ask_customers(now=now), complete_silent(now=now)) == (0, 0)
    with pytest.raises(NothingToConfirm):
        went_well(early.me, early.booking, now=before)


def test_one_that_had_begun_with_somebody_who_was_replaced_is_done_in_the_end(db: Engine) -> None:
    one = escorted()
    one.did("met", 5)
    go(one.booking, BookingState.CHECKED_IN)
    one.ended("replaced", "ill", EIGHT + timedelta(hours=1))
    end = EIGHT + timedelta(hours=4)
    assert ask_customers(now=end) == 1
    assert complete_silent(now=end + SILENCE - timedelta(seconds=1)) == 0
    assert complete_silent(now=end + SILENCE) == 1


def test_a_complaint_is_a_case_at_once_and_stops_the_clock_until_it_is_closed(db: Engine, manager: Principal) -> None:
    one = handed_over()
    ask_customers(now=OVER)
    for _time in range(2):
        something_wrong(one.me, one.booking, "late", now=OVER)
    assert cases() == [(one.booking, "late", "")]
    assert complete_silent(now=OVER + SILENCE * 2) == 0
    assert one.state() == "in_service"
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == COMPLAINT)).one()
    repair.repair(manager, case, "note", note="已电话沟通", now=OVER)
    assert complete_silent(now=OVER + SILENCE * 2) == 1


def test_nobodys_word_completes_what_is_complained_of(db: Engine, manager: Principal) -> None:
    one = handed_over()
    world, reference = one.made.world, str(current_reference(one.booking))
    something_wrong(one.me, one.booking, "left_early", now=OVER)
    with pytest.raises(ComplaintOpen):
        report(said(world, one.booking), "fulfilled", now=OVER)
    with transaction() as session:
        told = remote(one.booking, "fulfilled", 9, reference=reference)
        apply_remote(session, world.provider.id, told, now=OVER)
    assert (one.state(), units(one)) == ("in_service", (1, 1, 0))
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == COMPLAINT)).one()
    repair.repair(manager, case, "note", note="已电话沟通", now=OVER)
    report(said(world, one.booking), "fulfilled", now=OVER)
    assert one.state() == "fulfilled"


def test_a_system_that_says_done_of_what_is_complained_of_has_begun_it(db: Engine) -> None:
    one = escorted()
    something_wrong(one.me, one.booking, "late", now=EIGHT)
    with transaction() as session:
        told = remote(one.booking, "fulfilled", 9, reference=str(current_reference(one.booking)))
        apply_remote(session, one.made.world.provider.id, told, now=OVER)
    assert one.state() == "in_service"


def current_reference(booking: str) -> str | None:
    """What its provider calls it."""
    with reading() as session:
        wanted = select(ProviderBooking.reference).where(ProviderBooking.role == "current")
        return session.scalar(wanted.where(ProviderBooking.booking_id == booking_row(booking).id))


def test_an_operator_gives_the_unit_back_of_one_that_is_done(db: Engine, manager: Principal) -> None:
    one = handed_over()
    went_well(one.me, one.booking, now=OVER)
    something_wrong(one.me, one.booking, "another_person", now=OVER + timedelta(hours=1))
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == COMPLAINT)).one()
    repair.repair(manager, case, "cancel_here", note="退回", now=OVER + timedelta(hours=2))
    assert one.state() == "entered_in_error" and units(one) == (2, 0, 0)


def test_she_may_take_a_complaint_back(db: Engine) -> None:
    one = handed_over()
    something_wrong(one.me, one.booking, "other", now=OVER)
    went_well(one.me, one.booking, now=OVER)
    assert cases() == [(one.booking, "other", WITHDRAWN)] and one.state() == "fulfilled"


def test_what_can_be_said_when(db: Engine) -> None:
    one = escorted()
    with pytest.raises(NothingToComplainOf):
        something_wrong(one.me, one.booking, "late", now=EIGHT - timedelta(seconds=1))
    with pytest.raises(NothingToConfirm):
        went_well(one.me, one.booking, now=EIGHT)
    with pytest.raises(Invalid):
        something_wrong(one.me, one.booking, "rubbish", now=EIGHT)
    one.did("handed_over", 180)
    went_well(one.me, one.booking, now=OVER)
    with pytest.raises(NothingToComplainOf):
        something_wrong(one.me, one.booking, "late", now=OVER + COMPLAIN_FOR)
    assert cases() == []


def test_nobody_else_says_it(db: Engine) -> None:
    one = handed_over()
    make_customer("13800000031")
    stranger = signed_in("13800000031")
    with pytest.raises(NotFound):
        went_well(stranger, one.booking, now=OVER)
    with pytest.raises(NotFound):
        something_wrong(stranger, one.booking, "late", now=OVER)
    assert one.state() == "in_service" and cases() == []


def test_the_days_closing_statement_has_it(db: Engine) -> None:
    one = handed_over()
    went_well(one.me, one.booking, now=OVER)
    assert make_statements(now=EIGHT + timedelta(days=1)) == 1
    with reading() as session:
        line = session.scalars(select(StatementLine)).one()
        assert (line.booking_id, line.state, line.units) == (booking_row(one.booking).id, "fulfilled", 1)
        assert line.amount_minor == 128000


def test_what_was_to_be_cancelled_waits_for_that_answer_and_not_for_her_silence(db: Engine) -> None:
    one = escorted()
    cancel(one.me, one.booking, now=NOON)
    one.did("handed_over", 180)
    assert ask_customers(now=OVER) == 0
    assert complete_silent(now=OVER + SILENCE) == 0
    assert one.state() == "confirmed" and units(one) == (1, 1, 0)


def test_those_that_complained_before_keep_no_other_from_being_asked(db: Engine) -> None:
    one = escorted(slots=25, quantity=3)
    something_wrong(one.me, one.booking, "late", now=EIGHT)
    one.did("handed_over", 180)
    other = another(one, 8)
    over = OVER + timedelta(hours=8)
    other.did("handed_over", 60 * 11)
    assert ask_customers(now=over, limit=1) == 1
