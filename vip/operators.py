"""People who work for the insurer or the platform: making them, and signing them in by password."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import BoundedSemaphore
from typing import get_args

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.core import audit, crypto, ids
from marketplace.core.db import reading, transaction, violated
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany
from vip import devices, limits, passwords
from vip.codes import notice_wrong
from vip.limits import NOBODY, Caller, Limit
from vip.models import Operator, SignInSession
from vip.principal import Role
from vip.signin import insurer_id

LONGEST_LOGIN = 64
LONGEST_NAME = 64
LIFETIME = timedelta(hours=12)
HASHING = "scrypt:32768:8:1"
"""Method, cost, block size and parallelism (RFC 7914), as werkzeug.security takes them."""
ROLES: tuple[Role, ...] = get_args(Role)

TRIES_AT_LOGIN = Limit(10, 10)
TRIES_BY_CALLER = Limit(60, 60)
AT_ONCE = 2
"""Passwords that one process compares at a time: each takes a core for a tenth of a second."""
LONGEST_WAIT = 2.0

_comparing = BoundedSemaphore(AT_ONCE)


class LoginTaken(Refusal):
    """Another operator has that login."""

    code = "login_taken"
    field = "login"


class WrongPassword(Refusal):
    """Login or password is wrong: the answer is the same, so that it tells nobody which logins there are."""

    code = "wrong_password"
    status = 422
    field = "password"


@dataclass(frozen=True)
class OperatorSignedIn:
    """A new session. `token` is shown once: only its hash is stored. `device` is what the device is known by later."""

    token: str
    expires_at: datetime
    operator_public_id: str
    device: str


def create_admin(login: str, password: str, name: str, *, now: datetime) -> str:
    """Make an administrator, as `create_operator` does."""
    return create_operator(login, password, name, "admin", now=now)


def create_operator(login: str, password: str, name: str, role: Role, *, now: datetime) -> str:
    """Make an operator; returns the public id. Audited.

    Logins are compared without case. Raises Invalid(field=login, password, name or role) and LoginTaken.
    """
    if role not in ROLES:
        raise Invalid(field="role", reason="unknown_value")
    login, name = login.strip().lower(), name.strip()
    if not 1 <= len(login) <= LONGEST_LOGIN or not login.isascii() or not login.isprintable():
        raise Invalid(field="login", reason="login")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(field="name", reason="name")
    passwords.check(password, login, name)
    hashed = hash_password(password)
    try:
        with transaction() as session:
            operator = Operator(
                public_id=ids.new_id("opr"),
                insurer_id=insurer_id(session),
                login=login,
                name=name,
                role=role,
                password_hash=hashed,
            )
            session.add(operator)
            session.flush()
            _audit(session, "operator.created", operator, now, role=role)
    except IntegrityError as refused:
        if violated(refused) == "uq_operator_login":
            raise LoginTaken() from refused
        raise
    return operator.public_id


def sign_in_operator(
    login: str,
    password: str,
    now: datetime,
    *,
    previous_token: str | None = None,
    known_by: str | None = None,
    caller: Caller = NOBODY,
) -> OperatorSignedIn:
    """Sign an operator in. The session of `previous_token`, if one is presented, ends. Audited.

    A try is counted, and committed, before the password is looked at: by the caller's address, or by the device if it
    shows the mark (or token) of an earlier session of that operator. Nobody else's tries count. Raises WrongPassword,
    and TooMany(retry_after) for who tried too often or while too many passwords are being compared.
    """
    login = login.strip().lower()
    if not 1 <= len(login) <= LONGEST_LOGIN or not _plain(login) or len(password) > passwords.LONGEST:
        raise WrongPassword()
    with transaction() as session:
        counted = _named(session, login)
        who = _device(session, counted, previous_token or known_by) or caller.name
        limits.take(session, TRIES_AT_LOGIN, "password", login, who, now=now)
        limits.take(session, TRIES_BY_CALLER, "password", who, now=now)
    if not is_password(counted.password_hash if counted else _nobodys_hash(), password) or counted is None:
        notice_wrong("password", now)
        raise WrongPassword()
    token, ends, session_id = ids.new_token(), now + LIFETIME, ids.new_id("ses")
    with transaction() as session:
        _require_unchanged(session, counted)
        limits.fill(session, "password", login, who)
        if previous_token:
            session.execute(
                text("UPDATE sign_in_session SET ended_at = :now WHERE token_hash = :hash AND ended_at IS NULL"),
                {"now": now, "hash": crypto.token_hash(previous_token)},
            )
        session.add(
            SignInSession(
                public_id=session_id,
                token_hash=crypto.token_hash(token),
                operator_id=counted.id,
                channel="web",
                created_at=now,
                expires_at=ends,
            )
        )
        _audit(session, "operator.signed_in", counted, now)
    return OperatorSignedIn(token, ends, counted.public_id, devices.mark(session_id))


@dataclass(frozen=True)
class OperatorView:
    """An operator as she sees herself."""

    public_id: str
    login: str
    name: str
    role: str


def operator(operator_id: int) -> OperatorView:
    """The operator with this internal id. Raises NotFound."""
    with reading() as session:
        row = session.get(Operator, operator_id)
    if row is None:
        raise NotFound()
    return OperatorView(row.public_id, row.login, row.name, row.role)


@dataclass(frozen=True)
class _Counted:
    id: int
    public_id: str
    insurer_id: int
    role: str
    password_hash: str


def _require_unchanged(session: Session, counted: _Counted) -> None:
    """Raises WrongPassword if the password was changed or the service ended since it was looked at: what ends all
    sessions leaves out none that is just being opened."""
    stored = session.scalar(
        select(Operator.password_hash)
        .where(Operator.id == counted.id, Operator.disabled_at.is_(None))
        .with_for_update(read=True)
    )
    if stored != counted.password_hash:
        raise WrongPassword()


def _plain(login: str) -> bool:
    return "\0" not in login and login.isascii()


def _named(session: Session, login: str) -> _Counted | None:
    row = session.scalar(select(Operator).where(Operator.login == login, Operator.disabled_at.is_(None)))
    return None if row is None else _Counted(row.id, row.public_id, row.insurer_id, row.role, row.password_hash)


def _device(session: Session, who: _Counted | None, shown: str | None) -> str:
    """What limits of a known device go by: a session that this operator once had there; blank if there is none."""
    if who is None or not shown:
        return ""
    known = session.scalar(select(SignInSession.id).where(devices.had(shown), SignInSession.operator_id == who.id))
    return "" if known is None else f"device:{known}"


def _audit(session: Session, action: str, who: Operator | _Counted, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind="agent" if who.role == "agent" else "operator",
        actor=who.public_id,
        subject=who.public_id,
        insurer_id=who.insurer_id,
        **facts,
    )


def hash_password(password: str, *, field: str = "password") -> str:
    """What is stored of a password. Raises Invalid(reason="password_text")."""
    try:
        return generate_password_hash(password, method=HASHING)
    except UnicodeEncodeError as bad:
        raise Invalid(field=field, reason="password_text") from bad


def is_password(hashed: str, password: str) -> bool:
    """Whether it is the password. Raises TooMany while too many others are compared in this process."""
    if not _comparing.acquire(timeout=LONGEST_WAIT):
        raise TooMany(retry_after=math.ceil(LONGEST_WAIT))
    try:
        return check_password_hash(hashed, password)
    except UnicodeEncodeError:
        return False
    finally:
        _comparing.release()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """Compared against when there is no such login, so that the answer takes as long."""
    return generate_password_hash(ids.new_token(), method=HASHING)
