"""Full snapshots of an insurer's policies: opened, filled by lines, completed with a report of what vanished.

Nothing is ended by vanishing alone. Where the snapshot says so when it is opened, what vanished is ended, as long as it
is no larger a share of what was in force than the insurer has stated; beyond that a person decides. What was ended so
comes back as it was as soon as the insurer tells it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, delete, exists, func, insert, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit, clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from vip.policies import told
from vip.policies.models import NamedPolicy, Policy, PolicySnapshot, VanishedPolicy
from vip.policies.told import LIFETIME
from vip.policies.valid import not_over

MOST_OPEN = 3
USUAL_PERCENT, MOST_PERCENT = 2, 20
LISTED = 100
"""How many of its refused lines a snapshot remembers, and how many vanished policies a page has."""

Once = Callable[[Session, str], str | None]
"""Records in the caller's transaction that a request makes something with this public id; what an earlier one with its
key made, None for a new one."""


class TooManySnapshots(Refusal):
    """The insurer has as many open snapshots as it may."""

    code = "too_many_snapshots"


class SnapshotOver(Refusal):
    """The snapshot takes nothing any more: it is completed or expired."""

    code = "snapshot_over"


class LinesRefused(Refusal):
    """Lines of the snapshot were refused. What could not be read may be any policy, so it ends nothing. Facts: how many
    (`refused`), and `lines`, the first of them."""

    code = "snapshot_lines_refused"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as its insurer sees it. It takes lines until `ends_at`. `known` counts the policies in force when it
    was completed, `vanished` those that nobody had told, `ended` those of them that were ended for it."""

    id: str
    state: str
    ends_vanished: bool
    most_percent: int
    named: int
    refused: int
    known: int
    vanished: int
    ended: int
    opened_at: datetime
    ends_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class Vanished:
    """A policy that a snapshot did not name, by the insurer's key. `returned`: it was told again since."""

    key: str
    ended: bool
    returned: bool


def open_snapshot(insurer_id: int, *, ends_vanished: bool, most_percent: int, once: Once, now: datetime) -> Snapshot:
    """Open a snapshot. Sent again with its key, it is the same. Raises TooManySnapshots, IdempotencyKeyReused."""
    public_id = new_id("snp")
    with transaction() as session:
        told.close_books(session, insurer_id)  # of two who open one the second counts the first one's
        earlier = once(session, public_id)
        if earlier is None:
            already = select(func.count()).where(*told.is_open(insurer_id, now))
            if session.scalars(already).one() >= MOST_OPEN:
                raise TooManySnapshots(most=MOST_OPEN)
            session.add(
                PolicySnapshot(
                    public_id=public_id,
                    insurer_id=insurer_id,
                    ends_vanished=ends_vanished,
                    most_percent=most_percent,
                    opened_at=now,
                )
            )
    return snapshot_of(insurer_id, earlier or public_id, now=now)


def snapshot_of(insurer_id: int, public_id: str, *, now: datetime) -> Snapshot:
    """The insurer's snapshot. Raises NotFound."""
    with reading() as session:
        return view(session, _mine(session, insurer_id, public_id), now)


def vanished_of(insurer_id: int, public_id: str, *, after: str, limit: int) -> Sequence[Vanished]:
    """Policies that the insurer's snapshot did not name, by their keys, from the one that follows `after` (blank: the
    first). Raises NotFound."""
    with reading() as session:
        row = _mine(session, insurer_id, public_id)
        found = session.execute(
            select(Policy.key, VanishedPolicy.ended_at, VanishedPolicy.returned_at)
            .join(VanishedPolicy, VanishedPolicy.policy_id == Policy.id)
            .where(VanishedPolicy.snapshot_id == row.id, Policy.key > after)
            .order_by(Policy.key)
            .limit(limit)
        )
        return [Vanished(key, ended is not None, returned is not None) for key, ended, returned in found]


def complete(insurer_id: int, public_id: str, *, actor: str, now: datetime) -> Snapshot:
    """Complete the insurer's snapshot: what of its policies in force nobody has told since it was opened has vanished.
    Asked again, the answer is the same. Audited. Raises NotFound, SnapshotOver, LinesRefused."""
    with transaction() as session:
        told.close_books(session, insurer_id)
        row = _mine(session, insurer_id, public_id, lock=True)
        if row.state == "open":
            _complete(session, row, now)
            _audit(session, "policy_snapshot.completed", row, "insurer", actor, now)
        session.flush()
        return view(session, row, now)


