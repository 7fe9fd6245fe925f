"""What is done to somebody's account by an operator or by a command of the installation, and its line in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from marketplace.core import audit
from vip.models import Customer, Operator, SignInSession
from vip.principal import Employer, Somebody

COMMAND = "command"
"""Who the audit names where somebody used a command of the installation: no operator's id is known there."""


def employed_by(employer: Employer) -> ColumnElement[bool]:
    """The condition on accounts: of the insurer's operators, or of the members of providers."""
    return Operator.provider_id.is_(None) if employer == "insurer" else Operator.provider_id.is_not(None)


def acts_as(account: Operator) -> str:
    """The kind of actor that the audit names where nobody has signed in yet; as Principal.acts_as and Member.acts_as
    say it afterwards."""
    if account.provider_id is not None:
        return "provider"
    return "agent" if account.role == "agent" else "operator"


def end_sessions(session: Session, account: Customer | Operator, now: datetime, but: int | None = None) -> int:
    """End all sessions of an account that is locked, `but` the one with this id; returns how many."""
    whose = SignInSession.operator_id if isinstance(account, Operator) else SignInSession.customer_id
    ended = update(SignInSession).where(whose == account.id, SignInSession.ended_at.is_(None))
    if but is not None:
        ended = ended.where(SignInSession.id != but)
    return len(session.scalars(ended.values(ended_at=now).returning(SignInSession.id)).all())


def end_service(session: Session, operator: Operator, by: Somebody | None, now: datetime) -> int:
    """End the service of an operator or member, who is locked, in the caller's transaction: all her sessions end.
    Returns how many. Audited, once; `by` is None for a command."""
    if operator.disabled_at is not None:
        return 0
    operator.disabled_at = now
    ended = end_sessions(session, operator, now)
    record(session, "operator.service_ended", operator, by, now, sessions_ended=ended)
    return ended


def record(
    session: Session, action: str, account: Customer | Operator, by: Somebody | None, now: datetime, **facts: int | str
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
