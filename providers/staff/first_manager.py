"""The first manager of a provider, made by an administrator of the insurer; she invites the others herself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.text import Text
from providers.staff.members import employ
from vip import accounts, risky, roles
from vip.models import Operator
from vip.operators import operators, team
from vip.operators.administration import NewOperator
from vip.principal import Principal
from vip.signin import turns


class HasManager(Refusal):
    """The provider has a manager, who invites its people."""

    code = "has_manager"


@dataclass(frozen=True)
class Staffed:
    """A provider, how many members of it are in service, and whether one of them is a manager."""

    code: str
    name: Text
    members: int
    has_manager: bool


def providers_staffed(principal: Principal) -> Sequence[Staffed]:
    """Every live provider, by code: at the desk of a twin are the people of its live one. Raises
    NotFound for who may not run providers."""
    roles.require(principal, "books")
    managers = func.count(case((Operator.role == "manager", Operator.id)))
    in_service = (Operator.provider_id == Provider.id) & Operator.disabled_at.is_(None)
    wanted = select(Provider, func.count(Operator.id).label("members"), managers.label("managers"))
    with reading() as session:
        live = wanted.where(Provider.twin_of.is_(None))
        rows = session.execute(live.outerjoin(Operator, in_service).group_by(Provider.id).order_by(Provider.code))
        return [
            Staffed(row.Provider.code, Text(row.Provider.name_zh, row.Provider.name_en), row.members, row.managers > 0)
            for row in rows
        ]


def provider_without(principal: Principal, code: str) -> Staffed:
    """A provider that has no manager. Raises NotFound, also without the duty; HasManager."""
    roles.require(principal, "people")
    found = [each for each in providers_staffed(principal) if each.code == code]
    if not found:
        raise NotFound(field="provider")
    if found[0].has_manager:
        raise HasManager()
    return found[0]


def make_first(principal: Principal, provider: str, login: str, name: str, *, now: datetime) -> NewOperator:
    """Make the manager of a provider that has none, with a password for her first sign-in. Audited.

    Raises NotFound, SignInAgain, HasManager, Invalid(field="login" or "name"), LoginTaken, Crowded(retry_after).
    """
    risky.allow(principal, "add_operator", now=now)
    password = team.new_password()
    with turns.hashing.signed_in(principal):
        new = operators.new_account(login, password, name, password_once=True)
    with operators.free_login(), transaction() as session:
        place = session.scalar(select(Provider).where(Provider.code == provider).with_for_update(key_share=True))
        if place is None or place.test:
            raise NotFound(field="provider")
        leading = select(Operator.id).where(
            Operator.provider_id == place.id, Operator.role == "manager", Operator.disabled_at.is_(None)
        )
        if session.scalar(leading.limit(1)) is not None:
            raise HasManager()
        account = employ(place.id, "manager")
        made = operators.add_account(session, account, new)
        accounts.record(session, "operator.created", account, principal, now, role="manager")
    return NewOperator(made, password)
