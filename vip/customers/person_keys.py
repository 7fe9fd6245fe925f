"""A person's data keys, one for each class of her data: destroying one ends what it sealed and nothing else.

Contact: her phone and ID number. Process: answers for a booking, words of a dispute. Medical: whose a stored result is
after she was erased; results themselves have keys of their own, one for each version of a report.

People from before the classes have one key for all (`beneficiary.wrapped_key`) until `move_to_classes`: it becomes the
key of the class process, so that nothing sealed under it has to be touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core import crypto
from marketplace.core.database.db import transaction
from vip.models import Beneficiary, PersonKey

CONTACT, PROCESS, MEDICAL = CLASSES = ("contact", "process", "medical")
_SEALED = {"phone_sealed": "phone", "id_number_sealed": "id_number"}


@dataclass(frozen=True)
class WrappedKey:
    """A person's key as it is stored, None once it is destroyed, and the record that it is bound to."""

    wrapped: bytes | None = field(repr=False)
    record: str

    def open(self) -> bytes:
        """The key itself. Raises crypto.Unreadable when it was destroyed."""
        return crypto.unwrap_key(self.wrapped, self.record)


def record_of(public_id: str, retention: str) -> str:
    """What a person's key is bound to. That of the class process has the name of the one key from before the classes,
    which goes on as it."""
    return public_id if retention == PROCESS else f"{public_id}:{retention}"


def chosen(public_id: str, retention: str, for_all: bytes | None, of_class: bytes | None) -> WrappedKey:
    """Which of a person's two stored keys counts: the one for all of her data while she has that, else the class's."""
    if for_all is not None:
        return WrappedKey(for_all, public_id)
    return WrappedKey(of_class, record_of(public_id, retention))


def key_of(session: Session, person: Beneficiary, retention: str) -> WrappedKey:
    """Her key of one class."""
    return keys_of(session, [person], retention)[person.id]


def keys_of(session: Session, people: Sequence[Beneficiary], retention: str) -> dict[int, WrappedKey]:
    """The keys of several people by internal id, in one query; in none if all are from before the classes."""
    moved = [person.id for person in people if person.wrapped_key is None]
    found: dict[int, bytes | None] = {}
    if moved:
        stored = select(PersonKey).where(PersonKey.beneficiary_id.in_(moved), PersonKey.retention == retention)
        found = {it.beneficiary_id: it.wrapped_key for it in session.scalars(stored)}
    return {it.id: chosen(it.public_id, retention, it.wrapped_key, found.get(it.id)) for it in people}


def new_keys(public_id: str) -> list[PersonKey]:
    """The rows of a new person's keys, for `Beneficiary.keys`."""
    return [
        PersonKey(retention=each, wrapped_key=crypto.new_wrapped_key(record_of(public_id, each))) for each in CLASSES
    ]


def new_rows(people: Sequence[Beneficiary]) -> list[dict[str, Any]]:
    """The same as values, for people who were inserted many at once."""
    return [
        {"beneficiary_id": it.id, "retention": key.retention, "wrapped_key": key.wrapped_key}
        for it in people
        for key in new_keys(it.public_id)
    ]


def destroy(session: Session, beneficiary_ids: Sequence[int], retention: str, now: datetime) -> None:
    """Destroy these people's keys of one class. They must have been moved to classes."""
    session.execute(
        update(PersonKey)
        .where(
            PersonKey.beneficiary_id.in_(beneficiary_ids),
            PersonKey.retention == retention,
            PersonKey.wrapped_key.is_not(None),
        )
        .values(wrapped_key=None, destroyed_at=now)
    )


def move_to_classes(session: Session, person: Beneficiary) -> None:
    """Give a person keys by class; nothing happens if she has them. The caller has locked her row.

    The old key goes on as the key of the class process: whoever seals something under it at this moment seals rightly.
    """
    if person.wrapped_key is None:
        return
    old = WrappedKey(person.wrapped_key, person.public_id)
    keys = {it.retention: it.wrapped_key for it in new_keys(person.public_id)} | {PROCESS: old.wrapped}
    _write(session, person.id, keys)
    _seal_again(person, old, chosen(person.public_id, CONTACT, None, keys[CONTACT]))
    person.wrapped_key = None


def move_to_one_key(session: Session, person: Beneficiary) -> None:
    """The way back, for a release that knows no classes. Destroyed keys stay destroyed: without the key of the class
    process she gets none. Who is erased stays as she is: her classes end at days of their own, and the record of whose
    her results are is under one of them. The caller has locked her row."""
    if person.wrapped_key is not None or person.erased_at is not None:
        return
    process, contact = (key_of(session, person, each) for each in (PROCESS, CONTACT))
    if process.wrapped is None:
        return
    if contact.wrapped is not None:
        _seal_again(person, contact, process)
    person.wrapped_key = process.wrapped


def move_all(move: Callable[[Session, Beneficiary], None], *, batch: int = 200) -> int:
    """Move everybody one way or the other, a batch a transaction; how many people were looked at."""
    looked_at = 0
    for ids in _batches(batch):
        with transaction() as session:
            people = select(Beneficiary).where(Beneficiary.id.in_(ids)).order_by(Beneficiary.id).with_for_update()
            for person in session.scalars(people):
                move(session, person)
        looked_at += len(ids)
    return looked_at


def _batches(batch: int) -> Iterator[Sequence[int]]:
    last = 0
    while True:
        with transaction() as session:
            ids = session.scalars(
                select(Beneficiary.id).where(Beneficiary.id > last).order_by(Beneficiary.id).limit(batch)
            ).all()
        if not ids:
            return
        yield ids
        last = ids[-1]


def _write(session: Session, beneficiary_id: int, keys: dict[str, bytes | None]) -> None:
    rows = [{"beneficiary_id": beneficiary_id, "retention": each, "wrapped_key": key} for each, key in keys.items()]
    new = insert(PersonKey).values(rows)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["beneficiary_id", "retention"],
            set_={"wrapped_key": new.excluded.wrapped_key, "destroyed_at": None},
        )
    )


def _seal_again(person: Beneficiary, old: WrappedKey, new: WrappedKey) -> None:
    """Seal her phone and ID number under another key; a value that can't be opened stays what it is."""
    for column, what in _SEALED.items():
        sealed = getattr(person, column)
        if not sealed:
            continue
        record = f"beneficiary:{person.public_id}:{what}"
        try:
            plain = crypto.unseal(sealed, key=old.open(), record=record)
        except crypto.Unreadable:
            continue
        setattr(person, column, crypto.seal(plain, key=new.open(), record=record))
