"""Trying and doing the lines of an import, a batch a transaction.

A line's effect and its mark are of one transaction, so each is done exactly once, whatever ends the process in between.
Who works on an import has its row locked; the mark is a conditional update besides. A trial does the same and takes it
back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit
from marketplace.core.bulk.cells import Cells, LineError
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.database.db import raise_busy, transaction
from marketplace.core.errors import Busy, Refusal
from marketplace.core.logging import get_logger
from vip.imports.contents import Contents
from vip.imports.counts import counts_of
from vip.imports.kinds import kind_of
from vip.imports.models import BulkImport, BulkLine
from vip.imports.read import REFUSED, errors_as_stored

BATCH = 50
BATCH_SECONDS = 1.5
"""So long a batch goes on: who pauses or stops an import waits for its end."""
TRIES = 5
"""How often a line is tried again where a rival is in the way."""

log = get_logger(__name__)


@dataclass(frozen=True)
class _Waiting:
    """A line to be tried or done."""

    id: int
    number: int
    tries: int
    readable: bool
    together: int | None
    row: Any = field(repr=False)


@dataclass(frozen=True)
class _Result:
    """What became of a line; without `outcome` it is left for the next batch."""

    line: _Waiting
    outcome: str | None
    errors: list[LineError] = field(default_factory=list)


def work_on(import_id: int, clock: Callable[[], datetime]) -> int:
    """Try or do the next lines of an import, according to its state; how many. 0: there is nothing to do, or somebody
    else does it."""
    now = clock()
    with transaction() as session:
        imported = session.scalar(
            select(BulkImport)
            .where(BulkImport.id == import_id, BulkImport.state.in_(("checking", "running")))
            .with_for_update(key_share=True, skip_locked=True)
        )
        if imported is None:
            return 0
        trial, kind = imported.state == "checking", kind_of(imported.kind)
        lines = _next(session, imported, kind, trial=trial)
        results = _tried(session, imported, kind, lines, now) if trial else _done(session, imported, kind, lines, now)
        for result in results:
            _mark(session, result, now, trial=trial)
        imported.changed_at = now
        _end_if_over(session, imported, now, trial=trial)
    return len(results)


def _next(session: Session, imported: BulkImport, kind: ImportKind[Any], *, trial: bool) -> list[_Waiting]:
    """The next lines with those that they go together with, in the order of what they are about: whoever does several
    at once takes them in one order."""
    waits = BulkLine.expected if trial else BulkLine.outcome
    wanted = (
        select(BulkLine)
        .where(BulkLine.import_id == imported.id, waits.is_(None))
        .order_by(BulkLine.number)
        .limit(BATCH)
    )
    lines = list(session.scalars(wanted))
    together = {line.together for line in lines if line.together}
    if together:
        rest = (BulkLine.together.in_(together), BulkLine.number > lines[-1].number)
        lines += session.scalars(select(BulkLine).where(BulkLine.import_id == imported.id, waits.is_(None), *rest))
    contents = Contents.of(imported)
    found = list[tuple[str, _Waiting]]()
    for line in lines:
        row = None
        if line.readable:
            cells = Cells(kind.columns, *contents.open_line(line.number, line.cells_sealed))
            row = kind.read(cells)
        waiting = _Waiting(line.id, line.number, line.tries, line.readable, line.together or None, row)
        found.append((kind.key(row) if line.readable else "", waiting))
    return [line for _key, line in sorted(found, key=lambda each: each[0])]


def _tried(
    session: Session, imported: BulkImport, kind: ImportKind[Any], lines: Sequence[_Waiting], now: datetime
) -> list[_Result]:
    """What would become of the lines; all of it is taken back. Where a rival is in the way of one, those that it goes
    together with wait with it: each is tried beside the others."""
    with session.begin_nested() as trial:
        results = _done(session, imported, kind, lines, now)
        trial.rollback()
    session.expire_all()
    wait = {result.line.together for result in results if result.outcome is None} - {None}
    return [_Result(result.line, None) if result.line.together in wait else result for result in results]


def _done(
    session: Session, imported: BulkImport, kind: ImportKind[Any], lines: Sequence[_Waiting], now: datetime
) -> list[_Result]:
    insurer = session.get_one(Insurer, imported.insurer_id)  # held: a line that asks for it does not read it again
    source, until = f"import:{imported.public_id}", time.monotonic() + BATCH_SECONDS
    results, begun = list[_Result](), set[int | None]()
    for line in lines:
        if time.monotonic() > until and results and line.together not in begun:
            continue
        results.append(_one(session, insurer.id, kind, line, now, source))
        begun |= {line.together} - {None}
    return results


def _one(
    session: Session, insurer_id: int, kind: ImportKind[Any], line: _Waiting, now: datetime, source: str
) -> _Result:
    """Do a line in a savepoint of its own: one that is refused or breaks leaves nothing, and stops no other."""
    if not line.readable:
        return _Result(line, REFUSED)
    try:
        with session.begin_nested():
            outcome = kind.apply(session, insurer_id, line.row, now=now, source=source)
            session.flush()
    except Busy:
        return _in_the_way(line)
    except Refusal as refused:
        return _Result(line, REFUSED, [_error(kind, refused)])
    except DBAPIError as failed:
        if failed.connection_invalidated:
            raise
        try:
            raise_busy(failed)
        except Busy:
            return _in_the_way(line)
        return _broken(line, failed)
    except Exception as failed:  # one line that breaks stops no other
        return _broken(line, failed)
    if outcome not in kind.outcomes:
        raise LookupError(f"{kind.code} has no outcome of that name")
    return _Result(line, outcome)


def _in_the_way(line: _Waiting) -> _Result:
    if line.tries + 1 < TRIES:
        return _Result(line, None)
    return _Result(line, REFUSED, [LineError("", "busy")])


def _broken(line: _Waiting, failed: Exception) -> _Result:
    # the database's errors quote rows: of them the name alone
    trace = not isinstance(failed, SQLAlchemyError)
    log.exception("import.line_broken", line=line.number, error=type(failed).__name__, exc_info=trace)
    return _Result(line, REFUSED, [LineError("", "broken")])


def _error(kind: ImportKind[Any], refused: Refusal) -> LineError:
    """A refusal as an error of the line. Its facts are numbers and short codes."""
    column = refused.at if refused.at is not None and kind.column(refused.at) is not None else ""
    facts = {
        name: value if isinstance(value, int) else str(value)[:100]
        for name, value in refused.facts.items()
        if name != "reason" and isinstance(value, int | str)
    }
    return LineError(column, str(refused.facts.get("reason", refused.code)), facts)


def _mark(session: Session, result: _Result, now: datetime, *, trial: bool) -> None:
    """Note what became of a line. Raises RuntimeError where that was noted before: the transaction is taken back."""
    line = result.line
    waits = BulkLine.expected if trial else BulkLine.outcome
    values: dict[str, Any] = {"tries": line.tries + 1}
    if result.outcome is not None:
        values = {"expected": result.outcome} if trial else {"outcome": result.outcome, "done_at": now}
        values["tries"] = 0
        if line.readable:
            values["errors"] = errors_as_stored(result.errors)
            values["reason"] = result.errors[0].reason if result.errors else None
    marked = session.execute(
        update(BulkLine)
        .where(BulkLine.id == line.id, waits.is_(None))
        .values(values)
        .execution_options(synchronize_session=False)
        .returning(BulkLine.id)
    ).all()
    if len(marked) != 1:
        raise RuntimeError("a line was done twice")


def _end_if_over(session: Session, imported: BulkImport, now: datetime, *, trial: bool) -> None:
    waits = BulkLine.expected if trial else BulkLine.outcome
    if session.scalar(select(exists().where(BulkLine.import_id == imported.id, waits.is_(None)))):
        return
    counts = counts_of(session, imported.id, trial=trial)
    imported.state = "checked" if trial else "done"
    if not trial:
        imported.ended_at, imported.counts = now, counts
    audit.record(
        session,
        "import.checked" if trial else "import.done",
        at=now,
        actor_kind="system",
        actor="worker",
        subject=imported.public_id,
        insurer_id=imported.insurer_id,
        counts=counts,
    )
