"""Reading an uploaded file into lines: what each one lacks by itself is known from then on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, undefer

from marketplace.core import audit
from marketplace.core.bulk.cells import Cells, LineError
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.bulk.table import Table, TableLine, TableRefused, read_table
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from vip.imports.contents import Contents, Details
from vip.imports.kinds import kind_of
from vip.imports.models import BulkImport, BulkLine
from vip.imports.together import Together

REFUSED = "refused"
"""What became of a line that was not imported; every other outcome is its kind's."""
_AT_ONCE = 1_000

log = get_logger(__name__)


def read_uploaded(import_id: int, *, now: datetime) -> str:
    """Read the file of an import; what came of it: `read`, `refused`, or `gone` where somebody else was faster."""
    with reading() as session:
        imported = session.get(BulkImport, import_id, options=[undefer(BulkImport.content_sealed)])
        if imported is None or imported.state != "uploaded" or imported.content_sealed is None:
            return "gone"
    contents, kind = Contents.of(imported), kind_of(imported.kind)
    try:
        table = read_table(contents.open_file(imported.content_sealed), kind.columns)
        lines = _lines(contents, kind, table)
    except TableRefused as refused:
        return _end(import_id, refused.facts, now)
    except Exception as broken:  # whatever a file brings about: the next one must not wait for it
        log.exception("import.broken", subject=imported.public_id, error=type(broken).__name__, exc_info=False)
        return _end(import_id, {"reason": "unreadable"}, now)
    return _store(import_id, contents, table, lines, now)


def errors_as_stored(errors: list[LineError]) -> list[dict[str, Any]]:
    """Errors as a line stores them."""
    return [{"column": each.column, "reason": each.reason, "facts": dict(each.facts)} for each in errors]


def _lines(contents: Contents, kind: ImportKind[Any], table: Table) -> list[dict[str, Any]]:
    """The rows of BulkLine."""
    first, shared, found = dict[str, int](), Together(), list[dict[str, Any]]()
    for line in table.lines:
        errors = _errors(kind, line, first, shared)
        found.append(
            {
                "number": line.number,
                "cells_sealed": contents.seal_line(line),
                "readable": not errors,
                "expected": REFUSED if errors else None,
                "reason": errors[0].reason if errors else None,
                "errors": errors_as_stored(errors),
            }
        )
    together = shared.by_line()
    return [{**line, "together": together.get(line["number"])} for line in found]


def _errors(kind: ImportKind[Any], line: TableLine, first: dict[str, int], shared: Together) -> list[LineError]:
    """What is wrong with a line by itself, or that it says what an earlier line says; `first` has the line of each
    key, and `shared` is told what a sound one shares."""
    if line.extra:
        return [LineError("", "too_many_cells")]
    cells = Cells(kind.columns, line.texts, line.marks)
    row = kind.read(cells)
    if not cells.errors:
        key = kind.key(row)
        before = first.setdefault(key, line.number)
        if before != line.number:
            cells.refuse("", "doubled", line=before)
        else:
            shared.add(line.number, kind.shares(row))
    return cells.errors


def _store(import_id: int, contents: Contents, table: Table, lines: list[dict[str, Any]], now: datetime) -> str:
    with transaction() as session:
        imported = _locked(session, import_id)
        if imported is None:
            return "gone"
        for begin in range(0, len(lines), _AT_ONCE):
            part = [{**line, "import_id": import_id} for line in lines[begin : begin + _AT_ONCE]]
            session.execute(insert(BulkLine), part)
        known = contents.open_details(imported.details_sealed or b"")
        imported.details_sealed = contents.seal_details(
            Details(known.name, table.form, table.encoding, table.columns, table.ignored, table.notes)
        )
        imported.content_sealed, imported.lines, imported.state, imported.changed_at = None, len(lines), "checking", now
    return "read"


def _end(import_id: int, facts: Mapping[str, Any], now: datetime) -> str:
    with transaction() as session:
        imported = _locked(session, import_id)
        if imported is None:
            return "gone"
        imported.content_sealed, imported.state, imported.failure = None, "failed", dict(facts)
        imported.changed_at = imported.ended_at = now
        audit.record(
            session,
            "import.failed",
            at=now,
            actor_kind="system",
            actor="worker",
            subject=imported.public_id,
            insurer_id=imported.insurer_id,
            reason=str(facts["reason"]),
        )
    return REFUSED


def _locked(session: Session, import_id: int) -> BulkImport | None:
    """The import, if it still waits to be read."""
    return session.scalar(
        select(BulkImport)
        .where(BulkImport.id == import_id, BulkImport.state == "uploaded")
        .with_for_update(key_share=True)
    )
