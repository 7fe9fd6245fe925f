"""Whose pauses of a provider stand, by the audit: one for each insurer that paused it since it is paused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from vip.models import Operator
from vip.principal import Principal

PAUSED, RESUMED = "provider.paused", "provider.resumed"
ENDED = "provider.pause_ended"
"""The audit's action, in the trail of the insurer whose pause another one ended."""
TOLD_FOR = timedelta(days=7)
"""So long an insurer is shown that its pause was ended by another."""


@dataclass(frozen=True)
class Pause:
    """Why a provider is paused, since `at`. `by` is the operator's name, blank where it is not known. Where no pause of
    one's own insurer stands (`by_other`) neither name nor reason is shown. `others`: how many other insurers' pauses
    stand."""

    at: datetime
    by: str
    reason: str
    by_other: bool = False
    others: int = 0


def insurers_pausing(session: Session, provider: Provider) -> set[int]:
    """The insurers (internal ids) whose pauses of this provider stand."""
    return {line.insurer_id for line in _standing(session, [provider])[provider.id] if line.insurer_id is not None}


def pauses(session: Session, principal: Principal, rows: Sequence[Provider]) -> Mapping[int, Pause]:
    """Of those that are paused (internal ids), as this operator may see it."""
    paused = [row for row in rows if row.paused_at is not None]
    standing = _standing(session, paused)
    lines = [line for each in standing.values() for line in each]
    own = _own_names(session, principal, [*(line.actor for line in lines), *(row.paused_by or "" for row in paused)])
    return {row.id: _pause(row, standing[row.id], own, principal) for row in paused}


def ended_by_others(
    session: Session, principal: Principal, rows: Sequence[Provider], now: datetime
) -> Mapping[str, datetime]:
    """When another insurer ended the pause of the operator's, by the public id of the provider: within the last days,
    and not where hers has paused it again."""
    last = (
        select(func.max(AuditLine.id))
        .where(
            AuditLine.subject.in_([row.public_id for row in rows]),
            AuditLine.insurer_id == principal.insurer_id,
            AuditLine.action.in_((PAUSED, ENDED)),
        )
        .group_by(AuditLine.subject)
    )
    told = session.scalars(
        select(AuditLine).where(AuditLine.id.in_(last), AuditLine.action == ENDED, AuditLine.at > now - TOLD_FOR)
    )
    return {line.subject: line.at for line in told}


def _standing(session: Session, rows: Collection[Provider]) -> Mapping[int, Sequence[AuditLine]]:
    """The lines of the pauses that stand, the oldest first."""
    by_subject = {row.public_id: row for row in rows}
    found: dict[int, list[AuditLine]] = {row.id: [] for row in rows}
    lines = session.scalars(
        select(AuditLine)
        .where(AuditLine.subject.in_(by_subject), AuditLine.action.in_((PAUSED, RESUMED)))
        .order_by(AuditLine.id)
    )
    for line in lines:
        provider = by_subject[line.subject]
        if line.action == RESUMED:
            found[provider.id].clear()
        elif provider.paused_at is not None and line.at >= provider.paused_at:
            found[provider.id].append(line)
    return found


def _pause(row: Provider, lines: Sequence[AuditLine], own: Mapping[str, str], principal: Principal) -> Pause:
    assert row.paused_at is not None  # noqa: S101  of those that are paused
    mine = next((line for line in lines if line.insurer_id == principal.insurer_id), None)
    others = len({line.insurer_id for line in lines} - {principal.insurer_id})
    if mine is not None:
        return Pause(row.paused_at, own.get(mine.actor, ""), str(mine.facts.get("reason", "")), others=others)
    if others or (row.paused_by is not None and row.paused_by not in own):
        return Pause(row.paused_at, "", "", True, max(others, 1))
    return Pause(row.paused_at, own.get(row.paused_by or "", ""), row.pause_reason or "")


def _own_names(session: Session, principal: Principal, accounts: Collection[str]) -> Mapping[str, str]:
    rows = session.execute(
        select(Operator.public_id, Operator.name).where(
            Operator.public_id.in_(set(accounts)), Operator.insurer_id == principal.insurer_id
        )
    )
    return {row.public_id: row.name for row in rows}
