"""Two days of a practice, made once: each figure leads to the very rows that it counts, and is that of a recount."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import inf
from typing import get_args

import pytest

from booking.consultation.figures import handovers, rows, satisfaction, waiting
from booking.consultation.figures.rows import PARTS, Part, counted
from booking.consultation.figures.scope import Whose, counting
from booking.consultation.pledge_figures import By, PledgeFigures, all_figures
from booking.consultation.queue import accept, hand_over
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
    recounted,
)
from tests.booking.consultation.figures.listed import listed
from tests.booking.consultation.rooms import Practice, make_practice
from tests.booking.pledges.rows import after
from tests.people import NOON

pytestmark = pytest.mark.every_postgres


@pytest.fixture(scope="module")
def practice(module_db: object) -> Practice:
    """What `lived` says, and what may not be counted beside it: another insurer's of every kind, and test mode's."""
    made = make_practice(quantity=None)
    lived(made)
    other = of_another_insurer(made)
    answered(other, 50, stars=1)
    answered(other, 50, at=NOW - timedelta(seconds=40))
    _, conversation = asked(other)
    accept(other.clinician, conversation, now=after(1))
    hand_over(other.clinician, conversation, None, now=after(2))
    asked_in_test_mode(made)
    return made


def test_the_figures_are_those_of_a_recount_from_raw_messages(practice: Practice) -> None:
    insurer, provider = practice.world.principal.insurer_id, practice.world.provider.id
    whose = counting(insurer_of(practice), DAYS)
    for department in ("", "general", "dermatology"):
        by: By = "department" if department else "all"
        [it] = [each for each in all_figures((by,), whose)[by] if each.name == department]
        again = recounted(provider, insurer, now=NOW, department=department)
        assert (it.open, it.met, it.ended, it.cancelled) == (
            again.running,
            again.met,
            len(again.seconds),
            again.cancelled,
        )
        assert (it.p50, it.p90, it.p99) == tuple(again.percentile(part) for part in (0.5, 0.9, 0.99))
    assert again.met == 1 and len(again.seconds) == 3, "there was something to count"


def test_what_runs_and_what_was_given_up_stand_apart(practice: Practice) -> None:
    [it] = all_figures(("all",), counting(insurer_of(practice), DAYS))["all"]
    assert (it.open, it.cancelled, it.ended) == (2, 1, 8)


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
    found = listed(rows.answers(insurer_of(practice), DAYS, "all", "", "ended"))
    times = [it.seconds for it in found]
    assert times[0] == inf and times == sorted(times, key=lambda it: -(it or 0))
    assert (found[1].seconds, found[1].state, found[1].department) == (300, "breached", "dermatology")
    assert found[1].at == NOON + 9 * HOUR and found[1].reference.startswith("AX")


@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor([1, 2]), encode_cursor(["x", 2]), encode_cursor(["nan", 2]), encode_cursor(["1"])]
)
def test_a_cursor_of_something_else_is_refused(practice: Practice, cursor: str) -> None:
    with pytest.raises(Invalid):
        counted(rows.answers(insurer_of(practice), DAYS, "all", "", "all"), cursor=cursor, limit=3)


def test_who_waits_by_how_long_is_as_many_as_are_listed(practice: Practice) -> None:
    whose = insurer_of(practice)
    found = waiting.ages(whose, at=NOW)
    assert list(found) == [1, 0, 1, 0, 1], "10 and 70 seconds, and the one whom nobody ever answered"
    for age, count in enumerate(found):
        assert len(listed(waiting.listing(whose, age, at=NOW))) == count
    shown = listed(waiting.listing(whose, None, at=NOW))
    assert [(it.seconds, it.state) for it in shown] == [(4 * 3600, "breached"), (70, "at_risk"), (10, "pending")]


def test_who_gave_up_waits_no_more(practice: Practice) -> None:
    at = NOON + HOUR + timedelta(seconds=5)
    assert sum(waiting.ages(insurer_of(practice), at=at)) == 1
    assert sum(waiting.ages(insurer_of(practice), at=at + timedelta(seconds=10))) == 0


def test_stars_and_how_many_answered_are_as_many_as_are_listed(practice: Practice) -> None:
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


def test_hand_overs_are_as_many_as_are_listed(practice: Practice) -> None:
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
