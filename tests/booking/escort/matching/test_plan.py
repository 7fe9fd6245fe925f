"""Many requests at once: nobody at two places, everybody answered, and every answer counted again by other code."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.escort.matching import plan as planning
from booking.escort.matching.against import FILTERS, Against
from booking.escort.matching.plan import Plan, plan, promised
from booking.escort.matching.score import Why, fit
from drill.dispatch.country import Country, Size, make_country
from drill.dispatch.optimum import BestByWindow, assignment
from drill.dispatch.recount import Recount
from tests.booking.escort.matching.workers import HERE, THERE, at, request, taken, worker

CANTONESE = frozenset({"mandarin", "cantonese"})
_COUNTRIES = st.builds(
    make_country,
    st.integers(0, 10**6),
    st.builds(Size, st.integers(1, 40), st.integers(1, 3), st.integers(1, 30), st.integers(1, 4)),
)


def differences(country: Country, made: Plan) -> list[str]:
    requests = {each.booking: each for each in country.requests}
    return [str(each) for each in Recount(country.candidates, requests).differences(made.sent, made.nobody)]


@settings(max_examples=150, deadline=None)
@given(_COUNTRIES)
def test_a_plan_is_what_it_says_and_changes_nothing(country: Country) -> None:
    before = deepcopy((country.requests, country.candidates))
    made = plan(country.requests, country.candidates)
    assert differences(country, made) == []
    assert (country.requests, country.candidates) == before
    mixed = list(country.requests), list(country.candidates)
    for each in mixed:
        random.Random(country.seed).shuffle(each)
    again = plan(*mixed)
    assert (again.sent.keys(), again.nobody.keys()) == (made.sent.keys(), made.nobody.keys())
    assert {booking: fit.worker.id for booking, fit in again.sent.items()} == {
        booking: fit.worker.id for booking, fit in made.sent.items()
    }, "the order in which they are given doesn't matter"


def test_a_thousand_requests_over_fifty_cities_are_answered_in_one_run() -> None:
    country = make_country(1, Size())
    made = plan(country.requests, country.candidates)
    assert differences(country, made) == []
    assert len(made.sent) + len(made.nobody) == 1000
    wishes = {each.relaxation.wish if each.relaxation else None for each in made.nobody.values()}
    assert wishes == {"time", "sex", "language", None}, "all of it was tried"
    seen = {code for each in made.nobody.values() for code in each.counts}
    assert seen == {*Against} - {Against.OTHER_CITY, Against.REPLACED}


@pytest.mark.parametrize(
    "blind", [frozenset({Against.BUSY, Against.TRAVEL}), frozenset({Against.TRAVEL}), frozenset({Against.LANGUAGE})]
)
def test_a_planner_that_does_not_look_is_found_out(blind: frozenset[Against]) -> None:
    country = make_country(1, Size(200, 5, 150))
    made = plan(country.requests, country.candidates, [each for each in FILTERS if each.code not in blind])
    assert any("can't be" in each for each in differences(country, made))


def test_whoever_can_have_the_fewest_chooses_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning.CityPlan, "assign_the_rest", lambda _self: None)
    speaks = worker(1, languages=CANTONESE, knows=frozenset({501}))
    made = plan([request(1), request(2, language="cantonese")], [speaks, worker(2)])
    assert {booking[-1]: fit.worker.id for booking, fit in made.sent.items()} == {"1": 2, "2": 1}


def test_one_step_at_the_end_moves_others_so_that_one_more_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The morning takes whom the afternoon needs: she knows the place, and somebody else could have gone."""
    here = frozenset({501})
    both, other = worker(1, languages=CANTONESE, knows=here, stars=500, ratings=100), worker(2)
    morning, noon = request(1, start=8), request(2, start=11, language="cantonese")
    made = plan([morning, noon], [both, other])
    assert {booking[-1]: fit.worker.id for booking, fit in made.sent.items()} == {"1": 2, "2": 1}
    monkeypatch.setattr(planning, "DEEPEST", 0)
    assert len(plan([morning, noon], [both, other]).sent) == 1


def test_points_are_those_beside_all_else_that_she_is_given() -> None:
    first, second = request(1, start=7, hours=2), request(2, start=10, hours=2)
    sent = plan([first, second], [worker(1)]).sent
    beside = worker(1).with_taken(promised(first))
    assert sent[second.booking] == replace(fit(beside, second), worker=sent[second.booking].worker)
    assert [each.why for each in sent[second.booking].why] == [Why.RATING, Why.LOAD, Why.TRAVEL]
    assert sum(each.points for each in sent[first.booking].why if each.why is Why.LOAD) == -8
    assert sent[second.booking].worker.taken == (promised(first),), "what she does besides"


def test_what_a_worker_had_before_is_never_taken_from_her() -> None:
    had = worker(1, taken=[taken(at(9), at(12))])
    made = plan([request(1)], [had])
    assert made.nobody["bkg_00000000000000000001"].counts == {Against.BUSY: 1}


def test_two_of_one_day_have_the_way_between_them() -> None:
    first, second = request(1, start=7, hours=2), request(2, start=10, hours=2, stop=THERE)
    made = plan([first, second], [worker(1)])
    assert len(made.sent) == 2, "58 minutes fit into an hour, not the other way round"
    close = request(3, start=9, hours=2, stop=HERE, starts_at=at(9, 57), ends_at=at(12))
    assert len(plan([request(1, start=7, hours=2, stop=THERE), close], [worker(1)]).sent) == 1


def test_nobody_is_sent_by_another_provider_or_to_another_city() -> None:
    made = plan([request(1)], [worker(1, provider_id=2), worker(2, city="宁波市")])
    assert not made.sent
    (match,) = made.nobody.values()
    assert (match.in_city, match.relaxation, match.missing) == (0, None, [])


@given(st.data())
def test_the_yardstick_is_the_best_there_is(data: st.DataObject) -> None:
    """Every way to give each row a column of its own costs as much at least."""
    rows = data.draw(st.integers(1, 4))
    columns = data.draw(st.integers(rows, 5))
    row_of = st.lists(st.integers(-9, 9), min_size=columns, max_size=columns)
    costs = data.draw(st.lists(row_of, min_size=rows, max_size=rows))
    chosen = assignment(costs)
    assert len(set(chosen)) == rows
    least = min(sum(costs[row][way[row]] for row in range(rows)) for way in permutations(range(columns), rows))
    assert sum(costs[row][chosen[row]] for row in range(rows)) == least


def test_one_by_one_serves_as_many_as_the_best_of_each_window() -> None:
    """Within half a percent: why no library does it (docs/decisions/0068)."""
    ours = best = 0
    for seed in range(4):
        country = make_country(seed, Size(300, 15, 300))
        ours += len(plan(country.requests, country.candidates).sent)
        for name in {each.city for each in country.requests}:
            here = [each for each in country.requests if each.city == name]
            city = BestByWindow(here, [each for each in country.candidates if each.city == name], FILTERS)
            city.give_out()
            city.assign_the_rest()
            best += len(city.sent())
    assert ours >= best * 0.995
