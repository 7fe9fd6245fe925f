"""Which slots were named since a snapshot was opened: noted in the transaction that writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.sync.models import UNFINISHED, SlotSnapshot
from marketplace.core.errors import Refusal

LIFETIME = timedelta(hours=1)
"""How long a snapshot takes lines. One that is not completed by then closes nothing."""

_NOTE = text(
    """
    INSERT INTO slot_snapshot_named (snapshot_id, slot_id)
    SELECT o.id, s.id
      FROM unnest(CAST(:pools AS bigint[]), CAST(:refs AS text[])) AS g(pool_id, external_ref)
      JOIN slot s ON s.pool_id = g.pool_id AND s.external_ref = g.external_ref,
           unnest(CAST(:snapshots AS bigint[])) AS o(id)
     ORDER BY o.id, s.id
    ON CONFLICT DO NOTHING
    """
)


class SnapshotOver(Refusal):
    """The snapshot was completed or has ended. Lines that were applied before that stay."""

    code = "snapshot_over"


def lock_open_snapshots(session: Session, provider_id: int, *, within: int | None, now: datetime) -> list[int]:
    """The provider's snapshots that note what is named, locked against being completed until the transaction ends: it
    is called before any slot is locked. Raises SnapshotOver if `within` takes no lines any more."""
    rows = session.execute(
        select(SlotSnapshot.id, SlotSnapshot.state, SlotSnapshot.opened_at)
        .where(SlotSnapshot.provider_id == provider_id, text(UNFINISHED))
        .order_by(SlotSnapshot.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    if within is not None and not any(row.id == within and takes_lines(row, now) for row in rows):
        raise SnapshotOver()
    return [row.id for row in rows]


def takes_lines(snapshot: Any, now: datetime) -> bool:
    """Whether a snapshot (its row) is open and its time is not over."""
    return bool(snapshot.state == "open" and now < snapshot.opened_at + LIFETIME)


def note_named(session: Session, snapshots: Sequence[int], keys: Mapping[str, Sequence[Any]]) -> None:
    """Note the slots with these keys (`pools`, `refs`) for each of the snapshots."""
    session.execute(_NOTE, {**keys, "snapshots": list(snapshots)})
