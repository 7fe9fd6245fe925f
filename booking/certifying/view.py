"""Certificates and runs as operators see them, and each provider its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.certifying.left import still_left
from booking.certifying.subject import program_is_certified, proves_nothing, subject_of
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Provider
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from providers.conformance.certificates.issue import in_force, needed
from providers.conformance.certificates.models import Certificate, ConformanceRun
from providers.conformance.kit import declared
from providers.conformance.step import Capability
from vip import roles
from vip.principal import Principal


@dataclass(frozen=True)
class CertificateView:
    """A certificate that counts; `expires_at` of a provisional one."""

    capability: Capability
    provisional: bool
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class ConformanceRunView:
    """A run. `steps` as they were stored: name, proves, says, outcome, expected, came, transcript; `left` (alike) may
    be there still."""

    state: str
    reason: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    steps: Sequence[Mapping[str, Any]]
    left: Sequence[object]


@dataclass(frozen=True)
class ProviderCertificates:
    """What a provider has proved. `missing` are the certificates that keep its offers from customers; `needs_none`:
    its people answer at the desk; `program`: a program of its own does, in test mode once that was opened
    (`test_mode`). `last` is its newest run."""

    code: str
    name: Text
    needs_none: bool
    program: bool
    test_mode: bool
    certificates: Sequence[CertificateView]
    missing: Sequence[Capability]
    last: ConformanceRunView | None


def certificates(principal: Principal) -> list[ProviderCertificates]:
    """All providers by code."""
    roles.require(principal, "books")
    with reading() as session:
        return [_seen(session, row) for row in session.scalars(select(Provider).order_by(Provider.code))]


def certificates_of(provider_id: int) -> ProviderCertificates:
    """What one provider has proved, for its own people; for a twin whose program answers, what its live one has."""
    with reading() as session:
        return _seen(session, subject_of(session, session.get_one(Provider, provider_id)))


def _seen(session: Session, provider: Provider) -> ProviderCertificates:
    known = in_force(session, provider.id)
    sold = select(Offer.kind).where(Offer.provider_id == provider.id, Offer.active, Offer.market == LIVE).distinct()
    lacks = set() if proves_nothing(provider) else needed(provider.adapter, [*session.scalars(sold)]) - known.keys()
    last = session.scalar(
        select(ConformanceRun)
        .where(ConformanceRun.provider_id == provider.id)
        .order_by(ConformanceRun.id.desc())
        .limit(1)
    )
    return ProviderCertificates(
        provider.code,
        Text(provider.name_zh, provider.name_en),
        proves_nothing(provider),
        program_is_certified(provider),
        session.scalar(select(Provider.id).where(Provider.twin_of == provider.id)) is not None,
        [_certificate(each, known[each]) for each in declared(provider.adapter) if each in known],
        [each for each in Capability if each in lacks],
        None if last is None else _run(session, last),
    )


def _certificate(capability: Capability, it: Certificate) -> CertificateView:
    return CertificateView(capability, it.grade == "provisional", it.issued_at, it.expires_at)


def _run(session: Session, it: ConformanceRun) -> ConformanceRunView:
    left = still_left(session, it.provider_id, it.left_behind)
    return ConformanceRunView(it.state, it.reason, it.asked_at, it.started_at, it.finished_at, it.steps, left)
