"""The worker's part: read what was uploaded, try it, do what was begun, and forget what is old."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from vip.imports.counts import counts_of
from vip.imports.models import BulkImport, BulkLine
from vip.imports.read import read_uploaded
from vip.imports.run import work_on

STORED_FOR = timedelta(days=30)
"""How long the contents of a file are stored after the last thing that happened to it."""
ENDED = ("done", "stopped", "failed")


def work_imports(clock: Callable[[], datetime], *, seconds: float = RUN_SECONDS) -> dict[str, int]:
    """Work on all imports in turn, a batch each, for so many seconds; counts of files and lines."""
    counts, until, unfit = Counter[str](), time.monotonic() + seconds, set[int]()

    def step(import_id: int) -> str:
        unfit.add(import_id)  # one that breaks is left for the next time
        with reading() as session:
            state = session.scalar(select(BulkImport.state).where(BulkImport.id == import_id))
        if state == "uploaded":
            counts["files"] += 1
            read_uploaded(import_id, now=clock())
            unfit.discard(import_id)
            return "worked"
        lines = work_on(import_id, clock)
        counts["lines"] += lines
        unfit.discard(import_id)
        return "worked" if lines else "idle"

    while time.monotonic() < until:
        with reading() as session:
            ids = session.scalars(
                select(BulkImport.id)
                .where(BulkImport.state.in_(("uploaded", "checking", "running")), BulkImport.id.not_in(unfit))
                .order_by(BulkImport.id)
            ).all()
        done = one_by_one("imports", ids, step, seconds=until - time.monotonic())
        counts["broken"] += done["broken"]
        if not done["worked"]:
            break
    return {name: number for name, number in counts.items() if number}


def forget_contents(*, now: datetime) -> dict[str, int]:
    """Destroy the contents of files that nothing has happened to for 30 days; one that had not ended is stopped by it.
    What became of the lines stays as counts."""
    with reading() as session:
        old = session.scalars(
            select(BulkImport.id).where(BulkImport.wrapped_key.is_not(None), BulkImport.changed_at < now - STORED_FOR)
        ).all()

    def forget(import_id: int) -> str:
        with transaction() as session:
            imported = session.get(BulkImport, import_id, with_for_update={"key_share": True})
            if imported is None or imported.wrapped_key is None or imported.changed_at >= now - STORED_FOR:
                return "kept"
            _forget(session, imported, now)
        return "forgotten"

    return dict(one_by_one("imports-over", old, forget))


def _forget(session: Session, imported: BulkImport, now: datetime) -> None:
    imported.counts = counts_of(session, imported.id, trial=imported.started_at is None)
    imported.wrapped_key = imported.details_sealed = imported.content_sealed = None
    imported.forgotten_at = now
    if imported.state not in ENDED:
        imported.state, imported.ended_at = "stopped", now
    session.execute(delete(BulkLine).where(BulkLine.import_id == imported.id))
