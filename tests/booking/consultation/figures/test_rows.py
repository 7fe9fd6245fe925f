"""What a figure counts and what it doesn't, each with consultations of its own; test_lived.py has the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from booking.consultation.assigning.leaving import go_off, take_a_break
from booking.consultation.close import close, reopen
from booking.consultation.figures import handovers, rows, satisfaction, waiting
from booking.consultation.figures.scope import Whose
from booking.consultation.queue import ClinicianNotFree, accept, hand_over
from booking.consultation.summary import Summary
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from tests.booking.consultation.figures.asked import (
    DAYS,
    answered,
    asked,
    asked_in_test_mode,
    insurer_of,
    mine,
    of_another_insurer,
)
from tests.booking.consultation.figures.listed import listed
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.booking.pledges.rows import after

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=None)


def test_a_group_that_is_none_has_no_rows(practice: Practice) -> None:
    answered(practice, 20)
    assert listed(rows.answers(insurer_of(practice), DAYS, "hour", "'; DROP TABLE pledge", "all")) == []


# --- who waits -------------------------------------------------------------------------------------------------------


def test_an_age_begins_with_its_first_second(practice: Practice) -> None:
    asked(practice)
    for seconds, age in ((0, 0), (29.9, 0), (30, 1), (60, 2), (89, 2), (90, 3), (300, 4)):
        found = waiting.ages(insurer_of(practice), at=after(seconds))
        assert [number for number, count in enumerate(found) if count] == [age], seconds


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


def test_nobody_elses_waiting_is_counted(practice: Practice) -> None:
    asked(of_another_insurer(practice))
    asked_in_test_mode(practice)
    assert sum(waiting.ages(insurer_of(practice), at=after(10))) == 0
    assert sum(waiting.ages(mine(practice), at=after(10))) == 1
    assert sum(waiting.ages(Whose(None, practice.world.provider.id + 10_000), at=after(10))) == 0


# --- satisfaction ----------------------------------------------------------------------------------------------------


def test_before_anybody_said_something_there_is_no_mean(practice: Practice) -> None:
    found = satisfaction.satisfaction(insurer_of(practice), DAYS)
    assert (found.asked, found.answered, found.mean) == (0, 0, None)


# --- hand-overs ------------------------------------------------------------------------------------------------------


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
