"""Verdicts from timelines: what a right system does passes, each mistake is named, and nothing is decided too soon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from booking.faults.kinds import OF_SYSTEMS, Kind
from booking.rehearsals.judge import (
    MOST_TRIES,
    PATIENCE,
    PATIENCE_WITH_SYSTEMS,
    QUIET,
    QUIET_AFTER_A_NO,
    REASONS,
    Case,
    Step,
    Verdict,
    judge,
    judge_system,
)
from marketplace import rehearsal_words
from tests.people import NOON

pytestmark = pytest.mark.quick

Line = tuple[str, dict[str, Any]]
BOOKED: Line = ("booked", {})
CANCELLED: Line = ("cancelled", {})
READ: Line = ("read", {"status": 200})
LOST: Line = ("answer_lost", {"answer": "confirm", "key": "a", "status": 200})


def answered(status: int = 200, key: str = "a", answer: str = "confirm") -> Line:
    """An answer of hers."""
    return "answered", {"answer": answer, "key": key, "status": status}


def told(what: str = "delivered", status: int | None = 204, kind: str = "booking.requested", **facts: Any) -> Line:
    """A webhook of ours."""
    return what, {"type": kind, "version": 2, "status": status, **facts}


def case(*lines: Line, after: timedelta = timedelta(), heard: bool = True) -> Case:
    """These lines a second apart, looked at so long after the last."""
    steps = [Step(NOON + timedelta(seconds=at), "", what, facts) for at, (what, facts) in enumerate((BOOKED, *lines))]
    return Case(steps, steps[-1].at + after, heard)


@pytest.mark.parametrize("kind", list(Kind))
def test_where_no_webhook_arrives_it_is_the_endpoint_that_is_named(kind: Kind) -> None:
    what = {Kind.OUT_OF_ORDER: "sent_ahead"}.get(kind, "delivered")
    assert judge(kind, case(told(what, None), after=PATIENCE)) == Verdict(False, "not_reached")
    assert judge(kind, case(told(what, 500), after=PATIENCE)) == Verdict(False, "not_taken")


RIGHT = [
    (Kind.LOST_ANSWER, [answered(), LOST, answered()], timedelta(), "repeated"),
    (Kind.LOST_ANSWER, [answered(), LOST, answered(503), answered()], timedelta(), "repeated"),
    (Kind.DUPLICATE, [told(copy=1), told(copy=2), answered()], QUIET, "answered_once"),
    (Kind.DUPLICATE, [told(copy=1), told(copy=2), answered(), answered()], QUIET, "answered_once"),
    (Kind.OUT_OF_ORDER, [CANCELLED, told("sent_ahead"), told()], QUIET, "older_ignored"),
    (Kind.CLOCK_SKEW, [told("sent_skewed", 400), told(), answered()], timedelta(), "skew_refused"),
    (Kind.GONE, [CANCELLED, answered(412)], QUIET_AFTER_A_NO, "accepted_the_end"),
    (Kind.GONE, [CANCELLED, answered(412), READ, answered(409)], QUIET_AFTER_A_NO, "accepted_the_end"),
    (Kind.LATE, [answered(), CANCELLED, told(kind="booking.cancelled")], QUIET, "accepted_the_end"),
]
WRONG = [
    (Kind.LOST_ANSWER, [], PATIENCE, "no_answer"),
    (Kind.LOST_ANSWER, [answered(), LOST], PATIENCE, "not_repeated"),
    (Kind.LOST_ANSWER, [answered(), LOST, answered(key="b")], timedelta(), "other_key"),
    (Kind.DUPLICATE, [told(copy=1), told(copy=2, status=409), answered()], timedelta(), "second_refused"),
    (Kind.DUPLICATE, [told(copy=1), told(copy=2), answered(), answered(key="b")], timedelta(), "answered_twice"),
    (Kind.DUPLICATE, [told(copy=1), told(copy=2)], PATIENCE, "no_answer"),
    (Kind.DUPLICATE, [told(copy=1, status=None)], PATIENCE, "not_reached"),
    (Kind.OUT_OF_ORDER, [CANCELLED, told("sent_ahead"), told(), answered(409)], timedelta(), "believed_older"),
    (Kind.OUT_OF_ORDER, [CANCELLED, told("sent_ahead"), told(status=400)], timedelta(), "older_refused"),
    (Kind.OUT_OF_ORDER, [CANCELLED, told("sent_ahead", 500), told()], PATIENCE, "not_taken"),
    (Kind.CLOCK_SKEW, [told("sent_skewed")], timedelta(), "skew_accepted"),
    (Kind.CLOCK_SKEW, [told("sent_skewed", 400), told(status=400)], PATIENCE, "not_taken"),
    (Kind.CLOCK_SKEW, [told("sent_skewed", 400), told()], PATIENCE, "no_answer"),
    (Kind.GONE, [], PATIENCE, "no_answer"),
    (Kind.GONE, [CANCELLED, *[answered(412)] * (MOST_TRIES + 1)], timedelta(), "retried_for_ever"),
    (Kind.LATE, [answered(), CANCELLED, answered(key="b")], timedelta(), "answered_twice"),
    (
        Kind.LATE,
        [answered(), CANCELLED, told(kind="booking.cancelled"), answered(409, "b", "check-in")],
        timedelta(),
        "believed_older",
    ),
    (Kind.LATE, [answered(), CANCELLED, told(kind="booking.cancelled", status=500)], PATIENCE, "not_taken"),
]


@pytest.mark.parametrize(("kind", "lines", "after", "reason"), RIGHT)
def test_right(kind: Kind, lines: list[Line], after: timedelta, reason: str) -> None:
    assert judge(kind, case(*lines, after=after)) == Verdict(True, reason)


@pytest.mark.parametrize(("kind", "lines", "after", "reason"), WRONG)
def test_wrong(kind: Kind, lines: list[Line], after: timedelta, reason: str) -> None:
    assert judge(kind, case(*lines, after=after)) == Verdict(False, reason)


@pytest.mark.parametrize(
    ("kind", "lines", "after", "reason"), [each for each in (*RIGHT, *WRONG) if each[2] > timedelta()]
)
def test_nothing_is_decided_before_it_was_quiet_for_long_enough(
    kind: Kind, lines: list[Line], after: timedelta, reason: str
) -> None:
    assert judge(kind, case(*lines, after=after - timedelta(milliseconds=1))) != Verdict(reason in _GOOD, reason)


_GOOD = {each[3] for each in RIGHT}


def test_who_looks_at_the_booking_all_the_time_is_judged_all_the_same() -> None:
    looks = [READ] * int(QUIET_AFTER_A_NO.total_seconds())
    assert judge(Kind.GONE, case(CANCELLED, answered(412), *looks)) == Verdict(True, "accepted_the_end")


def test_who_keeps_trying_what_does_not_count_is_not_waited_for_without_end() -> None:
    tries = [answered(500)] * (3 * int(PATIENCE.total_seconds()))
    assert judge(Kind.LOST_ANSWER, case(answered(), LOST, *tries[:-3])) is None
    assert judge(Kind.LOST_ANSWER, case(answered(), LOST, *tries)) == Verdict(False, "not_repeated")


def test_who_is_not_told_of_a_cancel_need_not_hear_of_it() -> None:
    late = [answered(), CANCELLED]
    assert judge(Kind.LATE, case(*late, after=QUIET, heard=False)) == Verdict(True, "accepted_the_end")
    assert judge(Kind.LATE, case(*late, after=QUIET)) is None


def test_a_system_is_right_if_the_booking_is_found_once_its_answer_was_lost() -> None:
    thrown = ("answer_lost", {})
    not_there, there = ("looked_up", {"found": False}), ("looked_up", {"found": True})
    assert judge_system(Kind.LOST_ANSWER, case(thrown, not_there)) is None
    assert judge_system(Kind.LOST_ANSWER, case(thrown, not_there, there)) == Verdict(True, "found")
    over = {"after": PATIENCE_WITH_SYSTEMS}
    assert judge_system(Kind.LOST_ANSWER, case(thrown, not_there, **over)) == Verdict(False, "not_found")  # type: ignore[arg-type]
    assert judge_system(Kind.LOST_ANSWER, case(**over)) == Verdict(False, "no_answer")  # type: ignore[arg-type]


def test_a_system_is_right_if_a_command_that_comes_twice_makes_one_booking() -> None:
    first, other = ("command_answered", {"answer": "1"}), ("command_answered", {"answer": "2"})
    assert judge_system(Kind.DUPLICATE, case(first)) is None
    assert judge_system(Kind.DUPLICATE, case(first, first)) == Verdict(True, "same_booking")
    assert judge_system(Kind.DUPLICATE, case(first, other)) == Verdict(False, "made_twice")


def test_every_kind_and_every_reason_has_its_words() -> None:
    assert set(rehearsal_words.FAULTS) == set(Kind) > set(OF_SYSTEMS)
    assert set(rehearsal_words.REASONS) == set(REASONS)
    assert {each[3] for each in (*RIGHT, *WRONG)} < set(REASONS)
