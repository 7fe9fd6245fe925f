"""Circuit breakers: a provider that fails in one kind of call is left alone in that kind, and in no other.

closed    → open after FAILURES failures in a row
open      → half-open when the pause is over: one probe is claimed in the database, with a lease
half-open → closed by a success, open again by the probe's failure; a probe that never tells frees itself by its lease

Only the probe's failure opens a breaker again: calls that were on their way before do not prolong the pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.calls.models import ProviderBreaker
from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger

log = get_logger(__name__)

FAILURES = 5
PAUSE = timedelta(seconds=15)
PROBE_LEASE = timedelta(seconds=30)
"""How long a probe may take before another one may be made: longer than any single call and its settling."""


class Call(StrEnum):
    """The kinds of call that fail apart from each other. Commands, with the look-ups of their outcome, are one; cancels
    of what is nobody's, with theirs, another."""

    COMMANDS = "commands"
    SLOTS = "slots"
    BOOKINGS = "bookings"
    REPORTS = "reports"
    FETCHES = "fetches"
    RECONCILE = "reconcile"
    LOOK_UPS = "look_ups"
    STRAYS = "strays"
    CONSULTATIONS = "consultations"
    ESCORTS = "escorts"


@dataclass(frozen=True)
class Permit:
    """Leave to call. `probe` is the end of the claimed probe's lease, None while the breaker is closed."""

    probe: datetime | None = None


@dataclass(frozen=True)
class BreakerState:
    """A breaker without the database. Closed while `open_until` is None."""

    failures: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    probe_until: datetime | None = None


def pause(seconds: float) -> timedelta:
    """The pause that a provider asks for, between one second and one hour."""
    return timedelta(seconds=min(max(seconds, 1.0), 3600.0))


def after_failure(state: BreakerState, *, probe: datetime | None, now: datetime) -> BreakerState:
    """The breaker after a failed call; `probe` is the lease of that call's probe, None if it was no probe."""
    failures = state.failures + 1
    if state.open_until is None:
        if failures < FAILURES:
            return BreakerState(failures)
        return BreakerState(failures, now, now + PAUSE)
    if probe is None or probe != state.probe_until:
        return BreakerState(failures, state.opened_at, state.open_until, state.probe_until)
    return BreakerState(failures, state.opened_at, now + PAUSE)


def ask(session: Session, provider_id: int, call: Call, *, now: datetime) -> Permit | None:
    """Leave to make this kind of call, or None: the breaker is open, or another one is making the probe.

    Claims the probe when the pause is over; the caller tells how it went by succeeded(), failed() or come_back().
    """
    if call is not Call.COMMANDS and _rests(session, provider_id, now):
        return None
    state = session.execute(
        select(ProviderBreaker.open_until, ProviderBreaker.probe_until).where(*_row(provider_id, call))
    ).one_or_none()
    if state is None or state.open_until is None:
        return Permit()
    if state.open_until > now or (state.probe_until is not None and state.probe_until > now):
        return None
    lease = now + PROBE_LEASE
    return Permit(lease) if _claim_probe(session, provider_id, call, lease, now) else None


def _rests(session: Session, provider_id: int, now: datetime) -> bool:
    """Whether the provider asked, in any read, to be left alone until later."""
    resting = select(ProviderBreaker.call).where(
        ProviderBreaker.provider_id == provider_id, ProviderBreaker.retry_at > now
    )
    return session.execute(resting.limit(1)).first() is not None


def _claim_probe(session: Session, provider_id: int, call: Call, lease: datetime, now: datetime) -> bool:
    """Of those who ask at the same moment one gets it: the others wait for its row and find the probe taken."""
    claimed = session.execute(
        update(ProviderBreaker)
        .where(
            *_row(provider_id, call),
            ProviderBreaker.open_until <= now,
            or_(ProviderBreaker.probe_until.is_(None), ProviderBreaker.probe_until <= now),
        )
        .values(probe_until=lease)
        .returning(ProviderBreaker.call)
    ).scalar_one_or_none()
    return claimed is not None


def give_back(session: Session, provider_id: int, call: Call, permit: Permit) -> None:
    """Free the probe that was claimed: there was nothing to call for."""
    if permit.probe is not None:
        session.execute(
            update(ProviderBreaker)
            .where(*_row(provider_id, call), ProviderBreaker.probe_until == permit.probe)
            .values(probe_until=None)
        )


def succeeded(provider_id: int, call: Call) -> None:
    """The provider answered a call of this kind: close its breaker."""
    with transaction() as session:
        session.execute(
            update(ProviderBreaker)
            .where(*_row(provider_id, call), or_(ProviderBreaker.failures > 0, ProviderBreaker.open_until.is_not(None)))
            .values(failures=0, opened_at=None, open_until=None, probe_until=None)
        )


def failed(provider_id: int, call: Call, permit: Permit, *, now: datetime) -> None:
    """A call of this kind failed: count it, and open the breaker if it is one too many or was the probe."""
    with transaction() as session:
        session.execute(
            insert(ProviderBreaker).values(provider_id=provider_id, call=call.value).on_conflict_do_nothing()
        )
        row = session.scalars(select(ProviderBreaker).where(*_row(provider_id, call)).with_for_update()).one()
        before = BreakerState(row.failures, row.opened_at, row.open_until, row.probe_until)
        after = after_failure(before, probe=permit.probe, now=now)
        row.failures, row.opened_at = after.failures, after.opened_at
        row.open_until, row.probe_until = after.open_until, after.probe_until
    if before.open_until != after.open_until:
        log.warning("provider.breaker_open", provider=provider_id, call=call.value, failures=after.failures)


def come_back(provider_id: int, call: Call, permit: Permit, *, seconds: float, now: datetime) -> None:
    """The provider asked to be left alone for so many seconds: no read is made before that. It is no failure, and no
    success either, as what stands before a broken provider may say so. A command waits by its own row of the outbox."""
    until = now + timedelta(seconds=seconds)
    later = func.greatest(ProviderBreaker.retry_at, until)
    with transaction() as session:
        session.execute(
            insert(ProviderBreaker)
            .values(provider_id=provider_id, call=call.value, retry_at=until)
            .on_conflict_do_update(index_elements=["provider_id", "call"], set_={"retry_at": later})
        )
        give_back(session, provider_id, call, permit)


def _row(provider_id: int, call: Call) -> tuple[Any, Any]:
    return ProviderBreaker.provider_id == provider_id, ProviderBreaker.call == call.value
