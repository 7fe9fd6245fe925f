"""Pulling slots from a provider. Its figure goes to `offered`; `taken` is never written; nothing is ever unsold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Literal

from sqlalchemy import Row, select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from booking.calls.connections import ProviderConnection
from booking.discrepancies import SLOT_OVERSOLD, Discrepancy, close_discrepancy, open_discrepancy
from booking.feeds.cursors import Pull, apply_each, cursor_of, done, pages
from booking.feeds.tries import not_applied
from booking.feeds.unreadable import due_again, record_rows
from booking.models import Feed, Slot
from booking.notices.told_otherwise import bookings_of, notify_cut_slot, notify_moved_slot
from booking.sync.open_snapshots import SnapshotOver, lock_open_snapshots, note_named
from booking.sync.window import window_fault
from marketplace.catalog.models import CapacityPool, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from providers.port import ProviderAdapter
from providers.reported import RemoteSlot

log = get_logger(__name__)

HORIZON = timedelta(days=60)
BATCH = 500
SIGHT = "slots:sight"
OVERSOLD, MOVED = SLOT_OVERSOLD, "slot_moved"
MOST_NAMED = 50
"""How many bookings of an oversold slot its case names."""

_UPSERT = text(
    """
    WITH given AS (
      SELECT * FROM unnest(
        CAST(:public_ids AS text[]), CAST(:pools AS bigint[]), CAST(:refs AS text[]), CAST(:dates AS date[]),
        CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:offered AS bigint[]),
        CAST(:closed AS boolean[]), CAST(:versions AS bigint[])
      ) AS g(public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, closed, version)
    ), known AS (
      SELECT s.id, s.public_id, s.taken, g.service_date, g.starts_at, g.ends_at, g.offered, g.closed, g.version,
             s.pool_id, s.external_ref,
             s.taken > 0 AND (s.starts_at, s.ends_at, s.service_date)
               IS DISTINCT FROM (g.starts_at, g.ends_at, g.service_date) AS moved
        FROM slot s JOIN given g ON g.pool_id = s.pool_id AND g.external_ref = s.external_ref
       WHERE s.version <= g.version
       ORDER BY s.id FOR NO KEY UPDATE OF s
    ), changed AS (
      UPDATE slot s
         SET offered = k.offered, capacity = greatest(k.offered, s.taken), closed = k.closed, version = k.version,
             service_date = CASE WHEN k.moved THEN s.service_date ELSE k.service_date END,
             starts_at = CASE WHEN k.moved THEN s.starts_at ELSE k.starts_at END,
             ends_at = CASE WHEN k.moved THEN s.ends_at ELSE k.ends_at END
        FROM known k, (SELECT count(*) FROM known) AS locked
       WHERE s.id = k.id
         AND ((s.offered, s.closed, s.version) IS DISTINCT FROM (k.offered, k.closed, k.version)
           OR NOT k.moved AND (s.starts_at, s.ends_at, s.service_date)
                IS DISTINCT FROM (k.starts_at, k.ends_at, k.service_date))
      RETURNING s.id
    ), added AS (
      INSERT INTO slot (public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, capacity, closed,
                        version)
      SELECT g.public_id, g.pool_id, g.external_ref, g.service_date, g.starts_at, g.ends_at, g.offered, g.offered,
             g.closed, g.version
        FROM given g
       WHERE NOT EXISTS (SELECT 1 FROM slot s WHERE s.pool_id = g.pool_id AND s.external_ref = g.external_ref)
       ORDER BY g.pool_id, g.external_ref
      ON CONFLICT (pool_id, external_ref) DO NOTHING
      RETURNING pool_id, external_ref
    )
    SELECT CASE WHEN c.id IS NULL THEN 'unchanged' ELSE 'updated' END AS outcome, k.pool_id, k.external_ref,
           k.public_id, k.taken, k.offered, k.moved, k.service_date, k.starts_at, k.ends_at
      FROM known k LEFT JOIN changed c ON c.id = k.id
    UNION ALL SELECT 'created', a.pool_id, a.external_ref, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM added a
    """
)

_NEWER = text(
    """
    SELECT s.pool_id, s.external_ref
      FROM unnest(CAST(:pools AS bigint[]), CAST(:refs AS text[]), CAST(:versions AS bigint[]))
           AS g(pool_id, external_ref, version)
      JOIN slot s ON s.pool_id = g.pool_id AND s.external_ref = g.external_ref AND s.version > g.version
    """
)

Outcome = Literal["created", "updated", "unchanged", "outdated"]
Key = tuple[int, str]
"""What tells a slot from all others: its pool (our id) and the provider's reference."""


