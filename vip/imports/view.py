"""Imports as an operator sees them: the list, one with its progress, and its refused lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.core import audit
from marketplace.core.bulk.cells import LineError, masked
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip import roles
from vip.imports.contents import Contents, Details
from vip.imports.counts import counts_of
from vip.imports.kinds import kind_of
from vip.imports.models import BulkImport, BulkLine
from vip.imports.read import REFUSED
from vip.imports.together import TOO_MANY
from vip.models import Operator
from vip.principal import Principal

_RATE_OVER = timedelta(seconds=30)
_MOST_SAME = 5


@dataclass(frozen=True)
class ImportLine:
    """An import in the list. `counts`: lines by what became of them, or by the trial would become of them while it was
    not begun."""

    id: str
    number: int
    kind: ImportKind[Any]
    state: str
    uploaded_at: datetime
    lines: int
    counts: Mapping[str, int]

    @property
    def refused(self) -> int:
        """Lines that were not imported."""
        return self.counts.get(REFUSED, 0)


@dataclass(frozen=True)
class ImportView:
    """One import. `details` is None once its contents were destroyed, at `forgotten_at`; `forgets_at`: when they are.
    `failure`: reason and facts of a file that can't be imported. `processed` lines were tried, or done once it was
    begun; `a_second` is how many at the moment, and `seconds_left` how long that takes, None where nobody can say.
    `same_as`: numbers of earlier imports of the same file, the newest first. `unforeseen`: how many lines bear upon too
    many others for the trial to see all that comes before them."""

    line: ImportLine
    by: str
    size: int
    details: Details | None
    failure: Mapping[str, Any] | None
    begun: bool
    started_at: datetime | None
    ended_at: datetime | None
    forgotten_at: datetime | None
    forgets_from: datetime
    processed: int
    a_second: float
    seconds_left: float | None
    same_as: Sequence[int]
    reasons: Sequence[tuple[str, int]]
    unforeseen: int = 0


@dataclass(frozen=True)
class RefusedLine:
    """A line that was not imported: each error with what stands in its column (masked where it is personal, blank for
    the line as a whole)."""

    number: int
    errors: Sequence[tuple[LineError, str]] = field(repr=False)


def imports(principal: Principal, *, cursor: str | None, limit: int) -> Page[ImportLine]:
    """The insurer's imports, the newest first. Raises NotFound without the duty, Invalid for a bad cursor."""
    roles.require(principal, "imports")
    wanted = select(BulkImport).where(BulkImport.insurer_id == principal.insurer_id)
    if cursor is not None:
        wanted = wanted.where(BulkImport.id < int(decode_cursor(cursor, [int])[0]))
    with reading() as session:
        rows = session.scalars(wanted.order_by(BulkImport.id.desc()).limit(limit + 1)).all()
        found = [_line(session, row) for row in rows[:limit]]
    return Page(found, encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None)


def one_import(principal: Principal, public_id: str, *, now: datetime) -> ImportView:
    """One of them. Raises NotFound, also without the duty."""
    roles.require(principal, "imports")
    with reading() as session:
        imported = _found(session, principal, public_id)
        line = _line(session, imported)
        processed = sum(line.counts.values())
        a_second = _speed(session, imported, processed, now)
        left = imported.lines - processed
        return ImportView(
            line=line,
            by=session.scalar(select(Operator.name).where(Operator.id == imported.uploaded_by)) or "",
            size=imported.size,
            details=None
            if imported.details_sealed is None
            else Contents.of(imported).open_details(imported.details_sealed),
            failure=imported.failure,
            begun=imported.started_at is not None,
            started_at=imported.started_at,
            ended_at=imported.ended_at,
            forgotten_at=imported.forgotten_at,
            forgets_from=imported.changed_at,
            processed=processed,
            a_second=a_second,
            seconds_left=left / a_second if a_second and left else None,
            same_as=_same(session, imported),
            reasons=_reasons(session, imported),
            unforeseen=_unforeseen(session, imported),
        )


def refused_lines(
    principal: Principal, public_id: str, *, reason: str = "", cursor: str | None, limit: int
) -> Page[RefusedLine]:
    """The lines that were not imported, or by the trial would not be, those refused for `reason` alone if it is given.
    Raises NotFound, also without the duty, and Invalid for a bad cursor."""
    roles.require(principal, "imports")
    with reading() as session:
        imported = _found(session, principal, public_id)
        if imported.wrapped_key is None:
            return Page([], None)
        wanted = select(BulkLine).where(*_refused(imported)).order_by(BulkLine.number).limit(limit + 1)
        if reason:
            wanted = wanted.where(BulkLine.reason == reason)
        if cursor is not None:
            wanted = wanted.where(BulkLine.number > int(decode_cursor(cursor, [int])[0]))
        rows = session.scalars(wanted).all()
        contents, kind = Contents.of(imported), kind_of(imported.kind)
        found = [RefusedLine(row.number, _shown(kind, contents, row)) for row in rows[:limit]]
    return Page(found, encode_cursor([rows[limit - 1].number]) if len(rows) > limit else None)


