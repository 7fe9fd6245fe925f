"""Providers as operators see them at a glance, and one of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.calls.breaker import Call
from booking.health.backlog import Backlog, backlogs
from booking.health.figures import ENOUGH, Figures, Point, Window, by_call, line, of_calls
from booking.health.pauses.standing import Pause, ended_by_others, pauses
from booking.health.slowly import judged
from booking.health.syncs import Sync, syncs
from booking.offers.answers_slowly import AnswersSlowly, answers_slowly
from booking.views import oversight
from booking.views.oversight import ProviderHealth
from booking.webhooks.health import failing, stopped
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from vip.principal import Principal

SLOW_PART = 0.5
"""Slow is a provider whose p95 takes half of the time that a call may take at the most."""


class Status(StrEnum):
    """How a provider is, the gravest first: an operator paused it; no command is sent because its breaker is open; many
    calls fail; another kind of call has its breaker open; it was never read; calls or answers take long; it is fine.
    QUIET: nothing was asked of it that says how it is."""

    PAUSED = "paused"
    STOPPED = "stopped"
    FAILING = "failing"
    PARTLY = "partly"
    NEVER_READ = "never_read"
    SLOW = "slow"
    FINE = "fine"
    QUIET = "quiet"


@dataclass(frozen=True)
class ProviderState:
    """A provider now. `figures` are those of the last hour by kind of call; `syncs` say of each kind of sync when it
    last succeeded. `pause_ended_at`: when another insurer ended a pause of the operator's, within the last days."""

    health: ProviderHealth
    status: Status
    figures: Mapping[str, Figures]
    backlog: Backlog
    syncs: tuple[Sync, ...]
    webhooks_failing: int
    webhooks_stopped: int
    slow: AnswersSlowly | None
    pause: Pause | None
    pause_ended_at: datetime | None = None

    @property
    def late(self) -> frozenset[str]:
        """The kinds of sync that are overdue."""
        return frozenset(each.kind for each in self.syncs if each.late)

    @property
    def calls(self) -> Figures:
        """All kinds of call as one."""
        return of_calls(self.figures)


@dataclass(frozen=True)
class ProviderInFull:
    """One provider: how it is now, and its figures within `window`, by kind of call and as a line; `answers` is the
    line of how long its answers took."""

    state: ProviderState
    window: Window
    figures: Mapping[str, Figures]
    calls: Sequence[Point]
    answers: Sequence[Point]


def providers(principal: Principal, *, now: datetime) -> list[ProviderState]:
    """All providers by code. Raises NotFound for an operator who may not see them."""
    found = oversight.providers(principal, now=now)
    with reading() as session:
        return _states(session, principal, found, now)


def provider(principal: Principal, code: str, window: Window, *, now: datetime) -> ProviderInFull:
    """One provider by its code. Raises NotFound."""
    found = [each for each in oversight.providers(principal, now=now) if each.code == code]
    if not found:
        raise NotFound(field="provider")
    with reading() as session:
        (state,) = _states(session, principal, found, now)
        return ProviderInFull(state, window, *figures_of(session, found[0].id, window, now=now))


def figures_of(
    session: Session, provider_id: int, window: Window, *, now: datetime
) -> tuple[Mapping[str, Figures], Sequence[Point], Sequence[Point]]:
    """The figures by kind of call, the line of its calls, and the line of its answers."""
    return (
        by_call(session, window, now=now, provider_id=provider_id).get(provider_id, {}),
        line(session, provider_id, window, now=now),
        line(session, provider_id, window, now=now, answers=True),
    )


def _states(
    session: Session, principal: Principal, found: Sequence[ProviderHealth], now: datetime
) -> list[ProviderState]:
    figures, waiting = by_call(session, Window.HOUR, now=now), backlogs(session, now=now)
    hooks_failing, hooks_stopped = failing(), stopped()
    rows = {row.id: row for row in session.scalars(select(Provider).where(Provider.id.in_([it.id for it in found])))}
    paused = pauses(session, principal, list(rows.values()))
    ended = ended_by_others(session, principal, list(rows.values()), now)
    known = judged(session, list(rows.values()), now)
    synced = syncs(session, principal, found, now)
    states = []
    for it in found:
        row, counted = rows[it.id], figures.get(it.id, {})
        slow = answers_slowly(row.answers_slowly_since, row.answers_slowly_reason)
        states.append(
            ProviderState(
                health=it,
                status=status_of(it, of_calls(counted), slow, row.deadline_seconds, answers=it.id in known),
                figures=counted,
                backlog=waiting.get(it.id, Backlog()),
                syncs=synced[it.id],
                webhooks_failing=hooks_failing.get(it.code, 0),
                webhooks_stopped=hooks_stopped.get(it.code, 0),
                slow=slow,
                pause=paused.get(it.id),
                pause_ended_at=ended.get(row.public_id),
            )
        )
    return states


def status_of(
    it: ProviderHealth, calls: Figures, slow: AnswersSlowly | None, deadline_seconds: float, *, answers: bool
) -> Status:
    """How a provider is. `calls` are those of the last hour, of which each may take `deadline_seconds`; `answers`:
    enough is known of those of the last day on which it worked."""
    open_ones = [call for call, breaker in it.breakers.items() if breaker.open_until is not None]
    if it.paused_at is not None:
        return Status.PAUSED
    if Call.COMMANDS in open_ones:
        return Status.STOPPED
    if calls.failing:
        return Status.FAILING
    if open_ones:
        return Status.PARTLY
    if not it.answers_here and not any(it.pulled.values()):
        return Status.NEVER_READ
    late = calls.percentile(0.95) or 0.0
    if slow is not None or (calls.judged >= ENOUGH and late >= SLOW_PART * deadline_seconds * 1000):
        return Status.SLOW
    return Status.FINE if calls.judged or answers else Status.QUIET
