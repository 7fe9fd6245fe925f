"""Pulling slots from a provider. Its figure goes to `offered`; `taken` is never written; nothing is ever unsold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.cursors import pages
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.gateway import Line
from marketplace.catalog.models import CapacityPool
from marketplace.core.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from providers.port import ProviderAdapter, RemoteSlot

log = get_logger(__name__)

HORIZON = timedelta(days=60)
BATCH = 500
FEED = "slots"

_UPSERT = text(
    """
    WITH given AS (
      SELECT * FROM unnest(
        CAST(:public_ids AS text[]), CAST(:pools AS bigint[]), CAST(:refs AS text[]), CAST(:dates AS date[]),
        CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:offered AS bigint[]),
        CAST(:closed AS boolean[]), CAST(:versions AS bigint[])
      ) AS g(public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, closed, version)
    ), known AS (
      SELECT s.id FROM slot s JOIN given g ON g.pool_id = s.pool_id AND g.external_ref = s.external_ref
       ORDER BY s.id FOR NO KEY UPDATE OF s
    ), changed AS (
      UPDATE slot s
         SET offered = g.offered, capacity = greatest(g.offered, s.taken), closed = g.closed, version = g.version,
             service_date = CASE WHEN s.taken = 0 THEN g.service_date ELSE s.service_date END,
             starts_at = CASE WHEN s.taken = 0 THEN g.starts_at ELSE s.starts_at END,
             ends_at = CASE WHEN s.taken = 0 THEN g.ends_at ELSE s.ends_at END
        FROM given g, (SELECT count(*) FROM known) AS locked
       WHERE s.pool_id = g.pool_id AND s.external_ref = g.external_ref AND s.version <= g.version
         AND (s.offered, s.closed, s.starts_at, s.ends_at, s.service_date)
             IS DISTINCT FROM (g.offered, g.closed, g.starts_at, g.ends_at, g.service_date)
      RETURNING s.public_id, s.taken, s.offered, s.closed,
                (s.starts_at, s.service_date) IS DISTINCT FROM (g.starts_at, g.service_date) AS kept_time
    ), added AS (
      INSERT INTO slot (public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, capacity, closed,
                        version)
      SELECT g.public_id, g.pool_id, g.external_ref, g.service_date, g.starts_at, g.ends_at, g.offered, g.offered,
             g.closed, g.version
        FROM given g
       WHERE NOT EXISTS (SELECT 1 FROM slot s WHERE s.pool_id = g.pool_id AND s.external_ref = g.external_ref)
      ON CONFLICT (pool_id, external_ref) DO NOTHING
      RETURNING 1
    )
    SELECT c.public_id, c.taken, c.offered, c.closed, c.kept_time, NULL::bigint AS added FROM changed c
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, count(*) FROM added
    """
)


def pull_slots(line: Line, adapter: ProviderAdapter, *, today: date, now: datetime) -> dict[str, int]:
    """Pull what changed (all, the first time) for the next 60 days; returns counts.

    Raises ProviderError when the provider cannot be read; what was applied until then stays, the cursor does not move.
    """
    with reading() as session:
        pools = _pools(session, line.id)
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    fetch = partial(adapter.slots, today, today + HORIZON)
    for part in pages(line.id, FEED, fetch, now=now):
        for start in range(0, len(part.slots), BATCH):
            apply_slots(line.id, part.slots[start : start + BATCH], pools, counts, now=now)
    return counts


def _pools(session: Session, provider_id: int) -> dict[str, int]:
    rows = session.execute(
        select(CapacityPool.external_ref, CapacityPool.id).where(CapacityPool.provider_id == provider_id)
    )
    return {row.external_ref: row.id for row in rows}


def apply_slots(
    provider_id: int, slots: Sequence[RemoteSlot], pools: dict[str, int], counts: dict[str, int], *, now: datetime
) -> None:
    """Write at most 500 slots in one transaction; rows are locked in the order of their ids."""
    ours = {(pools[slot.pool], slot.reference): slot for slot in slots if slot.pool in pools}
    counts["read"] += len(slots)
    counts["unknown_pool"] += sum(slot.pool not in pools for slot in slots)
    if not ours:
        return
    with transaction() as session:
        rows = session.execute(
            _UPSERT,
            {
                "public_ids": [new_id("slt") for _ in ours],
                "pools": [pool for pool, _ in ours],
                "refs": [reference for _, reference in ours],
                "dates": [slot.service_date for slot in ours.values()],
                "starts": [slot.starts_at for slot in ours.values()],
                "ends": [slot.ends_at for slot in ours.values()],
                "offered": [max(slot.offered, 0) for slot in ours.values()],
                "closed": [slot.closed for slot in ours.values()],
                "versions": [slot.version for slot in ours.values()],
            },
        ).all()
        for row in rows:
            if row.added is not None:
                counts["added"] += row.added
                continue
            counts["changed"] += 1
            _compare(session, provider_id, row.public_id, row.taken, row.offered, row.kept_time, now)


def _compare(
    session: Session, provider_id: int, slot: str, taken: int, offered: int, kept_time: bool, now: datetime
) -> None:
    """A provider that offers less than we have sold, or moves a slot we have sold, is a difference for a person."""
    if taken > offered:
        facts = {"taken": taken, "offered": offered}
        open_discrepancy(session, provider_id, "slot_oversold", slot, now=now, facts=facts)
    else:
        close_discrepancy(session, provider_id, "slot_oversold", slot, "offered_again", now=now)
    if kept_time:
        open_discrepancy(session, provider_id, "slot_moved", slot, now=now)