def pull_slots(provider: ProviderConnection, adapter: ProviderAdapter, *, today: date, now: datetime) -> dict[str, int]:
    """Pull what changed for the next 60 days; returns counts.

    Everything is pulled the first time, once a day, when pools were added (what came into our sight since need not
    have changed at the provider), and when a row that could not be read is to be asked for again.

    Raises ProviderError when the provider cannot be read, NotApplied when a slot could not be applied; what was applied
    until then stays, the cursor does not move.
    """
    with reading() as session:
        pools, zones = pools_of(session, provider.id), zones_of(session, provider.id)
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    fetch = partial(adapter.slots, today, today + HORIZON)
    sight = _sight(pools, today)
    with reading() as session:
        seen = cursor_of(session, provider.id, SIGHT) == sight
    afresh = not seen or bool(due_again(provider.id, Feed.SLOTS, now=now, limit=1))
    pull, outcomes = Pull(provider.id, Feed.SLOTS, now), Counter[str]()

    def apply(slots: Sequence[RemoteSlot]) -> str:
        apply_slots(provider.id, slots, pools, counts, now=now)
        return "applied"

    for part in pages(provider.id, Feed.SLOTS, fetch, now=now, afresh=afresh):
        slots = _possible(pull, part.slots, zones)
        batches = [slots[start : start + BATCH] for start in range(0, len(slots), BATCH)]
        alone = [(slot.name, slot) for batch in broken_batches(batches, apply) for slot in batch]
        apply_each(pull, part, alone, lambda slot: apply([slot]), outcomes)
    if afresh:
        done(provider.id, SIGHT, sight, now=now)
    counts["settled"] = settle_discrepancies(provider.id, now=now)
    return counts


def _possible(pull: Pull, slots: Sequence[RemoteSlot], zones: Mapping[str, str]) -> list[RemoteSlot]:
    """The slots whose times can be right; each of the others becomes a row that could not be used, by its field."""
    possible: list[RemoteSlot] = []
    for slot in slots:
        fault = window_fault(slot, zones[slot.pool]) if slot.pool in zones else None
        if fault is None:
            possible.append(slot)
        else:
            row = not_applied(slot.name, slot, ".".join(fault))
            record_rows(pull.provider_id, pull.feed, [row], now=pull.now)
    return possible


def broken_batches(
    batches: Sequence[Sequence[RemoteSlot]], apply: Callable[[Sequence[RemoteSlot]], object]
) -> list[Sequence[RemoteSlot]]:
    """Apply each batch; the ones that could not be, because of a slot that is to be found. Raises Busy and
    SnapshotOver: what no single slot is to blame for is not taken apart."""
    broken: list[Sequence[RemoteSlot]] = []
    for batch in batches:
        try:
            apply(batch)
        except (Busy, SnapshotOver, OperationalError, InterfaceError):
            raise
        except Exception as problem:  # whatever it is, it is one slot's and no other's
            log.exception("slots.batch_broken", error=type(problem).__name__, exc_info=False)
            broken.append(batch)
    return broken


def _sight(pools: Mapping[str, int], today: date) -> str:
    """A mark that changes with the day and with the pools we know."""
    known = hashlib.sha256("\n".join(sorted(pools)).encode()).hexdigest()[:16]
    return f"{today.isoformat()} {known}"


def pools_of(session: Session, provider_id: int) -> dict[str, int]:
    """Our ids of the provider's pools, by its names for them."""
    rows = session.execute(
        select(CapacityPool.external_ref, CapacityPool.id).where(CapacityPool.provider_id == provider_id)
    )
    return {row.external_ref: row.id for row in rows}