def decide(public_id: str, *, end: bool, actor: str, now: datetime) -> Snapshot:
    """End what vanished in a snapshot that waits for a person, or leave it as it is. What the insurer has told since
    stays. Audited. Raises NotFound, SnapshotOver where it does not wait."""
    with transaction() as session:
        snapshot = _locked(session, public_id)
        if snapshot.state != "waiting":
            raise SnapshotOver()
        snapshot.decided_by = actor
        snapshot.state = "completed" if end else "dismissed"
        if end:
            _end(session, snapshot, now)
        _audit(session, "policy_snapshot.decided", snapshot, "operator", actor, now)
        session.flush()
        return view(session, snapshot, now)


def take_back(public_id: str, *, actor: str, now: datetime) -> Snapshot:
    """Make the policies that were ended for a snapshot what they were before, and dismiss it. What the insurer has told
    since stays as it told it. Audited. Raises NotFound, SnapshotOver where it has ended none."""
    with transaction() as session:
        snapshot = _locked(session, public_id)
        if not snapshot.ended:
            raise SnapshotOver()
        snapshot.decided_by = actor
        snapshot.state, snapshot.ended = "dismissed", 0
        session.flush()
        _restore(session, snapshot)
        _audit(session, "policy_snapshot.taken_back", snapshot, "operator", actor, now)
        session.flush()
        return view(session, snapshot, now)


def expire(*, now: datetime) -> int:
    """End the snapshots that were not completed in time, and forget what they named; returns how many."""
    with transaction() as session:
        over = session.scalars(
            update(PolicySnapshot)
            .where(PolicySnapshot.state == "open", PolicySnapshot.opened_at <= now - LIFETIME)
            .values(state="expired", named=_names(PolicySnapshot.id).scalar_subquery())
            .execution_options(synchronize_session=False)
            .returning(PolicySnapshot.id)
        ).all()
        session.execute(delete(NamedPolicy).where(NamedPolicy.snapshot_id.in_(over)))
    return len(over)


def waiting() -> list[Snapshot]:
    """Snapshots that wait for a person, of all insurers, the oldest first."""
    wanted = select(PolicySnapshot).where(PolicySnapshot.state == "waiting").order_by(PolicySnapshot.id)
    with reading() as session:
        return [view(session, row, row.opened_at) for row in session.scalars(wanted)]


def takes_lines(session: Session, insurer_id: int, public_id: str, *, now: datetime) -> PolicySnapshot:
    """The insurer's snapshot, which lines are put for in the caller's transaction: it is not completed meanwhile. The
    caller shares the books, and has locked no policy. Raises NotFound, SnapshotOver."""
    row = session.scalar(
        select(PolicySnapshot)
        .where(PolicySnapshot.public_id == public_id, *told.is_open(insurer_id, now))
        .with_for_update(key_share=True)
    )
    if row is None:
        _mine(session, insurer_id, public_id)
        raise SnapshotOver()
    return row


def note_refused(snapshot: PolicySnapshot, lines: Sequence[dict[str, Any]]) -> None:
    """Count lines of a snapshot that were refused."""
    room = max(0, LISTED - len(snapshot.refused_lines))
    snapshot.refused += len(lines)
    snapshot.refused_lines = [*snapshot.refused_lines, *lines[:room]]


def _complete(session: Session, snapshot: PolicySnapshot, now: datetime) -> None:
    if snapshot.opened_at <= now - LIFETIME:
        raise SnapshotOver()
    if snapshot.ends_vanished and snapshot.refused:
        raise LinesRefused(refused=snapshot.refused, lines=snapshot.refused_lines)
    running = _running(session, snapshot.insurer_id, now)
    snapshot.known = session.scalars(
        select(func.count()).select_from(Policy).where(*running, Policy.created_at < snapshot.opened_at)
    ).one()
    named = exists().where(NamedPolicy.snapshot_id == snapshot.id, NamedPolicy.policy_id == Policy.id)
    gone = select(literal(snapshot.id), Policy.id).where(*running, Policy.updated_at < snapshot.opened_at, ~named)
    snapshot.vanished = _count(
        session.execute(
            insert(VanishedPolicy)
            .from_select(["snapshot_id", "policy_id"], gone)
            .execution_options(preserve_rowcount=True)
        )
    )
    snapshot.completed_at = now
    snapshot.named = session.scalars(_names(snapshot.id)).one()
    session.execute(delete(NamedPolicy).where(NamedPolicy.snapshot_id == snapshot.id))
    if snapshot.ends_vanished and 100 * snapshot.vanished > snapshot.most_percent * snapshot.known:
        snapshot.state = "waiting"
        return
    snapshot.state = "completed"
    if snapshot.ends_vanished:
        _end(session, snapshot, now)


