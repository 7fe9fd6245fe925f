"""What is done to somebody's account by an operator or by a command of the installation, and its line in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace.core import audit
from vip.models import Customer, Operator, SignInSession
from vip.principal import Principal

COMMAND = "command"
"""Who the audit names where somebody used a command of the installation: no operator's id is known there."""


def end_sessions(session: Session, account: Customer | Operator, now: datetime, but: int | None = None) -> int:
    """End all sessions of an account that is locked, `but` the one with this id; returns how many."""
    whose = SignInSession.operator_id if isinstance(account, Operator) else SignInSession.customer_id
    ended = update(SignInSession).where(whose == account.id, SignInSession.ended_at.is_(None))
    if but is not None:
        ended = ended.where(SignInSession.id != but)
    return len(session.scalars(ended.values(ended_at=now).returning(SignInSession.id)).all())


def record(
    session: Session, action: str, account: Customer | Operator, by: Principal | None, now: datetime, **facts: int | str
) -> None:
    """Add the audit's line. `by` is None for a command."""
    audit.record(
        session,
        action,
        at=now,
        actor_kind="system" if by is None else by.acts_as,
        actor=COMMAND if by is None else by.public_id,
        subject=account.public_id,
        insurer_id=account.insurer_id,
        **facts,
    )
