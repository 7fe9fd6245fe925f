"""What speaks for sending somebody, and in which order they are asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from booking.escort.matching.match import matched
from booking.escort.matching.score import Why, fit
from booking.escort.matching.travel import Stop
from marketplace.core.sphere import Position
from tests.booking.escort.matching.workers import DAY, HERE, THERE, UNKNOWN, at, request, taken, worker

HOME = Stop(None, HERE.position)  # next door: fifteen minutes
FAR = Stop(None, Position(31.25, 120.16))
PLAIN = {"home": HOME}


@pytest.mark.parametrize(
    ("facts", "asked", "points"),
    [
        ({}, {}, {}),
        ({"knows": frozenset({501})}, {}, {Why.KNOWS: 30}),
        ({"knows": frozenset({502})}, {}, {}),
        ({"languages": frozenset({"mandarin", "cantonese"})}, {}, {Why.LANGUAGES: -4}),
        ({"languages": frozenset({"mandarin", "cantonese"})}, {"language": "cantonese"}, {}),
        ({"languages": frozenset({"mandarin", "cantonese", "hakka", "hokkien", "english"})}, {}, {Why.LANGUAGES: -12}),
        ({"stars": 100, "ratings": 20}, {}, {Why.RATING: 4}),  # 4.8 with the first five, against 4
        ({"stars": 1, "ratings": 1}, {}, {Why.RATING: -3}),
        ({"taken": [taken(at(6), at(8), HERE)]}, {}, {Why.LOAD: -8, Why.TRAVEL: 1}),  # she is there already
        ({"taken": [taken(at(14), at(16), THERE)]}, {}, {Why.LOAD: -8}),
        ({"taken": [taken(at(6, day=DAY + timedelta(days=1)), at(8, day=DAY + timedelta(days=1)))]}, {}, {}),
        ({"taken": [taken(at(6, day=DAY - timedelta(days=1)), at(8, day=DAY - timedelta(days=1)), THERE)]}, {}, {}),
        ({"taken": [taken(at(6), at(7)), taken(at(7, 30), at(8), THERE)]}, {}, {Why.LOAD: -16, Why.TRAVEL: -8}),
        ({"home": Stop()}, {}, {Why.TRAVEL: -7}),  # fifty minutes as stated for the city, against fifteen
        ({}, {"stop": UNKNOWN}, {Why.TRAVEL: -7}),
        ({"home": FAR}, {}, {Why.TRAVEL: -21}),  # 24 at most
    ],
)
def test_points_are_as_stated(facts: dict[str, Any], asked: dict[str, Any], points: dict[Why, int]) -> None:
    """Beside a worker of no merits next door: four stars by default, three times five points, and three for the way."""
    base = {Why.RATING: 15, Why.TRAVEL: -3}
    found = fit(worker(**{**PLAIN, **facts}), request(**asked))
    expected = {why: base.get(why, 0) + points.get(why, 0) for why in Why}
    assert {each.why: each.points for each in found.why} == {why: it for why, it in expected.items() if it}
    assert found.score == sum(expected.values())


def test_the_best_is_first_and_equals_go_by_their_ids() -> None:
    plain, knows, equal = worker(3), worker(2, knows=frozenset({501})), worker(1)
    for order in ([plain, knows, equal], [equal, plain, knows]):
        assert [each.worker.id for each in matched(request(), order).fitting] == [2, 1, 3]
    assert fit(plain, request()).travel_seconds == 3000