def still_gone(session: Session, row: PolicySnapshot, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a Policy vanished from the snapshot and is what an end of the vanished would end now: in
    force, and not told since."""
    vanished = select(VanishedPolicy.policy_id).where(
        VanishedPolicy.snapshot_id == row.id, VanishedPolicy.returned_at.is_(None)
    )
    running = _running(session, row.insurer_id, now)
    return *running, Policy.updated_at < row.opened_at, Policy.id.in_(vanished)


def _end(session: Session, row: PolicySnapshot, now: datetime) -> None:
    session.flush()
    ended = (
        update(Policy)
        .where(*still_gone(session, row, now))
        .values(status="ended", updated_at=now)
        .returning(Policy.id)
        .cte("ended")
    )
    marked = (
        update(VanishedPolicy)
        .where(VanishedPolicy.snapshot_id == row.id, VanishedPolicy.policy_id.in_(select(ended.c.id)))
        .values(ended_at=now, status_before="in_force")
        .execution_options(synchronize_session=False)
    )
    row.ended = _count(session.execute(marked))


def _restore(session: Session, row: PolicySnapshot) -> None:
    """Each policy that was ended for the snapshot, and was not told since, is again what it was before. `updated_at`
    stays: a snapshot that is open takes what was changed since for told."""
    here = VanishedPolicy.snapshot_id == row.id, VanishedPolicy.ended_at.is_not(None)
    session.execute(
        update(Policy)
        .where(Policy.id == VanishedPolicy.policy_id, *here)
        .where(VanishedPolicy.returned_at.is_(None), Policy.status == "ended")
        .values(status=VanishedPolicy.status_before)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(VanishedPolicy)
        .where(*here)
        .values(ended_at=None, status_before=None)
        .execution_options(synchronize_session=False)
    )


def _running(session: Session, insurer_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a Policy is the insurer's and in force, or will be: its last day is not over there."""
    today = clock.today(session.get_one(Insurer, insurer_id).time_zone, now)
    return Policy.insurer_id == insurer_id, Policy.status == "in_force", not_over(today)


def _names(snapshot_id: int | InstrumentedAttribute[int]) -> Select[int]:
    """How many policies an open snapshot names."""
    return select(func.count()).select_from(NamedPolicy).where(NamedPolicy.snapshot_id == snapshot_id)


def _count(done: Any) -> int:
    result: CursorResult[Any] = done
    return result.rowcount


def _locked(session: Session, public_id: str) -> PolicySnapshot:
    """The snapshot, locked, and nobody else puts policies of its insurer."""
    insurer_id = session.scalar(select(PolicySnapshot.insurer_id).where(PolicySnapshot.public_id == public_id))
    if insurer_id is None:
        raise NotFound(field="snapshot")
    told.close_books(session, insurer_id)
    return _mine(session, insurer_id, public_id, lock=True)


def _mine(session: Session, insurer_id: int, public_id: str, *, lock: bool = False) -> PolicySnapshot:
    wanted = select(PolicySnapshot).where(
        PolicySnapshot.public_id == public_id, PolicySnapshot.insurer_id == insurer_id
    )
    row = session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise NotFound()
    return row


def view(session: Session, row: PolicySnapshot, now: datetime) -> Snapshot:
    """A snapshot as its insurer and her operators see it."""
    over = row.state == "open" and row.opened_at <= now - LIFETIME
    return Snapshot(
        id=row.public_id,
        state="expired" if over else row.state,
        ends_vanished=row.ends_vanished,
        most_percent=row.most_percent,
        named=session.scalars(_names(row.id)).one() if row.state == "open" else row.named,
        refused=row.refused,
        known=row.known,
        vanished=row.vanished,
        ended=row.ended,
        opened_at=row.opened_at,
        ends_at=row.opened_at + LIFETIME,
        completed_at=row.completed_at,
    )


def _audit(session: Session, action: str, row: PolicySnapshot, kind: str, actor: str, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=kind,
        actor=actor,
        subject=row.public_id,
        insurer_id=row.insurer_id,
        state=row.state,
        known=row.known,
        vanished=row.vanished,
        ended=row.ended,
    )
