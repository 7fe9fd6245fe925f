"""Sealing: no line is missed whatever the order of commits, and no two leaders seal the same."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import ProgrammingError

from marketplace.chain import lines, seal
from marketplace.chain.heads import HeadsWriter
from marketplace.chain.lines import COLUMNS
from marketplace.chain.models import AuditSeal
from marketplace.chain.seal import CountersWentBack, seal_all, seal_batch, unsealed_since
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from tests.conftest import TestDatabase
from tests.marketplace.chain.conftest import Superuser, open_transaction
from tests.marketplace.chain.lines import INSERT, findings, sealed_ids, write
from tests.people import NOON, give, make_customer
from tests.processes import run_program
from tests.sandboxes import eventually
from vip.models import EntitlementEntry

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]
A, B = INSERT.format(subject="a"), INSERT.format(subject="b")


def seal_now() -> int:
    return seal_all(now=lambda: NOON)


def test_what_was_written_is_sealed_once() -> None:
    ids = [write(f"s{number}") for number in range(3)]
    assert (seal_now(), seal_now()) == (3, 0)
    assert sealed_ids() == ids
    ids.append(write("later"))
    assert seal_now() == 1
    assert sealed_ids() == ids
    assert findings() == []


def test_the_ledger_is_sealed_beside_the_audit() -> None:
    give(make_customer(), 2)
    seal_now()
    with reading() as session:
        entries = list(session.execute(text("SELECT id FROM entitlement_entry")).scalars())
        assert session.execute(text("SELECT ledger_ids FROM audit_seal")).scalars().one() == entries != []


def test_every_column_of_a_line_is_part_of_its_digest() -> None:
    for model in (AuditLine, EntitlementEntry):
        assert set(COLUMNS[model.__tablename__]) == {column.key for column in inspect(model).columns}


def test_a_line_that_commits_after_a_later_one_is_not_missed(worker_database: TestDatabase) -> None:
    """Its id is the smaller one, and is given before the other's line is committed and sealed."""
    with open_transaction(worker_database.database_url, A) as early:
        second = write("second")
        assert seal_now() == 1
        assert sealed_ids() == [second]
        early.commit()
    assert seal_now() == 1
    assert sealed_ids() == [second, second - 1]
    assert findings() == []


def test_two_that_commit_in_reverse_order_are_both_sealed(worker_database: TestDatabase) -> None:
    url = worker_database.database_url
    with open_transaction(url, A) as first, open_transaction(url, B) as second:
        assert seal_now() == 0
        second.commit()
        assert seal_now() == 1
        first.commit()
        assert seal_now() == 1
    assert sealed_ids() == [2, 1]


def test_a_line_whose_transaction_is_taken_back_is_never_waited_for(worker_database: TestDatabase) -> None:
    with open_transaction(worker_database.database_url, A) as lost:
        lost.rollback()
    kept = write("kept")
    assert seal_now() == 1
    assert sealed_ids() == [kept]
    assert findings() == []


def test_a_long_transaction_delays_nobody_elses_seal(worker_database: TestDatabase) -> None:
    """It is older than ten seals and than the time that a line may be backdated by, and its own line is no finding."""
    with open_transaction(worker_database.database_url, A) as long:
        for number in range(10):
            at = NOON + timedelta(hours=number)
            write(f"s{number}", at)
            assert seal_all(now=lambda at=at: at) == 1  # type: ignore[misc]
        with reading() as session:
            assert unsealed_since(session) is None
        long.commit()
    assert seal_all(now=lambda: NOON + timedelta(hours=11)) == 1
    assert findings() == []


def test_a_line_in_a_savepoint_belongs_to_its_transaction(worker_database: TestDatabase) -> None:
    with open_transaction(worker_database.database_url, A, "SAVEPOINT inner_one", B) as outer:
        assert seal_now() == 0
        outer.commit()
    assert seal_now() == 2


def test_more_than_a_batch_is_sealed_in_parts(superuser: Superuser) -> None:
    """Also where one transaction wrote them all, or none is known since they are older than the chain."""
    with transaction() as session:
        for number in range(5):
            session.execute(text(INSERT.format(subject=f"s{number}")))
    superuser("UPDATE audit_line SET xact = 0 WHERE id < 4")
    sizes = []
    while (made := seal_batch(now=NOON, batch=2)) is not None:
        sizes.append(len(made.audit_ids))
        if len(sizes) == 1:
            write("while it goes on")
    assert (sizes, sealed_ids()) == ([2, 2, 1, 1], [1, 2, 3, 4, 5, 6])
    assert findings() == []


