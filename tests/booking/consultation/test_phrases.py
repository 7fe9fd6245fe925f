"""Canned phrases of a provider and of its clinicians."""

from __future__ import annotations

from dataclasses import replace

import pytest

from booking.consultation.at_desk.phrases import (
    LONGEST_TEXT,
    MOST_PHRASES,
    TooManyPhrases,
    Wording,
    add,
    change,
    filled,
    move,
    phrases_for,
    phrases_of,
    remove,
)
from marketplace.core.errors import Invalid, NotFound
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.people import NOON
from tests.world import make_offer
from vip.principal import Member

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

HELLO = Wording("问候", "", "{name}，您好", "Hello {name}")


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=1)


@pytest.fixture
def lead(practice: Practice) -> Member:
    return make_clinician(practice.world, lead=True)


def named(member: Member) -> tuple[list[str], list[str]]:
    """The names of her own and of those that are shared, in their order."""
    found = phrases_of(member)
    return [each.wording.name for each in found.own], [each.wording.name for each in found.shared]


def test_her_own_are_hers_and_shared_ones_are_everybodys(practice: Practice, lead: Member) -> None:
    her = practice.clinician
    add(her, HELLO, shared=False, now=NOON)
    add(lead, replace(HELLO, name="共用"), shared=True, now=NOON)
    assert named(her) == (["问候"], ["共用"])
    assert named(lead) == ([], ["共用"])
    assert named(make_clinician(replace(practice.world, provider=make_offer()[0]))) == ([], [])


def test_only_leads_and_managers_change_what_is_shared(practice: Practice, lead: Member) -> None:
    her = practice.clinician
    boss = replace(her, role="manager")
    with pytest.raises(NotFound):
        add(her, HELLO, shared=True, now=NOON)
    shared = add(boss, HELLO, shared=True, now=NOON)
    for act in (
        lambda: change(her, shared, HELLO, now=NOON),
        lambda: remove(her, shared, now=NOON),
        lambda: move(her, shared, 1, now=NOON),
    ):
        with pytest.raises(NotFound):
            act()
    change(lead, shared, replace(HELLO, name="新"), now=NOON)
    assert named(boss) == ([], ["新"])
    with pytest.raises(NotFound):
        add(boss, HELLO, shared=False, now=NOON)
    with pytest.raises(NotFound):
        phrases_of(replace(her, role="front_desk"))


def test_a_colleagues_own_and_another_providers_look_absent(practice: Practice, lead: Member) -> None:
    own = add(practice.clinician, HELLO, shared=False, now=NOON)
    stranger = make_clinician(replace(practice.world, provider=make_offer()[0]), lead=True)
    shared = add(lead, HELLO, shared=True, now=NOON)
    for who, phrase in ((lead, own), (stranger, own), (stranger, shared)):
        with pytest.raises(NotFound):
            change(who, phrase, HELLO, now=NOON)
        with pytest.raises(NotFound):
            remove(who, phrase, now=NOON)


def test_the_same_again_is_one_and_a_removed_one_is_gone(practice: Practice) -> None:
    her = practice.clinician
    first = add(her, HELLO, shared=False, now=NOON)
    assert add(her, replace(HELLO, name=" 问候 "), shared=False, now=NOON) == first
    remove(her, first, now=NOON)
    assert named(her) == ([], [])
    with pytest.raises(NotFound):
        change(her, first, HELLO, now=NOON)


def test_they_stand_in_her_order(practice: Practice) -> None:
    her = practice.clinician
    a, _b, c = (add(her, replace(HELLO, name=name), shared=False, now=NOON) for name in "abc")
    move(her, c, -1, now=NOON)
    assert named(her)[0] == ["a", "c", "b"]
    move(her, a, 5, now=NOON)
    assert named(her)[0] == ["c", "b", "a"]
    move(her, c, -1, now=NOON)
    assert named(her)[0] == ["c", "b", "a"]


def test_no_more_than_so_many(practice: Practice) -> None:
    for number in range(MOST_PHRASES):
        add(practice.clinician, replace(HELLO, name=str(number)), shared=False, now=NOON)
    with pytest.raises(TooManyPhrases) as refused:
        add(practice.clinician, HELLO, shared=False, now=NOON)
    assert refused.value.facts == {"most": MOST_PHRASES}


@pytest.mark.parametrize(
    ("wording", "field", "reason"),
    [
        (replace(HELLO, name=" "), "name", "required"),
        (replace(HELLO, zh="", en=" "), "zh", "required"),
        (replace(HELLO, en="x" * (LONGEST_TEXT + 1)), "en", "too_long"),
        (replace(HELLO, zh="a\x00"), "zh", "bad_characters"),
        (replace(HELLO, zh="{nmae}，您好"), "zh", "placeholder"),
        (replace(HELLO, en="{}"), "en", "placeholder"),
        (replace(HELLO, department="No such"), "department", "format"),
    ],
)
def test_what_is_wrong_is_named(practice: Practice, wording: Wording, field: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(practice.clinician, wording, shared=False, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)
    assert named(practice.clinician) == ([], [])


def test_a_conversation_is_offered_those_of_its_department_and_language(practice: Practice, lead: Member) -> None:
    her = practice.clinician
    add(lead, replace(HELLO, name="shared"), shared=True, now=NOON)
    add(her, replace(HELLO, name="skin", department="dermatology"), shared=False, now=NOON)
    add(her, replace(HELLO, name="zh", en=""), shared=False, now=NOON)
    found = {
        (department, language): [each.wording.name for each, _text in phrases_for(her, department, language)]
        for department, language in (("general", "zh"), ("dermatology", "zh"), ("general", "en"))
    }
    assert found == {
        ("general", "zh"): ["zh", "shared"],
        ("dermatology", "zh"): ["skin", "zh", "shared"],
        ("general", "en"): ["shared"],
    }


def test_names_are_filled_in_once_and_never_read_as_placeholders() -> None:
    values = {"name": "{doctor}", "doctor": "何{name}"}
    assert filled("{name}/{doctor}/{other}/{", values) == "{doctor}/何{name}/{other}/{"
