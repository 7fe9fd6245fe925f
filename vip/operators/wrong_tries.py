"""What the audit says of wrong passwords and codes at operators' accounts: a line a minute for each account and kind,
so that nobody who guesses can fill it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.database.db import transaction
from vip.principal import Somebody
from vip.signin import limits

EVERY = timedelta(minutes=1)

Kind = Literal["password", "second_factor", "recovery_code"]
Where = Literal["sign_in", "session"]
"""At the door, by whoever; or from a session of hers, where her present password or second factor is asked for."""


@dataclass(frozen=True)
class Account:
    """The account that was tried at, by its public id; `insurer_id` is None for a member of a provider."""

    public_id: str
    insurer_id: int | None


_NOBODYS = Account("nobody", None)


def at_sign_in(kind: Kind, account: Account | None, now: datetime, *, login: str = "") -> None:
    """Count a wrong try. It is a line if the last one is a minute old, with how many tries there were since; those that
    are counted afterwards stand in the next line.

    For a `login` that nobody has the same is done, so that it takes as long, and nothing of it stays in the audit.
    """
    key = _key(kind, "sign_in", account) if account else ("wrong_tries", kind, "nobody", login)
    with transaction() as session:
        tries = limits.count(session, key, every=EVERY, now=now)
        if tries == 0:
            return
        with session.begin_nested() as line:
            _write(session, kind, account or _NOBODYS, tries, "sign_in", now)
            session.flush()
            if account is None:
                line.rollback()


def in_session(kind: Kind, principal: Somebody, now: datetime) -> None:
    """The same for who is signed in."""
    account = Account(principal.public_id, principal.insurer_id)
    with transaction() as session:
        tries = limits.count(session, _key(kind, "session", account), every=EVERY, now=now)
        if tries > 0:
            _write(session, kind, account, tries, "session", now)


def conclude(session: Session, account: Account, now: datetime) -> None:
    """Write lines about the tries that stand in none yet, in the transaction that opens a session."""
    about: dict[tuple[str, ...], tuple[Kind, Where]] = {
        _key(kind, where, account): (kind, where) for kind in get_args(Kind) for where in get_args(Where)
    }
    for key, tries in limits.counted(session, list(about)).items():
        kind, where = about[key]
        _write(session, kind, account, tries, where, now)


def _key(kind: Kind, where: Where, account: Account) -> tuple[str, ...]:
    return "wrong_tries", kind, where, account.public_id


def _write(session: Session, kind: Kind, account: Account, tries: int, where: Where, now: datetime) -> None:
    """Who tried is not known: not even a session is a proof of that."""
    audit.record(
        session,
        f"operator.{kind}_wrong",
        at=now,
        actor_kind="system",
        actor=where,
        subject=account.public_id,
        insurer_id=account.insurer_id,
        tries=tries,
    )
