"""Carrying a run of the kit out: claim, call, settle. No transaction is open while a provider is called.

A run whose lease has passed was killed: it is recorded as that, and what it made at the provider is taken back, by the
next run or by the job, whichever comes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from threading import Event, Thread
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking.calls.connections import connection_of
from booking.certifying.journal import TableJournal
from marketplace.catalog.kinds import dispatched, without_times
from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import ConformanceMade, ConformanceRun
from providers.conformance.clean import TAKEN_BACK
from providers.conformance.kit import Target
from providers.conformance.listening import Listener
from providers.conformance.run import clean_up, run
from providers.conformance.step import Capability, Outcome, RunResult, StepResult
from providers.port import ProviderError
from providers.registry import capabilities, connect

log = get_logger(__name__)

LEASE = timedelta(minutes=5)
"""Renewed with each step, and while one goes on."""
RENEW_SECONDS = 60.0
HOLD = timedelta(minutes=2)
"""Longer than it takes to take one thing back."""
LONGEST_SECONDS = 1800.0
"""A run that takes longer than this hangs: its lease is renewed no more."""
PATIENCE_SECONDS = 20.0
Clock = Callable[[], datetime]
Heard = Callable[[StepResult], None]
ProgramRun = Callable[[int, int, int, Clock, Heard], RunResult]
"""Tries a provider's program: the run's and the provider's internal ids, its twin's, the clock, who is told of each
step. It is handed in, for it needs what stands above this room (booking.programs.run)."""
_OPEN = select(ConformanceRun.provider_id).where(ConformanceRun.state.in_(("queued", "running")))


class LostLease(Exception):
    """Another process has ended this run: it must stop."""


@dataclass(frozen=True)
class _Claimed:
    """A run that this process carries out; `only` of these capabilities where the provider sells nothing else."""

    id: int
    provider_id: int
    target: Target
    settings: Mapping[str, object]
    twin_id: int | None
    only: Sequence[Capability] | None


def certify_due(clock: Clock, programs: ProgramRun) -> dict[str, int]:
    """Carry out the oldest run that is asked for, after those were recorded that were killed; returns counts."""
    stopped = _end_killed(clock())
    return {"stopped": stopped, "runs": 0 if carry_out_next(clock, programs) is None else 1}


def carry_out_next(
    clock: Clock, programs: ProgramRun, *, provider_id: int | None = None, heard: Heard | None = None
) -> RunResult | None:
    """Carry out the oldest run that is asked for (of this provider), and write its certificates; None if there is
    none, or if the provider's row cannot be used."""
    claimed = _claim(clock(), provider_id)
    if claimed is None:
        return None

    def each(step: StepResult) -> None:
        _go_on(claimed.id, clock())
        if heard is not None:
            heard(step)

    with _renewed(claimed.id, clock):
        if claimed.twin_id is not None:
            result = programs(claimed.id, claimed.provider_id, claimed.twin_id, clock, each)
        else:
            result = _try_system(claimed, each)
    _settle(claimed, result, clock())
    return result


def _try_system(claimed: _Claimed, heard: Heard) -> RunResult:
    listener = _listener(claimed.target)
    try:
        return run(claimed.target, TableJournal(claimed.provider_id), listener, only=claimed.only, heard=heard)
    finally:
        if listener is not None:
            listener.close()


def take_back_left() -> dict[str, int]:
    """Take back what runs left at providers for which none is open; returns counts. None begins while something is
    taken back; one that is asked for meanwhile has the rest to itself."""
    query = (
        select(ConformanceMade.provider_id)
        .where(ConformanceMade.provider_id.not_in(_OPEN), ConformanceMade.what.in_(TAKEN_BACK))
        .distinct()
    )
    with reading() as session:
        due = session.scalars(query).all()
        known = {provider_id: _target(session.get_one(Provider, provider_id), None) for provider_id in due}
    left = 0
    for provider_id, target in known.items():
        if target is None:
            continue
        try:
            left += len(clean_up(target, TableJournal(provider_id), goes_on=partial(_hold, provider_id)))
        except ProviderError as error:
            left += 1
            log.warning("conformance.not_cleaned", provider=target.connection.provider, reason=str(error)[:120])
        finally:
            _let_go(provider_id)
    return {"providers": len(known), "left": left}


