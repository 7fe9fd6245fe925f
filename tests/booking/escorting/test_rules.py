"""What is read, judged and said of deeds: no database, many cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from booking.escort.evidence.contents import Contents, Cost
from booking.escort.evidence.doubt import TOLERANCE, doubt
from booking.escort.evidence.kinds import KINDS, STEPS
from booking.escort.evidence.position import NEAR_METRES, POOREST_METRES, Measured, judged
from booking.escort.evidence.said import said_by
from booking.escort.evidence.told import MOST_POINTS, read
from booking.states import LEGAL, BookingState
from marketplace.core.errors import Invalid
from tests.booking.escorting.stage import deed

_S = BookingState


def _told(kind: str = "registered", **more: Any) -> dict[str, Any]:
    return deed(kind, 1, **more)


WRONG: list[tuple[Any, bytes | None, str, str]] = [
    ("met", None, "deeds", "object"),
    ({}, None, "kind", "required"),
    (_told("flown"), None, "kind", "choice"),
    (_told(key="x"), None, "key", "format"),
    (_told(key=7), None, "key", "format"),
    (_told() | {"number": 0}, None, "number", "out_of_range"),
    (_told() | {"number": True}, None, "number", "integer"),
    (_told() | {"number": "1"}, None, "number", "integer"),
    (_told(at="yesterday"), None, "at", "format"),
    (_told(at="2026-03-10T08:00:00"), None, "at", "format"),
    (_told(at="0001-01-01T00:00:00+14:00"), None, "at", "format"),
    (_told(words=7), None, "words", "string"),
    (_told(words="x" * 1_001), None, "words", "too_long"),
    (_told(words="\0"), None, "words", "bad_characters"),
    (_told("note"), None, "words", "required"),
    (_told("note", words=" \u200b"), None, "words", "required"),
    (_told("handed_over"), None, "words", "required"),
    (_told("paper"), None, "picture", "required"),
    (_told("note", words="x"), b"x", "picture", "unknown_field"),
    (_told(latitude=30.2), None, "deeds", "unknown_field"),
    (_told(code="4711"), None, "code", "unknown_field"),
    (_told(distance_m=3, accuracy_m=3), None, "distance_m", "unknown_field"),
    (_told("arrived", distance_m=-1), None, "distance_m", "out_of_range"),
    (_told("arrived", distance_m=1.5), None, "distance_m", "integer"),
    (_told("arrived", accuracy_m="5"), None, "accuracy_m", "integer"),
    (_told("arrived", code="471"), None, "code", "format"),
    (_told("arrived", code=4711), None, "code", "format"),
    (_told("cost", what="x", currency="CNY"), None, "amount_minor", "required"),
    (_told("cost", what="x", currency="CNY", amount_minor=0), None, "amount_minor", "out_of_range"),
    (_told("cost", what="x", currency="yuan", amount_minor=5), None, "currency", "format"),
    (_told("cost", what="", currency="CNY", amount_minor=5), None, "what", "required"),
    (_told("signed"), None, "strokes", "required"),
    (_told("signed", strokes=[]), None, "strokes", "required"),
    (_told("signed", strokes=[[1, 2, 3]]), None, "strokes", "format"),
    (_told("signed", strokes=[[1, 2]]), None, "strokes", "length"),
    (_told("signed", strokes=[[0, 0, 1001, 0]]), None, "strokes", "format"),
    (_told("signed", strokes=[[0, 0, 0, 401]]), None, "strokes", "format"),
    (_told("signed", strokes=[[0, 0, True, 0]]), None, "strokes", "format"),
    (_told("signed", strokes=[[0] * (2 * MOST_POINTS + 2)]), None, "strokes", "length"),
]


@pytest.mark.parametrize(("given", "picture", "field", "reason"), WRONG)
def test_what_is_wrong_with_a_deed_is_said_by_its_field(
    given: Any, picture: bytes | None, field: str, reason: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(given, picture)
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)


def test_what_is_told_is_read_as_it_was_told() -> None:
    arrived = read(_told("arrived", distance_m=120, accuracy_m=20, words=" 门诊楼 "), None)
    assert (arrived.measured, arrived.contents.words) == (Measured(120, 20), "门诊楼")
    assert arrived.at == datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    assert read(_told("arrived"), None).measured == Measured(None, None), "looked for, and not found"
    assert read(_told("arrived", code="4711"), None).measured is None
    assert read(_told("met"), None).measured is None
    cost = read(_told("cost", amount_minor=1250, currency="CNY", what="停车"), b"receipt")
    assert cost.contents.cost == Cost(1250, "CNY", "停车")
    assert len(cost.contents.picture) == 64
    assert read(_told("signed", strokes=[[0, 0, 1000, 400]]), None).contents == Contents(strokes=((0, 0, 1000, 400),))
    for kind in STEPS:
        assert read(_told(kind), None).kind == kind


def test_a_position_proves_what_it_can() -> None:
    near, poor = NEAR_METRES, POOREST_METRES
    cases = [
        (Measured(0, 0), True, "within"),
        (Measured(near, poor), True, "within"),
        (Measured(near + 1, poor), True, "away"),
        (Measured(near, poor + 1), True, "not_checkable"),
        (Measured(0, 5), False, "not_checkable"),
        (Measured(None, 5), True, "not_checkable"),
        (Measured(None, None), True, "not_checkable"),
    ]
    for measured, has_coordinates, verdict in cases:
        assert judged(measured, has_coordinates=has_coordinates) == verdict, measured
    assert near == 300


def test_a_time_that_cannot_be_true_is_marked_and_why() -> None:
    noon = datetime(2026, 3, 10, 4, tzinfo=UTC)
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    cases = [
        (noon, None, None),
        (noon + hour + TOLERANCE, None, None),
        (noon + hour + TOLERANCE + second, None, "ahead"),
        (noon - hour - TOLERANCE, None, None),
        (noon - hour - TOLERANCE - second, None, "before"),
        (noon + TOLERANCE, noon, None),
        (noon + TOLERANCE + second, noon, "after"),
    ]
    for at, given_up_at, why in cases:
        told = doubt(at, received_at=noon + hour, accepted_at=noon - hour, given_up_at=given_up_at)
        assert told == why, at


def test_deeds_move_a_visit_forwards_and_never_back() -> None:
    ending = {"handed_over", "signed"}
    not_by_her_alone = {_S.CONFIRMED: "in_service", _S.CHECKED_IN: "in_service", _S.NO_SHOW: "checked_in"}
    cases: list[tuple[set[str], dict[BookingState, str]]] = [
        ({"on_the_way", "arrived", "note", "paper", "cost"}, {}),
        ({"met"}, {_S.CONFIRMED: "checked_in", _S.NO_SHOW: "checked_in"}),
        ({"registered"}, {_S.CONFIRMED: "in_service", _S.CHECKED_IN: "in_service", _S.NO_SHOW: "checked_in"}),
        ({"met", "handed_over"}, {_S.CONFIRMED: "checked_in", _S.NO_SHOW: "checked_in"}),
        ({"signed"}, {}),
        (ending, not_by_her_alone),
        (set(KINDS), not_by_her_alone),
    ]
    by_code = [
        (each, dict.fromkeys((_S.CONFIRMED, _S.CHECKED_IN, _S.IN_SERVICE, _S.NO_SHOW), "fulfilled"))
        for each in (ending, set(KINDS))
    ]
    for given, each in ((False, cases), (True, cases[:-2] + by_code)):
        for kinds, moves in each:
            for state in BookingState:
                said = said_by(kinds, state, by_code=given)
                assert said == moves.get(state), (kinds, state)
                assert said is None or BookingState(said) in LEGAL[state]
    assert said_by(set(KINDS), _S.FULFILLED, by_code=True) is None, "a step that comes late opens nothing again"
