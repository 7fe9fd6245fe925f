"""Full snapshots of slots: opened, filled by lines, completed. What was not named since the opening is closed then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable, first_time, record_key
from booking.sync.models import NamedSlot, SlotSnapshot
from booking.sync.open_snapshots import LIFETIME, SnapshotOver, takes_lines
from booking.sync.slots import BATCH, pools_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.one_by_one import one_by_one

MOST_DAYS = 400
MOST_OPEN = 5
"""Snapshots of a provider that are open at once: each notes every slot that is named."""
MOST_LISTED = 100
"""How many of its refused lines a snapshot remembers."""
KEPT = timedelta(days=1)
FORGOTTEN_AT_ONCE = 5000
"""How many notes of named slots a statement deletes: a snapshot may have a million, and a statement ends in time."""

_OVER = SlotSnapshot.state.in_(("completed", "expired"))
_HAS_NAMED = exists().where(NamedSlot.snapshot_id == SlotSnapshot.id)

_CLOSE = text(
    """
    WITH absent AS (
      SELECT s.id FROM slot s
       WHERE s.pool_id = ANY(:pools) AND s.service_date BETWEEN :first AND :last AND NOT s.closed
         AND NOT EXISTS (SELECT FROM slot_snapshot_named n WHERE n.snapshot_id = :snapshot AND n.slot_id = s.id)
       ORDER BY s.id LIMIT :most FOR NO KEY UPDATE OF s
    )
    UPDATE slot s SET closed = true FROM absent a WHERE s.id = a.id
    """
)


class TooManySnapshots(Refusal):
    """The provider has as many open snapshots as it may."""

    code = "too_many_snapshots"


class SnapshotRefused(Refusal):
    """Lines of the snapshot were refused. What could not be read may be any slot, so it closes nothing; facts: how many
    (`refused`), and `lines`, the first of them."""

    code = "snapshot_refused"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as its provider sees it. It takes lines until `ends_at`; `closed` counts the slots that it closed."""

    id: str
    pools: Sequence[str]
    first: date
    last: date
    state: str
    refused: int
    closed: int
    opened_at: datetime
    ends_at: datetime


def open_snapshot(
    provider_id: int, pools: Collection[str], first: date, last: date, *, repeatable: Repeatable, now: datetime
) -> Snapshot:
    """Open a snapshot of the slots of these pools from `first` to `last`, both included. Sent again with its key, it is
    the same. Raises Invalid, TooManySnapshots, IdempotencyKeyReused."""
    if last < first:
        raise Invalid(field="to", reason="before_from")
    if (last - first).days >= MOST_DAYS:
        raise Invalid(field="to", reason="range_too_long", maximum=MOST_DAYS)
    public_id = new_id("snp")
    with transaction() as session:
        known = pools_of(session, provider_id)
        if not set(pools) <= set(known):
            raise Invalid(field="pools", reason="unknown_pool")
        earlier = record_key(session, repeatable, public_id, now=now, status=201)
        if earlier is None:
            if _count_open(session, provider_id, now) >= MOST_OPEN:
                raise TooManySnapshots(most=MOST_OPEN)
            session.add(
                SlotSnapshot(
                    public_id=public_id,
                    provider_id=provider_id,
                    pool_ids=sorted(known[pool] for pool in pools),
                    from_day=first,
                    to_day=last,
                    opened_at=now,
                )
            )
    return snapshot_of(provider_id, earlier or public_id, now=now)


def _count_open(session: Session, provider_id: int, now: datetime) -> int:
    """How many are open. A coarse brake: two that are opened at the same moment may both pass."""
    return session.scalars(
        select(func.count()).where(
            SlotSnapshot.provider_id == provider_id,
            SlotSnapshot.state == "open",
            SlotSnapshot.opened_at > now - LIFETIME,
        )
    ).one()


def snapshot_of(provider_id: int, public_id: str, *, now: datetime) -> Snapshot:
    """The provider's snapshot. Raises NotFound."""
    with reading() as session:
        row = session.scalar(_mine(provider_id, public_id))
        if row is None:
            raise NotFound()
        names = {pool: name for name, pool in pools_of(session, provider_id).items()}
    return Snapshot(
        id=row.public_id,
        pools=sorted(names[pool] for pool in row.pool_ids),
        first=row.from_day,
        last=row.to_day,
        state="expired" if row.state == "open" and not takes_lines(row, now) else row.state,
        refused=row.refused,
        closed=row.closed,
        opened_at=row.opened_at,
        ends_at=row.opened_at + LIFETIME,
    )


def _mine(provider_id: int, public_id: str) -> Any:
    return select(SlotSnapshot).where(SlotSnapshot.public_id == public_id, SlotSnapshot.provider_id == provider_id)


