"""An insurer's snapshots as its operators see and decide them: the list, and one with the policies that vanished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text, masked_name
from vip import risky, roles
from vip.insurers import snapshots
from vip.insurers.snapshots import Snapshot
from vip.models import Customer
from vip.policies.models import Policy, PolicySnapshot, VanishedPolicy
from vip.policies.of_customer import masked_number
from vip.policies.standing import Standing, standing
from vip.principal import Principal

DUTY: roles.Duty = "people"

Fate = Literal["would_end", "left", "ended", "told"]
"""What becomes of a policy that vanished: an end would end it; it was left as it is (or is over by itself); it was
ended; the insurer told it again."""


@dataclass(frozen=True)
class VanishedRow:
    """A policy that the snapshot did not name, its number and holder masked (blank once the holder was erased).
    `status_before`: what it was before it was ended for that, None where it was not."""

    policy_id: str
    number_masked: str
    product_name: Text
    holder: str
    standing: Standing
    in_force_until: date | None
    fate: Fate
    status_before: str | None


@dataclass(frozen=True)
class SnapshotInFull:
    """A snapshot with a page of what vanished. `would_end`: how many policies an end would end now, 0 where nothing
    waits. `decided_by`: an operator's public id or `command`, blank where nobody decided."""

    snapshot: Snapshot
    decided_by: str
    would_end: int
    vanished: Page[VanishedRow]


def count_waiting(principal: Principal) -> int:
    """How many snapshots of the insurer wait for a person; 0 for who may not decide them."""
    if not roles.may(principal, DUTY):
        return 0
    with reading() as session:
        return session.scalars(select(func.count()).where(*_waits(principal))).one()


def snapshots_of(
    principal: Principal, *, waiting: bool, cursor: str | None, limit: int, now: datetime
) -> Page[Snapshot]:
    """The insurer's snapshots: those that wait for a person, the oldest first, or all, the newest first. Raises
    NotFound without the role, Invalid(field="cursor")."""
    roles.require(principal, DUTY)
    query = select(PolicySnapshot).where(PolicySnapshot.insurer_id == principal.insurer_id)
    after = None if cursor is None else decode_cursor(cursor, (int,))[0]
    if waiting:
        query = query.where(*_waits(principal)).order_by(PolicySnapshot.id)
        query = query if after is None else query.where(PolicySnapshot.id > after)
    else:
        query = query.order_by(PolicySnapshot.id.desc())
        query = query if after is None else query.where(PolicySnapshot.id < after)
    with reading() as session:
        rows = session.scalars(query.limit(limit + 1)).all()
        following = encode_cursor([rows[limit - 1].id]) if rows[limit:] else None
        return Page([snapshots.view(session, row, now) for row in rows[:limit]], following)


def snapshot(principal: Principal, public_id: str, *, cursor: str | None, limit: int, now: datetime) -> SnapshotInFull:
    """One of the insurer's snapshots, with the policies that vanished in the order in which they came to us. Audited:
    it shows who is insured. Raises NotFound, also without the role, Invalid(field="cursor")."""
    roles.require(principal, DUTY)
    after = 0 if cursor is None else decode_cursor(cursor, (int,))[0]
    today = clock.today(principal.time_zone, now)
    with transaction() as session:
        row = _named(session, principal, public_id)
        gone = snapshots.still_gone(session, row, now)
        waits = row.state == "waiting"
        would_end = session.scalars(select(func.count()).select_from(Policy).where(*gone)).one() if waits else 0
        found = session.execute(_vanished(row, gone, after).limit(limit + 1)).all()
        following = encode_cursor([found[limit - 1].Policy.id]) if found[limit:] else None
        _audit(session, principal, row, now)
        return SnapshotInFull(
            snapshots.view(session, row, now),
            row.decided_by or "",
            would_end,
            Page([_row(each, today, waits=waits) for each in found[:limit]], following),
        )


def decide(principal: Principal, public_id: str, act: str, *, now: datetime) -> Snapshot:
    """Say what becomes of what vanished in one of the insurer's snapshots: `end` it, `leave` it, or `take_back` an end.
    Audited. Raises NotFound, also without the role; SignInAgain for an end; Invalid(field="act"); SnapshotOver where
    that was decided already."""
    if act == "end":
        risky.allow(principal, "end_vanished", now=now)
    roles.require(principal, DUTY)
    with reading() as session:
        _named(session, principal, public_id)
    if act == "take_back":
        return snapshots.take_back(public_id, actor=principal.public_id, now=now)
    if act not in ("end", "leave"):
        raise Invalid(field="act", reason="unknown_value")
    return snapshots.decide(public_id, end=act == "end", actor=principal.public_id, now=now)


def _waits(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    return PolicySnapshot.insurer_id == principal.insurer_id, PolicySnapshot.state == "waiting"


def _vanished(row: PolicySnapshot, gone: Sequence[ColumnElement[bool]], after: int) -> Select[*tuple[Any, ...]]:
    now_gone = select(Policy.id).where(*gone)
    wanted: Select[*tuple[Any, ...]] = (
        select(Policy, Customer.name, VanishedPolicy, Policy.id.in_(now_gone).label("gone"))
        .join(VanishedPolicy, VanishedPolicy.policy_id == Policy.id)
        .join(Customer, Customer.id == Policy.customer_id)
        .where(VanishedPolicy.snapshot_id == row.id, Policy.id > after)
        .order_by(Policy.id)
    )
    return wanted


def _row(found: Any, today: date, *, waits: bool) -> VanishedRow:
    policy: Policy = found.Policy
    return VanishedRow(
        policy_id=policy.public_id,
        number_masked=masked_number(policy),
        product_name=Text(policy.product_name_zh, policy.product_name_en),
        holder=masked_name(found.name) if found.name else "",
        standing=standing(policy, today),
        in_force_until=policy.in_force_until,
        fate=_fate(found.VanishedPolicy, gone=waits and found.gone),
        status_before=found.VanishedPolicy.status_before,
    )


def _fate(vanished: VanishedPolicy, *, gone: bool) -> Fate:
    if vanished.returned_at is not None:
        return "told"
    if vanished.ended_at is not None:
        return "ended"
    return "would_end" if gone else "left"


def _named(session: Session, principal: Principal, public_id: str) -> PolicySnapshot:
    row = None
    if ids.well_formed(public_id):
        row = session.scalar(
            select(PolicySnapshot).where(
                PolicySnapshot.public_id == public_id, PolicySnapshot.insurer_id == principal.insurer_id
            )
        )
    if row is None:
        raise NotFound(field="snapshot")
    return row


def _audit(session: Session, principal: Principal, row: PolicySnapshot, now: datetime) -> None:
    audit.record(
        session,
        "policy_snapshot.viewed",
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=row.public_id,
        insurer_id=principal.insurer_id,
        vanished=row.vanished,
    )
