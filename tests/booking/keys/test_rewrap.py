"""Bringing everything to a new master key while all goes on, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import Thread

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.orm import Session

from booking.keys.count import count
from booking.keys.rewrap import BATCH, LOCKED_SECONDS, PAUSE_SECONDS, Progress, rewrap
from booking.keys.sealed import SEALED
from marketplace.core import crypto, integrity
from marketplace.core.config import settings
from marketplace.core.database.db import engine, reading, transaction
from marketplace.keys_commands import list_keys
from tests.booking.keys.stored import PHONE, Stored, store
from tests.conftest import TestDatabase
from tests.keys import text_of, use_keys
from tests.people import NOON, make_customer
from tests.processes import run_program
from tests.sandboxes import eventually
from vip import phones
from vip.customers.person_keys import CONTACT, destroy, key_of
from vip.models import Beneficiary, Customer, CustomerPhone, PersonKey


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings are read anew afterwards."""
    integrity.forget_raised()
    yield
    settings.cache_clear()


def brought(*, batch: int = BATCH, wait: Callable[[float], None] = lambda _seconds: None) -> dict[str, Progress]:
    """Rewrap everything; how each part ended."""
    done = rewrap(now=lambda: NOON, batch=batch, wait=wait, say=lambda _progress: None)
    return {part.part: part for part in done}


def under(key_id: str) -> bool:
    """Whether every value that rests on a master key rests on this one alone, and there are some."""
    sealed = {part.name for part in SEALED}
    by_key = [part.by_key for part in count() if part.part in sealed and part.by_key]
    return len(by_key) >= len(sealed) - 1 and all(set(keys) == {key_id} for keys in by_key)


