"""Deleting what is stored for a limited time, a batch a transaction, so that no lock is held long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.core.database.db import transaction


def forget(
    key: InstrumentedAttribute[int],
    at: InstrumentedAttribute[datetime],
    before: datetime,
    batch: int,
    *only: ColumnElement[bool],
) -> int:
    """Delete all rows of the table of `key` (its primary key) whose `at` lies before `before`, of those for which
    `only` is true; returns how many."""
    old = select(key).where(at < before, *only).order_by(key).limit(batch)
    forgotten = 0
    while True:
        with transaction() as session:
            gone = session.scalars(delete(key.class_).where(key.in_(old)).returning(key)).all()
        forgotten += len(gone)
        if len(gone) < batch:
            return forgotten
