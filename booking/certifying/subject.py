"""Whose certificates are at stake: what a program does at a twin proves its live provider."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.faults.models import Rehearsal
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from providers.conformance.certificates.issue import lock_provider
from providers.conformance.certificates.models import ConformanceMade, ConformanceRun
from providers.registry import capabilities, needing_none

TRIALS = "trials"
"""What the journal calls the test bookings of a run, all of them together."""


class CertificationUnderWay(Refusal):
    """The twin's program is being certified, or what a run that was killed booked there is not cancelled yet."""

    code = "certification_under_way"
    status = 409


class RehearsalUnderWay(Refusal):
    """One of this provider's is open at its twin; `rehearsal` is its id."""

    code = "rehearsal_under_way"
    status = 409


def subject_of(session: Session, provider: Provider) -> Provider:
    """The live provider of a twin whose program answers: a run asked for there is the live one's. Anybody else is its
    own."""
    if provider.twin_of is None or not capabilities(provider.adapter).program:
        return provider
    live = session.get_one(Provider, provider.twin_of)
    return live if capabilities(live.adapter).program else provider


def subject_id(provider_id: int) -> int:
    """The same by internal ids."""
    with reading() as session:
        return subject_of(session, session.get_one(Provider, provider_id)).id


def program_is_certified(provider: Provider) -> bool:
    """Whether it is a program that is certified, at a live provider's twin. The twin of one whose system we call has a
    program that stands in for it and proves nothing."""
    return provider.twin_of is None and capabilities(provider.adapter).program


def proves_nothing(provider: Provider) -> bool:
    """Whether nothing of it could be tried, and nothing that it offers waits for a certificate."""
    program = capabilities(provider.adapter).program
    return provider.adapter in needing_none() or (program and not program_is_certified(provider))


def no_rehearsal(session: Session, live: Provider) -> None:
    """Raise RehearsalUnderWay where one is open at the twin of this provider, whose row is locked."""
    query = select(Rehearsal.public_id).join(Provider, Provider.id == Rehearsal.provider_id)
    found = session.scalar(query.where(Provider.twin_of == live.id, Rehearsal.state.in_(("queued", "running"))))
    if found is not None:
        raise RehearsalUnderWay(rehearsal=found)


def no_certification(session: Session, twin: Provider) -> None:
    """Raise CertificationUnderWay where the live provider's program is tried at this twin, or is going to be. The live
    one's row is locked from now on, as by whoever asks for a run."""
    if twin.twin_of is None:
        return
    live = lock_provider(session, twin.twin_of)
    run = select(ConformanceRun.id).where(
        ConformanceRun.provider_id == live.id, ConformanceRun.state.in_(("queued", "running"))
    )
    left = select(ConformanceMade.id).where(ConformanceMade.provider_id == live.id, ConformanceMade.what == TRIALS)
    tried = program_is_certified(live) and session.scalar(run.limit(1)) is not None
    if tried or session.scalar(left.limit(1)) is not None:
        raise CertificationUnderWay()
