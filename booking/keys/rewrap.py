"""Bringing what is stored to the current keys, while everything goes on.

Each batch of rows is a transaction, and how far it came is written in the same one: whatever ends a rewrap, the next
goes on behind the last batch. Part after part is gone through until a pass finds nothing to move and nobody's lock in
its way, so what a process with an earlier key writes behind it is found too. Two rewraps at once take turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.keys.indexed import INDEXED
from booking.keys.models import KeyRewrap
from booking.keys.part import Part
from booking.keys.sealed import SEALED
from marketplace.core.database.db import transaction
from marketplace.core.errors import Busy

BATCH = 200
PAUSE_SECONDS = 0.02
"""Between batches, so that others get their turn."""
LOCKED_SECONDS = 1.0
"""Before a new pass for nothing but rows that others had locked: some hold them for long."""

PARTS: tuple[Part, ...] = (*SEALED, *INDEXED)


@dataclass(frozen=True)
class Progress:
    """How far a part has come: rows looked at and moved over all passes, and those of the last pass that can't be.
    `again`: a pass has just ended, and another one is needed."""

    part: str
    seen: int
    moved: int
    unreadable: int
    unknown: int
    finished: bool
    again: bool = False


def rewrap(
    *, now: Callable[[], datetime], batch: int, wait: Callable[[float], None], say: Callable[[Progress], None]
) -> list[Progress]:
    """Bring every part to its current key; `say` is told after each batch. Returns how each part ended."""
    return [_bring(part, now, batch, wait, say) for part in PARTS]


def _bring(
    part: Part,
    now: Callable[[], datetime],
    batch: int,
    wait: Callable[[float], None],
    say: Callable[[Progress], None],
) -> Progress:
    _begin(part, now())
    moved = 0  # before this pass
    while True:
        try:
            done = _step(part, batch, now())
        except Busy:  # another rewrap's turn took long
            wait(LOCKED_SECONDS)
            continue
        say(done)
        if done.finished:
            return done
        wait(LOCKED_SECONDS if done.again and done.moved == moved else PAUSE_SECONDS)
        if done.again:
            moved = done.moved


def _begin(part: Part, now: datetime) -> None:
    """One that was broken off goes on where it was; one that was finished begins anew."""
    with transaction() as session:
        new = insert(KeyRewrap).values(part=part.name, key_id=part.live()[0].id, started_at=now)
        session.execute(new.on_conflict_do_nothing())
        way = _locked(session, part)
        if way.finished_at is not None:
            way.seen = way.moved = 0
            way.started_at, way.finished_at = now, None
            _new_pass(way)


def _step(part: Part, batch: int, now: datetime) -> Progress:
    with transaction() as session:
        way, again = _locked(session, part), False
        if way.finished_at is None:
            numbers = part.batch(session, way.after_id, batch)
            if numbers:
                done = part.move(session, numbers)
                way.after_id = numbers[-1]
                way.seen += len(numbers)
                way.moved += done.moved
                way.again += done.moved + done.busy
                way.unreadable += done.unreadable
                way.unknown += done.unknown
            elif way.again:
                again = True
                _new_pass(way)
            else:
                way.finished_at = now
        finished = way.finished_at is not None
        return Progress(part.name, way.seen, way.moved, way.unreadable, way.unknown, finished, again)


def _new_pass(way: KeyRewrap) -> None:
    way.after_id = way.again = way.unreadable = way.unknown = 0


def _locked(session: Session, part: Part) -> KeyRewrap:
    wanted = select(KeyRewrap).where(KeyRewrap.part == part.name, KeyRewrap.key_id == part.live()[0].id)
    return session.scalars(wanted.with_for_update()).one()