def test_lines_of_an_unfinished_seal_and_behind_it_are_not_sealed_yet() -> None:
    for number in range(3):
        write(f"s{number}", NOON + timedelta(minutes=number))
    seal_batch(now=NOON, batch=2)
    with reading() as session:
        assert unsealed_since(session) == NOON + timedelta(minutes=2)
    seal_batch(now=NOON, batch=2)
    write("later", NOON + timedelta(minutes=9))
    with reading() as session:
        assert unsealed_since(session) == NOON + timedelta(minutes=9)


def test_two_leaders_at_once_make_one_chain() -> None:
    for number in range(40):
        write(f"s{number}")
    together = Barrier(4)

    def lead(_: int) -> None:
        together.wait()
        for _turn in range(40):
            with suppress(Busy):
                seal_batch(now=NOON, batch=2)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lead, range(4)))
    seal_now()
    assert sealed_ids() == list(range(1, 41))
    assert findings() == []


def test_without_the_lock_the_number_still_keeps_two_leaders_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "_alone", lambda session: True)
    test_two_leaders_at_once_make_one_chain()


@pytest.mark.parametrize("step", ["marketplace.chain.seal.digest", "marketplace.chain.watch.HeadsWriter.write"])
def test_a_kill_between_the_steps_loses_and_doubles_nothing(
    step: str, worker_database: TestDatabase, tmp_path: Path
) -> None:
    """Before the batch is committed, and after that, before its head is in the file."""
    file = tmp_path / "heads"
    write("before")
    seal_now()
    HeadsWriter(file).write()
    ids = [write("first"), write("second")]
    module, _, name = step.rpartition(".")
    script = f"""
import os, pkgutil
from marketplace.chain import watch
from marketplace.core import clock
from pathlib import Path
setattr(pkgutil.resolve_name("{module}"), "{name}", lambda *_: os.kill(os.getpid(), 9))
watch.Sealer(Path("{file}"), clock.now, lambda: False).run()
"""
    assert run_program(script, worker_database.environment) == -signal.SIGKILL
    eventually(_sealed_as_soon_as_may_be)
    HeadsWriter(file).write()
    assert sealed_ids()[1:] == ids
    assert [int(line.split()[0]) for line in file.read_text().splitlines()] == [1, 2]
    assert findings(heads_file=file) == []
    assert os.stat(file).st_mode & 0o777 == 0o600


def _sealed_as_soon_as_may_be() -> bool:
    """PostgreSQL keeps a dead process's lock until it finds the connection closed, a moment after the kill."""
    try:
        seal_now()
    except Busy:
        return False
    return True


def test_a_database_that_counts_from_an_earlier_transaction_is_not_sealed(superuser: Superuser) -> None:
    """A dump restored into another server: its new lines would count as old ones, and be missed."""
    write("a")
    seal_now()
    superuser("UPDATE audit_seal SET snapshot = '9000000000:9000000000:'")
    write("b")
    with pytest.raises(CountersWentBack):
        seal_now()


@pytest.mark.parametrize("statement", ["UPDATE audit_seal SET seq = 9", "DELETE FROM audit_seal"])
def test_the_application_can_only_add_to_the_chain(statement: str) -> None:
    write("a")
    seal_now()
    with pytest.raises(ProgrammingError), transaction() as session:
        session.execute(text(statement))


def test_the_owner_is_refused_too(owner_connection: object) -> None:
    write("a")
    seal_now()
    for statement in ("UPDATE audit_seal SET seq = 9", "DELETE FROM audit_seal"):
        with pytest.raises(Exception, match="append_only"):
            owner_connection.execute(text(statement))  # type: ignore[attr-defined]


def test_a_snapshot_is_read_as_postgresql_writes_it() -> None:
    assert (lines.lowest("10:20:10,14"), lines.next_one("10:20:10,14")) == (10, 20)
    assert lines.running("10:20:10,14") == {10, 14}
    assert lines.running("10:10:") == frozenset()


def test_a_seal_follows_the_one_before() -> None:
    write("a")
    first = seal_batch(now=NOON)
    write("b")
    second = seal_batch(now=NOON)
    assert isinstance(first, AuditSeal) and isinstance(second, AuditSeal)
    assert (first.previous, second.previous, second.base) == (bytes(32), first.hash, first.snapshot)
