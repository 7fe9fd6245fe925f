"""People who sign in by password, operators of the insurer and members of providers: making and signing them in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import get_native_id
from typing import cast, get_args

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.core import ids
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import Invalid, NotFound, Refusal, Unauthenticated
from marketplace.core.once import once
from marketplace.core.plain_names import holds_link
from vip import accounts
from vip.models import Operator
from vip.operators import passwords, sign_in_steps, wrong_tries
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn
from vip.operators.wrong_tries import Account
from vip.principal import Employer, MemberRole, Principal, Role, Somebody
from vip.signin import limits, turns
from vip.signin.codes import notice_wrong
from vip.signin.limits import NOBODY, Caller, Limit
from vip.signin.signin import insurer_id

LONGEST_LOGIN = 64
LONGEST_NAME = 64
HASHING = "scrypt:32768:8:1"
"""Method, cost, block size and parallelism (RFC 7914), as werkzeug.security takes them."""
ROLES: tuple[Role, ...] = get_args(Role)

TRIES_AT_LOGIN = Limit(10, 10)
TRIES_BY_CALLER = Limit(60, 60)
GENTLE = 5
"""How much less of the processor than a request the comparing of strangers' passwords gets: a third (nice)."""


class LoginTaken(Refusal):
    """Another account has that login."""

    code = "login_taken"
    field = "login"


class WrongPassword(Refusal):
    """Login or password is wrong: the answer is the same, so that it tells nobody which logins there are."""

    code = "wrong_password"
    status = 422
    field = "password"


def create_admin(login: str, password: str, name: str, *, now: datetime) -> str:
    """Make an administrator, as `create_operator` does."""
    return create_operator(login, password, name, "admin", now=now)


def create_operator(
    login: str,
    password: str,
    name: str,
    role: Role,
    *,
    now: datetime,
    by: Principal | None = None,
    password_once: bool = False,
) -> str:
    """Make an operator; returns the public id. `by` is None for a command. With `password_once` she chooses a
    password of her own at her first sign-in. Audited.

    Logins are compared without case. Raises Invalid(field=login, password, name or role) and LoginTaken.
    """
    if role not in ROLES:
        raise Invalid(field="role", reason="unknown_value")
    new = new_account(login, password, name, password_once=password_once)
    with free_login(), transaction() as session:
        employed = Operator(
            public_id=ids.new_id("opr"), insurer_id=insurer_id(session) if by is None else by.insurer_id, role=role
        )
        made = add_account(session, employed, new)
        accounts.record(session, "operator.created", employed, by, now, role=role)
    return made


@dataclass(frozen=True)
class NewAccount:
    """What somebody signs in with and is called, checked and ready to be stored."""

    login: str
    name: str
    password_hash: str = field(repr=False)
    password_once: bool = False


def new_account(login: str, password: str, name: str, *, password_once: bool = False) -> NewAccount:
    """The account, the login without case. Hashes the password, so the caller has a turn, or is a command. Raises
    Invalid(field=login, name or password)."""
    login, name = login.strip().lower(), name.strip()
    if not 1 <= len(login) <= LONGEST_LOGIN or not login.isascii() or not login.isprintable():
        raise Invalid(field="login", reason="login")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(field="name", reason="name")
    if holds_link(name):
        raise Invalid(field="name", reason="link")
    passwords.check(password, login, name)
    return NewAccount(login, name, hash_password(password), password_once)


def add_account(session: Session, employed: Operator, new: NewAccount) -> str:
    """Store the account, whose employer and role are set, in the caller's transaction; returns the public id. The
    caller stands in `free_login`, and writes the audit's line."""
    employed.login, employed.name = new.login, new.name
    employed.password_hash, employed.password_once = new.password_hash, new.password_once
    session.add(employed)
    session.flush()
    return employed.public_id


@contextmanager
def free_login() -> Iterator[None]:
    """Around the transaction that stores an account. Raises LoginTaken."""
    try:
        yield
    except IntegrityError as refused:
        if violated(refused) == "uq_operator_login":
            raise LoginTaken() from refused
        raise


