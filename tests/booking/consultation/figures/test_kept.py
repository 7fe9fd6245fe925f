"""What was promised and what was kept: shares and times, the same as a recount from messages, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from math import inf

import pytest
from sqlalchemy import update

from booking.consultation.figures.names import providers
from booking.consultation.figures.scope import Days, Whose, counting, days_between, last_days, of_member, of_operator
from booking.consultation.models import Conversation
from booking.consultation.pledge_figures import SHIFTS, By, PledgeFigures, all_figures
from booking.pledges.keep import keep_pledges
from booking.twins.open import open_test_mode
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.consultation.figures.asked import (
    DAYS,
    HOUR,
    answered,
    asked,
    asked_in_test_mode,
    insurer_of,
    mine,
    of_another_insurer,
)
from tests.booking.consultation.rooms import Practice, make_practice
from tests.booking.twins.stage import BY
from tests.desk import make_member, member
from tests.people import NOON, TODAY
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=None)


def figures(whose: Whose, by: By = "all", days: Days = DAYS) -> dict[str, PledgeFigures]:
    return {it.name: it for it in all_figures((by,), counting(whose, days))[by]}


def test_one_that_nobody_answered_is_longer_than_every_other(practice: Practice) -> None:
    for seconds in (10, 20, 30):
        answered(practice, seconds)
    asked(practice)
    asked(practice)
    keep_pledges(now=NOON + HOUR)
    it = figures(insurer_of(practice))[""]
    assert (it.unanswered, it.breached, it.p50, it.p90, it.p99, it.kept) == (2, 2, 30, inf, inf, 0.6)


def test_one_that_is_answered_late_has_its_real_time(practice: Practice) -> None:
    answered(practice, 200)
    it = figures(insurer_of(practice))[""]
    assert (it.breached, it.unanswered, it.p50) == (1, 0, 200)


def test_words_before_the_question_answer_nothing(practice: Practice) -> None:
    opened = practice.open()
    practice.answer(opened.conversation, "您好，请说", now=NOON)
    practice.ask(opened.conversation, "嗓子疼", now=NOON + timedelta(seconds=30))
    keep_pledges(now=NOON + HOUR)
    assert figures(insurer_of(practice))[""].unanswered == 1
    practice.answer(opened.conversation, "多久了？", now=NOON + timedelta(seconds=230))
    assert figures(insurer_of(practice))[""].p50 == 200


def test_day_hour_and_shift_are_those_of_home(practice: Practice) -> None:
    """Noon is 12:00 in Shanghai; fifteen hours later it is three at night, and the next day."""
    answered(practice, 20)
    answered(practice, 40, at=NOON + 15 * HOUR)
    whose = insurer_of(practice)
    assert set(figures(whose, "hour")) == {"12", "03"}
    assert set(figures(whose, "shift")) == {"day", "night"}
    assert set(figures(whose, "day")) == {str(TODAY), str(TODAY + timedelta(days=1))}
    assert set(figures(whose, "day", Days(TODAY, TODAY))) == {str(TODAY)}


def test_each_hour_is_of_one_shift() -> None:
    hours = [hour for first, until in SHIFTS.values() for hour in range(first, until)]
    assert hours == list(range(24))


@pytest.mark.parametrize("by", ["all", "day", "hour", "shift", "department", "provider"])
def test_another_insurers_questions_are_not_counted(practice: Practice, by: By) -> None:
    answered(practice, 20)
    other = of_another_insurer(practice)
    answered(other, 80)
    for each in (practice, other):
        assert sum(it.ended for it in figures(insurer_of(each), by).values()) == 1
    assert sum(it.ended for it in figures(mine(practice), by).values()) == 2, "its provider answered both"


@pytest.mark.parametrize("by", ["all", "provider"])
def test_questions_of_test_mode_are_not_counted(practice: Practice, by: By) -> None:
    answered(practice, 20)
    twin = asked_in_test_mode(practice)
    for whose in (insurer_of(practice), mine(practice), Whose(None, None)):
        assert [it.ended for it in figures(whose, by).values()] == [1]
    assert [it.ended for it in figures(Whose(None, twin), by).values()] == [1], "it was asked"


def test_another_providers_questions_are_not_counted(practice: Practice) -> None:
    answered(practice, 20)
    other = make_practice(quantity=None, phone="13800000078")
    answered(other, 30)
    assert list(figures(mine(practice), "provider")) == [practice.world.provider.code]
    assert figures(insurer_of(practice))[""].ended == 2
    assert set(providers(insurer_of(practice))) >= {practice.world.provider.code, other.world.provider.code}
    assert set(providers(mine(practice))) == {practice.world.provider.code}


def test_without_any_there_are_zeros_and_no_times(practice: Practice) -> None:
    it = figures(insurer_of(practice))[""]
    assert (it.ended, it.kept, it.p50, it.p99) == (0, None, None, None)
    assert figures(insurer_of(practice), "hour") == {}


def test_an_operator_sees_her_insurer_and_a_manager_her_provider(practice: Practice) -> None:
    world = practice.world
    admin = Principal("operator", 1, "opr_1", world.principal.insurer_id, 1, "Asia/Shanghai", "admin")
    assert of_operator(admin) == insurer_of(practice)
    assert of_operator(admin, world.provider.code) == Whose(admin.insurer_id, world.provider.id)
    manager = member(make_member(world.provider.code))
    assert of_member(manager) == mine(practice)
    agent = Principal("operator", 1, "opr_1", world.principal.insurer_id, 1, "Asia/Shanghai", "agent")
    front = member(make_member(world.provider.code, "front_desk"))
    for refused in (
        lambda: of_operator(agent),
        lambda: of_operator(world.principal),
        lambda: of_operator(admin, "nowhere"),
        lambda: of_member(front),
        lambda: of_member(practice.clinician),
    ):
        with pytest.raises(NotFound):
            refused()


def test_an_operator_cannot_name_a_test_provider(practice: Practice) -> None:
    twin = open_test_mode(practice.world.provider.id, BY, NOON)
    admin = Principal("operator", 1, "opr_1", practice.world.principal.insurer_id, 1, "Asia/Shanghai", "admin")
    with pytest.raises(NotFound):
        of_operator(admin, twin.code)


def test_days_are_counted_at_home_with_today() -> None:
    assert last_days(1, now=NOON) == Days(TODAY, TODAY)
    assert last_days(7, now=NOON + 14 * HOUR) == Days(TODAY - timedelta(days=5), TODAY + timedelta(days=1))
    assert days_between("2026-03-01", "2026-03-02").number == 2


@pytest.mark.parametrize(
    ("first", "last", "field", "reason"),
    [
        ("", "2026-03-02", "from", "required"),
        ("2026-03-02", "", "to", "required"),
        ("yesterday", "2026-03-02", "from", "date"),
        ("2026-03-02", "2026-02-30", "to", "date"),
        ("2026-03-02", "9999-12-31", "to", "date"),
        ("0001-01-01", "2026-03-02", "from", "date"),
        ("2026-03-02", "2026-03-01", "to", "before_from"),
        ("2026-01-01", "2026-04-03", "to", "range_too_long"),
    ],
)
def test_days_that_are_none_are_refused_by_field(first: str, last: str, field: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        days_between(first, last)
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)


def test_a_conversation_without_a_pledge_counts_nowhere(practice: Practice) -> None:
    opened = practice.open()
    with transaction() as session:
        session.execute(
            update(Conversation).where(Conversation.public_id == opened.conversation).values(first_message_at=NOON)
        )
    assert figures(insurer_of(practice))[""].open == 0