def _hold(provider_id: int) -> bool:
    """Keep runs from beginning while one thing is taken back; False if one is open. The provider's row is locked, as by
    whoever claims a run."""
    with transaction() as session:
        issue.lock_provider(session, provider_id)
        if session.scalar(_OPEN.where(ConformanceRun.provider_id == provider_id).limit(1)) is not None:
            return False
        mine = update(ConformanceMade).where(ConformanceMade.provider_id == provider_id)
        session.execute(mine.values(taken_back_until=clock.now() + HOLD))
    return True


def _let_go(provider_id: int) -> None:
    held = (ConformanceMade.provider_id == provider_id, ConformanceMade.taken_back_until.is_not(None))
    with transaction() as session:
        session.execute(update(ConformanceMade).where(*held).values(taken_back_until=None))


def _end_killed(now: datetime) -> int:
    with transaction() as session:
        ended = session.execute(
            update(ConformanceRun)
            .where(ConformanceRun.state == "running", ConformanceRun.lease_until < now)
            .values(state="failed", reason="stopped", finished_at=now, lease_until=None)
            .returning(ConformanceRun.id)
        ).all()
    return len(ended)


def _claim(now: datetime, provider_id: int | None) -> _Claimed | None:
    held = select(ConformanceMade.provider_id).where(ConformanceMade.taken_back_until > now)
    conditions = [ConformanceRun.state == "queued", ConformanceRun.provider_id.not_in(held)]
    if provider_id is not None:
        conditions.append(Provider.id == provider_id)
    with transaction() as session:
        found = session.execute(
            select(ConformanceRun, Provider)
            .join(Provider, Provider.id == ConformanceRun.provider_id)
            .where(*conditions)
            .order_by(ConformanceRun.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=ConformanceRun)
        ).one_or_none()
        if found is None:
            return None
        request = found.ConformanceRun
        provider = issue.lock_provider(session, request.provider_id)
        if session.scalar(held.where(ConformanceMade.provider_id == provider.id).limit(1)) is not None:
            return None  # since it was looked for
        offer = session.execute(
            select(Offer.external_ref, CapacityPool.external_ref.label("pool"))
            .join(CapacityPool, CapacityPool.id == Offer.pool_id)
            .where(Offer.provider_id == provider.id, Offer.active, Offer.kind.not_in(without_times()))
            .order_by(Offer.id)
            .limit(1)
        ).one_or_none()
        fallback = None if offer is None else (offer.external_ref, offer.pool)
        consultation = _consultation(session, provider)
        target = _target(provider, fallback, consultation, _escort(session, provider))
        program = capabilities(provider.adapter).program
        twin_id = session.scalar(select(Provider.id).where(Provider.twin_of == provider.id)) if program else None
        if target is None or (program and twin_id is None):
            request.state, request.reason, request.finished_at = "failed", "unusable", now
            return None
        request.state, request.started_at, request.lease_until = "running", now, now + LEASE
        only = [Capability.CONSULTATIONS] if fallback is None and consultation[0] else None
        return _Claimed(request.id, provider.id, target, dict(issue.settings_of(provider)), twin_id, only)


def _consultation(session: Session, provider: Provider) -> tuple[str, str]:
    """Offer and department of a consultation that can be tried; blank for none."""
    kinds = (Offer.active, Offer.kind.in_(without_times()))
    query = select(Offer.external_ref, Offer.package).where(Offer.provider_id == provider.id, *kinds)
    found = session.execute(query.order_by(Offer.id).limit(1)).one_or_none()
    if found is None or not capabilities(provider.adapter).converses:
        return "", ""
    return found.external_ref, next((each["code"] for each in found.package.get("departments", ())), "")