def open_row(provider_id: int, public_id: str, *, now: datetime) -> SlotSnapshot:
    """The row of a snapshot that lines may be sent for. Raises NotFound, SnapshotOver."""
    with reading() as session:
        row: SlotSnapshot | None = session.scalar(_mine(provider_id, public_id))
    if row is None:
        raise NotFound()
    if not takes_lines(row, now):
        raise SnapshotOver()
    return row


def note_refused(snapshot_id: int, lines: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Remember refused lines of a snapshot. Raises SnapshotOver when it takes none any more."""
    with transaction() as session:
        row = session.get_one(SlotSnapshot, snapshot_id, with_for_update=True)
        if not takes_lines(row, now):
            raise SnapshotOver()
        row.refused += len(lines)
        row.refused_lines = [*row.refused_lines, *lines][:MOST_LISTED]


def complete_snapshot(
    provider_id: int, public_id: str, *, now: datetime, repeatable: Repeatable | None = None
) -> Snapshot:
    """Close the slots of its pools and days that nobody has named since it was opened. What is sold stays sold. Asked
    again, the answer is the same; broken off, it is carried on. Raises NotFound, SnapshotOver, SnapshotRefused,
    IdempotencyKeyReused."""
    with transaction() as session:
        if repeatable is not None:
            first_time(session, repeatable, public_id, now=now)
        row: SlotSnapshot | None = session.scalar(_mine(provider_id, public_id).with_for_update())
        if row is None:
            raise NotFound()
        if row.state == "open":
            if not takes_lines(row, now):
                raise SnapshotOver()
            if row.refused:
                raise SnapshotRefused(refused=row.refused, lines=row.refused_lines)
            _update(session, row.id, state="closing")
        elif row.state == "expired":
            raise SnapshotOver()
    _close_all(row.id, now)
    return snapshot_of(provider_id, public_id, now=now)


def _close_all(snapshot_id: int, now: datetime) -> str:
    while not _close_some(snapshot_id, now):
        pass
    return "completed"


def _close_some(snapshot_id: int, now: datetime) -> bool:
    """Close a batch of what was not named. Whether that was all."""
    with transaction() as session:
        row = session.get_one(SlotSnapshot, snapshot_id, with_for_update=True)
        if row.state != "closing":
            return True
        closed = session.execute(
            _CLOSE,
            {
                "snapshot": row.id,
                "pools": row.pool_ids,
                "first": row.from_day,
                "last": row.to_day,
                "most": BATCH,
            },
        ).rowcount  # type: ignore[attr-defined]
        over = bool(closed < BATCH)
        ending = {"state": "completed", "completed_at": now} if over else {}
        _update(session, row.id, closed=row.closed + closed, **ending)
        return over


def _update(session: Session, snapshot_id: int, **values: Any) -> None:
    session.execute(update(SlotSnapshot).where(SlotSnapshot.id == snapshot_id).values(**values))


def tend_snapshots(*, now: datetime) -> Counter[str]:
    """Carry on what was broken off while it closed slots, end what was not completed in its hour, and forget: which
    slots were named once that is over, and a day after its opening the snapshot. One that still closes is kept."""
    with reading() as session:
        left = session.scalars(select(SlotSnapshot.id).where(SlotSnapshot.state == "closing")).all()
    counts = one_by_one("slot_snapshots", left, lambda snapshot: _close_all(snapshot, now))
    with transaction() as session:
        ended = session.scalars(
            update(SlotSnapshot)
            .where(SlotSnapshot.state == "open", SlotSnapshot.opened_at <= now - LIFETIME)
            .values(state="expired")
            .returning(SlotSnapshot.id)
        ).all()
    counts["expired"] += len(ended)
    with reading() as session:
        over = session.scalars(select(SlotSnapshot.id).where(_OVER, _HAS_NAMED)).all()
    counts += one_by_one("slot_snapshots", over, _forget_named)
    counts["forgotten"] += forget(SlotSnapshot.id, SlotSnapshot.opened_at, now - KEPT, 1, _OVER, ~_HAS_NAMED)
    return counts


def _forget_named(snapshot_id: int) -> str:
    """Delete what a snapshot noted that closes nothing any more."""
    last: int | None = 0
    while last is not None:
        noted = select(NamedSlot.slot_id).where(NamedSlot.snapshot_id == snapshot_id, NamedSlot.slot_id > last)
        batch = noted.order_by(NamedSlot.slot_id).limit(FORGOTTEN_AT_ONCE)
        these = delete(NamedSlot).where(NamedSlot.snapshot_id == snapshot_id, NamedSlot.slot_id.in_(batch))
        with transaction() as session:
            last = max(session.scalars(these.returning(NamedSlot.slot_id)).all(), default=None)
    return "cleared"
