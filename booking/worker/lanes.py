"""The threads of a worker: a lane for each provider, so that a slow one delays nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from booking.calls.breaker import Call
from booking.calls.connections import ProviderConnection, Unusable
from booking.health.counts import Counts
from booking.health.measured import Measured
from marketplace.core.logging import get_logger
from providers.port import ProviderAdapter

log = get_logger(__name__)

T = TypeVar("T")


@dataclass
class Lane:
    """One provider's threads. `provider` is how it is reached, as last read; `busy` counts the commands in its threads,
    so that the bound holds while threads of an earlier size still finish theirs. `counts`: where its calls are
    counted."""

    provider: ProviderConnection
    counts: Counts = field(default_factory=Counts)
    pool: ThreadPoolExecutor = field(init=False)
    busy: int = 0
    ended: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)
    local: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.pool = _threads(self.provider)

    def renew(self, provider: ProviderConnection) -> None:
        """Go on with the provider's new settings. Threads that are too few or too many end after their tasks."""
        with self.guard:
            before, self.provider = self.provider, provider
            if before.max_in_flight == provider.max_in_flight:
                return
            old, self.pool = self.pool, _threads(provider)
        old.shutdown(wait=False)

    def places(self) -> int:
        """How many commands more may be in flight."""
        with self.guard:
            return self.provider.max_in_flight - self.busy

    def put(self, work: Callable[[Lane, T], None], task: T) -> None:
        """Work on what was claimed in one of the threads. In a lane that has ended it stays claimed until its lease is
        over."""
        with self.guard:
            if self.ended:
                return
            self.busy += 1
            self.pool.submit(self._work, work, task)

    def _work(self, work: Callable[[Lane, T], None], task: T) -> None:
        try:
            work(self, task)
        finally:
            with self.guard:
                self.busy -= 1

    def end(self) -> None:
        """Take no more; what is in the threads is finished."""
        with self.guard:
            self.ended = True
        self.pool.shutdown(wait=False)

    def adapter(self, call: Call) -> ProviderAdapter:
        """This thread's adapter for one kind of call, made anew when the provider's settings changed. Calls are counted
        where there is somebody to call."""
        provider = self.provider
        held: tuple[ProviderConnection, ProviderAdapter] | None = getattr(self.local, "held", None)
        if held is None or (held[0].adapter, held[0].connection) != (provider.adapter, provider.connection):
            held = (provider, provider.open())
            self.local.held = held
        return held[1] if provider.answers_here else Measured(held[1], provider.id, call, self.counts)


class Lanes:
    """The lanes of all providers that can be spoken to, by provider id. `counts` are their calls, until written;
    `talking`: those that offer consultations or are in one; `escorting`: those that send somebody."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.talking: frozenset[int] = frozenset()
        self.escorting: frozenset[int] = frozenset()
        self._lanes: dict[int, Lane] = {}
        self._unusable: dict[int, Unusable] = {}

    def all(self) -> list[Lane]:
        """Those of now."""
        return list(self._lanes.values())

    def get(self, provider_id: int) -> Lane | None:
        """The provider's lane, or None if it has gone or cannot be spoken to."""
        return self._lanes.get(provider_id)

    def refresh(self, usable: Sequence[ProviderConnection], unusable: Sequence[Unusable]) -> None:
        """Follow the providers' rows: add, renew and end lanes. A provider that became unusable is logged once."""
        for provider in usable:
            lane = self._lanes.get(provider.id)
            if lane is None:
                self._lanes[provider.id] = Lane(provider, self.counts)
            else:
                lane.renew(provider)
        for gone in self._lanes.keys() - {provider.id for provider in usable}:
            self._lanes.pop(gone).end()
        found = {each.id: each for each in unusable}
        for provider_id, each in found.items():
            if self._unusable.get(provider_id) != each:
                log.error("provider.unusable", provider=each.code, reason=each.reason)
        for provider_id in self._unusable.keys() - found.keys():
            log.info("provider.usable_again", provider=self._unusable[provider_id].code)
        self._unusable = found

    def close(self) -> None:
        """Wait for what is in flight; what has not begun is left to another worker."""
        for lane in self._lanes.values():
            lane.pool.shutdown(wait=True, cancel_futures=True)


def _threads(provider: ProviderConnection) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(provider.max_in_flight, thread_name_prefix=provider.code)
