"""Slots that a provider's program publishes, line by line: applied by the code that applies what is polled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from threading import BoundedSemaphore
from typing import Literal

from sqlalchemy.exc import InterfaceError, OperationalError

from booking.sync import snapshots
from booking.sync.models import SlotSnapshot
from booking.sync.open_snapshots import SnapshotOver
from booking.sync.slots import BATCH, apply_slots, broken_batches, pools_of, zones_of
from booking.sync.window import window_fault
from marketplace.core.database.db import reading
from marketplace.core.errors import Busy, TooMany
from marketplace.core.logging import get_logger
from providers.reported import RemoteSlot

log = get_logger(__name__)

PUBLISHED_AT_ONCE = 4
"""How many calls a process writes at a time, so that publishing keeps no customer waiting for a thread or a connection:
a call of 10,000 lines takes seconds."""

_publishers = BoundedSemaphore(PUBLISHED_AT_ONCE)

Status = Literal["created", "updated", "unchanged", "outdated", "refused"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line: the field (`line` for the line as a whole) and a key of the words for it."""

    field: str
    reason: str


Faults = tuple[Fault, ...]


@dataclass(frozen=True)
class Answered:
    """What became of a line; `faults` of a refused one says why."""

    status: Status
    faults: Faults = ()


@dataclass(frozen=True)
class Call:
    """Whose lines, in which request, for which snapshot (its public id), and when. `keeps_sold`: as for apply_slots."""

    provider_id: int
    request: str
    snapshot: str | None
    now: datetime
    keeps_sold: bool = False


def publish_slots(call: Call, lines: Sequence[RemoteSlot | Faults]) -> list[Answered]:
    """Apply the lines, 500 a transaction, and answer each in its place; a line that could not be read (its faults) is
    refused, and no other for it.

    Of lines with the same key the highest version counts, the last of these if there are several. Sent again, as a
    whole or in part, lines lead to the same slots. Raises NotFound and SnapshotOver for the snapshot, Busy; what was
    applied until then stays. Raises TooMany(retry_after) while others are written, before anything is applied.
    """
    if not _publishers.acquire(blocking=False):
        raise TooMany(retry_after=2)
    try:
        return _publish(call, lines)
    finally:
        _publishers.release()


def _publish(call: Call, lines: Sequence[RemoteSlot | Faults]) -> list[Answered]:
    with reading() as session:
        pools, zones = pools_of(session, call.provider_id), zones_of(session, call.provider_id)
    part_of = None if call.snapshot is None else snapshots.open_row(call.provider_id, call.snapshot, now=call.now)
    slots, refused = _sort_out(lines, pools, zones, part_of)
    _remember(call, part_of, refused)
    newest = _newest(slots)
    statuses, failed = _apply(call, [slots[place] for place in newest.values()], pools, part_of)
    broken = {newest[key]: (Fault("line", "not_applied"),) for key in failed}
    _remember(call, part_of, broken)
    refused |= broken
    return [
        Answered("refused", refused[place]) if place in refused else _ANSWERS[_status(place, slots, newest, statuses)]
        for place in range(len(lines))
    ]


_ANSWERS: Mapping[Status, Answered] = {
    status: Answered(status) for status in ("created", "updated", "unchanged", "outdated")
}

_FIELDS = frozenset(each.name for each in fields(RemoteSlot))

Key = tuple[str, str]
"""The provider's names of a pool and of a slot in it."""


def _key(slot: RemoteSlot) -> Key:
    return slot.pool, slot.reference


def _newest(slots: Mapping[int, RemoteSlot]) -> dict[Key, int]:
    """The line of each key that counts."""
    newest: dict[Key, int] = {}
    for place, slot in slots.items():
        best = newest.setdefault((slot.pool, slot.reference), place)
        if best != place and slot.version >= slots[best].version:
            newest[slot.pool, slot.reference] = place
    return newest


def _status(
    place: int, slots: Mapping[int, RemoteSlot], newest: Mapping[Key, int], statuses: Mapping[Key, Status]
) -> Status:
    """What is said of a line: what became of its slot, or that another line of the call counts for it."""
    slot = slots[place]
    counts = newest[_key(slot)]
    if counts == place:
        return statuses[_key(slot)]
    return "unchanged" if slot == slots[counts] else "outdated"


def _sort_out(
    lines: Sequence[RemoteSlot | Faults],
    pools: Mapping[str, int],
    zones: Mapping[str, str],
    part_of: SlotSnapshot | None,
) -> tuple[dict[int, RemoteSlot], dict[int, Faults]]:
    """The slots that can be applied, and what is wrong with the other lines, by their places."""
    slots: dict[int, RemoteSlot] = {}
    refused: dict[int, Faults] = {}
    for place, line in enumerate(lines):
        faults = _faults_of(line, pools, zones, part_of) if isinstance(line, RemoteSlot) else line
        if isinstance(line, RemoteSlot) and not faults:
            slots[place] = line
        else:
            refused[place] = faults
    return slots, refused


def _faults_of(
    slot: RemoteSlot, pools: Mapping[str, int], zones: Mapping[str, str], part_of: SlotSnapshot | None
) -> Faults:
    if slot.pool not in pools:
        return (Fault("pool", "unknown_pool"),)
    if fault := window_fault(slot, zones[slot.pool]):
        return (Fault(*fault),)
    if part_of is None:
        return ()
    if pools[slot.pool] not in part_of.pool_ids:
        return (Fault("pool", "outside_snapshot"),)
    if not part_of.from_day <= slot.service_date <= part_of.to_day:
        return (Fault("service_date", "outside_snapshot"),)
    return ()


def _remember(call: Call, part_of: SlotSnapshot | None, refused: Mapping[int, Faults]) -> None:
    """Note refused lines with their snapshot, before anything else is done for it; of a strange field not the name."""
    if part_of is not None and refused:
        lines = [
            {
                "request": call.request,
                "line": place + 1,
                "field": fault.field if fault.field in _FIELDS else "line",
                "reason": fault.reason,
            }
            for place, (fault, *_) in refused.items()
        ]
        snapshots.note_refused(part_of.id, lines, now=call.now)


def _apply(
    call: Call, slots: Sequence[RemoteSlot], pools: Mapping[str, int], part_of: SlotSnapshot | None
) -> tuple[dict[Key, Status], set[Key]]:
    """What became of each slot, and which could not be applied."""
    names = {pool: name for name, pool in pools.items()}
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    statuses: dict[Key, Status] = {}

    def apply(batch: Sequence[RemoteSlot]) -> None:
        snapshot = None if part_of is None else part_of.id
        outcomes = apply_slots(
            call.provider_id, batch, pools, counts, now=call.now, snapshot=snapshot, keeps_sold=call.keeps_sold
        )
        statuses.update({(names[pool], reference): outcome for (pool, reference), outcome in outcomes.items()})

    failed: set[Key] = set()
    for slot in _alone(broken_batches([slots[start : start + BATCH] for start in range(0, len(slots), BATCH)], apply)):
        try:
            apply([slot])
        except (Busy, SnapshotOver, OperationalError, InterfaceError):
            raise
        except Exception as problem:  # one line that breaks stops no other, and is answered as not taken
            log.exception("slots.line_broken", error=type(problem).__name__, exc_info=False)
            failed.add(_key(slot))
    return statuses, failed


def _alone(batches: Sequence[Sequence[RemoteSlot]]) -> Iterator[RemoteSlot]:
    for batch in batches:
        yield from batch
