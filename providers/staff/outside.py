"""Doctors of providers whose own systems answer consultations: taken from the roster, and verified by an operator."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.text import Text
from providers.reported import RemoteClinician
from providers.staff.clinicians import Shown
from providers.staff.models import OutsideClinician
from vip import roles
from vip.principal import Principal

log = get_logger(__name__)


@dataclass(frozen=True)
class OutsideView:
    """A doctor as an operator sees her. `listed_at`: when the roster named her last."""

    id: str
    code: str
    name: str
    title: Text
    licence: str
    verified_at: datetime | None
    listed_at: datetime


def take_roster(provider_id: int, listed: Sequence[RemoteClinician], *, now: datetime) -> dict[str, int]:
    """Follow a provider's roster: who is new waits to be verified, and who is named otherwise than an operator found in
    the register (name, title or licence) has to be verified anew. Who is listed no more keeps what she said, and is
    verified until an operator takes that back. Audited. Returns counts."""
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    with transaction() as session:
        known = {
            row.code: row
            for row in session.scalars(
                select(OutsideClinician)
                .where(OutsideClinician.provider_id == provider_id)
                .order_by(OutsideClinician.id)
                .with_for_update()
            )
        }
        for said in sorted(listed, key=lambda each: each.code):
            row = known.get(said.code)
            if row is None:
                row = _add(session, provider_id, said, now)
                counts["new"] += 1
            elif _compared(row) == (said.name, said.title_zh, said.title_en, said.licence):
                counts["unchanged"] += 1
            else:
                _change(session, row, said, now)
                counts["changed"] += 1
            row.listed_at = now
    return counts


def _add(session: Session, provider_id: int, said: RemoteClinician, now: datetime) -> OutsideClinician:
    row = OutsideClinician(
        public_id=new_id("ocl"),
        provider_id=provider_id,
        code=said.code,
        name=said.name,
        title_zh=said.title_zh,
        title_en=said.title_en,
        licence=said.licence,
        listed_at=now,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    return row


def _change(session: Session, row: OutsideClinician, said: RemoteClinician, now: datetime) -> None:
    if row.verified_at is not None:
        audit.record(
            session,
            "clinician.verification_ended",
            at=now,
            actor_kind="system",
            actor="roster",
            subject=row.public_id,
            insurer_id=None,
        )
    row.name, row.title_zh, row.title_en, row.licence = said.name, said.title_zh, said.title_en, said.licence
    row.verified_at = row.verified_by = None
    row.updated_at = now


def _compared(row: OutsideClinician) -> tuple[str, str, str, str]:
    return row.name, row.title_zh, row.title_en, row.licence


def known(session: Session, provider_id: int, code: str) -> OutsideClinician | None:
    """The doctor whom a provider calls so, verified or not, as she is until the transaction ends; None if the roster
    never named her."""
    return session.scalar(
        select(OutsideClinician)
        .where(OutsideClinician.provider_id == provider_id, OutsideClinician.code == code)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )


def outside_clinicians_for(operator: Principal, provider: str) -> Sequence[OutsideView]:
    """All of the live provider with that code, as an operator sees them, by name. Raises NotFound."""
    roles.require(operator, "books")
    query = (
        select(OutsideClinician)
        .join(Provider, Provider.id == OutsideClinician.provider_id)
        .where(Provider.code == provider, Provider.twin_of.is_(None))
        .order_by(OutsideClinician.name, OutsideClinician.id)
    )
    with reading() as session:
        return [
            OutsideView(
                row.public_id,
                row.code,
                row.name,
                Text(row.title_zh, row.title_en),
                row.licence,
                row.verified_at,
                row.listed_at,
            )
            for row in session.scalars(query)
        ]


def verify_outside(operator: Principal, provider: str, clinician: str, licence: str, *, now: datetime) -> None:
    """An operator who looks after providers has found her (public id) in the register under this licence. Audited;
    again changes nothing.

    Raises NotFound; Invalid(field="licence", reason="licence_changed") where another one stands there by now.
    """
    roles.require(operator, "books")
    with transaction() as session:
        row = _locked(session, provider, clinician)
        if row.licence != licence:
            raise Invalid(field="licence", reason="licence_changed")
        if row.verified_at is None:
            row.verified_at, row.verified_by = now, operator.id
            _record(session, "clinician.verified", operator, row, now)


def take_outside_back(operator: Principal, provider: str, clinician: str, *, now: datetime) -> None:
    """She is not in the register, or not any more: from now on nothing that she writes reaches a patient. Audited;
    again changes nothing. Raises NotFound."""
    roles.require(operator, "books")
    with transaction() as session:
        row = _locked(session, provider, clinician)
        if row.verified_at is not None:
            row.verified_at = row.verified_by = None
            _record(session, "clinician.verification_taken_back", operator, row, now)


def shown_outside(clinicians: Collection[str]) -> dict[str, Shown]:
    """What patients are told of these doctors (public ids)."""
    query = select(OutsideClinician).where(OutsideClinician.public_id.in_(clinicians))
    with reading() as session:
        return {row.public_id: Shown(row.name, Text(row.title_zh, row.title_en)) for row in session.scalars(query)}


def _locked(session: Session, provider: str, clinician: str) -> OutsideClinician:
    row = session.scalar(
        select(OutsideClinician)
        .join(Provider, Provider.id == OutsideClinician.provider_id)
        .where(OutsideClinician.public_id == clinician, Provider.code == provider, Provider.twin_of.is_(None))
        .with_for_update(of=OutsideClinician)
    )
    if row is None:
        raise NotFound(field="member_id")
    return row


def _record(session: Session, action: str, by: Principal, row: OutsideClinician, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=by.acts_as,
        actor=by.public_id,
        subject=row.public_id,
        insurer_id=by.insurer_id,
    )
