"""Asking for a run of the kit. At most one is open for a provider at a time."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.actors import Actor, actor_of
from booking.certifying.subject import no_rehearsal, program_is_certified, proves_nothing, subject_of
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from providers.conformance.certificates.issue import lock_provider
from providers.conformance.certificates.models import ConformanceRun
from vip import roles
from vip.principal import Principal


class NothingToProve(Refusal):
    """The provider's people answer at our desk, or it is a twin whose program stands in for a system: there is nothing
    that could be tried."""

    code = "nothing_to_prove"
    status = 409
    field = "provider"


class NoTestMode(Refusal):
    """The provider's program is tried in its test mode, which was not opened yet."""

    code = "no_test_mode"
    status = 409
    field = "provider"


class TooManyRuns(Refusal):
    """So many runs were asked for within an hour; `retry_after` (seconds) says when the next one is possible."""

    code = "too_many_runs"
    status = 429
    field = "provider"


MOST_AN_HOUR = {"provider": 6, "operator": 30}
"""How many runs of a provider's system its own people may ask for within an hour, all together, and how many operators
may, whom the others' runs don't count for. A command on the server has no limit."""
_HOUR = timedelta(hours=1)


def request_certification(principal: Principal, provider_code: str, *, now: datetime) -> bool:
    """Queue a run for the worker. False if one is open already. Audited. Raises NotFound(field="provider"),
    NothingToProve, NoTestMode, RehearsalUnderWay and TooManyRuns."""
    roles.require(principal, "books")
    with transaction() as session:
        return queue_certification(session, provider_code, actor_of(principal), now=now)


def ask_own(provider_id: int, member: str, *, now: datetime) -> bool:
    """The same for a provider's own system, by a member (a public id) of its desk."""
    with transaction() as session:
        code = session.scalars(select(Provider.code).where(Provider.id == provider_id)).one()
        return queue_certification(session, code, Actor("provider", member), now=now)


def queue_certification(session: Session, provider_code: str, by: Actor, *, now: datetime) -> bool:
    """The same in the caller's transaction, for anybody who may. For a twin whose program answers the run is its live
    provider's."""
    named = session.scalar(select(Provider).where(Provider.code == provider_code))
    if named is None:
        raise NotFound(field="provider")
    provider = subject_of(session, named)
    if proves_nothing(provider):
        raise NothingToProve()
    if program_is_certified(provider) and _twin(session, provider.id) is None:
        raise NoTestMode()
    lock_provider(session, provider.id)
    mine = select(ConformanceRun).where(ConformanceRun.provider_id == provider.id)
    if session.scalar(mine.where(ConformanceRun.state.in_(("queued", "running"))).limit(1)) is not None:
        return False
    if program_is_certified(provider):
        no_rehearsal(session, provider)
    _within_limit(session, provider.id, by, now)
    queued = session.execute(
        insert(ConformanceRun)
        .values(public_id=new_id("cfr"), provider_id=provider.id, actor_kind=by.kind, actor=by.id, asked_at=now)
        .on_conflict_do_nothing()
        .returning(ConformanceRun.public_id)
    ).scalar_one_or_none()
    if queued is None:
        return False
    audit.record(
        session,
        "conformance.asked",
        at=now,
        actor_kind=by.kind,
        actor=by.id or "command",
        subject=provider.public_id,
        run=queued,
    )
    return True


def _twin(session: Session, provider_id: int) -> int | None:
    return session.scalar(select(Provider.id).where(Provider.twin_of == provider_id))


def _within_limit(session: Session, provider_id: int, by: Actor, now: datetime) -> None:
    """Raise TooManyRuns where this kind of asker had as many within an hour as it may. The provider's row is locked."""
    most = MOST_AN_HOUR.get(by.kind)
    if most is None:
        return
    asked = (
        select(ConformanceRun.asked_at)
        .where(
            ConformanceRun.provider_id == provider_id,
            ConformanceRun.actor_kind == by.kind,
            ConformanceRun.asked_at > now - _HOUR,
        )
        .order_by(ConformanceRun.asked_at.desc())
    )
    times = session.scalars(asked.limit(most)).all()
    if len(times) >= most:
        raise TooManyRuns(most=most, retry_after=max(1, math.ceil((times[-1] + _HOUR - now).total_seconds())))
