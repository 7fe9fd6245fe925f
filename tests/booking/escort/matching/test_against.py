"""What stands against sending somebody: each filter alone, their order, and the counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from booking.escort.matching.against import FILTERS, Against, reasons_against
from booking.escort.matching.match import matched
from booking.escort.matching.people import Candidate, Duty, Request
from booking.escort.matching.travel import Stop
from tests.booking.escort.matching.workers import DAY, EVERY_DAY, HERE, THERE, UNKNOWN, at, request, taken, worker

MORNING = Duty(EVERY_DAY, 8 * 60, 12 * 60, date(2026, 1, 1))
NIGHT_AND_DAY = Duty(EVERY_DAY, 0, 1440, date(2026, 1, 1))
UNTIL_ONE = Duty(EVERY_DAY, 9 * 60, 13 * 60, date(2026, 1, 1))
AFTERNOON = Duty(EVERY_DAY, 12 * 60, 18 * 60, date(2026, 1, 1))

ALONE: list[tuple[Against, dict[str, Any], dict[str, Any]]] = [
    (Against.OTHER_CITY, {"city": "宁波市"}, {}),
    (Against.OTHER_CITY, {"province": "江苏省"}, {}),
    (Against.NOT_YET, {"active_from": at(9, 1)}, {}),
    (Against.LEFT, {"ended_at": at(12, 59)}, {}),
    (Against.PAPERS, {"papers": False}, {}),
    (Against.OFF_DUTY, {"duties": []}, {}),
    (Against.OFF_DUTY, {"duties": [MORNING]}, {}),
    (Against.OFF_DUTY, {"duties": [MORNING, replace(AFTERNOON, start_minute=12 * 60 + 1)]}, {}),
    (Against.OFF_DUTY, {"duties": [replace(MORNING, weekdays=frozenset({1, 3})), AFTERNOON]}, {}),
    (Against.OFF_DUTY, {"duties": [MORNING, replace(AFTERNOON, valid_from=DAY + timedelta(days=1))]}, {}),
    (Against.OFF_DUTY, {"duties": [MORNING, replace(AFTERNOON, valid_until=DAY - timedelta(days=1))]}, {}),
    (Against.OFF_DUTY, {}, {"starts_at": at(18), "ends_at": at(1, day=DAY + timedelta(days=1))}),
    (Against.OFF_DUTY, {"duties": [UNTIL_ONE]}, {"ends_at": at(13) + timedelta(seconds=1)}),
    (Against.ABSENT, {"absences": [(at(12, 59), at(20))]}, {}),
    (Against.BUSY, {"taken": [taken(at(12, 59), at(15))]}, {}),
    (Against.BUSY, {"taken": [taken(at(7), at(19))]}, {}),
    (Against.TRAVEL, {"taken": [taken(at(6), at(8, 51))]}, {}),  # ten minutes at one place
    (Against.TRAVEL, {"taken": [taken(at(13, 9), at(15))]}, {}),
    (Against.TRAVEL, {"taken": [taken(at(6), at(8, 11), UNKNOWN)]}, {}),  # fifty of a very large city
    (Against.TRAVEL, {"taken": [taken(at(13, 50), at(15), THERE)]}, {}),
    (Against.LANGUAGE, {}, {"language": "cantonese"}),
    (Against.LANGUAGE, {"languages": frozenset({"cantonese"})}, {"language": "mandarin"}),
    (Against.SEX, {}, {"sex": "male"}),
    (Against.DECLINED, {}, {"declined": frozenset({1})}),
    (Against.DID_NOT_ANSWER, {}, {"silent": frozenset({1})}),
    (Against.REPLACED, {}, {"replaced": frozenset({1})}),
]
FITS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"active_from": at(9)}, {}),
    ({"ended_at": at(13)}, {}),
    ({"duties": [UNTIL_ONE]}, {}),
    ({"duties": [AFTERNOON, MORNING]}, {}),  # one after the other, in whatever order
    ({"duties": [replace(MORNING, valid_until=DAY), replace(AFTERNOON, valid_from=DAY)]}, {}),
    ({"duties": [NIGHT_AND_DAY]}, {"starts_at": at(22), "ends_at": at(2, day=DAY + timedelta(days=1))}),
    ({"absences": [(at(6), at(9)), (at(13), at(20))]}, {}),
    ({"taken": [taken(at(6), at(8, 50)), taken(at(13, 10), at(15))]}, {}),
    ({"taken": [taken(at(6), at(8, 10)), taken(at(14), at(15), THERE)]}, {}),
    ({"languages": frozenset({"mandarin", "cantonese"})}, {"language": "cantonese", "sex": "female"}),
    ({}, {"declined": frozenset({2}), "silent": frozenset({3}), "replaced": frozenset({4})}),
    ({"knows": frozenset(), "auto": False}, {"stop": Stop(999)}),  # knowing the place is points, asking is the caller's
]  # fmt: skip


def reason_against(her: Candidate, it: Request) -> Against | None:
    """The first that stands against her."""
    return next(reasons_against(her, it, FILTERS), None)


@pytest.mark.parametrize(("code", "facts", "asked"), ALONE)
def test_each_reason_alone_keeps_somebody_back(code: Against, facts: dict[str, Any], asked: dict[str, Any]) -> None:
    her, it = worker(**facts), request(**asked)
    assert reason_against(her, it) is code
    assert list(reasons_against(her, it, FILTERS)) == [code], "nothing else would have kept her back"


@pytest.mark.parametrize(("facts", "asked"), FITS)
def test_nothing_else_keeps_anybody_back(facts: dict[str, Any], asked: dict[str, Any]) -> None:
    assert reason_against(worker(**facts), request(**asked)) is None


def test_every_code_has_one_filter_and_a_worker_is_counted_at_the_first() -> None:
    assert [each.code for each in FILTERS] == list(Against)
    better: list[Callable[[Candidate, Request], tuple[Candidate, Request]]] = [
        lambda her, it: (replace(her, city="杭州市"), it),
        lambda her, it: (replace(her, active_from=at(0)), it),
        lambda her, it: (replace(her, ended_at=None), it),
        lambda her, it: (replace(her, papers=True), it),
        lambda her, it: (replace(her, duties=[MORNING, AFTERNOON]), it),
        lambda her, it: (replace(her, absences=[]), it),
        lambda her, it: (replace(her, taken=[taken(at(13), at(15), THERE)]), it),
        lambda her, it: (replace(her, taken=[]), it),
        lambda her, it: (her, replace(it, language=None)),
        lambda her, it: (her, replace(it, sex=None)),
        lambda her, it: (her, replace(it, declined=frozenset())),
        lambda her, it: (her, replace(it, silent=frozenset())),
        lambda her, it: (her, replace(it, replaced=frozenset())),
    ]
    her = worker(city="宁波市", active_from=at(10), ended_at=at(11), papers=False, duties=[],
                 absences=[(at(9), at(10))], taken=[taken(at(10), at(11))])  # fmt: skip
    hers = frozenset({1})
    it = request(language="hakka", sex="male", declined=hers, silent=hers, replaced=hers)
    for code, change in zip(Against, better, strict=True):
        assert reason_against(her, it) is code
        her, it = change(her, it)
    assert reason_against(her, it) is None


def test_counts_add_up_to_the_number_in_the_city() -> None:
    others = [worker(9, city="宁波市"), worker(10, province="江苏省")]
    busy = [worker(each, taken=[taken(at(10), at(11))]) for each in (3, 4)]
    match = matched(request(stop=HERE, declined=frozenset({2})), [worker(1), worker(2), *busy, *others])
    assert match.counts == {Against.BUSY: 2, Against.DECLINED: 1}
    assert (len(match.fitting), match.in_city, len(match.against)) == (1, 4, 5)
    assert match.relaxation is None, "nothing has to change where somebody fits"
