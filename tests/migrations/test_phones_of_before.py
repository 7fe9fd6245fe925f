"""Customers from before there were several keys get their rows of customer_phone while everybody goes on writing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, select, text, update
from sqlalchemy.orm import Session

from marketplace.core import migrate
from marketplace.core.config import ROOT, sqlalchemy_url
from marketplace.core.database.db import reading, transaction
from marketplace.development.embedded.postgres import APPLICATION
from tests.conftest import TestDatabase
from tests.people import make_customer
from tests.sandboxes import eventually
from vip import phones
from vip.models import Customer, CustomerPhone

BACKFILL = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision("0051").module
NEW = "+8613900000099"
BEFORE = (
    "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone) VALUES ('ins_1', 'one', 'x', 'x', 'UTC')",
    "INSERT INTO customer (public_id, insurer_id, tier, name, phone_sealed, phone_index)"
    r" SELECT 'cus_' || n, id, 'select', 'x', '\x01', decode(lpad(to_hex(n), 2, '0'), 'hex')"
    " FROM insurer, generate_series(1, 2) n",
)


def test_who_writes_a_customer_waits_for_no_batch_but_her_own(
    db: Engine, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BACKFILL, "BATCH", 1)
    first, second = make_customer(), make_customer("13800000022")
    owner_connection.execute(text("DELETE FROM customer_phone"))
    with Session(db) as rival:
        rival.execute(update(Customer).where(Customer.id == second.id).values(phone_index=phones.index(NEW)))
        backfill = Thread(target=BACKFILL.copy_phones, args=[owner_connection])
        backfill.start()
        eventually(lambda: stored() == {first.id: [phones.index("+8613800000011")]})
        with transaction() as session:
            session.execute(update(Customer).where(Customer.id == first.id).values(phone_index=phones.index(NEW + "1")))
        rival.commit()
        backfill.join(60)
    assert stored() == {first.id: [phones.index(NEW + "1")], second.id: [phones.index(NEW)]}


def number_that_moves_meanwhile(db: Engine, owner_connection: Connection) -> list[bytes]:
    """What is stored of a customer whose number changed between the backfill's look and its end."""
    customer = make_customer()
    owner_connection.execute(text("DELETE FROM customer_phone"))
    backfill = Thread(target=BACKFILL.copy_phones, args=[owner_connection])
    with Session(db) as rival:
        rival.execute(update(Customer).where(Customer.id == customer.id).values(phone_index=phones.index(NEW)))
        backfill.start()
        eventually(lambda: waiting() == 1)
        rival.commit()
    backfill.join(60)
    return stored()[customer.id]


def test_a_number_that_changes_meanwhile_is_copied_as_it_is_then(db: Engine, owner_connection: Connection) -> None:
    assert number_that_moves_meanwhile(db, owner_connection) == [phones.index(NEW)]


def test_without_the_lock_the_number_of_before_is_copied_too(
    db: Engine, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = str(BACKFILL.COPY)
    assert copy.count(" FOR SHARE") == 1
    monkeypatch.setattr(BACKFILL, "COPY", text(copy.replace(" FOR SHARE", "")))
    kept = number_that_moves_meanwhile(db, owner_connection)
    assert sorted(kept) == sorted([phones.index(NEW), phones.index("+8613800000011")])


def test_a_backfill_that_was_broken_off_is_run_again(
    db: Engine, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BACKFILL, "BATCH", 2)
    people = [make_customer(f"1380000002{place}") for place in range(5)]
    whole = stored()
    owner_connection.execute(text("DELETE FROM customer_phone WHERE customer_id > :id"), {"id": people[1].id})
    BACKFILL.copy_phones(owner_connection)
    assert stored() == whole and len(whole) == 5


def test_customers_of_before_are_there_after_the_migrations(other_database: Callable[[str], TestDatabase]) -> None:
    made = other_database("before")
    migrate.downgrade(made.owner_url, "0049", application_role=APPLICATION)
    engine = create_engine(sqlalchemy_url(made.owner_url))
    with engine.begin() as connection:
        for statement in BEFORE:
            connection.execute(text(statement))
    engine.dispose()
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        rows = connection.execute(
            "SELECT c.phone_index = p.phone_index FROM customer c JOIN customer_phone p ON p.customer_id = c.id"
        ).fetchall()
    assert rows == [(True,), (True,)]


def waiting() -> int:
    """How many connections to this database wait for a lock."""
    with reading() as session:
        return session.execute(
            text(
                "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
        ).scalar_one()


def stored() -> dict[int, list[bytes]]:
    """The stored indexes of each customer that has any."""
    found: dict[int, list[bytes]] = {}
    with reading() as session:
        for row in session.scalars(select(CustomerPhone).order_by(CustomerPhone.id)):
            found.setdefault(row.customer_id, []).append(row.phone_index)
    return found
