"""One pass of the outbox for one provider: claim, commit, call, settle. No transaction is open during a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update

from booking.exchange.commands import command_for, question_for
from booking.exchange.connections import ProviderConnection
from booking.exchange.evidence import Outcome
from booking.exchange.settle import settle_answer, settle_look_up
from booking.outbox import Claimed, claim
from marketplace.catalog.models import Provider
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from providers.port import (
    Answer,
    Cancel,
    Change,
    Decline,
    NotFound,
    ProviderAdapter,
    RemoteBooking,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.registry import capabilities

log = get_logger(__name__)

BREAKER_FAILURES = 5
BREAKER_PAUSE = timedelta(seconds=15)


def claim_tasks(provider: ProviderConnection, *, worker: str, places: int, now: datetime) -> list[Claimed]:
    """Take what is due at this provider; nothing while its breaker is open."""
    if provider.open_until is not None and provider.open_until > now:
        return []
    with transaction() as session:
        return claim(session, provider.id, worker=worker, places=places, paused=provider.paused, now=now)


def run_task(
    provider: ProviderConnection, adapter: ProviderAdapter, claimed: Claimed, clock: Callable[[], datetime]
) -> Outcome:
    """Send a claimed command, or look up what became of it, and settle the answer.

    A claim whose lease would end during the call is left to the next worker: a process that slept must not send what
    another worker may have sent since.
    """
    if clock() + timedelta(seconds=provider.connection.deadline_seconds) >= claimed.lease_until:
        log.warning("task.lease_too_short", provider=provider.code, task=claimed.id)
        return Outcome("stale")
    answer = _ask(provider, adapter, claimed)
    if isinstance(answer, NotFound) and claimed.command == "cancel" and claimed.sent_before:
        answer = _send(adapter, claimed)  # a cancel may be repeated under its key; it can only end a booking
    now = clock()
    if isinstance(answer, RemoteBooking):
        outcome = settle_look_up(claimed, answer, now=now)
    else:
        outcome = settle_answer(claimed, answer, now=now)
    failed = isinstance(answer, Unknown) or (isinstance(answer, RetryAfter) and not answer.reached)
    record_health(provider, failed=failed, now=now)
    log.info(
        "task.settled",
        provider=provider.code,
        command=claimed.command,
        answer=type(answer).__name__,
        outcome=outcome.what,
        booking=outcome.booking,
    )
    return outcome


def _ask(provider: ProviderConnection, adapter: ProviderAdapter, claimed: Claimed) -> Answer | RemoteBooking:
    """Look up what may have been sent; send what was not. Where no key protects from a second booking, a command that
    was tried before is looked up once more right before it is sent again."""
    if claimed.sent_before:
        return _look_up(adapter, claimed)
    if claimed.tries > 1 and claimed.command != "cancel" and not capabilities(provider.adapter).idempotency_keys:
        found = _look_up(adapter, claimed)
        if not isinstance(found, NotFound):
            return found
    return _send(adapter, claimed)


def _send(adapter: ProviderAdapter, claimed: Claimed) -> Answer:
    with reading() as session:
        command = command_for(session, claimed)
    match command:
        case Cancel():
            return adapter.cancel(command)
        case Change():
            return adapter.change(command)
        case Decline():
            return adapter.decline(command)
        case Reserve():
            return adapter.reserve(command)


def _look_up(adapter: ProviderAdapter, claimed: Claimed) -> RemoteBooking | NotFound | Unknown | RetryAfter:
    with reading() as session:
        question = question_for(session, claimed)
    return adapter.look_up(question)


def record_health(provider: ProviderConnection, *, failed: bool, now: datetime) -> None:
    """Count failures in a row; the fifth opens the breaker for a while, a success closes it."""
    with transaction() as session:
        if not failed:
            session.execute(
                update(Provider)
                .where(Provider.id == provider.id, (Provider.failures > 0) | Provider.open_until.is_not(None))
                .values(failures=0, open_until=None)
            )
            return
        failures = session.execute(
            update(Provider)
            .where(Provider.id == provider.id)
            .values(failures=Provider.failures + 1)
            .returning(Provider.failures)
        ).scalar_one()
        if failures >= BREAKER_FAILURES:
            session.execute(update(Provider).where(Provider.id == provider.id).values(open_until=now + BREAKER_PAUSE))
            log.warning("provider.breaker_open", provider=provider.code, failures=failures)
