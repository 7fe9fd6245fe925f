"""The nearest change of one wish that works."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from booking.escort.matching.against import Against
from booking.escort.matching.match import matched
from booking.escort.matching.people import Candidate, Request
from booking.escort.matching.relax import changes, other_starts
from tests.booking.escort.matching.workers import DAY, THERE, at, request, taken, worker

WISHED = {"sex": "male", "language": "cantonese"}
CANTONESE = frozenset({"mandarin", "cantonese"})
UNTIL_NOON = worker(sex="male", languages=CANTONESE, taken=[taken(at(9), at(12))])


def nearest(it: Request, *workers: Candidate) -> tuple[Any, ...] | None:
    """The wish, the start, and how many could go."""
    found = matched(it, workers)
    assert not found.fitting
    relaxation = found.relaxation
    if relaxation is None:
        return None
    again = matched(relaxation.request, workers)
    assert len(again.fitting) == relaxation.could, "it really works"
    return relaxation.wish, relaxation.request.starts_at, relaxation.could


def test_the_order_of_nearness_is_as_stated() -> None:
    order = [(each.wish, each.request.starts_at) for each in changes(request(**WISHED))]
    near = [("time", at(8, 30)), ("time", at(9, 30)), ("time", at(8)), ("time", at(10))]
    assert order[:8] == [*near, ("sex", at(9)), ("language", at(9)), ("time", at(7, 30)), ("time", at(10, 30))]
    assert [moment for _wish, moment in order[-2:]] == [at(19, 30), at(20)]
    assert min(moment for _wish, moment in order) == at(6)


def test_another_time_is_of_that_day_and_not_before_somebody_can_be_asked() -> None:
    starts = list(other_starts(request(earliest=at(8, 15))))
    assert starts[:3] == [at(8, 30), at(9, 30), at(10)]
    it = request(start=19, hours=2)
    late = list(other_starts(it))
    assert {it.starting(each).day for each in late} == {DAY}
    assert (min(late), max(late)) == (at(6), at(20))
    assert list(other_starts(request(earliest=at(9) + timedelta(days=1)))) == []


@pytest.mark.parametrize(
    ("workers", "found"),
    [
        ([worker(sex="male", languages=CANTONESE, taken=[taken(at(13), at(15))])], ("time", at(8, 30), 1)),
        ([worker(sex="male", languages=CANTONESE, absences=[(at(7), at(9, 30))])], ("time", at(9, 30), 1)),
        ([worker(languages=CANTONESE), worker(2, sex="male")], ("sex", at(9), 1)),
        ([worker(2, sex="male"), worker(3, sex="male"), worker(4)], ("language", at(9), 2)),
        # too far away in time: who comes gives way first, then what she speaks
        ([UNTIL_NOON, worker(2, languages=CANTONESE)], ("sex", at(9), 1)),
        ([UNTIL_NOON], ("time", at(12, 30), 1)),
        # the way from the other booking counts at the other time as well
        ([worker(sex="male", languages=CANTONESE, taken=[taken(at(9), at(12), THERE)])], ("time", at(13), 1)),
        # two wishes at once are not one change
        ([worker()], None),
        ([worker(sex="male", languages=CANTONESE, papers=False)], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_nearest_change_that_works(workers: list[Candidate], found: tuple[Any, ...] | None) -> None:
    assert nearest(request(**WISHED), *workers) == found


@pytest.mark.parametrize("said", ["declined", "silent", "replaced"])
def test_who_has_said_no_is_not_asked_for_another_time(said: str) -> None:
    assert nearest(request(**{said: frozenset({1})}), worker()) is None


def test_a_wish_is_dropped_and_the_others_are_kept() -> None:
    it = matched(request(**WISHED, silent=frozenset({7})), [worker(languages=CANTONESE)]).relaxation
    assert it is not None
    assert (it.request.sex, it.request.language, it.request.silent) == (None, "cantonese", frozenset({7}))
    assert it.request.ends_at - it.request.starts_at == timedelta(hours=4)


def test_what_is_missing_is_what_stands_against_whoever_is_closest() -> None:
    both = worker(1, taken=[taken(at(10), at(11))], duties=[])
    one = worker(2, papers=False)
    said = worker(3)
    it = request(declined=frozenset({3}))
    assert matched(it, [both]).missing == [Against.OFF_DUTY, Against.BUSY]
    assert matched(it, [both, one]).missing == [Against.PAPERS]
    assert matched(it, [both, one, said]).missing == [Against.DECLINED], "of equals the easiest"
    assert matched(it, [worker(4, city="宁波市")]).missing == [], "nobody is there"
