"""Blocking a customer: she is signed out at once and can't sign in until she is unblocked. Her bookings stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from vip import accounts, phones, risky, roles
from vip.models import Customer
from vip.principal import Principal
from vip.signin import limits
from vip.signin.limits import Limit
from vip.signin.signin import insurer_id

SEARCHES = Limit(60, 120)
"""Customers that an operator looks for."""


@dataclass(frozen=True)
class CustomerStatus:
    """A customer as who blocks her sees her; `blocked_at` is None for one who may sign in."""

    public_id: str
    name: str
    phone_masked: str
    blocked_at: datetime | None


def find_customer(principal: Principal, phone: str, *, now: datetime) -> CustomerStatus:
    """The customer with this phone. Audited. Raises Invalid(field="phone"), NotFound(field="phone"),
    TooMany(retry_after)."""
    roles.require(principal, "people")
    with transaction() as session:  # of its own: a search that finds nobody counts too
        limits.take(session, SEARCHES, "customers", principal.public_id, now=now)
    with transaction() as session:
        customer = _by_phone(session, principal.insurer_id, phone)
        accounts.record(session, "customer.looked_up", customer, principal, now)
        return _status(customer)


def customer_status(principal: Principal, public_id: str, *, now: datetime) -> CustomerStatus:
    """The customer with this public id. Audited. Raises NotFound."""
    roles.require(principal, "people")
    with transaction() as session:
        customer = _by_id(session, principal, public_id, lock=False)
        accounts.record(session, "customer.viewed", customer, principal, now)
        return _status(customer)


def block(principal: Principal, public_id: str, *, now: datetime) -> int:
    """Block a customer and end her sessions; returns how many. Audited, once. Raises NotFound, SignInAgain."""
    risky.allow(principal, "block_customer", now=now)
    with transaction() as session:
        return _block(session, _by_id(session, principal, public_id, lock=True), principal, now)


def unblock(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Let a customer sign in again. Audited, once. Raises NotFound, SignInAgain."""
    risky.allow(principal, "unblock_customer", now=now)
    with transaction() as session:
        _unblock(session, _by_id(session, principal, public_id, lock=True), principal, now)


def block_by_command(phone: str, *, now: datetime) -> int:
    """`block` for who runs the installation, by phone. Raises Invalid(field="phone"), NotFound(field="phone")."""
    with transaction() as session:
        return _block(session, _by_phone(session, insurer_id(session), phone), None, now)


def unblock_by_command(phone: str, *, now: datetime) -> None:
    """`unblock` for who runs the installation, by phone. Raises Invalid(field="phone"), NotFound(field="phone")."""
    with transaction() as session:
        _unblock(session, _by_phone(session, insurer_id(session), phone), None, now)


def _block(session: Session, customer: Customer, by: Principal | None, now: datetime) -> int:
    if customer.blocked_at is not None:
        return 0
    customer.blocked_at = now
    ended = accounts.end_sessions(session, customer, now)
    accounts.record(session, "customer.blocked", customer, by, now, sessions_ended=ended)
    return ended


def _unblock(session: Session, customer: Customer, by: Principal | None, now: datetime) -> None:
    if customer.blocked_at is not None:
        customer.blocked_at = None
        accounts.record(session, "customer.unblocked", customer, by, now)


def _by_phone(session: Session, insurer: int, phone: str) -> Customer:
    known = phones.indexes(phones.normalise(phone))
    wanted = select(Customer).where(Customer.insurer_id == insurer, phones.of_customer(known))
    customer = session.scalar(wanted.with_for_update())
    if customer is None:
        raise NotFound(field="phone")
    return customer


def _by_id(session: Session, principal: Principal, public_id: str, *, lock: bool) -> Customer:
    wanted = select(Customer).where(
        Customer.insurer_id == principal.insurer_id, Customer.public_id == public_id, Customer.erased_at.is_(None)
    )
    customer = session.scalar(wanted.with_for_update() if lock else wanted)
    if customer is None:
        raise NotFound(field="customer_id")
    return customer


def _status(customer: Customer) -> CustomerStatus:
    phone = phones.masked(phones.unseal(customer.phone_sealed, customer.public_id))
    return CustomerStatus(customer.public_id, customer.name, phone, customer.blocked_at)
