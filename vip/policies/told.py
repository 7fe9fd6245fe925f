"""What a put says beside its contents: the insurer still has this policy. Full snapshots go by it, whoever puts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from vip.policies.models import NamedPolicy, Policy, PolicySnapshot, PolicyVersion, VanishedPolicy

LIFETIME = timedelta(hours=24)
"""How long a snapshot takes lines."""
_BOOKS = 0x504F4C49


def share_books(session: Session, insurer_id: int) -> None:
    """Until the transaction ends, no snapshot of the insurer is opened, completed or decided. Before any policy is
    locked; others who put policies are not held up."""
    session.execute(select(func.pg_advisory_xact_lock_shared(_BOOKS, insurer_id)))


def close_books(session: Session, insurer_id: int) -> None:
    """Until the transaction ends nobody else puts a policy of the insurer, or has to do with its snapshots."""
    session.execute(select(func.pg_advisory_xact_lock(_BOOKS, insurer_id)))


def is_open(insurer_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a PolicySnapshot is the insurer's and takes lines."""
    return (
        PolicySnapshot.insurer_id == insurer_id,
        PolicySnapshot.state == "open",
        PolicySnapshot.opened_at > now - LIFETIME,
    )


def name(session: Session, policy: Policy, *, now: datetime) -> None:
    """Name the policy in all snapshots of its insurer that are open; the caller shares the books."""
    snapshots = select(PolicySnapshot.id, literal(policy.id)).where(*is_open(policy.insurer_id, now))
    session.execute(insert(NamedPolicy).from_select(["snapshot_id", "policy_id"], snapshots).on_conflict_do_nothing())


def told(session: Session, policy: Policy, outcome: str, *, now: datetime) -> None:
    """Note that the policy, which the caller has locked, was put with this outcome (vip.policies.put.Outcome). If it
    was ended for having vanished and its version has not changed, it is again what that version says."""
    name(session, policy, now=now)
    if outcome in ("created", "older"):  # what was never known has not vanished; what was once says nothing of now
        return
    returned = session.scalars(
        update(VanishedPolicy)
        .where(VanishedPolicy.policy_id == policy.id, VanishedPolicy.returned_at.is_(None))
        .values(returned_at=now)
        .returning(VanishedPolicy.ended_at)
    ).all()
    if outcome == "unchanged" and policy.status == "ended" and any(returned):
        said = select(PolicyVersion.status).where(
            PolicyVersion.policy_id == policy.id, PolicyVersion.version == policy.version
        )
        policy.status, policy.updated_at = session.scalars(said).one(), now
        session.flush()


def ended_for(session: Session, policy: Policy) -> tuple[str, datetime] | None:
    """The snapshot (public id) that did not name the policy, and when it was ended for that; None: it was not, or it
    was told since."""
    found = session.execute(
        select(PolicySnapshot.public_id, VanishedPolicy.ended_at)
        .join(VanishedPolicy, VanishedPolicy.snapshot_id == PolicySnapshot.id)
        .where(VanishedPolicy.policy_id == policy.id, VanishedPolicy.returned_at.is_(None))
        .where(VanishedPolicy.ended_at.is_not(None))
    ).first()
    return None if found is None or found.ended_at is None else (found.public_id, found.ended_at)
