"""A person's keys by class: what each seals, what destroying one ends, and people from before the classes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update

from booking.sealing import open_details
from marketplace.core import crypto
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from tests.people import NOON, make_customer, self_of, signed_in
from tests.world import World, booking_row, make_world
from vip.customers.family import NewMember, add_member, family
from vip.customers.person_keys import (
    CLASSES,
    CONTACT,
    MEDICAL,
    PROCESS,
    destroy,
    key_of,
    move_all,
    move_to_classes,
    move_to_one_key,
)
from vip.models import Beneficiary, Customer, PersonKey

FATHER = NewMember("father", "沈伯年", "male", date(1951, 9, 3), phone="+8613900000009")
DETAILS: dict[str, Any] = {"note": "poor sight"}


@pytest.fixture
def customer(db: Engine) -> Customer:
    """Somebody with a father whose phone is known."""
    made = make_customer()
    add_member(signed_in(), FATHER, NOON)
    return made


def father_of(customer: Customer) -> Beneficiary:
    with reading() as session:
        return session.scalars(
            select(Beneficiary).where(Beneficiary.customer_id == customer.id, Beneficiary.relation == "father")
        ).one()


def from_before_the_classes(person: Beneficiary, phone: str = "+8613900000009") -> None:
    """Make the person's row what the release before this one wrote: one key that seals everything."""
    wrapped = crypto.new_wrapped_key(person.public_id)
    key = crypto.unwrap_key(wrapped, person.public_id)
    sealed = crypto.seal(phone.encode(), key=key, record=f"beneficiary:{person.public_id}:phone")
    with transaction() as session:
        session.execute(delete_keys(person.id))
        session.execute(
            update(Beneficiary).where(Beneficiary.id == person.id).values(wrapped_key=wrapped, phone_sealed=sealed)
        )


def delete_keys(beneficiary_id: int) -> Any:
    # the application may not delete keys: here they are made to look as if there had never been any
    return (
        update(PersonKey).where(PersonKey.beneficiary_id == beneficiary_id).values(wrapped_key=None, destroyed_at=NOON)
    )


def masked(customer: Customer) -> str | None:
    return family(customer.id)[1].phone_masked


def test_a_new_person_has_a_key_for_each_class_and_they_differ(customer: Customer) -> None:
    person = father_of(customer)
    with reading() as session:
        keys = {key_of(session, person, each).open() for each in CLASSES}
    assert (len(keys), person.wrapped_key) == (3, None)


def test_destroying_the_contact_key_ends_the_phone_and_leaves_the_other_classes(customer: Customer) -> None:
    person = father_of(customer)
    with transaction() as session:
        destroy(session, [person.id], CONTACT, NOON)
    assert masked(customer) is None
    with reading() as session:
        with pytest.raises(Unreadable):
            key_of(session, person, CONTACT).open()
        assert key_of(session, person, PROCESS).open() and key_of(session, person, MEDICAL).open()


def test_somebody_from_before_the_classes_is_read_moved_and_moved_back(customer: Customer) -> None:
    person = father_of(customer)
    from_before_the_classes(person)
    old = father_of(customer)
    assert masked(customer) == "139****0009"
    assert move_all(move_to_classes) == 2
    moved = father_of(customer)
    assert masked(customer) == "139****0009"
    assert (moved.wrapped_key, moved.phone_sealed == old.phone_sealed) == (None, False)
    assert move_all(move_to_one_key) == 2
    back = father_of(customer)
    assert (back.wrapped_key, masked(customer)) == (old.wrapped_key, "139****0009")
    assert move_all(move_to_classes, batch=1) == 2
    assert masked(customer) == "139****0009"


def test_who_is_erased_is_not_moved_back_so_that_her_record_stays_readable(customer: Customer) -> None:
    person = father_of(customer)
    with transaction() as session:
        session.execute(update(Beneficiary).where(Beneficiary.id == person.id).values(erased_at=NOON))
        destroy(session, [person.id], CONTACT, NOON)
        medical = key_of(session, person, MEDICAL).open()
    move_all(move_to_one_key)
    assert father_of(customer).wrapped_key is None
    move_all(move_to_classes)
    with reading() as session:
        assert key_of(session, person, MEDICAL).open() == medical
        with pytest.raises(Unreadable):
            key_of(session, person, CONTACT).open()


def test_moving_takes_the_contact_data_from_under_the_old_key(customer: Customer) -> None:
    """Otherwise destroying the key of the class contact would end nothing."""
    person = father_of(customer)
    from_before_the_classes(person)
    old = crypto.unwrap_key(father_of(customer).wrapped_key, person.public_id)
    move_all(move_to_classes)
    sealed = father_of(customer).phone_sealed
    assert sealed is not None
    with pytest.raises(Unreadable):
        crypto.unseal(sealed, key=old, record=f"beneficiary:{person.public_id}:phone")


def test_what_was_sealed_for_a_booking_opens_before_and_after_the_move(db: Engine) -> None:
    world = make_world()
    from_before_the_classes(world.beneficiary)
    early = world.hold(details=DETAILS)
    assert details(world, early) == DETAILS
    move_all(move_to_classes)
    late = world.hold(1, details=DETAILS)
    assert (details(world, early), details(world, late)) == (DETAILS, DETAILS)
    move_all(move_to_one_key)
    assert (details(world, early), details(world, late)) == (DETAILS, DETAILS)


def test_answers_sealed_while_a_person_is_moved_are_not_lost(db: Engine) -> None:
    """A hold reads the key first and writes the booking afterwards; the move may come between."""
    world = make_world()
    from_before_the_classes(world.beneficiary)
    with reading() as session:
        read = key_of(session, self_of(world.customer), PROCESS)
    move_all(move_to_classes)
    with reading() as session:
        assert key_of(session, self_of(world.customer), PROCESS).open() == read.open()


def test_keys_are_not_deleted_by_the_application(customer: Customer) -> None:
    with pytest.raises(Exception, match="permission denied"), transaction() as session:
        session.execute(delete(PersonKey))


def test_a_destroyed_key_says_when(customer: Customer) -> None:
    with transaction() as session:
        destroy(session, [father_of(customer).id], MEDICAL, NOON)
        rows = session.execute(text("SELECT retention FROM person_key WHERE destroyed_at IS NOT NULL")).scalars().all()
    assert rows == [MEDICAL]


def details(world: World, booking: str) -> dict[str, Any]:
    row = booking_row(booking)
    with reading() as session:
        return open_details(row.details_sealed, key_of(session, self_of(world.customer), PROCESS), booking)