def zones_of(session: Session, provider_id: int) -> dict[str, str]:
    """The zones of the sites of the provider's pools, by its names for the pools."""
    rows = session.execute(
        select(CapacityPool.external_ref, Site.time_zone)
        .join(Site, Site.id == CapacityPool.site_id)
        .where(CapacityPool.provider_id == provider_id)
    )
    return {row.external_ref: row.time_zone for row in rows}


def apply_slots(
    provider_id: int,
    slots: Sequence[RemoteSlot],
    pools: Mapping[str, int],
    counts: dict[str, int],
    *,
    now: datetime,
    snapshot: int | None = None,
    keeps_sold: bool = False,
) -> dict[Key, Outcome]:
    """Write at most 500 slots, the last of each key, in one transaction; rows are locked in the order of their ids.
    What became of each slot of a pool that we know.

    The version decides: what is not lower than the version we hold is taken, whichever way it came. `snapshot`: which
    open one the slots are part of. `keeps_sold`: the provider offers less than is sold and keeps what is sold (it is
    asked what becomes of each booking), so that this is no discrepancy. Raises Busy, SnapshotOver.
    """
    ours = {(pools[slot.pool], slot.reference): slot for slot in slots if slot.pool in pools}
    outcomes: dict[Key, Outcome] = {}
    for _ in range(_ROUNDS):
        left = {key: slot for key, slot in ours.items() if key not in outcomes}
        if not left:
            break
        outcomes |= _write_slots(provider_id, left, snapshot, now, keeps_sold=keeps_sold)
    if len(outcomes) < len(ours):
        raise Busy()
    counts["read"] += len(slots)
    counts["unknown_pool"] += sum(slot.pool not in pools for slot in slots)
    became = Counter(outcomes.values())
    counts["added"] += became["created"]
    counts["changed"] += became["updated"]
    return outcomes


_ROUNDS = 3
"""A slot that a rival adds while we do is written in a transaction of its own: the rival's row is seen by then."""


def _write_slots(
    provider_id: int, ours: Mapping[Key, RemoteSlot], snapshot: int | None, now: datetime, *, keeps_sold: bool = False
) -> dict[Key, Outcome]:
    """What became of them; a slot that a rival has just added is missing."""
    keys: dict[str, list[Any]] = {"pools": [pool for pool, _ in ours], "refs": [reference for _, reference in ours]}
    versions = [slot.version for slot in ours.values()]
    with transaction() as session:
        naming = lock_open_snapshots(session, provider_id, within=snapshot, now=now)
        rows = session.execute(
            _UPSERT,
            {
                **keys,
                "public_ids": [new_id("slt") for _ in ours],
                "dates": [slot.service_date for slot in ours.values()],
                "starts": [slot.starts_at for slot in ours.values()],
                "ends": [slot.ends_at for slot in ours.values()],
                "offered": [max(slot.offered, 0) for slot in ours.values()],
                "closed": [slot.closed for slot in ours.values()],
                "versions": versions,
            },
        ).all()
        outcomes: dict[Key, Outcome] = {(row.pool_id, row.external_ref): row.outcome for row in rows}
        if len(outcomes) < len(ours):
            newer = session.execute(_NEWER, {**keys, "versions": versions})
            outcomes |= {(row.pool_id, row.external_ref): "outdated" for row in newer}
        if naming:
            note_named(session, naming, keys)
        open_ones = _open_discrepancies(session, provider_id)
        for row in rows:
            if row.outcome != "created":
                _compare(session, provider_id, row, open_ones, now, keeps_sold=keeps_sold)
    return outcomes


OpenDiscrepancies = dict[tuple[str, str], dict[str, Any]]
"""The facts of what is open, by kind and slot."""


def _open_discrepancies(session: Session, provider_id: int) -> OpenDiscrepancies:
    rows = session.execute(
        select(Discrepancy.kind, Discrepancy.subject, Discrepancy.facts).where(
            Discrepancy.provider_id == provider_id,
            Discrepancy.kind.in_((OVERSOLD, MOVED)),
            Discrepancy.closed_at.is_(None),
        )
    )
    return {(row.kind, row.subject): row.facts for row in rows}


