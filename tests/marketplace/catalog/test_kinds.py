"""Benefit kinds: found by themselves, their schemas, and who may have a health check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from marketplace.catalog.benefit_kind import NotEligible, age_on
from marketplace.catalog.kinds import kind, kinds
from marketplace.core.errors import Invalid, NotFound
from marketplace.demo.offers import demo_packages

pytestmark = pytest.mark.quick

PACKAGE = {
    "items": [{"code": "ecg", "name_zh": "心电图", "name_en": "ECG"}],
    "sex": "female",
    "age_min": 18,
    "age_max": 70,
}


def test_the_health_check_is_found_and_has_its_traits() -> None:
    found = kinds()["health_check"]
    assert (found.name.zh, found.traits.supply, found.traits.report) == ("体检", "slot", True)


@pytest.mark.parametrize("code", ["", "Health_Check", "os", "\0", "\ud800", "x" * 1_000_000])
def test_an_unknown_kind_is_not_found(code: str) -> None:
    with pytest.raises(NotFound) as refused:
        kind(code)
    assert refused.value.at == "benefit"


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        (date(1954, 3, 2), date(2026, 3, 1), 71),
        (date(1954, 3, 2), date(2026, 3, 2), 72),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 3, 2), date(2026, 3, 2), 0),
        (date(2026, 3, 3), date(2026, 3, 2), -1),
    ],
)
def test_age_is_completed_years_at_the_service_date(birth: date, on: date, age: int) -> None:
    assert age_on(birth, on) == age


def test_somebody_too_old_at_the_service_date_is_refused_with_the_facts() -> None:
    born = date(1955, 3, 2)
    check = kind("health_check").check_eligible
    check(PACKAGE, "female", born, date(2026, 3, 1))
    with pytest.raises(NotEligible) as refused:
        check(PACKAGE, "female", born, date(2026, 3, 2))
    assert refused.value.facts == {"reason": "age", "min_age": 18, "max_age": 70, "age": 71}
    assert refused.value.at == "beneficiary_id"


def test_both_ages_of_the_rule_are_included() -> None:
    check = kind("health_check").check_eligible
    for born in (date(2008, 3, 2), date(1955, 3, 3)):
        check(PACKAGE, "female", born, date(2026, 3, 2))
    with pytest.raises(NotEligible):
        check(PACKAGE, "female", date(2008, 3, 3), date(2026, 3, 2))


def test_a_package_for_women_refuses_a_man_with_the_facts() -> None:
    with pytest.raises(NotEligible) as refused:
        kind("health_check").check_eligible(PACKAGE, "male", date(1980, 1, 1), date(2026, 3, 2))
    assert refused.value.facts == {"reason": "sex", "sex": "female"}


def test_a_package_without_rules_takes_everybody_already_born() -> None:
    check = kind("health_check").check_eligible
    check({"sex": "any", "items": []}, "male", date(2026, 3, 2), date(2026, 3, 2))
    with pytest.raises(NotEligible):
        check({"sex": "any", "items": []}, "male", date(2026, 3, 3), date(2026, 3, 2))


@pytest.mark.parametrize("details", [{}, {"note": "请准备温水", "wheelchair": True}, {"note": "字" * 200}])
def test_good_answers_are_taken(details: dict[str, Any]) -> None:
    kind("health_check").check_details(details)
    assert details is not None


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ([], "details"),
        (None, "details"),
        ("x", "details"),
        ({"note": "字" * 201}, "details.note"),
        ({"note": 5}, "details.note"),
        ({"note": "a\0"}, "details.note"),
        ({"note": "\ud800"}, "details.note"),
        ({"\ud800": "x"}, "details"),
        ({"wheelchair": "yes"}, "details.wheelchair"),
        ({"wheelchair": 1}, "details.wheelchair"),
        ({"colour": "red"}, "details.colour"),
        ({"note": [[[[[[[[[["x"]]]]]]]]]]}, "details.note"),
    ],
)
def test_bad_answers_are_refused_by_the_name_of_the_field(details: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        kind("health_check").check_details(details)
    assert refused.value.at == field


def test_a_package_without_items_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        kind("health_check").check_package({"sex": "any"})
    assert refused.value.at == "package.items"


def test_the_demonstrations_packages_follow_the_schema_and_differ_in_their_rules() -> None:
    packages = demo_packages()
    sizes = {code: len(each.package["items"]) for code, each in packages.items()}
    assert all(20 <= size <= 60 for size in sizes.values())
    assert {each.package["sex"] for each in packages.values()} == {"any", "male", "female"}
    assert packages["senior"].package["age_min"] == 55


def test_no_answers_at_all_are_judged_by_what_the_kind_asks() -> None:
    asks: dict[str, Any] = {"type": "object", "properties": {"ward": {"type": "string"}}, "required": ["ward"]}
    asking = replace(next(iter(kinds().values())), details_schema=asks)
    with pytest.raises(Invalid) as refused:
        asking.check_details({})
    assert refused.value.at == "details.ward"
    replace(asking, details_schema={**asks, "required": []}).check_details({})
