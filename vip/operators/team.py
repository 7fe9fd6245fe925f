"""The people of one employer as one of them sees and changes them: the list, another role, the end of service, the
return, a lost device or password. Who may is for the caller to ask: vip.operators.administration for the insurer's
operators, providers.staff.administration for the members of a provider."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from vip import accounts
from vip.models import Operator, SignInSession
from vip.operators import account_changes, device_changes, operators
from vip.principal import Member, Principal
from vip.signin import turns

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class OwnAccount(Refusal):
    """Somebody else has to do this to one's account."""

    code = "own_account"


class LastAdmin(Refusal):
    """Nobody who leads would be left."""

    code = "last_admin"


@dataclass(frozen=True)
class AccountLine:
    """An account in the list. `device_since` is None without a second factor, `ended_at` while she is in service,
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
class Team:
    """The people who work with `by`. One at least of the role `leads` stays in service."""

    by: Principal | Member
    leads: str

    @property
    def people(self) -> ColumnElement[bool]:
        """The condition on accounts."""
        if isinstance(self.by, Member):
            return Operator.provider_id == self.by.provider_id
        return Operator.insurer_id == self.by.insurer_id


def new_password() -> str:
    """A password for one sign-in: 79 random bits that can be read out."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def lines(team: Team) -> Sequence[AccountLine]:
    """All accounts, those in service first, by login."""
    last = select(func.max(SignInSession.created_at)).where(SignInSession.operator_id == Operator.id).scalar_subquery()
    wanted = select(Operator, last.label("signed_in_at")).where(team.people)
    with reading() as session:
        rows = session.execute(wanted.order_by(Operator.disabled_at.is_not(None), Operator.login)).all()
    return [
        AccountLine(
            row.Operator.public_id,
            row.Operator.login,
            row.Operator.name,
            row.Operator.role,
            row.signed_in_at,
            row.Operator.totp_since,
            row.Operator.disabled_at,
            row.Operator.password_once,
            row.Operator.public_id == team.by.public_id,
        )
        for row in rows
    ]


def line(team: Team, public_id: str) -> AccountLine:
    """One of them. Raises NotFound."""
    found = [each for each in lines(team) if each.public_id == public_id]
    if not found:
        raise NotFound(field="operator_id")
    return found[0]


def end(team: Team, public_id: str, now: datetime) -> int:
    """End the service of another one: all her sessions end at once. Returns how many. Audited, once. Raises NotFound,
    OwnAccount, LastAdmin."""
    _not_own(team, public_id)
    with transaction() as session:
        leading = lock_leading(session, team)
        account = _locked(session, team, public_id)
        _not_the_last(leading, account)
        return accounts.end_service(session, account, team.by, now)


def resume(team: Team, public_id: str, now: datetime) -> None:
    """Let her sign in again. Audited, once. Raises NotFound."""
    with transaction() as session:
        account_changes.resume(session, _locked(session, team, public_id), team.by, now)


def change_role(team: Team, public_id: str, role: str, now: datetime) -> None:
    """Another role, which counts from her next request. Audited, if it is another. Raises NotFound, OwnAccount,
    LastAdmin."""
    _not_own(team, public_id)
    with transaction() as session:
        leading = lock_leading(session, team)
        account = _locked(session, team, public_id)
        if account.role == role:
            return
        _not_the_last(leading, account)
        was, account.role = account.role, role
        accounts.record(session, "operator.role_changed", account, team.by, now, role=role, was=was)


def reset_device(team: Team, public_id: str, now: datetime) -> int:
    """Take the second factor of another one away and end her sessions; returns how many. Audited, once. Raises
    NotFound, and OwnAccount for one's own: who holds a stolen session must not get rid of it."""
    _not_own(team, public_id)
    with transaction() as session:
        return device_changes.take_away(session, _locked(session, team, public_id), team.by, now)


def give_password(team: Team, public_id: str, now: datetime) -> str:
    """Give another one a new password for one sign-in, to be shown once; all her sessions end. Audited. Raises
    NotFound, OwnAccount, Crowded(retry_after)."""
    _not_own(team, public_id)
    password = new_password()
    with turns.hashing.signed_in(team.by):
        hashed = operators.hash_password(password)
    with transaction() as session:
        account = _locked(session, team, public_id)
        account.password_hash, account.password_once = hashed, True
        ended = accounts.end_sessions(session, account, now)
        accounts.record(session, "operator.password_set", account, team.by, now, sessions_ended=ended)
    return password


def lock_leading(session: Session, team: Team) -> Sequence[Operator]:
    """Those who lead and are in service, locked in one order: of two who end each other's service the second one sees
    what the first one did."""
    wanted = select(Operator).where(team.people, Operator.role == team.leads, Operator.disabled_at.is_(None))
    return session.scalars(wanted.order_by(Operator.id).with_for_update()).all()


def _locked(session: Session, team: Team, public_id: str) -> Operator:
    wanted = select(Operator).where(team.people, Operator.public_id == public_id)
    account = session.scalar(wanted.with_for_update())
    if account is None:
        raise NotFound(field="operator_id")
    return account


def _not_own(team: Team, public_id: str) -> None:
    if public_id == team.by.public_id:
        raise OwnAccount()


def _not_the_last(leading: Sequence[Operator], account: Operator) -> None:
    if {one.id for one in leading} == {account.id}:
        raise LastAdmin()
