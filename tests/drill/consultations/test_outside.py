"""What two systems have said to each other, compared from both sides: each difference is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from drill.consultations.outside import SOON, is_answer_to_what_crossed, reached
from drill.consultations.recount import recount
from drill.consultations.rows import Case, Line, Stored
from drill.judge.books import Difference
from tests.people import NOON


def line(seq: int, author: str = "customer", at: datetime = NOON) -> Line:
    return Line(seq, f"msg_{seq}", f"client-{seq}", author, "text", at, None)


def case(**changes: Any) -> Case:
    """One in which she said two things and was answered twice, all of it delivered; no pledge is given."""
    values: dict[str, Any] = {
        "conversation": "cnv_1",
        "booking": "bkg_1",
        "provider": "anxin",
        "outside": True,
        "closed": False,
        "their_seq": 2,
        "is_twin": False,
        "insurer": "demo",
        "department": "general",
        "kind": "online_consultation",
        "customer": 1,
        "erased": False,
        "entitlement": 1,
        "quantity": 3,
        "last_seq": 4,
        "first_message_at": NOON,
        "first_answer_at": NOON,
        "flagged_at": None,
        "lines": [line(1), line(2), line(3, "clinician"), line(4, "clinician")],
        "their_lines": [1, 2],
        "deliveries": {"msg_1": "delivered", "msg_2": "delivered"},
    }
    return Case(**{**values, **changes})


def theirs(**changes: Any) -> dict[str, Any]:
    """The same as the provider has it."""
    return {
        "our_reference": "bkg_1",
        "heard": [{"id": "msg_1", "seq": 1}, {"id": "msg_2", "seq": 2}],
        "said": [{"seq": 1, "sent_at": NOON.isoformat()}, {"seq": 2, "sent_at": NOON.isoformat()}],
        **changes,
    }


def found(ours: Case, books: list[dict[str, Any]], now: datetime = NOON + 2 * SOON) -> list[str]:
    return [each.kind for each in reached(Stored(now, False, [ours], []), books)]


def test_two_sides_that_agree_differ_in_nothing() -> None:
    assert found(case(), [theirs()]) == []
    assert found(case(outside=False), []) == [], "what our own clinicians answer is not there"


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [{"id": "msg_1", "seq": 1}],
        [{"id": "msg_2", "seq": 2}, {"id": "msg_1", "seq": 1}],
        [{"id": "msg_1", "seq": 1}, {"id": "msg_1", "seq": 1}, {"id": "msg_2", "seq": 2}],
        [{"id": "msg_1", "seq": 1}, {"id": "msg_2", "seq": 3}],
    ],
)
def test_what_is_lost_doubled_or_reordered_on_its_way_there_is_found(heard: list[dict[str, Any]]) -> None:
    assert found(case(), [theirs(heard=heard)]) == ["the provider heard otherwise"]


def test_what_was_said_a_moment_ago_may_still_be_on_its_way_and_what_was_refused_is_not_there() -> None:
    heard = [{"id": "msg_1", "seq": 1}]
    queued = case(deliveries={"msg_1": "delivered", "msg_2": "queued"})
    assert found(queued, [theirs(heard=heard)], NOON + SOON / 2) == []
    assert found(queued, [theirs(heard=heard)]) == ["the provider heard otherwise"]
    assert found(case(deliveries={"msg_1": "delivered", "msg_2": "refused"}), [theirs(heard=heard)]) == []


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1], [1, 3]])
def test_lines_that_stand_here_otherwise_are_found(numbers: list[int]) -> None:
    assert found(case(their_lines=numbers), [theirs()]) == ["the provider's lines stand here otherwise"]


def test_a_line_that_has_not_come_is_missing_after_a_while_unless_it_is_over_here() -> None:
    said = [*theirs()["said"], {"seq": 3, "sent_at": (NOON + timedelta(seconds=1)).isoformat()}]
    assert found(case(), [theirs(said=said)]) == ["a line of the provider is missing here"]
    assert found(case(), [theirs(said=said)], NOON + SOON / 2) == []
    assert found(case(closed=True), [theirs(said=said)]) == []


def test_a_consultation_there_that_nobody_here_began_is_found() -> None:
    assert found(case(), [theirs(), theirs(our_reference="bkg_2")]) == ["a consultation there that is not ours"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"their_lines": [1, 3]}, "a provider's lines are not here in its order"),
        ({"their_lines": [2, 1]}, "a provider's lines are not here in its order"),
        ({"their_seq": 3}, "a provider's lines are not here in its order"),
        ({"deliveries": {"msg_1": "delivered"}}, "what a customer said is not on its way once"),
    ],
)
def test_the_recount_finds_what_our_own_rows_tell(changes: dict[str, Any], kind: str) -> None:
    assert kind not in {each.kind for each in recount(Stored(NOON, False, [case()], []))}
    assert kind in {each.kind for each in recount(Stored(NOON, False, [case(**changes)], []))}


@pytest.mark.parametrize(
    ("heard_after", "subject", "kind", "expected"),
    [
        (timedelta(seconds=1), "bkg_1:2", "line_after_end", True),
        (timedelta(seconds=-1), "bkg_1:2", "line_after_end", False),  # nothing crossed: she wrote by herself
        (timedelta(seconds=1), "bkg_1:1", "line_after_end", False),  # what came before her summary
        (timedelta(seconds=1), "bkg_2:2", "line_after_end", False),
        (timedelta(seconds=1), "bkg_1:2", "line_differs", False),
    ],
)
def test_a_line_after_the_end_is_as_it_should_be_where_words_had_crossed_it(
    heard_after: timedelta, subject: str, kind: str, expected: bool
) -> None:
    book = theirs(
        heard=[{"id": "msg_1", "seq": 1, "at": (NOON + heard_after).isoformat()}],
        said=[
            {"seq": 1, "kind": "summary", "sent_at": NOON.isoformat()},
            {"seq": 2, "kind": "text", "sent_at": (NOON + 2 * SOON).isoformat()},
        ],
    )
    unsettled = Difference("a difference nobody has settled", subject, {"kind": kind, "facts": {}})
    assert is_answer_to_what_crossed(unsettled, [book]) is expected
