"""A policy is put by key and version, and nobody is taken for somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from booking.personal.erase import erase_by_command
from marketplace.catalog.models import Insurer
from marketplace.core import crypto, ids
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import Base, reading, transaction
from marketplace.core.errors import Invalid
from tests.people import NOON, OTHER_PHONE, insurer_in, make_customer, make_insurer, signed_in
from tests.policies import FATHER, HERSELF, MOTHER, policy_facts, put
from tests.statements import sent_to_the_database
from vip.customers import id_numbers
from vip.customers.family import NewMember, add_member, family, remove_member
from vip.models import Beneficiary, Customer, Plan
from vip.policies import numbers
from vip.policies.models import Policy, PolicyInsured, PolicyVersion
from vip.policies.put import put_policy

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

_FIRST = "11010519510903001"
NUMBER = _FIRST + id_numbers.check_character(_FIRST)
_OTHER = "11010519510903003"
OTHER_NUMBER = _OTHER + id_numbers.check_character(_OTHER)
LATER = NOON + timedelta(days=10)


def stored() -> Policy:
    with reading() as session:
        return session.scalars(select(Policy)).one()


def insured_now(policy_id: int) -> dict[str, tuple[str, date]]:
    """Relation and first day of each whom it insures, by name."""
    with reading() as session:
        rows = session.execute(
            select(Beneficiary.name, PolicyInsured.relation, PolicyInsured.since)
            .join(PolicyInsured, PolicyInsured.beneficiary_id == Beneficiary.id)
            .where(PolicyInsured.policy_id == policy_id, PolicyInsured.ended_on.is_(None))
        ).all()
    return {row.name: (row.relation, row.since) for row in rows}


def counts() -> dict[str, int]:
    """How many rows each table has, and what the policies say."""
    with reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.tables.values()
        }


def refused(field: str, reason: str, **changes: Any) -> None:
    before = counts()
    with pytest.raises(Invalid) as refusal:
        put(policy_facts(**changes))
    assert (refusal.value.at, refusal.value.facts["reason"]) == (field, reason)
    assert counts() == before, "a refusal leaves nothing"


def test_a_policy_is_created_once_and_again_changes_nothing() -> None:
    customer = make_customer()
    made = put(policy_facts())
    assert (made.outcome, made.version, stored().customer_id) == ("created", 1, customer.id)
    before = counts()
    again = put(policy_facts(insured=(FATHER, HERSELF)), now=LATER)
    assert (again.outcome, again.policy_id) == ("unchanged", made.policy_id)
    assert counts() == before and stored().updated_at == NOON
    assert insured_now(stored().id) == {"沈静宜": ("self", date(2020, 1, 1)), "沈伯年": ("father", date(2020, 1, 1))}


def test_the_number_is_sealed_and_found_by_its_index_alone() -> None:
    make_customer()
    put(policy_facts())
    policy = stored()
    with reading() as session:
        row = session.scalar(text("SELECT p::text FROM policy p"))
        history = session.scalar(text("SELECT string_agg(v::text, '') FROM policy_version v"))
        found = select(Policy.id).where(Policy.number_index.in_(numbers.indexes("P202088880001")))
        assert session.scalar(found) == policy.id
    assert "8888" not in str(row) + str(history) and b"8888" not in policy.number_sealed
    assert numbers.unseal(policy.number_sealed, policy.public_id) == "P2020-8888-0001"
    with pytest.raises(crypto.Unreadable):
        numbers.unseal(policy.number_sealed, ids.new_id("pcy"))


def test_an_older_version_never_wins_and_a_version_says_one_thing() -> None:
    make_customer()
    put(policy_facts(version=5))
    older = put(policy_facts(version=4, status="lapsed"))
    assert (older.outcome, older.version, stored().status) == ("older", 5, "in_force")
    refused("version", "version_reused", version=5, status="lapsed")
    refused("version", "version_reused", version=5, insured=(HERSELF,))
    newer = put(policy_facts(version=6, status="lapsed", number="P2020-8888-0002"), now=LATER)
    assert (newer.outcome, newer.changed) == ("updated", ("number", "status"))
    assert put(policy_facts(version=5)).outcome == "older"
    with reading() as session:
        lines = session.scalars(select(PolicyVersion).order_by(PolicyVersion.version)).all()
    assert [(it.version, it.status, it.insured, it.changed, it.source) for it in lines] == [
        (5, "in_force", 2, [], "import:test"),
        (6, "lapsed", 2, ["number", "status"], "import:test"),
    ]


def test_the_same_key_of_another_insurer_is_another_policy() -> None:
    make_customer()
    with transaction() as session:
        other = Insurer(public_id=ids.new_id("ins"), code="other", name_zh="他", name_en="Other")
        session.add(other)
        session.flush()
        other_id = other.id
    put(policy_facts())
    assert put(policy_facts(status="lapsed"), insurer_id=other_id).outcome == "created"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 2


def test_a_new_holder_becomes_a_customer_who_can_sign_in_with_the_plans_tier() -> None:
    with transaction() as session:
        plan = Plan(
            public_id=ids.new_id("pln"),
            insurer_id=insurer_in(session).id,
            code="gold",
            tier="gold",
            name_zh="金",
            name_en="G",
        )
        session.add(plan)
    put(policy_facts(plan="gold", insured=(HERSELF, MOTHER)))
    hers = signed_in()
    assert [(it.relation, it.name) for it in family(hers.id)] == [("self", "沈静宜"), ("mother", "顾婉清")]
    with reading() as session:
        assert session.get_one(Customer, hers.id).tier == "gold"
        line = session.scalars(select(AuditLine).where(AuditLine.action == "customer.made_by_policy")).one()
    assert line.subject == hers.public_id
    refused("plan", "not_offered", key="policy-2", number="P2020-2", plan="silver")


def test_a_holder_who_is_not_insured_is_made_from_what_is_said_of_her_or_not_at_all() -> None:
    make_insurer()
    refused("holder_phone", "holder_unknown", insured=(MOTHER,))
    put(policy_facts(insured=(MOTHER,), holder=HERSELF))
    assert put(policy_facts(version=2, insured=(MOTHER,), status="lapsed")).outcome == "updated"
    assert [it.relation for it in family(signed_in().id)] == ["self", "mother"]
    assert insured_now(stored().id).keys() == {"顾婉清"}


def test_a_phone_of_somebody_else_hands_no_policy_over() -> None:
    make_customer()
    refused("holder_phone", "holder_unknown", insured=(MOTHER,))
    refused("holder.name", "holder_is_another", insured=(MOTHER,), holder=replace(HERSELF, name="顾婉清"))
    assert [it.relation for it in family(signed_in().id)] == ["self"]
    refused("insured.0.name", "holder_is_another", insured=(replace(HERSELF, name="沈静"),))
    refused("insured.0.name", "holder_is_another", insured=(replace(HERSELF, birth_date=date(1988, 4, 13)),))
    put(policy_facts())
    refused("holder_phone", "holder_changed", version=2, holder_phone=_customer("程远帆", OTHER_PHONE))
    unknown = put(policy_facts(version=2, holder_phone="13800000099"))
    assert unknown.outcome == "updated", "a number that nobody has here is one of hers at the insurer"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 2


def _customer(name: str, phone: str) -> str:
    make_customer(phone, name=name)
    return phone


def test_a_number_belongs_to_one_policy() -> None:
    make_customer()
    put(policy_facts())
    refused("number", "number_taken", key="policy-2", number="P2020 8888 0001")
    put(policy_facts(key="policy-2", number="P2020-2"))
    refused("number", "number_taken", key="policy-2", version=2)


def test_an_insured_person_is_found_by_id_number_else_by_who_she_is_and_never_by_guess() -> None:
    customer = make_customer()
    hers = signed_in()
    father = add_member(hers, NewMember("father", "沈伯年", "male", date(1951, 9, 3)), NOON)
    put(policy_facts(insured=(HERSELF, FATHER)))
    assert len(family(customer.id)) == 2, "the father she added is meant"
    put(policy_facts(version=2, insured=(replace(FATHER, id_number=NUMBER),)))
    assert next(it for it in family(customer.id) if it.public_id == father.public_id).id_number_masked is not None
    put(policy_facts(version=3, insured=(replace(FATHER, name="沈柏年", id_number=NUMBER),)))
    assert [it.name for it in family(customer.id)] == ["沈静宜", "沈伯年"], "his ID number says who he is"
    refused("insured.0.id_number", "other_id_number", version=4, insured=(replace(FATHER, id_number=OTHER_NUMBER),))
    for number, other in enumerate(
        (
            replace(FATHER, birth_date=date(1951, 9, 4)),
            replace(FATHER, relation="other"),
            replace(FATHER, name="沈伯"),
            replace(FATHER, relation="other", sex="female"),
        )
    ):
        put(policy_facts(version=4 + number, insured=(other,)))
        assert len(family(customer.id)) == 3 + number, other


def test_a_holder_known_by_her_id_number_may_be_spelled_otherwise() -> None:
    first = "11010519880412002"
    number = first + id_numbers.check_character(first)
    put(policy_facts(insured=(replace(HERSELF, id_number=number),)))
    assert (
        put(policy_facts(version=2, insured=(replace(HERSELF, name="沈靜宜", id_number=number),))).outcome == "updated"
    )
    second = "11010519880412004"
    other = replace(HERSELF, id_number=second + id_numbers.check_character(second))
    refused("insured.0.id_number", "holder_is_another", version=3, insured=(other,))


def test_one_person_is_insured_once_and_the_holder_as_herself() -> None:
    make_customer()
    add_member(signed_in(), NewMember("father", "沈伯年", "male", date(1951, 9, 3), id_number=NUMBER), NOON)
    spelled_twice = (replace(FATHER, name="沈柏年", id_number=NUMBER), FATHER)
    refused("insured.1.name", "insured_twice", insured=spelled_twice, holder=HERSELF)
    first = "11010519880412002"
    number = first + id_numbers.check_character(first)
    put(policy_facts(insured=(replace(HERSELF, id_number=number),)))
    as_mother = replace(HERSELF, relation="mother", id_number=number)
    refused("insured.0.relation", "is_the_holder", version=2, insured=(as_mother,))


def test_policies_of_a_holder_who_was_erased_are_not_taken_any_more() -> None:
    customer = make_customer()
    put(policy_facts())
    erase_by_command(customer.public_id, now=NOON)
    policy = stored()
    assert (policy.number_sealed, policy.contents_sealed, policy.key) == (b"", b"", "policy-1")
    assert policy.number_index not in numbers.indexes("P2020-8888-0001")
    refused("key", "policy_erased")
    refused("key", "policy_erased", version=2)


def test_who_comes_and_leaves_is_insured_from_and_until_that_day() -> None:
    customer = make_customer()
    put(policy_facts(insured=(HERSELF, FATHER)))
    put(policy_facts(version=2, in_force_from=date(2019, 1, 1), insured=(HERSELF, MOTHER)), now=LATER)
    assert insured_now(stored().id) == {"沈静宜": ("self", date(2019, 1, 1)), "顾婉清": ("mother", date(2026, 3, 12))}
    with reading() as session:
        ended = session.scalars(select(PolicyInsured).where(PolicyInsured.ended_on.is_not(None))).one()
    assert ended.ended_on == date(2026, 3, 12)
    put(policy_facts(version=3, in_force_from=date(2019, 1, 1), insured=(HERSELF, MOTHER, FATHER)), now=LATER)
    assert insured_now(stored().id)["沈伯年"] == ("father", date(2026, 3, 12))
    assert len(family(customer.id)) == 3


def test_who_was_taken_off_the_family_list_stays_off_it_and_insured() -> None:
    customer = make_customer()
    put(policy_facts(insured=(HERSELF, FATHER)))
    father = family(customer.id)[1].public_id
    remove_member(signed_in(), father, NOON, in_use=lambda _session, _person: False)
    put(policy_facts(version=2, status="lapsed", insured=(HERSELF, FATHER)))
    assert [it.relation for it in family(customer.id)] == ["self"]
    assert insured_now(stored().id).keys() == {"沈静宜", "沈伯年"}


def test_a_new_policy_of_a_new_holder_takes_few_statements() -> None:
    """A file has ten thousand of them. What a line needs of its insurer is read once for all."""
    insurer_id = make_insurer().id
    with transaction() as session:
        held = session.get_one(Insurer, insurer_id)
        with sent_to_the_database() as sent:
            put_policy(session, held.id, policy_facts(), now=NOON, source="import:t")
    assert len(sent) <= 14, [statement for statement, _values in sent]
