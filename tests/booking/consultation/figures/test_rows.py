"""Each figure leads to the very rows that it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import get_args

import pytest

from booking.consultation.assigning.leaving import go_off, take_a_break
from booking.consultation.close import close, reopen
from booking.consultation.figures import handovers, rows, satisfaction, waiting
from booking.consultation.figures.rows import PARTS, CountedRow, Listing, Part, counted, every
from booking.consultation.figures.scope import Whose, counting
from booking.consultation.pledge_figures import By, PledgeFigures, all_figures
from booking.consultation.queue import ClinicianNotFree, accept, hand_over
from booking.consultation.summary import Summary
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from marketplace.core.paging import encode_cursor
from tests.booking.consultation.figures.asked import (
    DAYS,
    HOUR,
    NOW,
    answered,
    asked,
    asked_in_test_mode,
    insurer_of,
    lived,
    mine,
    of_another_insurer,
)
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.booking.pledges.rows import after
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=None)


def listed(listing: Listing, limit: int = 3) -> list[CountedRow]:
    """All pages, a few rows each; the count above them is the number of rows."""
    found: list[CountedRow] = []
    cursor = None
    while True:
        shown = counted(listing, cursor=cursor, limit=limit)
        found += shown.page.items
        cursor = shown.page.next
        if cursor is None:
            break
    assert shown.total == len(found)
    assert found == list(every(listing, most=1000))
    return found


def number(it: PledgeFigures, part: Part) -> int:
    """What a group's figures say of a part."""
    return {
        "all": it.ended + it.open + it.cancelled,
        "ended": it.ended,
        "met": it.met,
        "breached": it.breached,
        "unanswered": it.unanswered,
        "cancelled": it.cancelled,
        "open": it.open,
    }[part]


@pytest.mark.parametrize("whose", [insurer_of, mine])
def test_every_figure_of_every_group_is_the_number_of_its_rows(practice: Practice, whose: object) -> None:
    lived(practice)
    answered(of_another_insurer(practice), 50)
    asked_in_test_mode(practice)
    scope: Whose = whose(practice)  # type: ignore[operator]
    compared = Counter[bool]()
    for by, groups in all_figures(get_args(By), counting(scope, DAYS)).items():
        for it in groups:
            for part in PARTS:
                found = listed(rows.answers(scope, DAYS, by, it.name, part))
                assert len(found) == number(it, part), (by, it.name, part)
                compared[bool(found)] += 1
    assert compared[True] > 30 and compared[False] > 10, "something, and nothing, was compared"


def test_the_slowest_stand_first_and_who_was_never_answered_before_them(practice: Practice) -> None:
    lived(practice)
    found = listed(rows.answers(insurer_of(practice), DAYS, "all", "", "ended"))
    times = [it.seconds for it in found]
    assert times[0] == inf and times == sorted(times, key=lambda it: -(it or 0))
    assert (found[1].seconds, found[1].state, found[1].department) == (300, "breached", "dermatology")
    assert found[1].at == NOON + 9 * HOUR and found[1].reference.startswith("AX")


def test_a_group_that_is_none_has_no_rows(practice: Practice) -> None:
    answered(practice, 20)
    assert listed(rows.answers(insurer_of(practice), DAYS, "hour", "'; DROP TABLE pledge", "all")) == []


@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor([1, 2]), encode_cursor(["x", 2]), encode_cursor(["nan", 2]), encode_cursor(["1"])]
)
def test_a_cursor_of_something_else_is_refused(practice: Practice, cursor: str) -> None:
    with pytest.raises(Invalid):
        counted(rows.answers(insurer_of(practice), DAYS, "all", "", "all"), cursor=cursor, limit=3)


# --- who waits -------------------------------------------------------------------------------------------------------


def test_who_waits_by_how_long_is_as_many_as_are_listed(practice: Practice) -> None:
    lived(practice)
    answered(of_another_insurer(practice), 50, at=NOW - timedelta(seconds=40))
    whose = insurer_of(practice)
    found = waiting.ages(whose, at=NOW)
    assert list(found) == [1, 0, 1, 0, 1], "10 and 70 seconds, and the one whom nobody ever answered"
    for age, count in enumerate(found):
        assert len(listed(waiting.listing(whose, age, at=NOW))) == count
    shown = listed(waiting.listing(whose, None, at=NOW))
    assert [(it.seconds, it.state) for it in shown] == [(4 * 3600, "breached"), (70, "at_risk"), (10, "pending")]


@pytest.mark.parametrize(("seconds", "age"), [(0, 0), (29.9, 0), (30, 1), (60, 2), (89, 2), (90, 3), (300, 4)])
def test_an_age_begins_with_its_first_second(practice: Practice, seconds: float, age: int) -> None:
    asked(practice)
    found = waiting.ages(insurer_of(practice), at=after(seconds))
    assert [number for number, count in enumerate(found) if count] == [age]


@pytest.mark.parametrize(("promised", "late"), [(60, 1), (300, 0)])
def test_who_waits_longer_than_promised_is_told_by_her_own_promise(
    practice: Practice, promised: int, late: int
) -> None:
    with transaction() as session:
        offer = session.get_one(Offer, practice.world.offer.id)
        offer.package = {**offer.package, "pledge_seconds": promised}
    asked(practice)
    assert waiting.late(insurer_of(practice), at=after(70)) == late
    [shown] = listed(waiting.listing(insurer_of(practice), None, at=after(70)))
    assert (shown.state == "breached") == bool(late)


