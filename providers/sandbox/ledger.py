"""The sandbox's durable memory: one SQLite file, write-ahead log, synced at every commit.

What was acknowledged survives kill -9. There is one writer at a time, so numbers of `seq` are committed in their order
and a reader that has seen number n never misses a smaller one.
"""

from __future__ import annotations

import fcntl
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('seq', 0);
CREATE TABLE IF NOT EXISTS pool (
    account TEXT NOT NULL, code TEXT NOT NULL, offers TEXT NOT NULL, time_zone TEXT NOT NULL, pattern TEXT NOT NULL,
    capacity INTEGER, active INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (account, code)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slot_override (
    account TEXT NOT NULL, pool TEXT NOT NULL, slot TEXT NOT NULL, offered INTEGER, closed INTEGER NOT NULL,
    seq INTEGER NOT NULL, PRIMARY KEY (account, pool, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS booking (
    account TEXT NOT NULL, reference TEXT NOT NULL, our_reference TEXT NOT NULL, offer TEXT NOT NULL,
    pool TEXT NOT NULL, slot TEXT NOT NULL, service_date TEXT NOT NULL, starts_at TEXT, ends_at TEXT,
    status TEXT NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT '',
    person TEXT NOT NULL, answers TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, answer_by TEXT,
    PRIMARY KEY (account, reference)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS booking_place ON booking (account, slot) WHERE status NOT IN ('rejected', 'cancelled');
CREATE INDEX IF NOT EXISTS booking_our_reference ON booking (account, our_reference);
CREATE UNIQUE INDEX IF NOT EXISTS booking_seq ON booking (account, seq);
CREATE INDEX IF NOT EXISTS booking_updated ON booking (account, updated_at);
CREATE TABLE IF NOT EXISTS command (
    account TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, reference TEXT, status INTEGER NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planned (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, reference TEXT NOT NULL, action TEXT NOT NULL,
    due_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS planned_due ON planned (due_at);
CREATE TABLE IF NOT EXISTS report (
    account TEXT NOT NULL, reference TEXT NOT NULL, version INTEGER NOT NULL, booking TEXT NOT NULL,
    our_reference TEXT NOT NULL, status TEXT NOT NULL, issued_at TEXT NOT NULL, content TEXT NOT NULL,
    seq INTEGER NOT NULL, PRIMARY KEY (account, reference, version)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS report_seq ON report (account, seq);
CREATE TABLE IF NOT EXISTS outgoing (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, due_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'queued',
    held INTEGER NOT NULL DEFAULT 0, last_answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outgoing_due ON outgoing (account, due_at) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS doctor (
    account TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL, title_zh TEXT NOT NULL, title_en TEXT NOT NULL,
    licence TEXT NOT NULL, departments TEXT NOT NULL, languages TEXT NOT NULL, active INTEGER NOT NULL,
    PRIMARY KEY (account, code)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consultation (
    account TEXT NOT NULL, reference TEXT NOT NULL, number INTEGER NOT NULL, department TEXT NOT NULL,
    language TEXT NOT NULL, flagged INTEGER NOT NULL, doctor TEXT, answers INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0, waits_since REAL, answer_due REAL, closed_at TEXT,
    closed_by TEXT NOT NULL DEFAULT '', PRIMARY KEY (account, reference)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS consultation_open ON consultation (account) WHERE closed_at IS NULL;
CREATE TABLE IF NOT EXISTS heard (
    position INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, reference TEXT NOT NULL, id TEXT NOT NULL,
    digest TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, flagged INTEGER NOT NULL, text TEXT NOT NULL,
    picture BLOB, UNIQUE (account, id));
CREATE INDEX IF NOT EXISTS heard_in ON heard (account, reference, position);
CREATE TABLE IF NOT EXISTS said (
    account TEXT NOT NULL, reference TEXT NOT NULL, number INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (account, reference, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drawing (
    account TEXT NOT NULL, reference TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (account, reference, id));
CREATE TABLE IF NOT EXISTS worker (
    account TEXT NOT NULL, code TEXT NOT NULL, pool TEXT NOT NULL, name TEXT NOT NULL, sex TEXT NOT NULL,
    staff_number TEXT NOT NULL, qualification_zh TEXT NOT NULL, qualification_en TEXT NOT NULL, active INTEGER NOT NULL,
    PRIMARY KEY (account, code)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visit (
    account TEXT NOT NULL, reference TEXT NOT NULL, place TEXT NOT NULL, worker TEXT, safe_word TEXT,
    done INTEGER NOT NULL DEFAULT 0, planned INTEGER NOT NULL DEFAULT 0, late REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (account, reference)) WITHOUT ROWID;
"""

Row = sqlite3.Row
Transaction = sqlite3.Connection


class DataInUse(RuntimeError):
    """Another process has this data folder open."""


class Ledger:
    """The open ledger. `transaction()` writes, `reading()` gives a consistent view; both may be used by any thread."""

    def __init__(self, folder: Path, clock_offset: float = 0.0, clock_file: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "ledger.sqlite3"
        self._offset, self._clock_file = clock_offset, clock_file
        self._lock_file = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataInUse(f"{folder} is in use by another sandbox") from error
        self._writing = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(SCHEMA)
        known = {row["name"] for row in self._writer.execute("PRAGMA table_info(booking)")}
        for added in {"proposal", "venue"} - known:  # JSON, null without one
            self._writer.execute(f"ALTER TABLE booking ADD COLUMN {added} TEXT")
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def timestamp(self) -> float:
        """Seconds since 1970, moved by the clock offset and by what stands in the clock file now."""
        return time.time() + self._offset + self._moved_on()

    def _moved_on(self) -> int:
        try:
            return int(self._clock_file.read_text()) if self._clock_file is not None else 0
        except FileNotFoundError:
            return 0

    def now(self) -> datetime:
        """The present moment in UTC, moved by the clock offset."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing; on disk when the block has ended."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One moment's view that waits for no writer."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
            self._readers.put(connection)

    def close(self) -> None:
        """Let the data folder go. The ledger cannot be used afterwards."""
        with self._writing:
            self._writer.close()
        self._lock_file.close()


def next_seq(tx: Transaction) -> int:
    """The next number of change, over all accounts."""
    return int(tx.execute("UPDATE meta SET value = value + 1 WHERE name = 'seq' RETURNING value").fetchone()[0])


def last_seq(tx: Transaction) -> int:
    """The number of the newest change."""
    return int(tx.execute("SELECT value FROM meta WHERE name = 'seq'").fetchone()[0])
