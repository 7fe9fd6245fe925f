"""Operators as administrators see and change them: the list, a new one, the end of service and the return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vip import risky, roles
from vip.operators import operators, team
from vip.operators.team import AccountLine, Team
from vip.principal import Principal, Role
from vip.signin import turns


@dataclass(frozen=True)
class NewOperator:
    """An operator who was just made. `password` is good for one sign-in and shown once."""

    public_id: str
    password: str = field(repr=False)


def operators_of(principal: Principal) -> Sequence[AccountLine]:
    """All operators of the insurer, those in service first, by login. Raises NotFound without the duty."""
    roles.require(principal, "people")
    return team.lines(_team(principal))


def operator_of(principal: Principal, public_id: str) -> AccountLine:
    """One of them. Raises NotFound."""
    roles.require(principal, "people")
    return team.line(_team(principal), public_id)


def add_operator(principal: Principal, login: str, name: str, role: Role, *, now: datetime) -> NewOperator:
    """Make an operator with a password for her first sign-in. Audited. Raises SignInAgain (else a session that was left
    open makes one for whoever finds it), Invalid(field="login", "name" or "role"), LoginTaken, Crowded(retry_after)."""
    risky.allow(principal, "add_operator", now=now)
    password = team.new_password()
    with turns.hashing.signed_in(principal):
        made = operators.create_operator(login, password, name, role, now=now, by=principal, password_once=True)
    return NewOperator(made, password)


def end_service(principal: Principal, public_id: str, *, now: datetime) -> int:
    """End the service of another operator: all her sessions end at once. Returns how many. Audited, once.

    Raises NotFound, SignInAgain, OwnAccount, LastAdmin.
    """
    risky.allow(principal, "end_service", now=now)
    return team.end(_team(principal), public_id, now)


def return_to_service(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Let an operator sign in again. Audited, once. Raises NotFound, SignInAgain."""
    risky.allow(principal, "return_to_service", now=now)
    team.resume(_team(principal), public_id, now)


def reset(principal: Principal, public_id: str, *, now: datetime) -> int:
    """Take the second factor of another operator away and end her sessions; returns how many. Audited, once.

    Raises NotFound, SignInAgain, OwnAccount.
    """
    risky.allow(principal, "reset_second_factor", now=now)
    return team.reset_device(_team(principal), public_id, now)


def _team(principal: Principal) -> Team:
    return Team(principal, leads="admin")
