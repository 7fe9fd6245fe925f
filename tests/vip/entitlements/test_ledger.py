"""The ledger: its verbs, its balance under any sequence, and who may write what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from tests.people import BY_TEST, NOON, counters, give, make_customer, make_insurer
from vip.entitlements import ledger
from vip.entitlements.expiry import expire_due
from vip.entitlements.ledger import By, EntitlementExhausted, Reservation, Stamp
from vip.models import Customer, Entitlement, EntitlementEntry

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick, pytest.mark.every_postgres]
AFTER = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # 1 January in Shanghai: validity was over a moment ago


def reserve(session: Session, taken: Reservation, at: datetime = NOON) -> None:
    ledger.write(
        session,
        taken.entitlement_id,
        "reserve",
        booking_id=taken.booking_id,
        attempt=taken.attempt,
        at=at,
        actor_kind="customer",
        actor="cus_x",
    )


def reserved(quantity: int | None = 2, grace_days: int = 30) -> tuple[Entitlement, Reservation]:
    entitlement = give(make_customer(), quantity, grace_days=grace_days)
    taken = Reservation(entitlement.id, 1, 1)
    with transaction() as session:
        reserve(session, taken)
    return entitlement, taken


def stamp(at: datetime) -> Stamp:
    return Stamp(at, "system", "test", "because")


def figures(entitlement: Entitlement) -> tuple[int | None, ...]:
    return tuple(counters(entitlement.id).values())


def valid_until(entitlement: Entitlement) -> date:
    with reading() as session:
        return session.get_one(Entitlement, entitlement.id).valid_until


def test_a_reservation_that_is_used_moves_from_reserved_to_used() -> None:
    entitlement, taken = reserved()
    assert figures(entitlement) == (2, 1, 1, 0, 0, 0)
    with transaction() as session:
        ledger.use(session, taken, BY_TEST)
    assert figures(entitlement) == (2, 1, 0, 1, 0, 0)


@pytest.mark.parametrize("by", ["customer", "provider", "platform"])
def test_within_validity_a_release_is_available_again_whoever_caused_it(by: By) -> None:
    entitlement, taken = reserved()
    with transaction() as session:
        ledger.give_back(session, taken, stamp(AFTER - timedelta(seconds=1)), by=by)
    assert figures(entitlement) == (2, 2, 0, 0, 0, 0)
    assert valid_until(entitlement) == date(2026, 12, 31)


def test_after_validity_what_the_customer_gives_back_expires() -> None:
    entitlement, taken = reserved()
    with transaction() as session:
        ledger.give_back(session, taken, stamp(AFTER), by="customer")
    assert figures(entitlement) == (2, 0, 0, 0, 2, 0)
    assert valid_until(entitlement) == date(2026, 12, 31)


@pytest.mark.parametrize("by", ["provider", "platform"])
def test_after_validity_what_others_caused_can_be_used_for_the_grace_days(by: By) -> None:
    entitlement, taken = reserved(grace_days=45)
    with transaction() as session:
        ledger.give_back(session, taken, stamp(AFTER), by=by)
    assert valid_until(entitlement) == date(2027, 1, 1) + timedelta(days=45)
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "entitlement.lengthened")).one()
    assert line.facts == {"by": by, "before": "2026-12-31", "after": "2027-02-15"}
    assert line.subject == entitlement.public_id


def test_the_grace_revives_only_what_came_back() -> None:
    entitlement, taken = reserved(quantity=3)
    with transaction() as session:
        ledger.give_back(session, taken, stamp(AFTER), by="provider")
    assert figures(entitlement) == (3, 1, 0, 0, 2, 0)


def test_a_use_reversed_after_validity_follows_the_same_rule() -> None:
    entitlement, taken = reserved(quantity=1)
    with transaction() as session:
        ledger.use(session, taken, BY_TEST)
        ledger.reverse(session, taken, stamp(AFTER), by="platform")
    assert figures(entitlement) == (1, 1, 0, 0, 0, 0)
    with transaction() as session:
        reserve(session, Reservation(entitlement.id, 1, 2), AFTER)
    assert figures(entitlement) == (1, 0, 1, 0, 0, 0)


def test_an_unlimited_entitlement_counts_uses_and_never_runs_out_or_expires() -> None:
    entitlement, taken = reserved(quantity=None)
    with transaction() as session:
        for booking in range(2, 50):
            reserve(session, Reservation(entitlement.id, booking, 1))
        ledger.use(session, taken, BY_TEST)
        ledger.give_back(session, Reservation(entitlement.id, 2, 1), stamp(AFTER), by="customer")
    assert figures(entitlement) == (None, None, 47, 1, 0, 0)
    assert expire_due(AFTER).entitlements == 0


def test_a_reservation_is_given_back_or_used_once() -> None:
    entitlement, taken = reserved(quantity=3)
    with transaction() as session:
        reserve(session, Reservation(entitlement.id, 2, 1))
        ledger.give_back(session, taken, BY_TEST, by="customer")
    again: list[Callable[[Session], None]] = [
        lambda session: ledger.give_back(session, taken, BY_TEST, by="customer"),
        lambda session: ledger.use(session, taken, BY_TEST),
        lambda session: reserve(session, taken),
    ]
    for line in again:
        with pytest.raises(IntegrityError), transaction() as session:
            line(session)
    assert figures(entitlement) == (3, 2, 1, 0, 0, 0)


def test_nothing_left_refuses_and_leaves_no_line() -> None:
    entitlement, _ = reserved(quantity=1)
    with pytest.raises(EntitlementExhausted), transaction() as session:
        reserve(session, Reservation(entitlement.id, 2, 1))
    with reading() as session:
        lines = session.scalars(select(EntitlementEntry.entry).order_by(EntitlementEntry.id)).all()
    assert lines == ["grant", "reserve"]


def test_a_revocation_takes_what_is_available_and_no_more() -> None:
    entitlement, _ = reserved(quantity=3)
    with pytest.raises(EntitlementExhausted), transaction() as session:
        ledger.revoke(session, entitlement.id, 3, BY_TEST)
    with transaction() as session:
        ledger.revoke(session, entitlement.id, 2, BY_TEST)
    assert figures(entitlement) == (3, 0, 1, 0, 0, 2)
    with pytest.raises(NotFound), transaction() as session:
        ledger.revoke(session, 10**9, 1, BY_TEST)


@dataclass
class Story:
    """Where a random sequence has got to: reservations that are open, and those that were used."""

    entitlement: Entitlement
    bookings: int = 0
    open: list[Reservation] = field(default_factory=list)
    used: list[Reservation] = field(default_factory=list)

    def step(self, verb: str, by: By, at: datetime) -> None:
        """One operation, as far as there is something to do it to."""
        with transaction() as session:
            if verb == "reserve":
                taken = Reservation(self.entitlement.id, self.entitlement.id * 1000 + self.bookings, 1)
                reserve(session, taken, at)
                self.bookings += 1
                self.open.append(taken)
            elif verb == "use" and self.open:
                ledger.use(session, self.open[0], stamp(at))
                self.used.append(self.open.pop(0))
            elif verb == "give_back" and self.open:
                ledger.give_back(session, self.open.pop(0), stamp(at), by=by)
            elif verb == "reverse" and self.used:
                ledger.reverse(session, self.used.pop(0), stamp(at), by=by)
            elif verb == "revoke":
                ledger.revoke(session, self.entitlement.id, 1, stamp(at))


VERBS = st.sampled_from(["reserve", "reserve", "use", "give_back", "reverse", "revoke", "expire"])
BYS = st.sampled_from(["customer", "provider", "platform"])
DAYS = st.integers(min_value=0, max_value=400)
SIGNS = {
    "available": {"grant": 1, "reserve": -1, "release": 1, "reverse": 1, "expire": -1, "revoke": -1},
    "reserved": {"reserve": 1, "release": -1, "use": -1},
    "used": {"use": 1, "reverse": -1},
    "expired": {"expire": 1},
    "revoked": {"revoke": 1},
    "granted": {"grant": 1},
}


def sums_of_lines(entitlement_id: int) -> dict[str, int]:
    with reading() as session:
        lines: Counter[str] = Counter()
        for entry, quantity in session.execute(
            select(EntitlementEntry.entry, EntitlementEntry.quantity).where(
                EntitlementEntry.entitlement_id == entitlement_id
            )
        ):
            lines[entry] += quantity
    return {name: sum(sign * lines[entry] for entry, sign in signs.items()) for name, signs in SIGNS.items()}


def any_customer() -> Customer:
    insurer = make_insurer()
    with reading() as session:
        found = session.scalar(select(Customer).where(Customer.insurer_id == insurer.id))
    return found or make_customer()


@given(quantity=st.one_of(st.none(), st.integers(1, 4)), steps=st.lists(st.tuples(VERBS, BYS, DAYS), max_size=14))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_of_operations_keeps_the_balance(quantity: int | None, steps: list[tuple[str, By, int]]) -> None:
    story = Story(give(any_customer(), quantity))
    at = NOON
    for verb, by, days in steps:
        at = max(at, NOON + timedelta(days=days))
        note(f"{verb} by {by} at {at}")
        if verb == "expire":
            expire_due(at)
        else:
            try:
                story.step(verb, by, at)
            except Refusal as refused:
                assert isinstance(refused, EntitlementExhausted)
        columns = counters(story.entitlement.id)
        sums = sums_of_lines(story.entitlement.id)
        if quantity is None:
            assert (columns["granted"], columns["available"]) == (None, None)
        else:
            assert columns["granted"] == sum(columns[name] or 0 for name in SIGNS if name != "granted")
            assert (columns["granted"], columns["available"]) == (sums["granted"], sums["available"])
        for name in ("reserved", "used", "expired", "revoked"):
            assert columns[name] == sums[name] >= 0
        assert (columns["reserved"], columns["used"]) == (len(story.open), len(story.used))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entitlement SET available = 9",
        "UPDATE entitlement SET granted = 9",
        "UPDATE entitlement SET reserved = 0",
        "UPDATE entitlement SET used = 0",
        "UPDATE entitlement SET expired = 0",
        "UPDATE entitlement SET revoked = 0",
        "UPDATE entitlement_entry SET quantity = 9",
        "DELETE FROM entitlement_entry",
        "TRUNCATE entitlement_entry",
        "TRUNCATE entitlement_entry CASCADE",
        "UPDATE audit_line SET actor = 'nobody'",
        "DELETE FROM audit_line",
        "TRUNCATE audit_line",
        "TRUNCATE entitlement CASCADE",
        "ALTER TABLE entitlement_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON audit_line",
    ],
)
def test_the_applications_role_cannot_rewrite_counters_ledger_or_audit(statement: str) -> None:
    entitlement, _ = reserved()
    with pytest.raises(DBAPIError) as refused, transaction() as session:
        session.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"  # insufficient_privilege
    assert figures(entitlement) == (2, 1, 1, 0, 0, 0)


def test_even_the_owner_cannot_update_or_delete_a_line(owner_connection: Connection) -> None:
    reserved()
    for table in ("entitlement_entry", "audit_line"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET actor = 'nobody'"):
            with pytest.raises(DBAPIError, match="append_only"):
                owner_connection.execute(text(statement))


def test_an_entitlement_cannot_be_made_with_counters_already_moved() -> None:
    customer = make_customer()
    with pytest.raises(DBAPIError, match="entitlement_starts_empty"), transaction() as session:
        session.add(
            Entitlement(
                public_id="ent_x",
                insurer_id=customer.insurer_id,
                customer_id=customer.id,
                kind="health_check",
                valid_from=date(2026, 1, 1),
                valid_until=date(2026, 12, 31),
                granted=5,
                available=5,
            )
        )
