"""Verifying the chain: every line as it was sealed, every seal as its successor and the file of heads say.

It walks the seals once from the first, in portions, and keeps one portion in memory, however long the chain is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.chain import lines
from marketplace.chain.canonical import digest
from marketplace.chain.heads import read_heads
from marketplace.chain.lines import AUDIT, LEDGER, Line, Span
from marketplace.chain.models import AuditSeal
from marketplace.chain.seal import NOTHING, content, last_seal
from marketplace.core.database.db import reading

PORTION_LINES = 5000
FETCHED = 50
"""So many seals are read at once."""
BACKDATED = timedelta(minutes=30)
"""How long before the beginning of its transaction a line's time may lie: a job takes the time once, at its start."""


class Kind(StrEnum):
    """What can be wrong. Of lines: `changed`, `missing`, `inserted` (past the application, into what was sealed),
    `backdated` (claims a time long before it can have been written). Of the chain: a seal `broken` (its content is not
    what its hash says, or it does not follow the one before it), and against the file of heads `truncated` (the chain
    ends before the file does) and `rewritten` (the file has another hash)."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    BACKDATED = "backdated"
    BROKEN = "broken"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `table` and `id` name a line and are blank for a seal; `seal` is the number of the seal
    that it belongs to, 0 for a line of none."""

    kind: Kind
    seal: int
    table: str = ""
    id: int = 0

    def __str__(self) -> str:
        """For a log or a terminal: no word of the line itself."""
        where = f"{self.table} {self.id}" if self.table else "the chain"
        return f"{self.kind}: {where}" + (f" (seal {self.seal})" if self.seal else "")


@dataclass
class Verified:
    """How much was verified, and how much of it is wrong."""

    seals: int = 0
    lines: int = 0
    found: int = 0


Report = Callable[[Finding], None]


def verify(report: Report, *, heads_file: Path | None = None, stopping: Callable[[], bool] = lambda: False) -> Verified:
    """Walk the whole chain and give each finding to `report` as soon as it is found.

    Lines that are not sealed yet are no finding, unless they are backdated. Raises OSError for a file of heads that
    cannot be read.
    """
    done = Verified()

    def tell(finding: Finding) -> None:
        done.found += 1
        report(finding)

    with reading() as session:
        end = last_seal(session)
        walk = _Walk(tell, _Heads(heads_file, tell))
        if end is not None:
            for portion in _portions(session, end.seq):
                if stopping():
                    return done
                done.lines += walk.through(session, portion)
                done.seals += len(portion)
        walk.rest(session, end)
    return done


class _Heads:
    """The file of heads, read beside the chain: both go up by number."""

    def __init__(self, path: Path | None, report: Report) -> None:
        self._report = report
        self._lines = read_heads(path) if path is not None else iter(())
        self._at: tuple[int, str] | None = next(self._lines, None)

    def compare(self, seal: AuditSeal) -> None:
        """What the file says about this seal, if anything."""
        while self._at is not None and self._at[0] <= seal.seq:
            seq, hash_ = self._at
            if seq == seal.seq and hash_ != seal.hash.hex():
                self._report(Finding(Kind.REWRITTEN, seq))
            self._at = next(self._lines, None)

    def end(self, newer: Callable[[int], str | None]) -> None:
        """The chain was walked to its end; `newer` gives the hash of a seal made meanwhile, None if there is none."""
        while self._at is not None:
            seq, hash_ = self._at
            have = newer(seq)
            if have is None:
                self._report(Finding(Kind.TRUNCATED, seq))
                return
            if have != hash_:
                self._report(Finding(Kind.REWRITTEN, seq))
            self._at = next(self._lines, None)


@dataclass
class _Expected:
    """A line as a seal has it."""

    seal: int
    digest: bytes
    floor: datetime | None


