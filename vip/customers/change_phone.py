"""Changing a customer's phone number: a code to the old number and one to the new, both proved together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, Unauthenticated
from marketplace.core.sending import sms
from marketplace.core.sending.sms import SmsBackend
from vip import phones
from vip.models import Customer
from vip.principal import Principal
from vip.signin import codes, turns
from vip.signin.codes import Address, CodeSent
from vip.signin.signin import code_text, end_other_sessions

OLD, NEW = "change_phone_old", "change_phone_new"


def start_phone_change(
    principal: Principal, new_phone: str, *, now: datetime, gateway: SmsBackend | None = None
) -> CodeSent:
    """Send one code to the present number and one to the new, whoever has that.

    Raises Invalid(field="phone"; reason "phone" or "same_phone"), TooMany(retry_after), Crowded(retry_after),
    Unauthenticated for operators.
    """
    number = phones.normalise(new_phone)
    gateway = gateway or sms.backend()
    with turns.asking.signed_in(principal), transaction() as session:
        customer = _customer(session, principal, lock=False)
        old, new = _addresses(customer, number)
        codes.lock_phones(session, old, new)
        old_code = codes.new_code(session, old, now)
        new_code = codes.new_code(session, new, now)
    present = phones.unseal(customer.phone_sealed, customer.public_id)
    for to, made in ((present, old_code), (number, new_code)):
        if made.code is not None:
            gateway.send(to, code_text(made.code, customer.language))
    return new_code.sent


def confirm_phone_change(principal: Principal, new_phone: str, *, old_code: str, new_code: str, now: datetime) -> None:
    """Move the customer to the new number, end her other sessions, and write an audit line.

    Both codes count a try each. Raises Invalid, WrongCode or CodeEnded (field old_code or new_code), TooMany
    (retry_after), Crowded(retry_after), and PhoneTaken once both are proved.
    """
    number = phones.normalise(new_phone)
    old_digits = codes.clean(old_code, field="old_code")
    new_digits = codes.clean(new_code, field="new_code")
    with turns.trying.signed_in(principal):
        _confirm(principal, number, old_digits, new_digits, now)


def _confirm(principal: Principal, number: str, old_digits: str, new_digits: str, now: datetime) -> None:
    with transaction() as session:
        old, new = _addresses(_customer(session, principal, lock=False), number)
        counted_old, counted_new = codes.count_try(session, old, now), codes.count_try(session, new, now)
    right_old = codes.compare(counted_old, old, old_digits, now=now, field="old_code")
    right_new = codes.compare(counted_new, new, new_digits, now=now, field="new_code")
    with transaction() as session:
        customer = _customer(session, principal, lock=True)
        if customer.phone_index not in old.phone_indexes:
            raise codes.CodeEnded(field="old_code")
        codes.use(session, right_old, now, field="old_code")
        codes.use(session, right_new, now, field="new_code")
        codes.proved(session, old)
        codes.proved(session, new)
        _move(session, principal, customer, number, now)


def _move(session: Session, principal: Principal, customer: Customer, number: str, now: datetime) -> None:
    phones.assign(session, customer, number)
    ended = end_other_sessions(session, principal, now)
    audit.record(
        session,
        "customer.phone_changed",
        at=now,
        actor_kind="customer",
        actor=customer.public_id,
        subject=customer.public_id,
        insurer_id=customer.insurer_id,
        sessions_ended=ended,
    )


def _customer(session: Session, principal: Principal, *, lock: bool) -> Customer:
    wanted = select(Customer).where(Customer.id == principal.id, Customer.blocked_at.is_(None))
    customer = session.scalar(wanted.with_for_update() if lock else wanted) if principal.kind == "customer" else None
    if customer is None:
        raise Unauthenticated()
    return customer


def _addresses(customer: Customer, number: str) -> tuple[Address, Address]:
    present = phones.unseal(customer.phone_sealed, customer.public_id)
    if number == present:
        raise Invalid(field="phone", reason="same_phone")
    return (
        Address(customer.insurer_id, phones.indexes(present), OLD, customer.id),
        Address(customer.insurer_id, phones.indexes(number), NEW, customer.id),
    )
