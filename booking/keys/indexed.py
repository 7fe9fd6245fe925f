"""What is found by a blind index: each column, and the value that its index is made anew from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.keys.part import Item, Moved
from marketplace.core import crypto, integrity
from marketplace.core.config import settings
from marketplace.core.keyring import Key
from vip import phones
from vip.customers import consent, family, id_numbers
from vip.customers.consent_models import Consent
from vip.customers.person_keys import CONTACT, WrappedKey, keys_of
from vip.models import Beneficiary, Customer, CustomerPhone
from vip.policies import numbers
from vip.policies.models import Policy

P = ParamSpec("P")


@dataclass(frozen=True)
class Found:
    """An indexed row with its indexes under the live keys; none where the value itself is `unknown` or can't be
    opened."""

    row: Any
    record: str
    stored: bytes
    indexes: tuple[bytes, ...]
    unknown: bool = False
    complete: bool = True
    beside: tuple[bytes, ...] = ()

    def item(self) -> Item:
        """The same for counting."""
        ids = {index: key.id for index, key in zip(self.indexes, settings().index_keys, strict=False)}
        current = bool(self.indexes) and self.stored == self.indexes[0] and self.complete
        beside = tuple(ids.get(index) for index in self.beside)
        return Item(self.record, (ids.get(self.stored),), current, self.unknown, beside)


@dataclass(frozen=True)
class Indexed:
    """A column of blind indexes. `find` reads rows with what they were indexed from; `assign` gives rows their
    indexes under the current key. `beside` is the column of those that are kept under each live key."""

    column: InstrumentedAttribute[Any]
    number: InstrumentedAttribute[int]
    find: Callable[[Session, Sequence[Any]], list[Found]]
    assign: Callable[[Session, Sequence[tuple[Any, Sequence[bytes]]]], None]
    beside: InstrumentedAttribute[Any] | None = None

    @property
    def name(self) -> str:
        """The column, as `table.column`."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    @property
    def beside_name(self) -> str:
        """The column of those kept under each live key; blank if there is none."""
        return "" if self.beside is None else f"{self.beside.class_.__tablename__}.{self.beside.key}"

    def live(self) -> Sequence[Key]:
        """The index keys."""
        return settings().index_keys

    def batch(self, session: Session, after: int, most: int) -> Sequence[int]:
        """The next numbers after `after`."""
        wanted = select(self.number).where(self.number > after, self.column.is_not(None))
        return session.scalars(wanted.order_by(self.number).limit(most)).all()

    def look(self, session: Session, numbers: Sequence[int]) -> Sequence[Item]:
        """The rows with these numbers. Changes nothing."""
        return [found.item() for found in self.find(session, session.scalars(self._wanted(numbers)).all())]

    def move(self, session: Session, numbers: Sequence[int]) -> Moved:
        """Give the rows with these numbers their index under the current key, in the caller's transaction."""
        there = len(session.scalars(select(self.number).where(self._among(numbers))).all())
        locked = self._wanted(numbers).with_for_update(of=self.column.class_, skip_locked=True)
        rows = session.scalars(locked, execution_options={"populate_existing": True}).all()
        found = self.find(session, rows)
        waiting = [each for each in found if each.indexes and not each.item().current]
        moved = len(waiting) if self._assigned(session, waiting) else self._one_by_one(session, waiting)
        unknown = sum(each.unknown for each in found)
        unreadable = sum(not each.indexes for each in found) - unknown + len(waiting) - moved
        return Moved(moved, there - len(rows), unreadable, unknown)

    def _assigned(self, session: Session, found: Sequence[Found]) -> bool:
        """False if another row has one of the indexes; then nothing was written."""
        try:
            with session.begin_nested():
                self.assign(session, [(each.row, each.indexes) for each in found])
                session.flush()
        except IntegrityError:
            return False
        return True

    def _one_by_one(self, session: Session, found: Sequence[Found]) -> int:
        """How many could be assigned. Two rows that have one number, which must never be, are an alarm each."""
        moved = 0
        for each in found:
            if self._assigned(session, [each]):
                moved += 1
            else:
                integrity.alarm(f"{each.record}:index")
        return moved

    def _among(self, numbers: Sequence[int]) -> Any:
        return self.number.in_(numbers) & self.column.is_not(None)

    def _wanted(self, numbers: Sequence[int]) -> Select[Any]:
        return select(self.column.class_).where(self._among(numbers)).order_by(self.number)


