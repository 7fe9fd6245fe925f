"""The family a customer books for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.people import NOON, OTHER_PHONE, PHONE, TODAY, make_customer, self_of, signed_in
from vip.customers import id_numbers
from vip.customers.family import (
    AlreadyInFamily,
    FamilyFull,
    MemberInUse,
    NewMember,
    add_member,
    beneficiary,
    family,
    remove_member,
)
from vip.customers.person_keys import CONTACT, destroy

pytestmark = pytest.mark.usefixtures("db")
FATHER = NewMember("father", "沈伯年", "male", date(1951, 9, 3))
FATHERS_NUMBER = "11010519510903001" + id_numbers.check_character("11010519510903001")


def free(session: object, beneficiary_id: int) -> bool:
    return False


def test_the_customer_herself_comes_first() -> None:
    customer = make_customer()
    add_member(signed_in(), FATHER, NOON)
    assert [(one.relation, one.name) for one in family(customer.id)] == [("self", "沈静宜"), ("father", "沈伯年")]


def test_a_number_is_sealed_under_the_persons_own_key_and_shown_masked() -> None:
    customer = make_customer()
    added = add_member(signed_in(), replace(FATHER, phone="139 0000 0009", id_number=FATHERS_NUMBER.lower()), NOON)
    assert (added.phone_masked, added.id_number_masked) == ("139****0009", f"1{'*' * 16}{FATHERS_NUMBER[-1]}")
    assert family(customer.id)[1] == added
    with reading() as session:
        row = beneficiary(session, customer.id, added.public_id)
        kept = session.scalar(text("SELECT b::text FROM beneficiary b WHERE id = :id"), {"id": row.id})
    assert FATHERS_NUMBER not in kept and row.id_number_sealed and FATHERS_NUMBER.encode() not in row.id_number_sealed


def test_a_person_whose_key_was_destroyed_stays_on_the_list_without_numbers() -> None:
    customer = make_customer()
    added = add_member(signed_in(), replace(FATHER, phone="13900000009"), NOON)
    with transaction() as session:
        destroy(session, [beneficiary(session, customer.id, added.public_id).id], CONTACT, NOON)
    assert family(customer.id)[1].phone_masked is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "长" * 65}, "name"),
        ({"name": "沈\0"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"relation": "self"}, "relation"),
        ({"relation": "cousin"}, "relation"),
        ({"sex": "x"}, "sex"),
        ({"birth_date": TODAY + timedelta(days=1)}, "birth_date"),
        ({"birth_date": date(1899, 12, 31)}, "birth_date"),
        ({"phone": "12"}, "phone"),
        ({"id_number": "123"}, "id_number"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(changed: dict[str, object], field: str) -> None:
    make_customer()
    with pytest.raises(Invalid) as refused:
        add_member(signed_in(), replace(FATHER, **changed), NOON)  # type: ignore[arg-type]
    assert refused.value.at == field


@pytest.mark.parametrize("name", ["沈\u3000伯年", " 沈  伯年 ", "沈\xa0伯年"])
def test_every_sort_of_blank_inside_a_name_is_one_blank(name: str) -> None:
    make_customer()
    assert add_member(signed_in(), replace(FATHER, name=name), NOON).name == "沈 伯年"


@pytest.mark.parametrize("character", ["\ue863", "\U000f0000", "\0", "\ud800"])
def test_a_character_that_others_cannot_read_is_refused_with_its_reason(character: str) -> None:
    make_customer()
    with pytest.raises(Invalid) as refused:
        add_member(signed_in(), replace(FATHER, name=f"沈{character}"), NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("name", "bad_characters")


@pytest.mark.parametrize("pasted", ["\u202d{}\u202c", "\ufeff{}\u200e", "\u2060{}\u200b", " {} "])
def test_an_id_number_is_taken_with_the_invisible_characters_that_contacts_add(pasted: str) -> None:
    make_customer()
    added = add_member(signed_in(), replace(FATHER, id_number=pasted.format(FATHERS_NUMBER)), NOON)
    assert added.id_number_masked == f"1{'*' * 16}{FATHERS_NUMBER[-1]}"


def test_a_child_born_today_in_the_insurers_zone_can_be_added() -> None:
    make_customer()
    night = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # already 3 March in Shanghai
    assert add_member(signed_in(), NewMember("son", "沈新", "male", date(2026, 3, 3)), night).warnings == ()


def test_odd_ages_and_sexes_are_allowed_with_a_warning() -> None:
    make_customer()
    principal = signed_in()
    assert add_member(principal, replace(FATHER, birth_date=date(1990, 1, 1)), NOON).warnings == ("elder_is_younger",)
    assert add_member(principal, replace(FATHER, sex="female"), NOON).warnings == ("sex_of_relation",)
    assert add_member(principal, NewMember("son", "沈大", "male", date(1980, 1, 1)), NOON).warnings == (
        "child_is_older",
    )


def test_the_eleventh_relative_is_refused_until_one_is_removed() -> None:
    make_customer()
    principal = signed_in()
    members = [add_member(principal, replace(FATHER, name=f"亲人{n}"), NOON) for n in range(10)]
    with pytest.raises(FamilyFull):
        add_member(principal, FATHER, NOON)
    remove_member(principal, members[0].public_id, NOON, in_use=free)
    assert add_member(principal, FATHER, NOON).name == "沈伯年"


def test_the_same_person_is_not_added_twice() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    with_number = replace(FATHER, id_number=FATHERS_NUMBER)
    add_member(signed_in(), with_number, NOON)
    with pytest.raises(AlreadyInFamily):
        add_member(signed_in(), with_number, NOON)
    assert add_member(signed_in(OTHER_PHONE), with_number, NOON).relation == "father"


def test_a_relative_is_removed_unless_a_booking_needs_her() -> None:
    customer = make_customer()
    principal = signed_in()
    added = add_member(principal, FATHER, NOON)
    with pytest.raises(MemberInUse):
        remove_member(principal, added.public_id, NOON, in_use=lambda session, beneficiary_id: True)
    assert len(family(customer.id)) == 2
    remove_member(principal, added.public_id, NOON, in_use=free)
    assert len(family(customer.id)) == 1
    with pytest.raises(NotFound):
        remove_member(principal, added.public_id, NOON, in_use=free)


def test_nobody_removes_herself_or_somebody_elses_family() -> None:
    customer = make_customer()
    make_customer(OTHER_PHONE)
    with pytest.raises(Invalid):
        remove_member(signed_in(), self_of(customer).public_id, NOON, in_use=free)
    for unknown in (self_of(customer).public_id, "ben_00000000000000000000", "\0", "\ud800"):
        with pytest.raises(NotFound) as refused:
            remove_member(signed_in(OTHER_PHONE), unknown, NOON, in_use=free)
        assert refused.value.at == "beneficiary_id"
    assert PHONE != OTHER_PHONE


# The example of GB 11643-1999, annex A.
def test_the_standards_own_example_has_the_check_character_x() -> None:
    assert id_numbers.check_character("11010519491231002") == "X"
    assert id_numbers.normalise("11010519491231002x", sex="female", birth_date=date(1949, 12, 31))[-1] == "X"


@pytest.mark.parametrize(
    ("number", "sex", "born", "reason"),
    [
        ("110105194912310021", "female", date(1949, 12, 31), "id_number_check"),
        ("11010519491231002X", "male", date(1949, 12, 31), "id_number_sex"),
        ("11010519491231002X", "female", date(1949, 12, 30), "id_number_birth_date"),
        ("01010519491231002X", "female", date(1949, 12, 31), "id_number_form"),
        ("1101051949123100", "female", date(1949, 12, 31), "id_number_form"),
        ("X" * 1_000_000, "female", date(1949, 12, 31), "id_number_form"),
    ],
)
def test_an_unsound_id_number_says_what_does_not_fit(number: str, sex: str, born: date, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        id_numbers.normalise(number, sex=sex, birth_date=born)
    assert refused.value.facts["reason"] == reason
