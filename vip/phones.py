"""Phone numbers: the one rule of what is accepted, how it is stored, found and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.database.db import violated
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.text import without_invisible
from vip.models import Customer, CustomerPhone

PURPOSE = "phone"

_IGNORED = re.compile(r"[\s\-‐‑‒–—−().·]")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST = 40
_UNIQUE = ("uq_customer_insurer_id_phone_index", "uq_customer_phone_insurer_id_phone_index")


class PhoneTaken(Refusal):
    """Another customer has the number. Raised only for a caller who proved that the number is hers."""

    code = "phone_taken"
    status = 409
    field = "phone"


def normalise(text: str, *, field: str = "phone") -> str:
    """The number in E.164 form (`+8613800000001`), from what people type.

    A mainland mobile number is 11 digits starting 13 to 19, with or without +86, 86, 0086 or a leading 0. Anything
    else needs its country code with + or 00 (ITU-T E.164: at most 15 digits). Spaces, dashes, brackets, full-width
    digits and invisible characters are tolerated. Raises Invalid(reason="phone").
    """
    if len(text) > _LONGEST:
        raise Invalid(field=field, reason="phone")
    plain = _IGNORED.sub("", without_invisible(text))
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not plain.startswith("+"):
        national = plain[2:] if len(plain) == 13 and plain.startswith("86") else plain
        national = national.removeprefix("0")  # as some write it for a call from another city
        plain = "+86" + national
        if not _MAINLAND.fullmatch(national):
            raise Invalid(field=field, reason="phone")
    if plain.startswith("+86") and not _MAINLAND.fullmatch(plain[3:]):
        raise Invalid(field=field, reason="phone")
    if not _INTERNATIONAL.fullmatch(plain):
        raise Invalid(field=field, reason="phone")
    return plain


def index(phone: str) -> bytes:
    """The blind index that is stored for a normalised number."""
    return crypto.blind_index(phone, PURPOSE)


def indexes(phone: str) -> tuple[bytes, ...]:
    """The blind indexes that a normalised number may have: one for each live key, the current one's first."""
    return crypto.blind_indexes(phone, PURPOSE)


def of_customer(found: Sequence[bytes]) -> ColumnElement[bool]:
    """The condition that the phone with these indexes is the customer's. It is asked of her own row, so that who locks
    her by it while her number changes does not get her by the number she had."""
    return Customer.phone_index.in_(found)


def lock(session: Session, found: Iterable[bytes]) -> None:
    """Lock these indexes until the transaction ends, in one order. A number is locked under each live key: processes
    of which one knows a key less, or another first, lock one in common."""
    numbers = [int.from_bytes(each[:8], "big", signed=True) for each in sorted(set(found))]
    session.execute(
        text("SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:numbers AS bigint[])) n"), {"numbers": numbers}
    )


def assign(session: Session, customer: Customer, phone: str) -> None:
    """Give the customer, new or known, this normalised number, in the caller's transaction. It is taken under every
    live key, so that no other customer gets it while keys change. Raises PhoneTaken."""
    known = indexes(phone)
    lock(session, known)  # two that take it in another order would wait for each other
    customer.phone_index, customer.phone_sealed = known[0], seal(phone, customer.public_id)
    session.add(customer)
    try:
        session.flush()
        index_otherwise(session, customer.insurer_id, [(customer.id, known)])
    except IntegrityError as refused:
        if violated(refused) in _UNIQUE:
            raise PhoneTaken() from refused
        raise


def index_otherwise(session: Session, insurer_id: int, known: Iterable[tuple[int, Sequence[bytes]]]) -> None:
    """Add the indexes under the live keys beside the current one, of customers (internal id, indexes) that have just
    been written."""
    others = [
        {"customer_id": customer_id, "insurer_id": insurer_id, "phone_index": other}
        for customer_id, indexes_of in known
        for other in indexes_of[1:]
    ]
    if others:
        session.execute(insert(CustomerPhone), others)


def index_again(session: Session, customers: Sequence[tuple[Customer, Sequence[bytes]]]) -> None:
    """Give customers, whose rows the caller has locked, these indexes of their numbers and no others: one for each live
    key, the current one's first. Raises IntegrityError if another customer has one of them."""
    for customer, found in customers:
        customer.phone_index = found[0]
    session.flush()
    of_these = CustomerPhone.customer_id.in_([customer.id for customer, _found in customers])
    live = [one for _customer, found in customers for one in found]
    session.execute(delete(CustomerPhone).where(of_these, CustomerPhone.phone_index.not_in(live)))
    stored = set(session.scalars(select(CustomerPhone.phone_index).where(of_these)))
    missing = [
        {"customer_id": customer.id, "insurer_id": customer.insurer_id, "phone_index": one}
        for customer, found in customers
        for one in found
        if one not in stored
    ]
    if missing:
        session.execute(insert(CustomerPhone), missing)


def record_of(customer_public_id: str) -> str:
    """The record that a customer's number is sealed for."""
    return f"customer:{customer_public_id}:phone"


def seal(phone: str, customer_public_id: str) -> bytes:
    """A normalised number as it is stored with its customer."""
    return crypto.seal_master(phone, record_of(customer_public_id))


def unseal(sealed: bytes, customer_public_id: str) -> str:
    """The number of that customer. Raises crypto.Unreadable: when she was erased, and it is empty, without an integrity
    alarm, else after one."""
    if not sealed:
        raise crypto.Unreadable(record_of(customer_public_id))
    return crypto.unseal_master(sealed, record_of(customer_public_id))


def masked(phone: str) -> str:
    """For showing: `138****0001`; of an international number the country's digits and the last two."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}****{phone[-4:]}"
    return f"{phone[:3]}****{phone[-2:]}"
