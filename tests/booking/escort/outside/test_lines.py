"""Lines of a provider that sends escorts of its own: who comes and what she does, each once and in its order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from booking.escort.evidence.pictures import picture_of
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading
from providers.port import ProviderError
from providers.reported import EscortCost, Event
from tests.booking.escort.outside.stage import (
    HE,
    WORD,
    Tell,
    assigned,
    by_event,
    by_list,
    came_of,
    code,
    deeds,
    line,
    make_outside,
    open_cases,
    sent,
    state,
    unreadable,
)
from tests.booking.escort.staff import notices
from tests.people import NOON
from tests.world import EIGHT, booking_row, make_offer

pytestmark = pytest.mark.usefixtures("db")


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


@pytest.mark.parametrize("way", [by_event, by_list])
def test_an_escort_from_her_name_to_the_end(way: Tell) -> None:
    it = make_outside()
    booking = it.book()
    it.read(NOON)
    assert it.view(booking, now=NOON).stage == "looking"

    way(it, assigned(booking), NOON + timedelta(days=1))
    view = it.view(booking, now=EIGHT)
    assert (view.stage, view.safe_word, view.worker and view.worker.name) == ("coming", WORD, HE.name)
    assert len(view.code) == 4
    (told,) = notices("escort_assigned")
    assert told.facts["who"] == HE.name

    way(it, line(booking, 2, "on_the_way", minutes=-30), later(-29))
    assert state(booking) == "confirmed"
    way(it, line(booking, 3, "met", code=code(booking)), later(1))
    assert state(booking) == "checked_in"
    way(it, line(booking, 4, "registered", minutes=10), later(11))
    assert state(booking) == "in_service"
    way(it, line(booking, 5, "handed_over", minutes=90, words="一切顺利"), later(91))
    assert (state(booking), it.view(booking).stage) == ("in_service", "handed_over")

    it.status(booking, "fulfilled", 3, now=later(95))
    it.read(later(95))
    view = it.view(booking, now=later(96))
    assert (state(booking), view.stage, view.handed_over) == ("fulfilled", "done", "一切顺利")
    done = [(step.what, step.by_code) for step in view.steps if step.state == "done"]
    assert done == [("on_the_way", False), ("met", True), ("registered", False), ("handed_over", False)]
    assert (sent(booking), open_cases()) == ([("done", None)], [])


def test_a_deed_has_the_providers_time_and_number_and_what_is_doubtful_about_it() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2, "met", minutes=60, position="within", accuracy_m=20), now=EIGHT)
    (deed,) = deeds(booking)
    assert (deed.number, deed.at, deed.received_at, deed.doubt) == (2, later(60), EIGHT, "ahead")
    assert (deed.position, deed.accuracy_m, deed.by_code) == ("within", 20, False)


def test_a_line_is_taken_once_by_whichever_way_it_comes() -> None:
    it = make_outside()
    booking = it.book()
    said = it.says(assigned(booking))
    it.read(NOON)
    assert it.tell(said, now=NOON) == "known"
    assert (len(sent(booking)), len(notices("escort_assigned"))) == (1, 1)


def test_what_lies_between_is_read_from_the_list() -> None:
    it = make_outside()
    booking = it.book()
    it.says(assigned(booking))
    late = it.says(line(booking, 2, "on_the_way", minutes=-20))
    assert it.tell(late, now=later(-19)) == "ahead"
    it.read(later(-19))
    assert [deed.kind for deed in deeds(booking)] == ["on_the_way"]


def test_a_gap_in_the_list_is_waited_for_and_a_case() -> None:
    it = make_outside()
    booking = it.book()
    it.says(assigned(booking))
    it.says(line(booking, 3, "met"))
    it.read(later(1))
    assert (open_cases(), deeds(booking)) == (["escort_line_missing"], [])
    it.says(line(booking, 2, "arrived", minutes=-5))
    it.read(later(2))
    assert (open_cases(), [deed.kind for deed in deeds(booking)]) == ([], ["arrived", "met"])


def test_other_contents_under_a_number_are_a_case_and_the_first_stands() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2, "note", words="等候检查"), now=later(1))
    assert it.tell(line(booking, 2, "note", words="已经检查"), now=later(2)) == "differs"
    assert open_cases() == ["escort_line_differs"]
    assert it.view(booking).notes[0].words == "等候检查"


def test_another_time_under_a_number_is_other_contents() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2, "met"), now=later(1))
    assert it.tell(line(booking, 2, "met", minutes=-30), now=later(2)) == "differs"


def test_a_line_that_cannot_be_read_is_passed_over_and_recorded() -> None:
    it = make_outside()
    booking = it.book()
    it.says(assigned(booking))
    it.there.lines.append(unreadable(booking, 2))
    it.says(line(booking, 3, "met"))
    it.read(later(1))
    assert (came_of(booking), state(booking)) == (["named", "passed", "deed"], "checked_in")
    assert open_cases() == ["unreadable_row"]


def test_contents_that_may_not_be_stored_are_passed_over_and_recorded() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    assert it.tell(line(booking, 2, "note", words="a\x00b"), now=later(1)) == "passed"
    assert it.tell(line(booking, 3, "note", words="x" * 1001), now=later(1)) == "passed"
    assert it.tell(line(booking, 4, "met"), now=later(1)) == "taken"
    assert "unreadable_row" in open_cases()


def test_nothing_is_said_of_who_comes_before_the_booking_is_confirmed() -> None:
    it = make_outside(firm=False)
    booking = it.book()
    it.says(assigned(booking))
    assert it.tell(assigned(booking), now=NOON) == "not_confirmed"
    assert (sent(booking), notices("escort_assigned")) == ([], [])
    it.status(booking, "confirmed", 2, now=NOON + timedelta(minutes=1))
    it.read(NOON + timedelta(minutes=1))
    assert (state(booking), sent(booking)) == ("confirmed", [("accepted", None)])


def test_another_providers_line_is_nobodys() -> None:
    it = make_outside()
    booking = it.book()
    other, _offer, _slots = make_offer(kind="hospital_escort")
    told = Event("evt-1", "escort.line", NOON, escort=assigned(booking))
    assert receive_event(other.id, told, now=NOON) == "unmatched"
    assert it.tell(replace(assigned(booking), our_reference="bkg_other"), now=NOON) == "unmatched"
    assert sent(booking) == []


def test_a_picture_is_fetched_and_written_anew() -> None:
    it = make_outside()
    booking = it.book()
    it.there.papers["p-1"] = b"\xff\xd8\xff-paper"
    it.says(assigned(booking))
    it.says(line(booking, 2, "paper", picture="p-1"))
    assert it.tell(assigned(booking), now=NOON) == "taken"
    assert it.tell(line(booking, 2, "paper", picture="p-1"), now=later(1)) == "fetch"
    it.read(later(1))
    (paper,) = it.view(booking).papers
    with reading() as session:
        assert picture_of(session, booking_row(booking).id, paper.id) == b"\xff\xd8\xff-paper"


def test_a_picture_that_does_not_come_holds_up_two_minutes() -> None:
    it = make_outside()
    booking = it.book()
    it.there.papers["p-1"] = ProviderError("503")
    it.says(assigned(booking))
    it.says(line(booking, 2, "paper", picture="p-1"))
    it.says(line(booking, 3, "met"))
    it.read(later(1))
    assert (open_cases(), deeds(booking)) == (["escort_picture_not_fetched"], [])
    it.read(later(3.1))
    assert (came_of(booking), state(booking)) == (["named", "passed", "deed"], "checked_in")


def test_a_cost_has_its_sum_and_its_receipt() -> None:
    it = make_outside()
    booking = it.book()
    it.there.papers["p-1"] = b"\xff\xd8\xff-receipt"
    it.says(assigned(booking))
    it.says(line(booking, 2, "cost", cost=EscortCost(1250, "CNY", "停车"), picture="p-1"))
    it.read(later(1))
    (spent,) = it.view(booking).costs
    assert (spent.amount_minor, spent.currency, spent.what, bool(spent.receipt)) == (1250, "CNY", "停车", True)


def test_a_list_in_pages_is_read_to_its_end() -> None:
    it = make_outside()
    booking = it.book()
    it.there.page = 1
    it.says(assigned(booking))
    it.says(line(booking, 2, "arrived", minutes=-5))
    it.says(line(booking, 3, "met"))
    it.read(later(1))
    assert [deed.kind for deed in deeds(booking)] == ["arrived", "met"]
