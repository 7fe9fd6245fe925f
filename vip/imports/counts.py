"""What became of the lines of an import, counted."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vip.imports.models import BulkLine


def counts_of(session: Session, import_id: int, *, trial: bool) -> dict[str, int]:
    """How many lines have each outcome, or by the trial would have; those that wait are not among them."""
    which = BulkLine.expected if trial else BulkLine.outcome
    rows = session.execute(
        select(which, func.count()).where(BulkLine.import_id == import_id, which.is_not(None)).group_by(which)
    )
    return {str(outcome): number for outcome, number in rows}
