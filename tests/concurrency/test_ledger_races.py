"""A quota is not reserved twice, and the controls that show these tests can fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from marketplace.core.database.db import transaction, violated
from tests.concurrency.controls import all_at_once, owner, scratch_engine, take_constraints_away, take_guard_away
from tests.people import BY_TEST, NOON, TODAY, counters, give, make_customer
from vip.entitlements import ledger
from vip.entitlements.expiry import expire_due
from vip.entitlements.ledger import EntitlementExhausted, Reservation

RIVALS = 64
RESERVE = (
    "INSERT INTO entitlement_entry (entitlement_id, booking_id, entry, at, actor_kind, actor)"
    " VALUES (1, :booking, 'reserve', now(), 'customer', 'cus_x')"
)


def scratch(connection: Any) -> None:
    """One customer with one entitlement of 1, whose id is 1."""
    for statement in (
        "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone) VALUES ('i', 'demo', 'x', 'x', 'UTC')",
        "INSERT INTO customer (public_id, insurer_id, tier, name, phone_sealed, phone_index)"
        " VALUES ('c', 1, 'x', 'x', '', '')",
        "INSERT INTO entitlement (public_id, insurer_id, customer_id, kind, valid_from, valid_until)"
        " VALUES ('e', 1, 1, 'health_check', '2026-01-01', '2026-12-31')",
        "INSERT INTO entitlement_entry (entitlement_id, entry, at, actor_kind, actor)"
        " VALUES (1, 'grant', now(), 'system', 'test')",
    ):
        connection.execute(text(statement))


def reserve_from_every_thread(engine: Engine) -> list[Exception | None]:
    """64 bookings reserve the one unit at once."""

    def reserve(booking: int) -> Callable[[], None]:
        def work() -> None:
            with engine.begin() as connection:
                connection.execute(text(RESERVE), {"booking": booking})

        return work

    try:
        return all_at_once([reserve(booking) for booking in range(1, RIVALS + 1)])
    finally:
        engine.dispose()


def refusals(results: list[Exception | None]) -> list[str | None]:
    return [violated(failed) for failed in results if isinstance(failed, DBAPIError)]


@pytest.mark.usefixtures("db")
def test_64_bookings_at_once_reserve_a_quota_of_one_once() -> None:
    entitlement = give(make_customer(), 1)

    def reserve(booking: int) -> Callable[[], None]:
        def work() -> None:
            with transaction() as session:
                ledger.write(
                    session,
                    entitlement.id,
                    "reserve",
                    booking_id=booking,
                    at=NOON,
                    actor_kind="customer",
                    actor="cus_x",
                )

        return work

    results = all_at_once([reserve(booking) for booking in range(RIVALS)])
    assert results.count(None) == 1
    assert sum(isinstance(failed, EntitlementExhausted) for failed in results) == RIVALS - 1
    assert tuple(counters(entitlement.id).values()) == (1, 0, 1, 0, 0, 0)


def test_without_guard_and_constraint_the_quota_is_oversold(other_database: Callable[[str], Any]) -> None:
    database = other_database("quota_bare")
    with owner(database.owner_url) as connection:
        scratch(connection)
        take_guard_away(connection, "entitlement_entry_moves_counters")
        take_constraints_away(connection, "entitlement")
        results = reserve_from_every_thread(scratch_engine(database.database_url))
        assert results == [None] * RIVALS
        assert connection.execute(text("SELECT available, reserved FROM entitlement")).one() == (1 - RIVALS, RIVALS)


def test_without_the_guard_alone_the_constraint_refuses(other_database: Callable[[str], Any]) -> None:
    database = other_database("quota_checked")
    with owner(database.owner_url) as connection:
        scratch(connection)
        take_guard_away(connection, "entitlement_entry_moves_counters")
        results = reserve_from_every_thread(scratch_engine(database.database_url))
        assert refusals(results) == ["ck_entitlement_not_negative"] * (RIVALS - 1)
        assert connection.execute(text("SELECT available, reserved FROM entitlement")).one() == (0, 1)


@pytest.mark.usefixtures("db")
def test_a_reservation_is_given_back_once_by_rivals() -> None:
    entitlement = give(make_customer(), 1)
    taken = Reservation(entitlement.id, 1, 1)
    with transaction() as session:
        ledger.write(session, entitlement.id, "reserve", booking_id=1, at=NOON, actor_kind="customer", actor="cus_x")

    def back() -> None:
        with transaction() as session:
            ledger.give_back(session, taken, BY_TEST, by="customer")

    def used() -> None:
        with transaction() as session:
            ledger.use(session, taken, BY_TEST)

    results = all_at_once([back, used] * 8)
    assert results.count(None) == 1
    after = counters(entitlement.id)
    assert (after["reserved"], (after["available"] or 0) + (after["used"] or 0)) == (0, 1)


@pytest.mark.usefixtures("db")
def test_two_workers_expire_each_unit_once() -> None:
    customer = make_customer()
    given = [give(customer, 2, valid_from=TODAY.replace(day=1), valid_until=TODAY.replace(day=1)) for _ in range(20)]
    runs = all_at_once([lambda: expire_due(NOON)] * 8)
    assert sum(run.units for run in runs if not isinstance(run, Exception)) == 40
    assert not [run for run in runs if isinstance(run, Exception)]
    assert all(tuple(counters(one.id).values()) == (2, 0, 0, 0, 2, 0) for one in given)
