"""Members of a provider: making the first manager, and a member as the desk's pages name her."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Offer, Provider
from marketplace.core import ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.text import Text
from providers.staff.duties import ROLES
from vip import accounts
from vip.models import Operator
from vip.operators import operators
from vip.principal import Member, MemberRole


@dataclass(frozen=True)
class MemberView:
    """A member as she sees herself. `provider` is its name, `zone` its time zone; `approved`: customers may be offered
    what it sells; `sends`: it offers a kind for which somebody is sent to the place."""

    public_id: str
    login: str
    name: str
    role: MemberRole
    provider: Text
    zone: str
    approved: bool = True
    sends: bool = False


def myself(member: Member) -> MemberView:
    """The member who is asking."""
    with reading() as session:
        account = session.get_one(Operator, member.id)
        provider = session.get_one(Provider, member.provider_id)
        names = Text(provider.name_zh, provider.name_en)
        approved = provider.approved_at is not None
        sent = _sends(session, provider.id)
    return MemberView(
        account.public_id, account.login, account.name, member.role, names, provider.time_zone, approved, sent
    )


def sends(member: Member) -> bool:
    """Whether her provider offers a kind for which somebody is sent, on sale or not: what is booked has to be done."""
    with reading() as session:
        return _sends(session, member.provider_id)


def add_member(provider: str, login: str, password: str, name: str, role: MemberRole, *, now: datetime) -> str:
    """Make a member of the provider with that code, by a command; returns the public id. Audited.

    Logins are compared without case, with those of everybody. Raises NotFound(field="provider"), also for a twin,
    Invalid(field=login, password, name or role) and LoginTaken.
    """
    if role not in ROLES:
        raise Invalid(field="role", reason="unknown_value")
    new = operators.new_account(login, password, name)
    with operators.free_login(), transaction() as session:
        employed = employ(_provider_id(session, provider), role)
        made = operators.add_account(session, employed, new)
        accounts.record(session, "operator.created", employed, None, now, role=role)
    return made


def employ(provider_id: int, role: MemberRole) -> Operator:
    """An account of that provider that is not stored yet."""
    return Operator(public_id=ids.new_id("mbr"), provider_id=provider_id, role=role)


def _sends(session: Session, provider_id: int) -> bool:
    sent = exists().where(Offer.provider_id == provider_id, Offer.kind.in_(dispatched()))
    return bool(session.scalar(select(sent)))


def _provider_id(session: Session, code: str) -> int:
    found = session.scalar(select(Provider.id).where(Provider.code == code, Provider.twin_of.is_(None)))
    if found is None:
        raise NotFound(field="provider")
    return found
