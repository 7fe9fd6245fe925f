"""Reading from a provider through its breakers: what a job asks, and what its end tells them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from booking.calls import breaker
from booking.calls.breaker import Call, Permit, pause
from booking.calls.connections import ProviderConnection
from booking.feeds.cursors import NotApplied
from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger
from providers.port import ComeBackLater, ProviderError

log = get_logger(__name__)

JITTER = 0.2
"""How much longer than asked for a pause may be, as a part of it."""


class LeftAlone(ProviderError):
    """The provider was not asked: its breaker for this kind of call is open, or it asked for a pause."""


def through(
    call: Call,
    provider: ProviderConnection,
    work: Callable[[], dict[str, int]],
    clock: Callable[[], datetime],
    *,
    may_idle: bool = False,
    chance: Callable[[], float] = random.random,
) -> dict[str, int]:
    """Do `work`, which reads from the provider, and return its counts. Raises LeftAlone, and what `work` raises.

    A failure counts against the breaker of this kind alone, and a success closes that one alone. With `may_idle`, work
    that counts nothing has not called the provider. One that asks for a pause is left alone for it, and a little longer
    by `chance` (0 to 1), so that not all of its callers come back at the same moment.
    """
    with transaction() as session:
        permit = breaker.ask(session, provider.id, call, now=clock())
    if permit is None:
        raise LeftAlone(f"not asked ({call.value}): the breaker is open, or a pause was asked for")
    try:
        counts = work()
    except NotApplied:  # it was read; what could not be applied is our trouble
        breaker.succeeded(provider.id, call)
        raise
    except ComeBackLater as asked:
        seconds = pause(asked.retry_after).total_seconds() * (1 + JITTER * chance())
        breaker.come_back(provider.id, call, permit, seconds=seconds, now=clock())
        log.info("provider.asks_for_a_pause", provider=provider.code, call=call.value, seconds=round(seconds))
        raise
    except ProviderError as problem:
        breaker.failed(provider.id, call, permit, now=clock())
        log.warning("provider.unreadable", provider=provider.code, call=call.value, reason=str(problem)[:120])
        raise
    _record(provider.id, call, permit, counts, may_idle, clock())
    return counts


def _record(
    provider_id: int, call: Call, permit: Permit, counts: dict[str, int], may_idle: bool, now: datetime
) -> None:
    """Tell the breaker how work ended that raised nothing. Reports that could not be fetched are only counted."""
    if counts and set(counts) == {"failed"}:
        breaker.failed(provider_id, call, permit, now=now)
    elif counts or not may_idle:
        breaker.succeeded(provider_id, call)
    else:
        with transaction() as session:
            breaker.give_back(session, provider_id, call, permit)
