"""Sealing what has been written since the last time.

Lines are written without a lock and sealed afterwards by the leader. A batch ends at a snapshot (`lines`), so no line
that commits late is missed, and a transaction that lasts long delays its own lines only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.chain import lines
from marketplace.chain.canonical import digest
from marketplace.chain.lines import AUDIT, LEDGER, Line, Position, Span
from marketplace.chain.models import AuditSeal
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import Busy
from marketplace.core.logging import get_logger

log = get_logger(__name__)

BATCH = 2000
"""The most lines of each table in one seal."""
NOTHING = bytes(32)
"""What the first seal has for the hash before it."""
_LOCK = 0x5345414C  # "SEAL"


class CountersWentBack(Exception):
    """The database counts transactions from an earlier number than the last seal's: it was restored from a dump into
    another server. Sealing would miss lines, so nothing is sealed until `pg_resetwal -x` set the counter past it."""


@dataclass(frozen=True)
class Head:
    """What one seal says about all before it."""

    seq: int
    hash: bytes
    sealed_at: datetime


def seal_all(*, now: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> int:
    """Seal, batch by batch, all that had committed when this was called; returns the number of lines.

    Each batch is a transaction of its own. Raises as seal_batch().
    """
    sealed = 0
    while not stopping():
        made = seal_batch(now=now())
        if made is None:
            break
        sealed += len(made.audit_ids) + len(made.ledger_ids)
        if not made.through:
            break
    return sealed


def seal_batch(*, now: datetime, batch: int = BATCH) -> AuditSeal | None:
    """Seal the next lines, at most `batch` of each table; None if there are none.

    Raises Busy when another process is sealing, and CountersWentBack.
    """
    try:
        with transaction() as session:
            if not _alone(session):
                raise Busy()
            last = last_seal(session)
            made = _made(session, last, _next_span(session, last), now, batch)
            if made is not None:
                session.add(made)
    except IntegrityError as failed:  # behind the lock: no two seals have the same number
        if violated(failed) != "pk_audit_seal":
            raise
        raise Busy() from failed
    if made is not None:
        count = len(made.audit_ids) + len(made.ledger_ids)
        log.info("audit.sealed", seq=made.seq, hash=made.hash.hex(), previous=made.previous.hex(), lines=count)
    return made


def last_seal(session: Session) -> AuditSeal | None:
    """The newest, None before the first."""
    return session.scalar(select(AuditSeal).order_by(AuditSeal.seq.desc()).limit(1))


def unsealed_since(session: Session) -> datetime | None:
    """The earliest time that an unsealed line claims; None when all is sealed. Lines of running transactions aren't
    seen."""
    last = last_seal(session)
    span = _next_span(session, last)
    found = [at for table in lines.COLUMNS if (at := lines.oldest(session, table, span)) is not None]
    if last is not None and last.through:  # what came after the snapshot of an unfinished one
        newer = Span(last.snapshot, lines.current_snapshot(session))
        found += [at for table in lines.COLUMNS if (at := lines.oldest(session, table, newer)) is not None]
    return min(found, default=None)


def content(seal: AuditSeal) -> dict[str, Any]:
    """What the hash of a seal is made from, its own hash aside."""
    return {
        "seq": seal.seq,
        "sealed_at": seal.sealed_at,
        "base": seal.base,
        "snapshot": seal.snapshot,
        "after": seal.after,
        "through": seal.through,
        AUDIT: [list(seal.audit_ids), seal.audit_digests.hex()],
        LEDGER: [list(seal.ledger_ids), seal.ledger_digests.hex()],
        "previous": seal.previous.hex(),
    }


def _alone(session: Session) -> bool:
    return bool(session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one())


def _next_span(session: Session, last: AuditSeal | None) -> Span:
    """What is to be sealed next: the rest of the last seal's span, else all since."""
    if last is not None and last.through:
        return Span(last.base, last.snapshot, after=last.through)
    snapshot = lines.current_snapshot(session)
    if last is None:
        return Span(None, snapshot)
    if lines.next_one(snapshot) < lines.next_one(last.snapshot):
        raise CountersWentBack(f"next transaction is {lines.next_one(snapshot)}, the last seal has {last.snapshot}")
    return Span(last.snapshot, snapshot)


def _made(session: Session, last: AuditSeal | None, span: Span, now: datetime, batch: int) -> AuditSeal | None:
    found = {table: lines.read(session, table, span, batch) for table in lines.COLUMNS}
    if not any(found.values()) and not span.after:
        return None
    unfinished = any(len(each) == batch for each in found.values())
    made = AuditSeal(
        seq=1 if last is None else last.seq + 1,
        sealed_at=now,
        base=span.base,
        snapshot=span.snapshot,
        after=_plain(span.after),
        through={table: list(_end(each, span.after.get(table))) for table, each in found.items()} if unfinished else {},
        audit_ids=[line.id for line in found[AUDIT]],
        audit_digests=b"".join(line.digest for line in found[AUDIT]),
        ledger_ids=[line.id for line in found[LEDGER]],
        ledger_digests=b"".join(line.digest for line in found[LEDGER]),
        previous=NOTHING if last is None else last.hash,
        hash=NOTHING,
    )
    made.hash = digest(content(made))
    return made


def _end(found: Sequence[Line], before: Sequence[int] | None) -> Position:
    if found:
        return found[-1].position
    return (before[0], before[1]) if before else (-1, 0)


def _plain(positions: Any) -> dict[str, list[int]]:
    return {table: list(position) for table, position in positions.items()}


def heads(after: int, limit: int) -> list[Head]:
    """The heads behind the seal of this number, in their order."""
    columns = AuditSeal.seq, AuditSeal.hash, AuditSeal.sealed_at
    query = select(*columns).where(AuditSeal.seq > after).order_by(AuditSeal.seq).limit(limit)
    with reading() as session:
        return [Head(*row) for row in session.execute(query)]
