"""What goes wrong at a provider that sends escorts of its own: what the customer is told, who is asked, what becomes of
the benefit."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.attendance.no_show import call_no_shows
from booking.changes.unanswered import end_unanswered
from booking.escort.after.confirm import ask_customers, complete_silent, went_well
from booking.escort.after.lost import LOST_AFTER, end_lost, somebody_was_to_come
from booking.escort.outside.watch import NAMED_BY
from marketplace.core.database.db import reading
from providers.port import Confirmed
from tests.booking.escort.outside.stage import (
    ENDS,
    HE,
    LIN,
    Outside,
    assigned,
    came_of,
    code,
    deeds,
    line,
    make_outside,
    open_cases,
    sent,
    state,
)
from tests.booking.escort.staff import cases, notices
from tests.people import NOON
from tests.world import EIGHT, booking_row, one_pass, tasks
from vip.models import EntitlementEntry

pytestmark = pytest.mark.usefixtures("db")


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


def entries() -> list[str]:
    """What the ledger says of the only benefit, the grant left out."""
    with reading() as session:
        rows = session.scalars(select(EntitlementEntry).order_by(EntitlementEntry.id))
        return [row.entry for row in rows if row.entry != "grant"]


def coming(it: Outside, slot: int = 0) -> str:
    """A firm booking to which HE is named."""
    booking = it.book(slot)
    it.says(assigned(booking))
    it.read(NOON)
    return booking


class TestBefore:
    """Until it begins."""

    def test_a_request_that_is_never_answered_ends_at_its_deadline(self) -> None:
        it = make_outside(firm=False)
        booking = it.book()
        due = booking_row(booking).answer_due_at
        assert due is not None
        end_unanswered(now=due)
        it.there.answers = [Confirmed(f"R-{booking}", 2)]
        one_pass(it.made.world, it.there, now=due)  # it is taken back there
        assert (state(booking), entries()) == ("cancelled", ["reserve", "release"])
        (told,) = notices("cancelled")
        assert told.facts["alternatives"]

    def test_cancelled_an_hour_before_the_unit_is_back_and_a_person_calls(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.status(booking, "cancelled", 3, now=later(-60))
        assert (state(booking), entries()) == ("cancelled", ["reserve", "release"])
        (told,) = notices("cancelled")
        assert told.facts["alternatives"]
        it.watch(later(-60))
        it.watch(later(-59))
        assert (open_cases(), sent(booking)) == (["escort_called_off"], [("withdrawn", "cancelled")])

    def test_cancelled_days_before_is_no_case(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.status(booking, "cancelled", 3, now=NOON)
        it.watch(NOON)
        assert open_cases() == []

    def test_nobody_named_two_hours_before_is_a_case_and_the_customer_is_told(self) -> None:
        it = make_outside()
        booking = it.book()
        it.read(NOON)
        it.watch(EIGHT - NAMED_BY - timedelta(seconds=1))
        assert open_cases() == []
        it.watch(EIGHT - NAMED_BY)
        it.watch(EIGHT - NAMED_BY + timedelta(minutes=1))
        assert (open_cases(), len(notices("escort_nobody"))) == (["escort_nobody"], 1)
        assert it.view(booking, now=later(-100)).nobody_since is not None
        it.tell(assigned(booking), now=later(-90))
        assert (open_cases(), cases("escort_nobody")) == ([], [(booking, "assigned")])

    def test_what_became_firm_an_hour_before_has_ten_minutes(self) -> None:
        it = make_outside(firm=False)
        booking = it.book()
        it.status(booking, "confirmed", 2, now=later(-60))
        it.read(later(-60))
        it.watch(later(-51))
        assert open_cases() == []
        it.watch(later(-50))
        assert open_cases() == ["escort_nobody"]

    def test_who_falls_ill_is_told_at_once_and_a_case_where_nobody_is_named(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(line(booking, 2, "released", cause="ill"), now=later(-300))
        assert (sent(booking), len(notices("escort_nobody")), open_cases()) == ([("replaced", "ill")], 1, [])
        view = it.view(booking, now=later(-299))
        assert ([each.cause for each in view.replaced], view.stage) == (["ill"], "looking")
        it.watch(EIGHT - NAMED_BY)
        assert (open_cases(), len(notices("escort_nobody"))) == (["escort_nobody"], 1)

    def test_released_within_two_hours_is_a_case_at_once(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(line(booking, 2, "released", cause="ill"), now=later(-60))
        it.watch(later(-60))
        assert open_cases() == ["escort_nobody"]

    def test_released_again_after_another_was_named_is_a_case_again(self) -> None:
        it = make_outside()
        booking = it.book()
        it.read(NOON)
        it.watch(later(-100))
        it.tell(assigned(booking), now=later(-90))
        it.tell(line(booking, 2, "released", cause="ill"), now=later(-60))
        it.watch(later(-59))
        assert open_cases() == ["escort_nobody"]

    def test_another_worker_comes_and_the_safe_word_changes(self) -> None:
        it = make_outside()
        booking = coming(it)
        before = code(booking)
        it.tell(assigned(booking, 2, LIN, "竹林"), now=later(-60))
        view = it.view(booking, now=later(-59))
        assert (view.safe_word, view.worker and view.worker.name) == ("竹林", LIN.name)
        assert sent(booking) == [("replaced", "desk"), ("accepted", None)]
        (told,) = notices("escort_replaced")
        assert told.facts["who"] == LIN.name
        assert (len(code(booking)), len(before)) == (4, 4)

    def test_the_same_one_named_again_stays_and_has_the_new_word(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(assigned(booking, 2, HE, "竹林"), now=later(-60))
        assert (sent(booking), it.view(booking).safe_word) == ([("accepted", None)], "竹林")
        assert len(notices("escort_assigned", "escort_replaced")) == 1

    def test_one_worker_at_two_places_is_a_case_and_both_stand(self) -> None:
        it = make_outside()
        first, second = coming(it, 0), coming(it, 1)
        assert open_cases() == ["escort_two_at_once"]
        assert sent(first) == sent(second) == [("accepted", None)]


class TestOnTheDay:
    """From its beginning on."""

    def test_who_is_not_there_at_the_start_is_a_case_and_the_customer_is_told(self) -> None:
        it = make_outside()
        coming(it)
        it.read(later(-1))
        it.watch(later(1))
        assert open_cases() == []  # nothing was read since it began
        it.read(later(1))
        it.watch(later(1))
        it.watch(later(2))
        assert (open_cases(), len(notices("escort_late"))) == (["escort_late"], 1)

    def test_where_the_list_names_nobody_it_is_lost_after_an_hour(self) -> None:
        it = make_outside()
        booking = it.book()
        end = EIGHT + LOST_AFTER
        it.read(end - timedelta(minutes=1))
        end_lost(now=end)
        assert state(booking) == "confirmed"  # it was not read since
        it.read(end)
        end_lost(now=end)
        assert (state(booking), entries()) == ("cancelled", ["reserve", "release"])
        assert cases("escort_lost") == [(booking, "")]
        assert ("cancel", "queued") in tasks(booking)
        assert notices("cancelled")[0].facts["alternatives"]

    def test_where_the_list_could_never_be_read_nothing_is_lost(self) -> None:
        it = make_outside()
        booking = it.book()
        it.watch(EIGHT - NAMED_BY)
        end_lost(now=ENDS + timedelta(days=1))
        assert state(booking) == "confirmed"

    def test_who_was_named_and_met_nobody_is_lost_when_a_no_show_is_called(self) -> None:
        it = make_outside()
        booking = coming(it)
        over = ENDS + timedelta(days=3)
        it.read(over)
        assert call_no_shows(now=over, spared=somebody_was_to_come()) == 0
        end_lost(now=over)
        assert (state(booking), entries()) == ("cancelled", ["reserve", "release"])

    def test_who_stood_there_and_met_nobody_makes_a_no_show(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(line(booking, 2, "arrived", position="within", accuracy_m=10), now=later(0))
        over = ENDS + timedelta(days=3)
        it.read(over)
        end_lost(now=over)
        assert state(booking) == "no_show"

    def test_a_line_that_could_not_be_used_leaves_it_to_a_person(self) -> None:
        it = make_outside()
        booking = it.book()
        it.tell(line(booking, 1, "met", escort="e-9"), now=later(0))
        end = EIGHT + LOST_AFTER
        it.read(end)
        end_lost(now=end)
        assert (state(booking), "escort_lost" in open_cases()) == ("confirmed", True)

    def test_what_comes_later_of_one_that_was_lost_is_for_a_person(self) -> None:
        it = make_outside()
        booking = coming(it)
        over = ENDS + timedelta(days=3)
        it.read(over)
        end_lost(now=over)
        it.tell(line(booking, 2, "met"), now=over + timedelta(hours=1))
        assert (state(booking), "escort_came_after_all" in open_cases()) == ("cancelled", True)

    def test_a_wrong_code_is_kept_and_proves_nothing(self) -> None:
        it = make_outside()
        booking = coming(it)
        wrong = f"{(int(code(booking)) + 1) % 10_000:04}"
        it.tell(line(booking, 2, "met", code=wrong), now=later(1))
        assert ([deed.by_code for deed in deeds(booking)], open_cases()) == ([False], ["escort_wrong_code"])
        assert state(booking) == "checked_in"

    def test_five_codes_are_compared_and_no_sixth(self) -> None:
        it = make_outside()
        booking = coming(it)
        right = code(booking)
        for seq in range(2, 7):
            it.tell(line(booking, seq, "arrived", code=f"{(int(right) + seq) % 10_000:04}"), now=later(1))
        it.tell(line(booking, 7, "met", code=right), now=later(1))
        assert [deed.by_code for deed in deeds(booking)] == [False] * 6

    def test_who_was_never_named_is_kept_out_and_a_case(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(line(booking, 2, "met", escort=LIN.code), now=later(1))
        assert (deeds(booking), open_cases(), state(booking)) == ([], ["escort_not_named"], "confirmed")

    def test_what_who_was_replaced_did_stays_hers_and_moves_nothing(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(assigned(booking, 2, LIN, "竹林"), now=later(-60))
        it.tell(line(booking, 3, "met"), now=later(1))
        assert ([deed.kind for deed in deeds(booking)], state(booking), open_cases()) == (["met"], "confirmed", [])


class TestTheEnd:
    """How it ended there, and here."""

    def done(self, *, by_code: bool = False, steps: tuple[str, ...] = ("met", "handed_over")) -> tuple[Outside, str]:
        """An escort with these steps that its provider's system says is done."""
        it = make_outside()
        booking = coming(it)
        for seq, kind in enumerate(steps, start=2):
            said = line(booking, seq, kind, minutes=seq, words="好" if kind == "handed_over" else "")
            if by_code and kind == "met":
                said = line(booking, seq, kind, minutes=seq, code=code(booking))
            it.says(said)
        it.read(later(90))
        it.status(booking, "fulfilled", 3, now=later(91))
        it.read(later(92))
        return it, booking

    def test_with_her_code_and_the_hand_over_it_is_done(self) -> None:
        _, booking = self.done(by_code=True)
        assert (state(booking), entries(), open_cases()) == ("fulfilled", ["reserve", "use"], [])

    def test_without_her_code_the_customer_is_asked_and_her_silence_ends_it(self) -> None:
        _, booking = self.done()
        assert (state(booking), open_cases()) == ("checked_in", [])
        assert ask_customers(now=later(93)) == 1
        assert complete_silent(now=later(93) + timedelta(hours=24)) == 1
        assert (state(booking), entries()) == ("fulfilled", ["reserve", "use"])

    @pytest.mark.parametrize("steps", [(), ("arrived",), ("met",), ("handed_over",)])
    def test_done_without_steps_is_a_case_and_her_silence_says_nothing(self, steps: tuple[str, ...]) -> None:
        it, booking = self.done(steps=steps)
        assert (open_cases(), state(booking) in ("confirmed", "checked_in")) == (["escort_end_unproved"], True)
        assert ask_customers(now=later(93)) == 1
        end_lost(now=ENDS + timedelta(days=3))
        assert complete_silent(now=ENDS + timedelta(days=3)) == 0
        went_well(it.made.world.principal, booking, now=ENDS + timedelta(days=3))
        assert (state(booking), cases("escort_end_unproved")) == ("fulfilled", [(booking, "confirmed_by_customer")])

    def test_steps_that_come_after_the_status_close_the_case(self) -> None:
        it, booking = self.done(steps=("met",))
        it.says(line(booking, 3, "handed_over", minutes=60, words="好"))
        it.read(later(94))
        assert (open_cases(), cases("escort_end_unproved")) == ([], [(booking, "told")])

    def test_a_status_alone_moves_no_visit(self) -> None:
        it = make_outside()
        booking = coming(it)
        for version, status in enumerate(("checked_in", "in_service"), start=3):
            it.status(booking, status, version, now=later(5))
        assert state(booking) == "confirmed"

    def test_a_no_show_counts_where_somebody_stood_there(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.status(booking, "no_show", 3, now=later(30))
        it.read(later(31))
        assert (state(booking), open_cases()) == ("confirmed", ["escort_end_unproved"])
        it.tell(line(booking, 2, "arrived", position="within", accuracy_m=10), now=later(32))
        it.read(later(33))
        assert state(booking) == "no_show"

    def test_what_is_told_after_the_end_is_added(self) -> None:
        it, booking = self.done(by_code=True)
        it.tell(line(booking, 4, "note", minutes=30, words="药已取"), now=later(200))
        assert ([note.words for note in it.view(booking).notes], state(booking)) == (["药已取"], "fulfilled")

    def test_who_comes_to_what_is_over_is_kept_out_and_a_case(self) -> None:
        it, booking = self.done(by_code=True)
        it.tell(assigned(booking, 4, LIN, "竹林"), now=later(200))
        assert (came_of(booking)[-1], open_cases()) == ("kept_out", ["escort_after_end"])
        it.tell(line(booking, 5, "note", words="晚了"), now=later(200) + timedelta(days=8))
        assert came_of(booking)[-1] == "kept_out"

    def test_met_after_it_was_cancelled_is_hers_and_a_case(self) -> None:
        it = make_outside()
        booking = coming(it)
        it.tell(line(booking, 2, "on_the_way", minutes=-40), now=later(-40))
        it.status(booking, "cancelled", 3, now=later(-30))
        it.tell(line(booking, 3, "met"), now=later(1))
        assert (state(booking), "escort_after_end" in open_cases()) == ("cancelled", True)
        assert [deed.kind for deed in deeds(booking)] == ["on_the_way", "met"]
