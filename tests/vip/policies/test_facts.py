"""What is accepted of a policy, and the field that is named otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from tests.people import TODAY
from tests.policies import FATHER, HERSELF, policy_facts
from vip.customers import id_numbers
from vip.policies import numbers
from vip.policies.facts import checked

NUMBER = "11010519510903001" + id_numbers.check_character("11010519510903001")

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a key with a blank": ({"key": "a b"}, "key", "policy_key"),
    "no key": ({"key": ""}, "key", "policy_key"),
    "a key too long": ({"key": "k" * 101}, "key", "policy_key"),
    "the number as key": ({"key": "P202088880001"}, "key", "key_is_number"),
    "version 0": ({"version": 0}, "version", "out_of_range"),
    "a version that programs don't hold": ({"version": 2**53}, "version", "out_of_range"),
    "a short number": ({"number": "12-3"}, "number", "policy_number"),
    "a number with a sign": ({"number": "P2020#8888"}, "number", "policy_number"),
    "a number too long": ({"number": "1" * 41}, "number", "policy_number"),
    "a product with a blank": ({"product": "WHOLE LIFE"}, "product", "product_code"),
    "no product name": ({"product_name": Text(" ", "")}, "product_name.zh", "required"),
    "a long product name": ({"product_name": Text("", "x" * 101)}, "product_name.en", "too_long"),
    "a product name with a control character": (
        {"product_name": Text("寿\x07险", "")},
        "product_name.zh",
        "bad_characters",
    ),
    "a first day of another age": ({"in_force_from": date(1899, 12, 31)}, "in_force_from", "date_out_of_range"),
    "a last day of another age": ({"in_force_until": date(2201, 1, 1)}, "in_force_until", "date_out_of_range"),
    "an end before the start": ({"in_force_until": date(2019, 12, 31)}, "in_force_until", "before_start"),
    "a status of no name": ({"status": "asleep"}, "status", "not_offered"),
    "a phone that is none": ({"holder_phone": "123"}, "holder_phone", "phone"),
    "a plan of no form": ({"plan": "a b"}, "plan", "not_offered"),
    "nobody insured": ({"insured": ()}, "insured", "out_of_range"),
    "a crowd": ({"insured": tuple(replace(FATHER, name=f"沈{n}") for n in range(21))}, "insured", "out_of_range"),
    "one person twice": ({"insured": (FATHER, HERSELF, FATHER)}, "insured.2.name", "insured_twice"),
    "one ID number twice": (
        {"insured": (replace(FATHER, id_number=NUMBER), replace(FATHER, name="沈伯", id_number=NUMBER))},
        "insured.1.name",
        "insured_twice",
    ),
    "two holders": ({"insured": (HERSELF, replace(FATHER, relation="self"))}, "insured.1.relation", "holder_twice"),
    "a relation of no name": ({"insured": (replace(FATHER, relation="uncle"),)}, "insured.0.relation", "not_offered"),
    "a birth date to come": (
        {"insured": (HERSELF, replace(FATHER, birth_date=date(2027, 1, 1)))},
        "insured.1.birth_date",
        "birth_date",
    ),
    "an ID number of another day": (
        {"insured": (replace(FATHER, birth_date=date(1951, 9, 4), id_number=NUMBER),)},
        "insured.0.id_number",
        "id_number_birth_date",
    ),
    "a holder who is a relative": ({"holder": FATHER}, "holder.relation", "not_offered"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused_by_field(case: str) -> None:
    changes, field, reason = REFUSED[case]
    with pytest.raises(Invalid) as refused:
        checked(policy_facts(**changes), TODAY)
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)


def test_texts_are_tidied_and_numbers_normalised() -> None:
    known = checked(
        policy_facts(
            number=" p2020－8888 0001",
            holder_phone="138 0000 0011",
            product_name=Text(" 长青  终身寿险 ", ""),
            insured=(replace(FATHER, name="沈　伯年", id_number=NUMBER.lower()),),
        ),
        TODAY,
    )
    assert (known.number, known.holder_phone, known.product_name.zh) == (
        "P2020-88880001",
        "+8613800000011",
        "长青 终身寿险",
    )
    assert (known.insured[0].name, known.insured[0].id_number) == ("沈 伯年", NUMBER)


def test_numbers_that_differ_in_separators_are_the_same_and_are_shown_by_their_end() -> None:
    assert numbers.spelled("P2020-8888/0001") == numbers.spelled("P2020 8888·0001") == "P202088880001"
    assert numbers.indexes("P2020-8888-0001") == numbers.indexes("P202088880001")
    assert (numbers.masked("P2020-8888-0001"), numbers.masked("1234")) == ("****0001", "****34")


def test_nobody_reads_a_person_in_what_is_logged_of_the_facts() -> None:
    said = repr(policy_facts(insured=(replace(FATHER, id_number=NUMBER),)))
    assert not [word for word in ("沈伯年", "1951", NUMBER, "13800000011", "8888") if word in said]