def _customers(session: Session, rows: Sequence[Customer]) -> list[Found]:
    """Those that were not erased."""
    stored: dict[int, set[bytes]] = {row.id: set() for row in rows}
    for other in session.scalars(select(CustomerPhone).where(CustomerPhone.customer_id.in_(list(stored)))):
        stored[other.customer_id].add(other.phone_index)
    found = []
    for row in rows:
        if not row.phone_sealed:
            continue
        indexes = _indexes(phones.PURPOSE, phones.unseal, row.phone_sealed, row.public_id)
        complete = stored[row.id] == set(indexes)
        beside = tuple(stored[row.id])
        record = phones.record_of(row.public_id)
        found.append(Found(row, record, row.phone_index, indexes, complete=complete, beside=beside))
    return found


def _people(session: Session, rows: Sequence[Beneficiary]) -> list[Found]:
    """Those whose ID number can still be opened: not who was erased."""
    keys = keys_of(session, rows, CONTACT)
    return [
        Found(
            row,
            family.record_of(row.public_id, "id_number"),
            row.id_number_index or b"",
            _indexes(id_numbers.PURPOSE, family.opened, row, "id_number", keys[row.id]),
        )
        for row in rows
        if keys[row.id].wrapped is not None
    ]


def _consents(session: Session, rows: Sequence[Consent]) -> list[Found]:
    """Of a consent from before its number was stored, the number is that of its person, if that has the same index."""
    ids = {row.beneficiary_id for row in rows}
    people = {it.id: it for it in session.scalars(select(Beneficiary).where(Beneficiary.id.in_(ids)))}
    keys = keys_of(session, list(people.values()), CONTACT)
    found = []
    for row in rows:
        person, key = people[row.beneficiary_id], keys[row.beneficiary_id]
        indexes = _of_consent(row, person, key)
        unknown = not indexes and (row.phone_sealed is None or key.wrapped is None)
        found.append(Found(row, consent.record_of(row.public_id), row.phone_index or b"", indexes, unknown=unknown))
    return found


def _policies(_session: Session, rows: Sequence[Policy]) -> list[Found]:
    """Those whose holder was not erased."""
    found = []
    for row in rows:
        if row.number_sealed:
            indexes = _indexes(numbers.PURPOSE, _policy_number, row)
            found.append(Found(row, numbers.record_of(row.public_id), row.number_index, indexes))
    return found


def _policy_number(row: Policy) -> str:
    """A number as it is indexed."""
    return numbers.spelled(numbers.unseal(row.number_sealed, row.public_id))


def _of_consent(row: Consent, person: Beneficiary, key: WrappedKey) -> tuple[bytes, ...]:
    if key.wrapped is None:
        return ()
    if row.phone_sealed is not None:
        return _indexes(phones.PURPOSE, consent.phone_of, row, key)
    indexes = _indexes(phones.PURPOSE, family.opened, person, "phone", key)
    return indexes if row.phone_index in indexes else ()


def _indexes(purpose: str, opened: Callable[P, str | None], *args: P.args, **kwargs: P.kwargs) -> tuple[bytes, ...]:
    """The indexes of a value; none if there is no value, or it can't be opened, which has raised its alarm."""
    try:
        value = opened(*args, **kwargs)
    except crypto.Unreadable:
        return ()
    return () if value is None else crypto.blind_indexes(value, purpose)


def _set_policy_numbers(_session: Session, policies: Sequence[tuple[Policy, Sequence[bytes]]]) -> None:
    for policy, indexes in policies:
        policy.number_index = indexes[0]


def _set_id_numbers(_session: Session, people: Sequence[tuple[Beneficiary, Sequence[bytes]]]) -> None:
    for person, indexes in people:
        person.id_number_index = indexes[0]


def _set_consents(_session: Session, given: Sequence[tuple[Consent, Sequence[bytes]]]) -> None:
    for each, indexes in given:
        each.phone_index = indexes[0]


INDEXED = (
    Indexed(Customer.phone_index, Customer.id, _customers, phones.index_again, CustomerPhone.phone_index),
    Indexed(Beneficiary.id_number_index, Beneficiary.id, _people, _set_id_numbers),
    Indexed(Consent.phone_index, Consent.id, _consents, _set_consents),
    Indexed(Policy.number_index, Policy.id, _policies, _set_policy_numbers),
)
"""Every column of indexes that can be made anew; a test compares with the schema. The others: booking.keys.unmoved."""
