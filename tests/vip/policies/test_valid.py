"""Which long-term policy a person has on a day, and why she has none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.core.database.db import reading
from tests.people import NOON, make_customer
from tests.policies import FATHER, HERSELF, policy_facts, put
from vip import phones
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary, Customer
from vip.policies.valid import ValidPolicy, valid_on, why_none
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token

pytestmark = pytest.mark.usefixtures("db")

DAY = date(2026, 6, 1)
SHORT: dict[str, Any] = {"long_term": False, "product": "ACCIDENT"}


def ask(relation: str, phone: str, day: date = DAY) -> ValidPolicy | str:
    """What is said of a person on the day: the policy, or why there is none."""
    with reading() as session:
        person = session.scalars(
            select(Beneficiary)
            .join(Customer, Customer.id == Beneficiary.customer_id)
            .where(Beneficiary.relation == relation, phones.of_customer(phones.indexes(phones.normalise(phone))))
        ).one()
        return valid_on(session, person.id, day) or why_none(session, person.id, day)


CASES: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "nothing": ([], "self", "no_policy"),
    "long-term, in force": ([{}], "father", "valid"),
    "it begins on the day": ([{"in_force_from": DAY}], "self", "valid"),
    "it ends on the day": ([{"in_force_until": DAY}], "self", "valid"),
    "it begins a day later": ([{"in_force_from": date(2026, 6, 2)}], "self", "not_in_force_then"),
    "it ended a day before": ([{"in_force_until": date(2026, 5, 31)}], "self", "not_in_force_then"),
    "lapsed": ([{"status": "lapsed"}], "self", "not_in_force_then"),
    "surrendered": ([{"status": "surrendered"}], "father", "not_in_force_then"),
    "ended": ([{"status": "ended"}], "self", "not_in_force_then"),
    "somebody else insured": ([{"insured": (FATHER,)}], "self", "person_not_insured"),
    "the other's over": ([{"insured": (FATHER,), "status": "ended"}], "self", "not_in_force_then"),
    "short-term": ([SHORT], "self", "not_long_term"),
    "short-term for somebody else": ([{**SHORT, "insured": (FATHER,)}], "self", "not_long_term"),
    "short-term, over": ([{**SHORT, "status": "ended"}], "self", "no_policy"),
    "short-term and long-term": ([SHORT, {"key": "p2", "number": "P2-2222"}], "self", "valid"),
    "hers over, the family's not": (
        [{"status": "lapsed"}, {"key": "p2", "number": "P2-2222", "insured": (FATHER,)}],
        "self",
        "not_in_force_then",
    ),
    "the family's in force, hers short-term": (
        [{**SHORT, "insured": (HERSELF,)}, {"key": "p2", "number": "P2-2222", "insured": (FATHER,)}],
        "self",
        "person_not_insured",
    ),
}


def test_each_case_is_answered() -> None:
    """One database for all of them: each is a customer of her own."""
    said = {}
    for number, (case, (policies, relation, _answer)) in enumerate(CASES.items()):
        phone = f"138000010{number:02}"
        make_customer(phone)
        hers = authenticate(issue_token(phone, NOON).token, now=NOON)
        add_member(hers, NewMember("father", "沈伯年", "male", date(1951, 9, 3)), NOON)
        for place, changes in enumerate(policies):
            changed = {"key": f"p{place}", "number": f"P{place}-{number:04}", "holder_phone": phone, **changes}
            changed["key"], changed["number"] = f"{number}-{changed['key']}", f"{number}-{changed['number']}"
            others = HERSELF not in changed.get("insured", (HERSELF,))
            put(policy_facts(**changed, holder=HERSELF if others else None))
        answer = ask(relation, phone)
        said[case] = answer if isinstance(answer, str) else "valid"
    assert said == {case: answer for case, (_policies, _relation, answer) in CASES.items()}


def test_of_several_the_one_that_ends_last_counts_and_is_kept_as_it_is() -> None:
    make_customer()
    put(policy_facts(in_force_until=date(2040, 1, 1)))
    last = put(policy_facts(key="p2", number="P2-2222", version=7))
    found = ask("father", "13800000011")
    assert isinstance(found, ValidPolicy)
    assert (found.policy_id, found.relation) == (last.policy_id, "father")
    assert found.snapshot() == {
        "id": last.policy_id,
        "version": 7,
        "product": "WHOLE",
        "product_name": {"zh": "长青终身寿险", "en": "Evergreen whole life"},
        "in_force_from": "2020-01-01",
        "in_force_until": None,
    }


def test_who_left_is_insured_until_that_day_and_who_came_from_that_day_on() -> None:
    make_customer()
    put(policy_facts(insured=(HERSELF, FATHER)))
    put(policy_facts(version=2, insured=(HERSELF,)))
    assert ask("father", "13800000011", date(2026, 3, 2)) == "person_not_insured"
    assert isinstance(ask("father", "13800000011", date(2026, 3, 1)), ValidPolicy)
    put(policy_facts(version=3, insured=(HERSELF, FATHER)))
    assert isinstance(ask("father", "13800000011", date(2026, 3, 2)), ValidPolicy)
