"""One pass of the outbox for one provider: claim, commit, call, settle. No transaction is open during a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from booking.calls import breaker
from booking.calls.breaker import Call, Permit
from booking.calls.connections import ProviderConnection
from booking.exchange.commands import command_for, question_for
from booking.exchange.evidence import Outcome
from booking.exchange.settle import settle_answer, settle_look_up
from booking.exchange.struck import armed_for, note_look_up, send_struck
from booking.outbox import Claimed, claim
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from providers.conversing import OpenConversation, conversing_adapter
from providers.port import Answer, Cancel, Change, Decline, NotFound, ProviderAdapter, Reserve, RetryAfter, Unknown
from providers.registry import capabilities
from providers.reported import RemoteBooking

log = get_logger(__name__)


def claim_tasks(provider: ProviderConnection, *, worker: str, places: int, now: datetime) -> list[Claimed]:
    """Take what is due at this provider: nothing while the breaker of commands is open, one task as its probe."""
    with transaction() as session:
        permit = breaker.ask(session, provider.id, Call.COMMANDS, now=now)
        if permit is None:
            return []
        claimed = claim(
            session,
            provider.id,
            worker=worker,
            places=places,
            paused=provider.paused,
            now=now,
            probe=permit.probe,
        )
        if not claimed:
            breaker.give_back(session, provider.id, Call.COMMANDS, permit)
        return claimed


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
    answer = _ask(provider, adapter, claimed, clock)
    if isinstance(answer, NotFound) and claimed.command == "cancel" and claimed.sent_before:
        answer = _send(adapter, claimed)  # a cancel may be repeated under its key; it can only end a booking
    now = clock()
    _record(provider, claimed, answer, now)  # first: an answer that cannot be settled is one all the same
    if isinstance(answer, RemoteBooking):
        outcome = settle_look_up(claimed, answer, now=now)
    else:
        outcome = settle_answer(claimed, answer, now=now)
    log.info(
        "task.settled",
        provider=provider.code,
        command=claimed.command,
        answer=type(answer).__name__,
        outcome=outcome.what,
        booking=outcome.booking,
    )
    return outcome


def _ask(
    provider: ProviderConnection, adapter: ProviderAdapter, claimed: Claimed, clock: Callable[[], datetime]
) -> Answer | RemoteBooking:
    """Look up what may have been sent; send what was not. Where no key protects from a second booking, a command that
    was tried before is looked up once more right before it is sent again."""
    armed = armed_for(provider, claimed)
    if claimed.sent_before:
        found = _look_up(adapter, claimed)
        if armed is not None:
            note_look_up(armed, found, now=clock())
        return found
    if claimed.tries > 1 and claimed.command != "cancel" and not capabilities(provider.adapter).idempotency_keys:
        found = _look_up(adapter, claimed)
        if not isinstance(found, NotFound):
            return found
    return _send(adapter, claimed) if armed is None else send_struck(armed, lambda: _send(adapter, claimed), clock)


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
        case OpenConversation():
            return conversing_adapter(adapter).open(command)
        case Reserve():
            return adapter.reserve(command)


def _look_up(adapter: ProviderAdapter, claimed: Claimed) -> RemoteBooking | NotFound | Unknown | RetryAfter:
    with reading() as session:
        question = question_for(session, claimed)
    return adapter.look_up(question)


def _record(provider: ProviderConnection, claimed: Claimed, answer: Answer | RemoteBooking, now: datetime) -> None:
    """Tell the breaker of commands. Any answer that can be read is a success, also one that asks to come later."""
    if isinstance(answer, Unknown) or (isinstance(answer, RetryAfter) and not answer.reached):
        breaker.failed(provider.id, Call.COMMANDS, Permit(claimed.probe), now=now)
    else:
        breaker.succeeded(provider.id, Call.COMMANDS)
