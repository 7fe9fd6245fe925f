"""Clinicians of a provider: what patients are told of them, and who has verified that it is so."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from providers.staff.duties import require
from providers.staff.models import Clinician
from vip import roles
from vip.models import Operator
from vip.principal import Member, Principal

LANGUAGES = ("zh", "en")
MOST_CHARACTERS = 60
_LICENCE = re.compile(r"[0-9]{15}")
_CODE = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Profile:
    """What a manager says of a clinician: the name that is shown, her title in both languages, the 15 digits of her
    licence, codes of departments, the languages she answers in, and whether she may lead a shift."""

    shown_name: str
    title: Text
    licence: str
    departments: tuple[str, ...]
    languages: tuple[str, ...]
    lead: bool = False


@dataclass(frozen=True)
class ClinicianView:
    """A clinician as managers and operators see her. `profile` None: nothing was said of her yet. `verified_at` None:
    nothing that she writes reaches a patient. `in_service`: she may sign in."""

    member: str
    name: str
    profile: Profile | None
    verified_at: datetime | None
    in_service: bool


@dataclass(frozen=True)
class Shown:
    """What a patient is told of the doctor who writes to her."""

    name: str
    title: Text


def describe(manager: Member, member: str, said: Profile, *, now: datetime) -> None:
    """Say it of a clinician (public id) of her own provider. What the register would have to confirm anew (name, title,
    licence, departments) ends her verification when it changes. Audited.

    Raises NotFound, also for a member of another role, and Invalid(field=shown_name, title_zh, title_en, licence,
    departments or languages).
    """
    require(manager, "team")
    _check(said)
    with transaction() as session:
        account = session.scalar(
            select(Operator)
            .where(
                Operator.public_id == member,
                Operator.provider_id == manager.provider_id,
                Operator.role == "clinician",
            )
            .with_for_update()
        )
        if account is None:
            raise NotFound(field="member_id")
        row = session.get(Clinician, account.id, with_for_update=True)
        if row is None:
            row = Clinician(member_id=account.id, provider_id=manager.provider_id, created_at=now)
            session.add(row)
        elif _compared(_profile(row)) != _compared(said):
            row.verified_at = row.verified_by = None
        row.shown_name, row.licence, row.lead = said.shown_name, said.licence, said.lead
        row.title_zh, row.title_en = said.title
        row.departments, row.languages = list(said.departments), list(said.languages)
        row.updated_at = now
        _record(session, "clinician.described", manager, account, now)


def verify(operator: Principal, provider: str, member: str, licence: str, *, now: datetime) -> None:
    """An operator who looks after providers has found her in the register under this licence. Audited; again changes
    nothing.

    Raises NotFound; Invalid(field="licence", reason="licence_changed") where another one stands
    there by now.
    """
    roles.require(operator, "books")
    with transaction() as session:
        account, row = _locked(session, provider, member)
        if row.licence != licence:
            raise Invalid(field="licence", reason="licence_changed")
        if row.verified_at is None:
            row.verified_at, row.verified_by = now, operator.id
            _record(session, "clinician.verified", operator, account, now)


def take_verification_back(operator: Principal, provider: str, member: str, *, now: datetime) -> None:
    """She is not in the register, or not any more: from now on nothing that she writes reaches a patient. Audited;
    again changes nothing. Raises NotFound."""
    roles.require(operator, "books")
    with transaction() as session:
        account, row = _locked(session, provider, member)
        if row.verified_at is not None:
            row.verified_at = row.verified_by = None
            _record(session, "clinician.verification_taken_back", operator, account, now)


def clinicians_for(operator: Principal, provider: str) -> Sequence[ClinicianView]:
    """All of the live provider with that code, as an operator sees them, by name. Raises NotFound."""
    roles.require(operator, "books")
    with reading() as session:
        found = session.scalar(select(Provider.id).where(Provider.code == provider, Provider.twin_of.is_(None)))
        if found is None:
            raise NotFound(field="provider")
        return _of(session, found)


def clinicians_of(manager: Member) -> Sequence[ClinicianView]:
    """All of her own provider. Raises NotFound without the duty."""
    require(manager, "team")
    with reading() as session:
        return _of(session, manager.provider_id)


def profile_of(member: Member) -> ClinicianView:
    """What is said of herself. Raises NotFound for a member of another role."""
    with reading() as session:
        for each in _of(session, member.provider_id):
            if each.member == member.public_id:
                return each
    raise NotFound(field="member_id")


def shown(members: Collection[str]) -> dict[str, Shown]:
    """What patients are told of these members (public ids); who has no profile is left out."""
    query = (
        select(Operator.public_id, Clinician.shown_name, Clinician.title_zh, Clinician.title_en)
        .join(Clinician, Clinician.member_id == Operator.id)
        .where(Operator.public_id.in_(members))
    )
    with reading() as session:
        found = session.execute(query).all()
    return {row.public_id: Shown(row.shown_name, Text(row.title_zh, row.title_en)) for row in found}


def verified(session: Session, member_id: int) -> Clinician | None:
    """A verified clinician (internal id of the member), None for anybody else."""
    return session.scalar(
        select(Clinician)
        .where(Clinician.member_id == member_id, Clinician.verified_at.is_not(None))
        .execution_options(populate_existing=True)
    )


def _of(session: Session, provider_id: int) -> list[ClinicianView]:
    rows = session.execute(
        select(Operator, Clinician)
        .outerjoin(Clinician, Clinician.member_id == Operator.id)
        .where(Operator.provider_id == provider_id, Operator.role == "clinician")
        .order_by(Operator.name, Operator.id)
    )
    return [
        ClinicianView(
            account.public_id,
            account.name,
            None if row is None else _profile(row),
            None if row is None else row.verified_at,
            account.disabled_at is None,
        )
        for account, row in rows
    ]


def _locked(session: Session, provider: str, member: str) -> tuple[Operator, Clinician]:
    found = session.execute(
        select(Operator, Clinician)
        .join(Clinician, Clinician.member_id == Operator.id)
        .join(Provider, Provider.id == Operator.provider_id)
        .where(
            Operator.public_id == member,
            Operator.role == "clinician",
            Provider.code == provider,
            Provider.twin_of.is_(None),
        )
        .with_for_update(of=Clinician)
    ).one_or_none()
    if found is None:
        raise NotFound(field="member_id")
    account, row = found
    return account, row


def _profile(row: Clinician) -> Profile:
    title = Text(row.title_zh, row.title_en)
    return Profile(row.shown_name, title, row.licence, tuple(row.departments), tuple(row.languages), row.lead)


def _compared(said: Profile) -> tuple[object, ...]:
    return said.shown_name, said.title, said.licence, frozenset(said.departments)


def _check(said: Profile) -> None:
    for field, text in (
        ("shown_name", said.shown_name),
        ("title_zh", said.title.zh),
        ("title_en", said.title.en),
    ):
        if not text.strip():
            raise Invalid(field=field, reason="required")
        if len(text) > MOST_CHARACTERS:
            raise Invalid(field=field, reason="too_long", maximum=MOST_CHARACTERS)
        if not storable(text):
            raise Invalid(field=field, reason="bad_characters")
    if not _LICENCE.fullmatch(said.licence):
        raise Invalid(field="licence", reason="format")
    if not said.departments or not all(_CODE.fullmatch(code) for code in said.departments):
        raise Invalid(field="departments", reason="format")
    if not said.languages or not set(said.languages) <= set(LANGUAGES):
        raise Invalid(field="languages", reason="unknown_value")


def _record(session: Session, action: str, by: Member | Principal, account: Operator, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=by.acts_as,
        actor=by.public_id,
        subject=account.public_id,
        insurer_id=by.insurer_id,
    )