def test_who_waited_then_is_listed_after_she_was_answered(practice: Practice) -> None:
    """The list of a figure says what the figure said, also a minute later."""
    _, conversation = asked(practice)
    whose = insurer_of(practice)
    practice.answer(conversation, "多久了？", now=after(50))
    close(practice.clinician, conversation, Summary("感冒"), now=after(70))
    assert sum(waiting.ages(whose, at=after(49))) == 1
    assert sum(waiting.ages(whose, at=after(50))) == 0
    assert [it.seconds for it in listed(waiting.listing(whose, 1, at=after(40)))] == [40]


def test_who_gave_up_waits_no_more(practice: Practice) -> None:
    lived(practice)
    at = NOON + HOUR + timedelta(seconds=5)
    assert sum(waiting.ages(insurer_of(practice), at=at)) == 1
    assert sum(waiting.ages(insurer_of(practice), at=at + timedelta(seconds=10))) == 0


def test_nobody_elses_waiting_is_counted(practice: Practice) -> None:
    asked(of_another_insurer(practice))
    asked_in_test_mode(practice)
    assert sum(waiting.ages(insurer_of(practice), at=after(10))) == 0
    assert sum(waiting.ages(mine(practice), at=after(10))) == 1
    assert sum(waiting.ages(Whose(None, practice.world.provider.id + 10_000), at=after(10))) == 0


# --- satisfaction ----------------------------------------------------------------------------------------------------


def test_stars_and_how_many_answered_are_as_many_as_are_listed(practice: Practice) -> None:
    lived(practice)
    answered(of_another_insurer(practice), 50, stars=1)
    whose = insurer_of(practice)
    found = satisfaction.satisfaction(whose, DAYS)
    assert (found.stars, found.answered, found.asked) == ({1: 1, 2: 0, 3: 0, 4: 1, 5: 2}, 4, 7)
    assert found.mean == 3.75
    for stars, count in found.stars.items():
        shown = listed(satisfaction.listing(whose, DAYS, stars))
        assert [it.stars for it in shown] == [stars] * count
    everyone = listed(satisfaction.listing(whose, DAYS, None))
    assert [it.stars for it in everyone] == [5, 5, 4, 1, None, None, None]
    assert satisfaction.satisfaction(mine(practice), DAYS).answered == 5


def test_before_anybody_said_something_there_is_no_mean(practice: Practice) -> None:
    found = satisfaction.satisfaction(insurer_of(practice), DAYS)
    assert (found.asked, found.answered, found.mean) == (0, 0, None)


# --- hand-overs ------------------------------------------------------------------------------------------------------


def test_hand_overs_are_as_many_as_are_listed(practice: Practice) -> None:
    lived(practice)
    other = of_another_insurer(practice)
    _, conversation = asked(other)
    accept(other.clinician, conversation, now=after(1))
    hand_over(other.clinician, conversation, None, now=after(2))
    whose = insurer_of(practice)
    found = handovers.handovers(whose, DAYS)
    assert (found.all.number, found.all.to_queue, found.all.consultations) == (3, 1, 1)
    assert [(it.name, it.number) for it in found.by_department] == [("general", 3)]
    assert [(it.shown, it.number, it.to_queue) for it in found.by_clinician] == [("何医生", 2, 1), ("何医生", 1, 0)]
    groups = [("all", found.all), *(("department", it) for it in found.by_department)]
    groups += [("clinician", it) for it in found.by_clinician]
    for group, it in groups:
        assert len(listed(handovers.listing(whose, DAYS, group, it.name))) == it.number  # type: ignore[arg-type]
    newest, *_rest, oldest = listed(handovers.listing(whose, DAYS, "all", ""))
    assert (newest.giver, newest.taker, oldest.taker) == ("何医生", "何医生", "")
    assert newest.at > oldest.at
    assert handovers.handovers(mine(practice), DAYS).all.number == 4


def test_taking_what_waits_and_keeping_it_is_no_hand_over(practice: Practice) -> None:
    _, conversation = asked(practice)
    accept(practice.clinician, conversation, now=after(5))
    accept(practice.clinician, conversation, now=after(6))
    practice.answer(conversation, "多久了？", now=after(10))
    assert handovers.handovers(insurer_of(practice), DAYS).all.number == 0


@pytest.mark.parametrize("leave", [go_off, take_a_break])
def test_who_leaves_gives_back_whom_she_has_in_hand(practice: Practice, leave: Callable[..., int]) -> None:
    for _ in range(2):
        _booking, conversation = asked(practice)
        accept(practice.clinician, conversation, now=after(5))
    assert leave(practice.clinician, now=after(30)) == 2
    found = handovers.handovers(insurer_of(practice), DAYS)
    assert (found.all.number, found.all.to_queue, found.all.consultations) == (2, 2, 2)


def test_what_was_refused_is_no_hand_over(practice: Practice) -> None:
    """A colleague who has as many in hand as she takes."""
    full = make_clinician(practice.world, capacity=1)
    for clinician in (full, practice.clinician):
        _booking, conversation = asked(practice)
        accept(clinician, conversation, now=after(5))
    with pytest.raises(ClinicianNotFree):
        hand_over(practice.clinician, conversation, full.public_id, now=after(9))
    assert handovers.handovers(insurer_of(practice), DAYS).all.number == 0


def test_one_that_is_opened_again_was_not_handed_over(practice: Practice) -> None:
    conversation = answered(practice, 20)
    go_off(practice.clinician, now=after(200))
    reopen(practice.world.principal, conversation, now=after(300))
    assert handovers.handovers(insurer_of(practice), DAYS).all.number == 0
