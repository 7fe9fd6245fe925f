"""Operators as administrators see and change them: the list, a new one, the end of service and the return."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from vip import risky, roles
from vip.models import Operator, SignInSession
from vip.operators import account_changes, operators
from vip.operators.device_changes import OwnAccount
from vip.principal import Principal, Role
from vip.signin import turns

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class LastAdmin(Refusal):
    """No administrator would be left."""

    code = "last_admin"


@dataclass(frozen=True)
class OperatorLine:
    """An operator in the list. `device_since` is None without a second factor, `ended_at` while she is in service,
    `signed_in_at` before her first sign-in. `password_once`: she has not chosen a password of her own yet."""

    public_id: str
    login: str
    name: str
    role: str
    signed_in_at: datetime | None
    device_since: datetime | None
    ended_at: datetime | None
    password_once: bool
    myself: bool


@dataclass(frozen=True)
class NewOperator:
    """An operator who was just made. `password` is good for one sign-in and shown once."""

    public_id: str
    password: str = field(repr=False)


def operators_of(principal: Principal) -> Sequence[OperatorLine]:
    """All operators of the insurer, those in service first, by login. Raises NotFound without the duty."""
    roles.require(principal, "people")
    with reading() as session:
        return _lines(session, principal)


def operator_of(principal: Principal, public_id: str) -> OperatorLine:
    """One of them. Raises NotFound."""
    found = [line for line in operators_of(principal) if line.public_id == public_id]
    if not found:
        raise NotFound(field="operator_id")
    return found[0]


def add_operator(principal: Principal, login: str, name: str, role: Role, *, now: datetime) -> NewOperator:
    """Make an operator with a password for her first sign-in. Audited. Raises SignInAgain (else a session that was left
    open makes one for whoever finds it), Invalid(field="login", "name" or "role"), LoginTaken, Crowded(retry_after)."""
    risky.allow(principal, "add_operator", now=now)
    password = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    with turns.hashing.signed_in(principal):
        made = operators.create_operator(login, password, name, role, now=now, by=principal, password_once=True)
    return NewOperator(made, password)


def end_service(principal: Principal, public_id: str, *, now: datetime) -> int:
    """End the service of another operator: all her sessions end at once. Returns how many. Audited, once.

    Raises NotFound, SignInAgain, OwnAccount, LastAdmin.
    """
    risky.allow(principal, "end_service", now=now)
    if public_id == principal.public_id:
        raise OwnAccount()
    with transaction() as session:
        admins = lock_admins(session, principal.insurer_id)
        operator = _locked(session, principal, public_id)
        if {admin.id for admin in admins} == {operator.id}:
            raise LastAdmin()
        return account_changes.end(session, operator, principal, now)


def return_to_service(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Let an operator sign in again. Audited, once. Raises NotFound, SignInAgain."""
    risky.allow(principal, "return_to_service", now=now)
    with transaction() as session:
        account_changes.resume(session, _locked(session, principal, public_id), principal, now)


def lock_admins(session: Session, insurer_id: int) -> Sequence[Operator]:
    """The administrators in service, locked in one order: of two who end each other's service the second one sees what
    the first one did."""
    wanted = select(Operator).where(
        Operator.insurer_id == insurer_id, Operator.role == "admin", Operator.disabled_at.is_(None)
    )
    return session.scalars(wanted.order_by(Operator.id).with_for_update()).all()


def _locked(session: Session, principal: Principal, public_id: str) -> Operator:
    wanted = select(Operator).where(Operator.insurer_id == principal.insurer_id, Operator.public_id == public_id)
    operator = session.scalar(wanted.with_for_update())
    if operator is None:
        raise NotFound(field="operator_id")
    return operator


def _lines(session: Session, principal: Principal) -> list[OperatorLine]:
    last = select(func.max(SignInSession.created_at)).where(SignInSession.operator_id == Operator.id).scalar_subquery()
    wanted = select(Operator, last.label("signed_in_at")).where(Operator.insurer_id == principal.insurer_id)
    rows = session.execute(wanted.order_by(Operator.disabled_at.is_not(None), Operator.login)).all()
    return [
        OperatorLine(
            row.Operator.public_id,
            row.Operator.login,
            row.Operator.name,
            row.Operator.role,
            row.signed_in_at,
            row.Operator.totp_since,
            row.Operator.disabled_at,
            row.Operator.password_once,
            row.Operator.public_id == principal.public_id,
        )
        for row in rows
    ]