@dataclass(frozen=True)
class RefusedFile:
    """The refused lines as they were uploaded: the columns that the file had, in its order, and each line's number,
    cells and errors."""

    number: int
    kind: ImportKind[Any]
    columns: Sequence[str]
    lines: Sequence[tuple[int, Sequence[str], Sequence[LineError]]] = field(repr=False)


def refused_file(principal: Principal, public_id: str, *, now: datetime) -> RefusedFile:
    """The refused lines with their contents in clear, for her who corrects them; audited. Raises NotFound, also without
    the duty and where no line is refused or the contents were destroyed."""
    roles.require(principal, "imports")
    with transaction() as session:
        imported = _found(session, principal, public_id)
        if imported.wrapped_key is None or imported.details_sealed is None:
            raise NotFound(field="import")
        contents, kind = Contents.of(imported), kind_of(imported.kind)
        columns = contents.open_details(imported.details_sealed).columns
        lines = [
            (row.number, _cells(contents, row, columns), _errors(row))
            for row in session.scalars(select(BulkLine).where(*_refused(imported)).order_by(BulkLine.number))
        ]
        if not lines:
            raise NotFound(field="import")
        audit.record(
            session,
            "import.refused_lines_fetched",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=imported.public_id,
            insurer_id=imported.insurer_id,
            lines=len(lines),
        )
        return RefusedFile(imported.number, kind, columns, lines)


def _found(session: Session, principal: Principal, public_id: str) -> BulkImport:
    found = session.scalar(
        select(BulkImport).where(BulkImport.public_id == public_id, BulkImport.insurer_id == principal.insurer_id)
    )
    if found is None:
        raise NotFound(field="import")
    return found


def _line(session: Session, imported: BulkImport) -> ImportLine:
    counts = (
        imported.counts
        if imported.counts is not None
        else counts_of(session, imported.id, trial=imported.started_at is None)
    )
    return ImportLine(
        imported.public_id,
        imported.number,
        kind_of(imported.kind),
        imported.state,
        imported.uploaded_at,
        imported.lines,
        counts,
    )


def _speed(session: Session, imported: BulkImport, processed: int, now: datetime) -> float:
    """Lines a second: of the last half minute while it runs, from the beginning while it is tried."""
    if imported.state == "checking":
        return processed / max((now - imported.uploaded_at).total_seconds(), 1.0)
    if imported.state != "running" or imported.started_at is None:
        return 0.0
    begin = max(now - _RATE_OVER, imported.started_at)
    done = session.scalar(
        select(func.count()).where(BulkLine.import_id == imported.id, BulkLine.done_at > begin, BulkLine.readable)
    )
    return (done or 0) / max((now - begin).total_seconds(), 1.0)


def _same(session: Session, imported: BulkImport) -> Sequence[int]:
    other = aliased(BulkImport)
    return session.scalars(
        select(other.number)
        .where(
            other.insurer_id == imported.insurer_id,
            other.kind == imported.kind,
            other.file_hash == imported.file_hash,
            other.id < imported.id,
        )
        .order_by(other.id.desc())
        .limit(_MOST_SAME)
    ).all()


def _reasons(session: Session, imported: BulkImport) -> Sequence[tuple[str, int]]:
    """The reasons of its refused lines with how many lines each has, the most frequent first."""
    wanted = (
        select(BulkLine.reason, func.count())
        .where(*_refused(imported))
        .group_by(BulkLine.reason)
        .order_by(func.count().desc(), BulkLine.reason)
    )
    return [(str(row[0]), row[1]) for row in session.execute(wanted)]


def _unforeseen(session: Session, imported: BulkImport) -> int:
    of_it = BulkLine.import_id == imported.id, BulkLine.together == TOO_MANY, BulkLine.readable
    return session.scalars(select(func.count()).select_from(BulkLine).where(*of_it)).one()


def _refused(imported: BulkImport) -> Iterator[ColumnElement[bool]]:
    """Which lines were refused, or by the trial would be."""
    yield BulkLine.import_id == imported.id
    yield BulkLine.reason.is_not(None)
    yield (BulkLine.expected if imported.started_at is None else BulkLine.outcome) == REFUSED


def _errors(row: BulkLine) -> list[LineError]:
    return [LineError(each["column"], each["reason"], each["facts"]) for each in row.errors]


def _shown(kind: ImportKind[Any], contents: Contents, row: BulkLine) -> list[tuple[LineError, str]]:
    texts, _marks = contents.open_line(row.number, row.cells_sealed)
    shown = list[tuple[LineError, str]]()
    for error in _errors(row):
        column, text = kind.column(error.column), texts.get(error.column, "")
        shown.append((error, masked(text) if column is None or column.personal else text))
    return shown


def _cells(contents: Contents, row: BulkLine, columns: Sequence[str]) -> list[str]:
    texts, _marks = contents.open_line(row.number, row.cells_sealed)
    return [texts.get(column, "") for column in columns]