@dataclass
class _Walk:
    """What is carried from one seal to the next."""

    report: Report
    heads: _Heads
    seq: int = 0
    hash: bytes = NOTHING
    snapshot: str | None = None
    sealed_at: datetime | None = None
    """Of the first seal with `snapshot`."""
    base_at: datetime | None = None
    """Of the first seal with the snapshot before: no transaction unknown then has a line of an earlier time."""
    begun: dict[int, datetime | None] = field(default_factory=dict)
    """Transactions that ran at the last snapshot, and the moment that they began after."""

    def through(self, session: Session, seals: Sequence[AuditSeal]) -> int:
        """Verify a portion; returns the number of its lines."""
        expected: dict[str, dict[int, _Expected]] = {AUDIT: {}, LEDGER: {}}
        long_running: dict[int, datetime | None] = {}
        for seal in seals:
            self._follow(seal)
            long_running |= self.begun
            self._step(seal)
            for table, ids, digests in (
                (AUDIT, seal.audit_ids, seal.audit_digests),
                (LEDGER, seal.ledger_ids, seal.ledger_digests),
            ):
                for place, id_ in enumerate(ids):
                    expected[table][id_] = _Expected(seal.seq, digests[32 * place : 32 * place + 32], self.base_at)
        count = sum(map(len, expected.values()))
        first, last = seals[0], seals[-1]
        span = Span(first.base, last.snapshot, first.after, last.through)
        for table in lines.COLUMNS:
            self._compare(session, table, lines.read(session, table, span), expected[table], long_running)
        return count

    def rest(self, session: Session, end: AuditSeal | None) -> None:
        """What no seal has: lines of a time before the last one, and of transactions that there have not been."""
        for table in lines.COLUMNS:
            for line in lines.of_the_future(session, table):
                self.report(Finding(Kind.INSERTED, 0, table, line.id))
            if end is not None and not end.through:
                unsealed = Span(end.snapshot, lines.current_snapshot(session))
                for line in lines.read(session, table, unsealed, PORTION_LINES):
                    floor = self.begun.get(line.xact, self.sealed_at)
                    if _before(line, floor):
                        self.report(Finding(Kind.BACKDATED, 0, table, line.id))

        def newer(seq: int) -> str | None:
            found = session.scalar(select(AuditSeal.hash).where(AuditSeal.seq == seq))
            return None if found is None else found.hex()

        self.heads.end(newer)

    def _follow(self, seal: AuditSeal) -> None:
        """Is this the seal that comes next, and is it what its hash says?"""
        follows = seal.seq == self.seq + 1 and seal.previous == self.hash
        adjoins = seal.base == self.snapshot or (self.snapshot == seal.snapshot and bool(seal.after))
        if not (follows and adjoins and digest(content(seal)) == seal.hash):
            self.report(Finding(Kind.BROKEN, seal.seq))
        self.heads.compare(seal)
        self.seq, self.hash = seal.seq, seal.hash

    def _step(self, seal: AuditSeal) -> None:
        if seal.snapshot == self.snapshot:
            return
        self.base_at = self.sealed_at
        ran = lines.running(seal.snapshot)
        self.begun = {each: self.begun.get(each, self.sealed_at) for each in ran}
        self.snapshot, self.sealed_at = seal.snapshot, seal.sealed_at

    def _compare(
        self,
        session: Session,
        table: str,
        found: Sequence[Line],
        expected: dict[int, _Expected],
        long_running: dict[int, datetime | None],
    ) -> None:
        for line in found:
            sealed = expected.pop(line.id, None)
            if sealed is None:
                self.report(Finding(Kind.INSERTED, 0, table, line.id))
                continue
            if sealed.digest != line.digest:
                self.report(Finding(Kind.CHANGED, sealed.seal, table, line.id))
            if line.xact and _before(line, long_running.get(line.xact, sealed.floor)):
                self.report(Finding(Kind.BACKDATED, sealed.seal, table, line.id))
        elsewhere = {line.id for line in lines.by_id(session, table, list(expected))} if expected else set()
        for id_, sealed in expected.items():  # read at another place, its transaction's number was changed
            kind = Kind.CHANGED if id_ in elsewhere else Kind.MISSING
            self.report(Finding(kind, sealed.seal, table, id_))


def _before(line: Line, floor: datetime | None) -> bool:
    return floor is not None and line.at < floor - BACKDATED


def _portions(session: Session, end: int) -> Iterator[list[AuditSeal]]:
    """The seals up to number `end`: whole ones by the dozen, each part of a larger one alone."""
    portion: list[AuditSeal] = []
    held, seq = 0, 0
    while True:
        query = select(AuditSeal).where(AuditSeal.seq > seq, AuditSeal.seq <= end).order_by(AuditSeal.seq)
        read = session.scalars(query.limit(FETCHED)).all()
        session.expunge_all()
        for seal in read:
            alone = bool(seal.after or seal.through)
            if portion and (alone or portion[-1].through or portion[-1].after or held >= PORTION_LINES):
                yield portion
                portion, held = [], 0
            portion.append(seal)
            held += len(seal.audit_ids) + len(seal.ledger_ids)
            seq = seal.seq
        if not read:
            break
    if portion:
        yield portion