def sign_in_operator(
    login: str,
    password: str,
    now: datetime,
    *,
    previous_token: str | None = None,
    known_by: str | None = None,
    caller: Caller = NOBODY,
    employer: Employer = "insurer",
) -> OperatorSignedIn | NextStep:
    """Sign an operator in, or a member of a provider, or say what is asked of her besides her password. Who works for
    the other `employer` is nobody here. The session of `previous_token`, if one is presented, ends with the sign-in.
    Audited, wrong passwords too.

    A try is counted, and committed, before the password is looked at: by the caller's address, or by the device if it
    shows the mark (or token) of an earlier session of that operator. Nobody else's tries count. Raises WrongPassword,
    TooMany(retry_after) for who tried too often and, without a turn, Crowded(retry_after).
    """
    login = login.strip().lower()
    if not 1 <= len(login) <= LONGEST_LOGIN or not _plain(login) or len(password) > passwords.LONGEST:
        raise WrongPassword()
    with reading() as session:
        counted = _named(session, login, employer)
        device = sign_in_steps.device_of(session, counted.id, previous_token or known_by) if counted else ""
    who = device or caller.name
    with (turns.hashing.known if device else turns.hashing.strangers).turn(who):
        with transaction() as session:
            limits.take(session, TRIES_AT_LOGIN, "password", login, who, now=now)
            limits.take(session, TRIES_BY_CALLER, "password", who, now=now)
        compare = is_password if device else _is_password_gently
        right = compare(counted.password_hash if counted else None, password)
    if not right or counted is None:
        wrong_tries.at_sign_in("password", counted.account if counted else None, now, login=login)
        notice_wrong("password", now)
        raise WrongPassword()
    with transaction() as session:
        operator = _unchanged(session, counted)
        limits.fill(session, "password", login, who)
        return sign_in_steps.advance(session, operator, now, previous_token=previous_token)


@dataclass(frozen=True)
class OperatorView:
    """An operator or member as she sees herself."""

    public_id: str
    login: str
    name: str
    role: Role | MemberRole


def operator(operator_id: int) -> OperatorView:
    """The operator with this internal id. Raises NotFound."""
    with reading() as session:
        row = session.get(Operator, operator_id)
    if row is None:
        raise NotFound()
    return OperatorView(row.public_id, row.login, row.name, cast(Role | MemberRole, row.role))


def own(session: Session, principal: Somebody, *, lock: bool = False) -> Operator:
    """The account of the operator or member who is asking. Raises Unauthenticated for anybody else, and after the end
    of her service."""
    wanted = select(Operator).where(Operator.id == principal.id, Operator.disabled_at.is_(None))
    found = session.scalar(wanted.with_for_update() if lock else wanted) if principal.kind != "customer" else None
    if found is None:
        raise Unauthenticated()
    return found


def named(session: Session, login: str) -> Operator:
    """The account with this login, locked, for a command: of this installation's insurer or of a provider, its service
    over or not. Raises NotFound(field="login")."""
    ours = or_(Operator.insurer_id == insurer_id(session), accounts.employed_by("provider"))
    wanted = select(Operator).where(ours, Operator.login == login.strip().lower())
    found = session.scalar(wanted.with_for_update())
    if found is None:
        raise NotFound(field="login")
    return found


@dataclass(frozen=True)
class _Counted:
    id: int
    password_hash: str
    account: Account


def _unchanged(session: Session, counted: _Counted) -> Operator:
    """The operator, locked. Raises WrongPassword if the password was changed or the service ended since it was looked
    at: what ends all sessions leaves out none that is just being opened."""
    operator = session.scalar(
        select(Operator).where(Operator.id == counted.id, Operator.disabled_at.is_(None)).with_for_update()
    )
    if operator is None or operator.password_hash != counted.password_hash:
        raise WrongPassword()
    return operator


def _plain(login: str) -> bool:
    return "\0" not in login and login.isascii()


def _named(session: Session, login: str, employer: Employer) -> _Counted | None:
    wanted = select(Operator).where(
        Operator.login == login, Operator.disabled_at.is_(None), accounts.employed_by(employer)
    )
    row = session.scalar(wanted)
    return None if row is None else _Counted(row.id, row.password_hash, Account(row.public_id, row.insurer_id))


def hash_password(password: str, *, field: str = "password") -> str:
    """What is stored of a password. Raises Invalid(reason="password_text")."""
    try:
        return generate_password_hash(password, method=HASHING)
    except UnicodeEncodeError as bad:
        raise Invalid(field=field, reason="password_text") from bad


def is_password(hashed: str | None, password: str) -> bool:
    """Whether it is the password; None takes as long and is never right. The caller has a turn."""
    try:
        return check_password_hash(hashed or _nobodys_hash(), password) and hashed is not None
    except UnicodeEncodeError:
        return False


def _is_password_gently(hashed: str | None, password: str) -> bool:
    return _gentle.submit(is_password, hashed, password).result()


def _give_way() -> None:
    """Let the processor go to other threads first; Linux has a priority for each thread, others do without."""
    with suppress(OSError):
        own = get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + GENTLE)


_gentle = ThreadPoolExecutor(1, "strangers-passwords", initializer=_give_way)


@once
def _nobodys_hash() -> str:
    """Compared against when there is no such login, so that the answer takes as long."""
    return generate_password_hash(ids.new_token(), method=HASHING)
