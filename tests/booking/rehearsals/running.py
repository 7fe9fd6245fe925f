"""A rehearsal run to its end with a partner's program."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from booking.actors import Actor
from booking.calls.connections import connection_of
from booking.exchange import send as outbox
from booking.faults import strike
from booking.faults.kinds import Kind
from booking.rehearsals import ask, view
from booking.rehearsals.ask import Wanted
from booking.rehearsals.carry_out import carry_on
from booking.rehearsals.view import RehearsalView
from booking.webhooks.make import make_deliveries
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.port import ProviderAdapter
from tests.booking.twins.stage import Stage, with_twin
from tests.booking.webhooks.hooks import send_due
from tests.people import NOON
from tests.world import make_world

BY = Actor("provider", "mbr_1")
MOST_STEPS = 1500
SECOND, LONGEST = timedelta(seconds=1), timedelta(seconds=8)


def staged(*, adapter: str = "partner", slots: int = 12) -> tuple[Stage, Provider]:
    """A provider with a twin that speaks so, and the twin's row."""
    stage = with_twin(make_world(), capacity=5, slots=slots)
    with transaction() as session:
        twin = session.get_one(Provider, stage.twin.id)
        twin.adapter = adapter
    strike.forget()
    return stage, twin


def asked(twin_id: int, kinds: Collection[Kind], bookings: int, *, seed: int = 7, now: datetime = NOON) -> str:
    """A rehearsal that waits for the worker."""
    return ask.ask(twin_id, Wanted(kinds, bookings, seed), BY, now=now)


def second(twin_id: int, now: datetime, *, adapter: ProviderAdapter | None = None) -> None:
    """What a worker does in a second."""
    with clock.frozen(now):
        carry_on(lambda: now)
        _commands(twin_id, now, adapter)
        make_deliveries(now=now)
        send_due(now)


def _commands(twin_id: int, now: datetime, adapter: ProviderAdapter | None) -> None:
    with reading() as session:
        known = connection_of(session.get_one(Provider, twin_id))
    for task in outbox.claim_tasks(known, worker="w1", places=10, now=now):
        outbox.run_task(known, adapter or known.open(), task, lambda: now)


def run(
    twin_id: int,
    rehearsal: str,
    act: Callable[[datetime], None] = lambda _now: None,
    *,
    now: datetime = NOON,
    adapter: ProviderAdapter | None = None,
) -> RehearsalView:
    """Until it has ended; `act` is what the partner's program does each time. Second by second while anything is noted
    of it, and in longer and longer strides while nothing is: a minute of silence is no sixty looks at it."""
    stride, before = SECOND, view.rehearsal(twin_id, rehearsal)
    for _step in range(MOST_STEPS):
        now += stride
        act(now)
        second(twin_id, now, adapter=adapter)
        act(now)
        it = view.rehearsal(twin_id, rehearsal)
        if it.finished_at is not None:
            return it
        stride, before = min(2 * stride, LONGEST) if it == before else SECOND, it
    raise AssertionError(f"it did not end: {before}")


def verdicts(it: RehearsalView) -> dict[str, tuple[str, str]]:
    """What each booking was judged, by its fault."""
    return {each.fault: (each.state, each.reason) for each in it.results}