def _compare(
    session: Session,
    provider_id: int,
    row: Row[Any],
    open_ones: OpenDiscrepancies,
    now: datetime,
    *,
    keeps_sold: bool,
) -> None:
    """A provider that offers less than we have sold, or moves a slot we have sold, is a discrepancy for a person, and
    those who have booked it are notified. One that only takes a slot off sale (`closed`) leaves what is sold, and so
    does one that said so (`keeps_sold`)."""
    oversold = _oversold(session, row) if row.taken > row.offered and not keeps_sold else None
    times = {"service_date": row.service_date, "starts_at": row.starts_at, "ends_at": row.ends_at}
    moved = {name: None if at is None else at.isoformat() for name, at in times.items()} if row.moved else None
    for kind, facts, explained in ((OVERSOLD, oversold, "offered_again"), (MOVED, moved, "same_time_again")):
        known = open_ones.get((kind, row.public_id))
        if facts is None and known is not None:
            close_discrepancy(session, provider_id, kind, row.public_id, explained, now=now)
        elif facts is not None and known is None:
            open_discrepancy(session, provider_id, kind, row.public_id, now=now, facts=facts)
            if kind == MOVED:
                notify_moved_slot(session, row.public_id, facts, now=now)
            else:
                notify_cut_slot(session, row.public_id, offered=row.offered, now=now)
        elif facts is not None and facts != known:
            _restate(session, provider_id, kind, row.public_id, facts)
            if kind == OVERSOLD:
                notify_cut_slot(session, row.public_id, offered=row.offered, now=now)


def _oversold(session: Session, row: Row[Any]) -> dict[str, Any]:
    """What the case of an oversold slot says: the figures, and whom it concerns (our numbers of the bookings)."""
    concerned = session.scalars(bookings_of(row.public_id).limit(MOST_NAMED))
    return {
        "taken": row.taken,
        "offered": row.offered,
        "service_date": row.service_date.isoformat(),
        "starts_at": row.starts_at.isoformat() if row.starts_at else None,
        "bookings": [booking.reference for booking in concerned],
    }


def _restate(session: Session, provider_id: int, kind: str, slot: str, facts: dict[str, Any]) -> None:
    session.execute(
        update(Discrepancy)
        .where(
            Discrepancy.provider_id == provider_id,
            Discrepancy.kind == kind,
            Discrepancy.subject == slot,
            Discrepancy.closed_at.is_(None),
        )
        .values(facts=facts)
    )


def settle_discrepancies(provider_id: int, *, now: datetime) -> int:
    """Close the discrepancies that a cancel has resolved; returns how many.

    A slot is no longer oversold when what is sold fits again. One that was moved takes the provider's time as soon as
    nobody holds a place in it any more: the provider will not report it a second time.
    """
    with reading() as session:
        subjects = sorted({subject for _, subject in _open_discrepancies(session, provider_id)})
    closed = 0
    for subject in subjects:
        with transaction() as session:
            closed += _settle_slot(session, provider_id, subject, now)
    return closed


def _settle_slot(session: Session, provider_id: int, subject: str, now: datetime) -> int:
    slot = session.scalar(select(Slot).where(Slot.public_id == subject).with_for_update(key_share=True))
    if slot is None:
        return 0
    open_ones = _open_discrepancies(session, provider_id)
    closed = 0
    if (OVERSOLD, subject) in open_ones and slot.taken <= slot.offered:
        close_discrepancy(session, provider_id, OVERSOLD, subject, "fits_again", now=now)
        closed += 1
    theirs = open_ones.get((MOVED, subject))
    if theirs and slot.taken == 0:
        slot.service_date = date.fromisoformat(theirs["service_date"])
        slot.starts_at, slot.ends_at = _moment(theirs["starts_at"]), _moment(theirs["ends_at"])
        close_discrepancy(session, provider_id, MOVED, subject, "nobody_holds_the_old_time", now=now)
        closed += 1
    return closed


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
