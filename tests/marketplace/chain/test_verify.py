"""Verification: what a superuser does to a line or to the chain is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from marketplace.chain import verify as verification
from marketplace.chain.heads import HeadsWriter
from marketplace.chain.seal import seal_all, seal_batch
from marketplace.chain.verify import BACKDATED
from tests.conftest import TestDatabase
from tests.marketplace.chain.conftest import Superuser, open_transaction
from tests.marketplace.chain.lines import INSERT, findings, write
from tests.people import NOON, give, make_customer

pytestmark = pytest.mark.usefixtures("db")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TABLES = {"audit_line": "subject = 'other'", "entitlement_entry": "reason = 'other'"}


@pytest.fixture
def chain(db: object) -> None:
    """Three seals, a minute apart, with lines of both tables in each."""
    for number in range(3):
        give(make_customer(f"1380000010{number}"), 2)
        write(f"s{number}", NOON + number * MINUTE)
        seal_all(now=lambda number=number: NOON + number * MINUTE)  # type: ignore[misc]


def middle(superuser: Superuser, table: str) -> int:
    """The id of a line of the second seal."""
    column = "audit_ids" if table == "audit_line" else "ledger_ids"
    ((ids,),) = superuser(f"SELECT {column} FROM audit_seal WHERE seq = 2")
    assert isinstance(ids, list)
    return int(ids[0])


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("table", TABLES)
class TestLines:
    """Each thing that can be done to a line of either table."""

    def test_a_changed_line(self, table: str, superuser: Superuser) -> None:
        id_ = middle(superuser, table)
        superuser(f"UPDATE {table} SET {TABLES[table]} WHERE id = {id_}")
        assert findings() == [f"changed: {table} {id_} (seal 2)"]

    @pytest.mark.parametrize("xact", ["1", "xact + 1", "0", "-1"])
    def test_a_line_whose_transaction_was_changed(self, xact: str, table: str, superuser: Superuser) -> None:
        id_ = middle(superuser, table)
        superuser(f"UPDATE {table} SET xact = {xact} WHERE id = {id_}")
        assert f"changed: {table} {id_} (seal 2)" in findings()

    def test_a_line_with_another_time(self, table: str, superuser: Superuser) -> None:
        id_ = middle(superuser, table)
        superuser(f"UPDATE {table} SET at = at - interval '1 microsecond' WHERE id = {id_}")
        assert findings() == [f"changed: {table} {id_} (seal 2)"]

    def test_a_deleted_line(self, table: str, superuser: Superuser) -> None:
        id_ = middle(superuser, table)
        superuser(f"DELETE FROM {table} WHERE id = {id_}")
        assert findings() == [f"missing: {table} {id_} (seal 2)"]

    @pytest.mark.parametrize("xact", ["xact", "1", "0", "-1", "9000000000"])
    def test_an_inserted_line(self, xact: str, table: str, superuser: Superuser) -> None:
        """Beside another of the same transaction, of one before the chain, of one that never was."""
        id_ = middle(superuser, table)
        superuser(f"CREATE TEMP TABLE copied AS SELECT * FROM {table} WHERE id = {id_}")
        superuser(f"UPDATE copied SET id = 7777, xact = {xact}")
        superuser(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM copied")
        superuser("DROP TABLE copied")
        assert findings() == [f"inserted: {table} 7777"]

    def test_a_backdated_line(self, table: str, superuser: Superuser) -> None:
        """Written now, as the application might, with a time of days ago: named before and after it is sealed."""
        id_ = middle(superuser, table)
        names = superuser(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
            f" WHERE table_name = '{table}' AND column_name NOT IN ('id', 'xact', 'at')"
        )[0][0]
        superuser(
            f"INSERT INTO {table} (at, {names}) SELECT at - interval '1 day', {names} FROM {table} WHERE id = {id_}"
        )
        ((added,),) = superuser(f"SELECT max(id) FROM {table}")
        assert findings() == [f"backdated: {table} {added}"]
        seal_all(now=lambda: NOON + 3 * DAY)
        assert findings() == [f"backdated: {table} {added} (seal 4)"]


@pytest.mark.usefixtures("chain")
class TestChain:
    """Each thing that can be done to the seals."""

    def test_an_untouched_chain_has_nothing_to_say(self, tmp_path: Path) -> None:
        HeadsWriter(tmp_path / "heads").write()
        assert findings(heads_file=tmp_path / "heads") == []

    @pytest.mark.parametrize(
        "change",
        [
            "sealed_at = sealed_at + interval '1 second'",
            "audit_digests = substring(audit_digests FOR 32) || audit_digests",
            "audit_ids = audit_ids || 99999::bigint, audit_digests = audit_digests || audit_digests",
            r"hash = '\x00'",
            r"previous = '\x00'",
            "seq = 7",
        ],
    )
    def test_a_changed_seal(self, change: str, superuser: Superuser) -> None:
        superuser(f"UPDATE audit_seal SET {change} WHERE seq = 2")
        assert any(found.startswith("broken: the chain") for found in findings())

    def test_a_removed_seal(self, superuser: Superuser) -> None:
        superuser("DELETE FROM audit_seal WHERE seq = 2")
        assert "broken: the chain (seal 3)" in findings()

    def test_a_truncated_chain_against_the_file(self, tmp_path: Path, superuser: Superuser) -> None:
        HeadsWriter(tmp_path / "heads").write()
        superuser("DELETE FROM audit_seal WHERE seq = 3")
        assert findings() == []
        assert findings(heads_file=tmp_path / "heads") == ["truncated: the chain (seal 3)"]

    def test_an_emptied_chain_against_the_file(self, tmp_path: Path, superuser: Superuser) -> None:
        HeadsWriter(tmp_path / "heads").write()
        superuser("DELETE FROM audit_seal")
        assert findings(heads_file=tmp_path / "heads") == ["truncated: the chain (seal 1)"]

    def test_a_chain_made_anew_against_the_file(self, tmp_path: Path, superuser: Superuser) -> None:
        HeadsWriter(tmp_path / "heads").write()
        superuser("DELETE FROM audit_seal WHERE seq > 1")
        superuser("DELETE FROM audit_line WHERE subject = 's1'")
        while seal_batch(now=NOON + 2 * DAY, batch=1) is not None:
            pass
        assert findings() == []
        assert "rewritten: the chain (seal 2)" in findings(heads_file=tmp_path / "heads")


def test_lines_that_wait_for_their_seal_are_no_finding() -> None:
    write("a")
    assert findings() == []
    seal_all(now=lambda: NOON)
    write("b", NOON + DAY)
    assert findings() == []


def test_a_job_that_took_its_time_at_its_start_is_not_backdated() -> None:
    write("a")
    seal_all(now=lambda: NOON)
    write("b", NOON - BACKDATED)
    assert findings() == []
    write("c", NOON - BACKDATED - timedelta(seconds=1))
    assert findings() == ["backdated: audit_line 3"]


def test_a_transaction_that_began_late_may_not_claim_an_early_time(worker_database: TestDatabase) -> None:
    """It ran at a seal, but had not begun at the one before."""
    write("a", NOON + DAY)
    seal_all(now=lambda: NOON + DAY)
    with open_transaction(worker_database.database_url, INSERT.format(subject="b").replace("03-02", "02-02")) as late:
        write("c", NOON + 2 * DAY)
        seal_all(now=lambda: NOON + 2 * DAY)
        late.commit()
    seal_all(now=lambda: NOON + 3 * DAY)
    assert findings() == ["backdated: audit_line 2 (seal 3)"]


@pytest.mark.parametrize("portion", [1, 3])
def test_a_chain_of_many_portions_is_walked_whole(
    portion: int, monkeypatch: pytest.MonkeyPatch, superuser: Superuser
) -> None:
    monkeypatch.setattr(verification, "PORTION_LINES", portion)
    for number in range(7):
        write(f"s{number}")
        seal_all(now=lambda: NOON)
    for number in range(7):
        write(f"t{number}")
    while seal_batch(now=NOON, batch=2) is not None:
        pass
    assert findings() == []
    superuser("UPDATE audit_line SET subject = 'x' WHERE id IN (1, 8, 14)")
    assert [found.partition(" (")[0] for found in findings()] == [f"changed: audit_line {id_}" for id_ in (1, 8, 14)]
