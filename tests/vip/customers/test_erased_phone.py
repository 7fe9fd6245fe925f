"""A request that was let in just before its customer was erased finds no number, and nobody is alarmed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, update

from booking.messages.settings import settings_of
from booking.ownership import customer_of
from marketplace.core import crypto, integrity
from marketplace.core.database.db import transaction
from tests.people import NOON, make_customer, signed_in
from vip.customers.customers import profile
from vip.models import Customer
from vip.principal import Principal

READERS: tuple[Callable[[Principal], object], ...] = (settings_of, lambda principal: profile(customer_of(principal)))


@pytest.mark.parametrize(("sealed", "alarms"), [(b"", 0), (b"\x01", 1)])
@pytest.mark.parametrize("read", READERS)
def test_an_empty_number_is_no_alarm_and_a_damaged_one_is(
    db: Engine, read: Callable[[Principal], object], sealed: bytes, alarms: int
) -> None:
    integrity.forget_raised()
    make_customer()
    principal = signed_in()
    with transaction() as session:
        session.execute(update(Customer).values(phone_sealed=sealed))
    with pytest.raises(crypto.Unreadable):
        read(principal)
    assert len(integrity.alarms(now=NOON)) == alarms