def test_everything_opens_without_the_earlier_key(superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a", index="a")
    stored = store(superuser)
    assert under("a")
    use_keys(monkeypatch, master="b a")
    stored.readable()
    done = brought(batch=2)
    assert sum(part.moved for part in done.values()) >= 12
    assert all(part.finished and not part.unreadable for part in done.values())
    use_keys(monkeypatch, master="b")
    stored.readable()
    assert under("b")
    assert sum(part.moved for part in brought().values()) == 0, "once moved, nothing is moved again"


def test_what_was_sealed_before_there_were_key_ids_names_its_key_afterwards(
    superuser: str, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = text_of("a").removeprefix("a:")
    monkeypatch.setenv("MASTER_KEY", alone)
    settings.cache_clear()
    stored = store(superuser)
    wrapped = text("SELECT count(*) FROM report_version WHERE substr(wrapped_key, 1, 5) = :header")
    assert owner_connection.execute(wrapped, {"header": crypto.HEADER}).scalar_one() == 0
    monkeypatch.delenv("MASTER_KEY")
    use_keys(monkeypatch, master="b a")
    stored.readable()
    brought()
    assert owner_connection.execute(wrapped, {"header": crypto.HEADER}).scalar_one() == 2
    use_keys(monkeypatch, master="b")
    stored.readable()


KILLED_AT_THE_SEVENTH = """
import os, signal, time
from marketplace.core import clock, crypto
from booking.keys.rewrap import rewrap

left, reseal = [7], crypto.reseal

def resealed(sealed, record):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return reseal(sealed, record)

crypto.reseal = resealed
rewrap(now=clock.now, batch=2, wait=lambda _seconds: None, say=lambda _progress: None)
"""


def test_killed_again_and_again_it_ends_the_same(
    superuser: str, worker_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, master="a", index="a")
    stored = store(superuser)
    use_keys(monkeypatch, master="b a")
    ends = []
    while not ends or ends[-1] != 0:
        ends.append(run_program(KILLED_AT_THE_SEVENTH, worker_database.environment))
        assert ends[-1] in (0, -9)
    assert ends.count(-9) >= 2
    use_keys(monkeypatch, master="b")
    stored.readable()
    assert under("b")


def test_a_number_that_is_changed_meanwhile_is_not_written_over(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    customer = make_customer(PHONE)
    use_keys(monkeypatch, master="b a")
    new = phones.seal("+8613900000099", customer.public_id)
    reseal, rivals = crypto.reseal, list[Thread]()

    def rival() -> None:
        with transaction() as session:
            session.execute(update(Customer).where(Customer.id == customer.id).values(phone_sealed=new))

    def resealed(sealed: bytes, record: str) -> bytes | None:
        if not rivals:  # between what was read and what is written
            rivals.append(Thread(target=rival))
            rivals[0].start()
            eventually(lambda: not rivals[0].is_alive() or _waits_for_a_lock())
        return reseal(sealed, record)

    monkeypatch.setattr(crypto, "reseal", resealed)
    brought()
    rivals[0].join(60)
    assert _phone_of(customer) == "+8613900000099"


def test_a_row_that_somebody_has_locked_is_come_back_to(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    customer, other = make_customer(PHONE), make_customer("13800000022")
    late = phones.seal("+8613900000099", customer.public_id)
    use_keys(monkeypatch, master="b a")
    rival = Session(engine())
    rival.execute(update(Customer).where(Customer.id == customer.id).values(phone_sealed=late))
    passes = []

    def wait(_seconds: float) -> None:
        passes.append(_keys_of_phones())
        if len(passes) == 3:
            rival.commit()

    done = brought(wait=wait)
    rival.close()
    assert passes[0] == {customer.id: "a", other.id: "b"}, "the other one did not wait"
    assert done["customer.phone_sealed"].moved == 2
    assert _keys_of_phones() == {customer.id: "b", other.id: "b"}
    assert _phone_of(customer) == "+8613900000099"


def test_a_rewrap_after_an_index_key_is_gone_deletes_its_fingerprints(
    db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, index="a")
    make_customer(PHONE)
    use_keys(monkeypatch, index="b a")
    brought()
    assert _phones_beside() == ({"a": 1, "b": 1}, 0)
    said = CliRunner().invoke(list_keys).output
    assert "a: nothing rests on it; its 1 fingerprints go with a rewrap after it is out of the settings" in said
    use_keys(monkeypatch, index="b")
    assert _phones_beside() == ({"b": 1, None: 1}, 1)
    assert "customer.phone_index: 1 fingerprints are left of keys that are gone" in CliRunner().invoke(list_keys).output
    brought()
    assert _phones_beside() == ({"b": 1}, 0)
    with reading() as session:
        assert session.scalars(select(CustomerPhone.phone_index)).all() == [phones.index("+86" + PHONE)]


def test_who_holds_a_row_for_long_is_asked_once_a_second(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    customer, _other = make_customer(PHONE), make_customer("13800000022")
    use_keys(monkeypatch, master="b a")
    rival = Session(engine())
    rival.execute(update(Customer).where(Customer.id == customer.id).values(name="沈"))
    pauses = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        assert len(pauses) < 50, "it spins"
        if pauses.count(LOCKED_SECONDS) == 2:
            rival.commit()

    try:
        assert brought(wait=wait)["customer.phone_sealed"].moved == 2
    finally:
        rival.close()
    first = pauses.index(LOCKED_SECONDS)
    assert pauses[:first] == [PAUSE_SECONDS] * 3, "a pass that moved something is followed by the next at once"


def test_a_key_that_is_destroyed_meanwhile_stays_destroyed(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    customer = make_customer(PHONE)
    use_keys(monkeypatch, master="b a")
    reseal, rivals = crypto.reseal, list[Thread]()
    with reading() as session:
        person = session.scalars(select(Beneficiary).where(Beneficiary.customer_id == customer.id)).one()

    def rival() -> None:
        with transaction() as session:
            destroy(session, [person.id], CONTACT, NOON)

    def resealed(sealed: bytes, record: str) -> bytes | None:
        if record == crypto.wrapping(f"{person.public_id}:contact") and not rivals:
            rivals.append(Thread(target=rival))
            rivals[0].start()
            eventually(lambda: not rivals[0].is_alive() or _waits_for_a_lock())
        return reseal(sealed, record)

    monkeypatch.setattr(crypto, "reseal", resealed)
    brought()
    rivals[0].join(60)
    with reading() as session:
        assert key_of(session, person, CONTACT).wrapped is None
        left = session.scalars(select(PersonKey.wrapped_key).where(PersonKey.beneficiary_id == person.id)).all()
    assert sum(key is not None for key in left) == 2


def test_what_does_not_open_is_named_and_stops_nothing(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    swapped, other = make_customer(PHONE), make_customer("13800000022")
    with transaction() as session:
        theirs = session.get_one(Customer, other.id).phone_sealed
        session.execute(update(Customer).where(Customer.id == swapped.id).values(phone_sealed=theirs))
    use_keys(monkeypatch, master="b a")
    done = brought()
    assert done["customer.phone_sealed"].unreadable == 1
    assert _keys_of_phones()[other.id] == "b"
    assert [alarm.record for alarm in integrity.alarms(now=NOON)] == [phones.record_of(swapped.public_id)]
    [counted] = [part for part in count() if part.part == "customer.phone_sealed"]
    assert (counted.by_key, counted.left, counted.unreadable) == ({"b": 1}, 0, 1)


def test_two_who_have_one_number_are_named_and_stop_nothing(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="b")
    taken = make_customer(PHONE)
    use_keys(monkeypatch, index="a")
    twin, other = make_customer(PHONE), make_customer("13800000022")
    use_keys(monkeypatch, index="b a")
    done = brought()["customer.phone_index"]
    assert (done.finished, done.unreadable) == (True, 2)
    records = {f"{phones.record_of(each.public_id)}:index" for each in (taken, twin)}
    assert {alarm.record for alarm in integrity.alarms(now=NOON)} == records
    with reading() as session:
        assert session.get_one(Customer, other.id).phone_index == phones.index("+8613800000022")


def test_of_who_was_erased_nothing_is_sealed_again(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    customer = make_customer(PHONE)
    with transaction() as session:
        session.execute(update(Customer).values(phone_sealed=b"", erased_at=NOON))
        session.execute(update(PersonKey).values(wrapped_key=None, destroyed_at=NOON))
    use_keys(monkeypatch, master="b a", index="b a")
    done = brought()
    assert sum(part.moved + part.unreadable for part in done.values()) == 0
    with reading() as session:
        assert session.get_one(Customer, customer.id).phone_sealed == b""


def test_two_at_once_take_turns_and_both_end(superuser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a", index="a")
    stored: Stored = store(superuser)
    use_keys(monkeypatch, master="b a")
    both = [Thread(target=brought, kwargs={"batch": 2}) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    use_keys(monkeypatch, master="b")
    assert under("b")
    stored.readable()


def _waits_for_a_lock() -> bool:
    with reading() as session:
        return bool(
            session.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            )
        )


def _phones_beside() -> tuple[Mapping[str | None, int], int]:
    """The fingerprints that are kept of phones by their keys, and how many customers wait for a rewrap."""
    [part] = [part for part in count() if part.part == "customer.phone_index"]
    return part.beside, part.left


def _keys_of_phones() -> dict[int, str]:
    with reading() as session:
        rows = session.execute(select(Customer.id, Customer.public_id, Customer.phone_sealed)).all()
    opened = {row.id: crypto.open_master(row.phone_sealed, phones.record_of(row.public_id)) for row in rows}
    return {number: one[0] for number, one in opened.items() if one is not None}


def _phone_of(customer: Customer) -> str:
    with reading() as session:
        row = session.get_one(Customer, customer.id)
        return phones.unseal(row.phone_sealed, row.public_id)
