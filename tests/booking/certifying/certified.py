"""A provider in our books whose system is a sandbox in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from booking.actors import SYSTEM
from booking.calls.connections import CALL_RECORD, WEBHOOK_RECORD
from booking.certifying.ask import queue_certification
from booking.certifying.carry_out import carry_out_next
from booking.programs.run import try_program
from marketplace.catalog.models import Offer, Provider
from marketplace.core import clock
from marketplace.core.crypto import seal_master
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.issue import in_force
from providers.conformance.certificates.models import Certificate, ConformanceRun
from providers.conformance.step import Capability, RunResult
from tests.providers.conformance.served import KEY, WEBHOOK_SECRET, Served


def connect(provider: Provider, served: Served) -> None:
    """Lead a provider to the sandbox; its offers wait for a certificate."""
    connect_to(provider, f"{served.url}/p/kit")


def connect_to(provider: Provider, url: str) -> None:
    """Lead a provider to a system; its offers wait for a certificate."""
    with transaction() as session:
        row = session.get_one(Provider, provider.id)
        row.base_url = url
        row.secret_sealed = seal_master(KEY, CALL_RECORD.format(row.code))
        row.webhook_secrets_sealed = [seal_master(WEBHOOK_SECRET, WEBHOOK_RECORD.format(row.code))]
        session.execute(update(Offer).where(Offer.provider_id == provider.id).values(certified=False))


def certify(provider: Provider) -> RunResult | None:
    """Ask for a run and carry it out."""
    with transaction() as session:
        assert queue_certification(session, provider.code, SYSTEM, now=clock.now())
    return carry_out_next(clock.now, try_program)


def proved(provider: Provider) -> dict[Capability, str]:
    """The grades of the certificates that count."""
    with reading() as session:
        return {name: row.grade for name, row in in_force(session, provider.id).items()}


def ended(provider: Provider) -> list[str]:
    """Why each certificate ended that did, in the order of their making."""
    query = select(Certificate.ended_because).where(
        Certificate.provider_id == provider.id, Certificate.ended_at.is_not(None)
    )
    with reading() as session:
        return list(session.scalars(query.order_by(Certificate.id)))


def runs(provider: Provider) -> Sequence[ConformanceRun]:
    """Its runs, the oldest first."""
    with reading() as session:
        query = select(ConformanceRun).where(ConformanceRun.provider_id == provider.id).order_by(ConformanceRun.id)
        return session.scalars(query).all()


def change(provider: Provider, **values: Any) -> None:
    """Change the provider's row."""
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == provider.id).values(**values))


def offered(offer: Offer) -> bool:
    """Whether the offer is marked as one that may be given out."""
    with reading() as session:
        return bool(session.scalar(select(Offer.certified).where(Offer.id == offer.id)))