def _escort(session: Session, provider: Provider) -> tuple[str, str]:
    """Offer and pool of a service for which somebody is sent; blank for none."""
    found = session.execute(
        select(Offer.external_ref, CapacityPool.external_ref.label("pool"))
        .join(CapacityPool, CapacityPool.id == Offer.pool_id)
        .where(Offer.provider_id == provider.id, Offer.active, Offer.kind.in_(dispatched()))
        .order_by(Offer.id)
        .limit(1)
    ).one_or_none()
    return ("", "") if found is None or not capabilities(provider.adapter).escorts else (found.external_ref, found.pool)


def _target(
    provider: Provider,
    offer: tuple[str, str] | None,
    consultation: tuple[str, str] = ("", ""),
    escort: tuple[str, str] = ("", ""),
) -> Target | None:
    """How the provider is tried: at its `test_url`, with its `test_offer` and `test_pool`, if its settings name them.
    None where its row cannot be used."""
    own = provider.settings
    try:
        link = connection_of(provider).connection
        link = replace(link, base_url=own.get("test_url") or link.base_url)
        connect(provider.adapter, link)
    except (Unreadable, KeyError, ValueError) as wrong:
        log.warning("conformance.unusable", provider=provider.code, reason=type(wrong).__name__)
        return None
    code, pool = own.get("test_offer", ""), own.get("test_pool", "")
    return Target(
        provider.adapter,
        link,
        code,
        pool,
        patience=PATIENCE_SECONDS,
        fallback=offer or ("", ""),
        fallback_consultation=consultation,
        fallback_escort=escort,
    )


def _listener(target: Target) -> Listener | None:
    """Where the provider's test events arrive: as set, or on loopback for a provider on this machine; None: nowhere."""
    known = settings()
    if known.conformance_listen:
        host, _colon, port = known.conformance_listen.rpartition(":")
        return Listener(host, int(port), known.conformance_url)
    host = urlsplit(target.connection.base_url).hostname or ""
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    return Listener() if here else None


@contextmanager
def _renewed(run_id: int, clock: Clock) -> Iterator[None]:
    """Renew the lease from a thread of its own meanwhile: a step may wait longer than it lasts."""
    ended, over = Event(), time.monotonic() + LONGEST_SECONDS

    def renew() -> None:
        while not ended.wait(RENEW_SECONDS) and time.monotonic() < over:
            try:
                _go_on(run_id, clock())
            except LostLease:
                return  # which the run notices at its next step
            except (SQLAlchemyError, Refusal) as trouble:
                log.warning("conformance.lease_not_renewed", reason=type(trouble).__name__)

    thread = Thread(target=renew, name="conformance-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)


def _go_on(run_id: int, now: datetime) -> None:
    with transaction() as session:
        renewed = session.execute(
            update(ConformanceRun)
            .where(ConformanceRun.id == run_id, ConformanceRun.state == "running")
            .values(lease_until=now + LEASE)
            .returning(ConformanceRun.id)
        ).scalar_one_or_none()
    if renewed is None:
        raise LostLease(run_id)


def _settle(claimed: _Claimed, result: RunResult, now: datetime) -> None:
    """The run's end and its certificates, in one transaction. None are given where the settings changed meanwhile."""
    reached = any(step.outcome is not Outcome.NOT_TRIED for step in result.steps)
    with transaction() as session:
        provider = issue.lock_provider(session, claimed.provider_id)
        changed = dict(issue.settings_of(provider)) != dict(claimed.settings)
        why = "settings" if changed else "" if reached else "not_reached"
        ended = session.execute(
            update(ConformanceRun)
            .where(ConformanceRun.id == claimed.id, ConformanceRun.state == "running")
            .values(
                state="failed" if why else "done",
                reason=why,
                finished_at=now,
                lease_until=None,
                steps=[step.stored() for step in result.steps],
                left_behind=[each.stored() for each in result.left],
            )
            .returning(ConformanceRun.id)
        ).scalar_one_or_none()
        if ended is not None and not why:
            verdicts = issue.verdicts_of([(step.proves, step.outcome.value) for step in result.steps if step.asked])
            issue.issue(session, provider, verdicts, claimed.id, now=now)
