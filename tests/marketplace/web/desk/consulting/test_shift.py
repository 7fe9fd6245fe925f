"""A clinician's shift, at the desk."""

from __future__ import annotations

from booking.consultation.assigning.leaving import go_off
from booking.consultation.queue import offer_next
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice
from tests.desk import member
from tests.marketplace.web.desk.consulting.conftest import Doctor
from tests.marketplace.web.desk.consulting.test_talk import BOARD, asked, row, taken
from tests.marketplace.web.visitors import main
from tests.people import NOON

PAGE = "/desk/shift"


def test_who_is_not_verified_is_told_what_is_missing(practice: Practice, doctor: Doctor) -> None:
    he = doctor(verified=False)
    page = main(he.get(PAGE))
    assert "Not verified yet" in page and "register of physicians" in page and "Begin the shift" not in page
    he.post(PAGE, BOARD, do="begin", capacity="3")
    assert shifts.shift_of(member("he")) is None


def test_a_shift_begins_with_so_many_at_once(practice: Practice, doctor: Doctor) -> None:
    he = doctor(on_shift=False)
    assert "You are not on shift" in main(he.get(BOARD))
    he.post(PAGE, PAGE, do="begin", capacity="21")
    assert shifts.shift_of(member("he")) is None
    assert he.post(PAGE, PAGE, do="begin", capacity="2").headers["Location"] == BOARD
    assert "0 of 2 in hand" in main(he.get(BOARD))


def test_whom_she_leaves_waits_at_the_head_of_the_queue_and_she_is_told_so_before(
    practice: Practice, doctor: Doctor
) -> None:
    he = doctor()
    found = taken(practice, he)
    assert "1 patient goes back to the head of the queue" in main(he.get(PAGE))
    he.post(PAGE, PAGE, do="break")
    assert row(found).clinician_id is None
    page = he.get(BOARD)
    assert "1 patient went back" in page.text and "You are on a break" in main(page) and "Accept" not in main(page)
    he.post(PAGE, PAGE, do="begin", capacity="3")
    assert "Accept" in main(he.get(BOARD))
    he.post(PAGE, PAGE, do="end")
    assert shifts.shift_of(member("he")) is None


def test_what_is_offered_to_her_is_passed_on_at_once_when_she_says_so(practice: Practice, doctor: Doctor) -> None:
    go_off(practice.clinician, now=NOON)
    he, found = doctor(), asked(practice)
    offer_next(now=NOON)
    assert "Offered to you" in main(he.get(BOARD))
    he.post(f"{BOARD}/{found}/decline", BOARD)
    assert "Offered to you" not in main(he.get(BOARD))
    assert row(found).clinician_id is None
