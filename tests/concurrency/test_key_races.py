"""While index keys change, one phone and one ID number stay one, whichever key each process uses.

The controls show that these tests can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from threading import Thread

import pytest
from sqlalchemy import Engine, func, select

from booking.keys.rewrap import rewrap
from marketplace.core.database.db import reading, transaction
from tests.concurrency.controls import all_at_once
from tests.keys import KeysByThread, use_keys
from tests.people import NOON, SmsBox, make_customer, signed_in
from vip import phones
from vip.customers import id_numbers
from vip.customers.change_phone import confirm_phone_change, start_phone_change
from vip.customers.family import AlreadyInFamily, NewMember, add_member
from vip.models import Beneficiary, Customer, CustomerPhone
from vip.phones import PhoneTaken

pytestmark = pytest.mark.usefixtures("db")

NUMBER = "+8613900000099"
SETTINGS = ("old new", "new old")
"""What processes have while step 2 of a rotation is rolled out."""
RIVALS = 8


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> KeysByThread:
    """Two index keys, and threads that use another one first."""
    use_keys(monkeypatch, index="old")
    return KeysByThread(monkeypatch)


def take_the_same_number(keys: KeysByThread, number: str = NUMBER) -> list[Exception]:
    """Eight customers move to one number at once; what was refused."""
    customers = [make_customer(f"138000001{place:02d}") for place in range(RIVALS)]

    def mover(place: int) -> Callable[[], None]:
        def move() -> None:
            with keys.index(SETTINGS[place % 2]), transaction() as session:
                phones.assign(session, session.get_one(Customer, customers[place].id), number)

        return move

    results = all_at_once([mover(place) for place in range(RIVALS)])
    return [result for result in results if result is not None]


def owners(number: str = NUMBER) -> int:
    """How many customers have the number."""
    with reading() as session:
        people = session.execute(select(Customer.public_id, Customer.phone_sealed)).all()
    return [phones.unseal(row.phone_sealed, row.public_id) for row in people].count(number)


def test_of_eight_who_register_one_phone_under_two_keys_one_gets_it(keys: KeysByThread) -> None:
    refused = take_the_same_number(keys)
    assert [type(each) for each in refused] == [PhoneTaken] * (RIVALS - 1)
    assert owners() == 1


def test_without_an_index_under_each_key_two_get_it(keys: KeysByThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "index_otherwise", lambda *_args: None)
    refused = take_the_same_number(keys)
    assert (len(refused), owners()) == (RIVALS - 2, 2)


def test_without_the_lock_the_constraint_still_lets_one_have_it(
    keys: KeysByThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phones, "lock", lambda *_args: None)
    take_the_same_number(keys)
    assert owners() == 1


@pytest.mark.parametrize("process", ["old", "old new", "new old"])
def test_a_number_from_before_the_rotation_is_refused_in_each_step(
    keys: KeysByThread, monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    make_customer(NUMBER)
    make_customer()
    use_keys(monkeypatch, index=process)
    principal, box = signed_in(), SmsBox()
    start_phone_change(principal, NUMBER, now=NOON, gateway=box)
    codes = {"old_code": box.code_for("13800000011"), "new_code": box.code_for(NUMBER)}
    with pytest.raises(PhoneTaken):
        confirm_phone_change(principal, NUMBER, now=NOON, **codes)


def test_a_number_taken_in_each_step_is_refused_in_the_steps_beside_it(
    keys: KeysByThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ["old", "old new", "new old", "new"]
    for place, step in enumerate(steps):
        if step == "new":
            brought()
        number = f"+861390000000{place}"
        taker = make_customer(f"1380000020{place}")
        use_keys(monkeypatch, index=step)
        with transaction() as session:
            phones.assign(session, session.get_one(Customer, taker.id), number)
        for other in steps[max(0, place - 1) : place + 2]:
            rival = make_customer(f"13800003{place}{steps.index(other)}0")
            use_keys(monkeypatch, index=other)
            with pytest.raises(PhoneTaken), transaction() as session:
                phones.assign(session, session.get_one(Customer, rival.id), number)


def brought() -> None:
    rewrap(now=lambda: NOON, batch=2, wait=lambda _seconds: None, say=lambda _progress: None)


def test_a_rewrap_goes_on_while_eight_register_a_phone(keys: KeysByThread, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer(NUMBER)
    for place in range(20):
        make_customer(f"1370000{place:04d}")
    use_keys(monkeypatch, index="new old")
    rewrapping = Thread(target=brought)
    rewrapping.start()
    refused = take_the_same_number(keys)
    rewrapping.join(120)
    brought()
    assert ([type(each) for each in refused], owners()) == ([PhoneTaken] * RIVALS, 1)
    with reading() as session:
        rows = session.execute(select(func.count()).group_by(CustomerPhone.customer_id).select_from(CustomerPhone))
        assert set(rows.scalars()) == {2}
    use_keys(monkeypatch, index="new")
    brought()
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(CustomerPhone)) == 21 + RIVALS
        indexes = select(Customer.phone_index).except_(select(CustomerPhone.phone_index))
        assert session.scalars(indexes).all() == []


def test_who_signs_in_while_keys_change_is_found_by_her_number(
    keys: KeysByThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = make_customer()
    for step in ("old", "old new", "new old"):
        use_keys(monkeypatch, index=step)
        assert signed_in().public_id == customer.public_id
    brought()
    use_keys(monkeypatch, index="new")
    assert signed_in().public_id == customer.public_id


ID_NUMBER = "11010519510903001" + id_numbers.check_character("11010519510903001")


def add_the_same_relative(keys: KeysByThread) -> tuple[list[Exception], int]:
    """Eight devices of one customer add one relative at once: what was refused, and how many there are then."""
    make_customer()
    principal = signed_in()
    father = NewMember("father", "沈父", "male", date(1951, 9, 3), id_number=ID_NUMBER)

    def adder(place: int) -> Callable[[], None]:
        def add() -> None:
            with keys.index(SETTINGS[place % 2]):
                add_member(principal, father, NOON)

        return add

    results = all_at_once([adder(place) for place in range(RIVALS)])
    with reading() as session:
        there = select(func.count()).where(Beneficiary.relation == "father").select_from(Beneficiary)
        return [result for result in results if result is not None and isinstance(result, Exception)], (
            session.scalar(there) or 0
        )


def test_one_id_number_is_added_once_under_two_keys(keys: KeysByThread) -> None:
    refused, there = add_the_same_relative(keys)
    assert ([type(each) for each in refused], there) == ([AlreadyInFamily] * (RIVALS - 1), 1)


def test_compared_under_one_key_alone_it_is_added_twice(keys: KeysByThread, monkeypatch: pytest.MonkeyPatch) -> None:
    under_each = id_numbers.indexes
    monkeypatch.setattr(id_numbers, "indexes", lambda number: under_each(number)[:1])
    refused, there = add_the_same_relative(keys)
    assert (len(refused), there) == (RIVALS - 2, 2)


def test_a_process_of_the_last_release_keeps_the_rows_of_a_number_too(keys: KeysByThread, db: Engine) -> None:
    """It knows neither the table nor a second key, and writes the customer's own row alone."""
    make_customer(NUMBER)
    other = make_customer()
    with keys.index("old new"), transaction() as session:
        phones.assign(session, session.get_one(Customer, other.id), "+8613900000098")
    with keys.index("old"), transaction() as session:
        session.get_one(Customer, other.id).phone_index = phones.index("+8613900000097")
    with reading() as session:
        left = session.scalars(select(CustomerPhone.phone_index).where(CustomerPhone.customer_id == other.id)).all()
    with keys.index("old"):
        assert left == [phones.index("+8613900000097")]
