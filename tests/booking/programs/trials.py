"""A live provider with its twin, a run that tries its program, and a worker's pass in this process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta

from sqlalchemy import select, update

from booking.actors import SYSTEM
from booking.calls.connections import connection_of
from booking.certifying.ask import queue_certification
from booking.certifying.carry_out import LEASE, Clock, Heard, ProgramRun, carry_out_next
from booking.exchange import send as outbox
from booking.models import Booking
from booking.programs import run as programs
from booking.states import LIVE
from booking.twins.open import Twin, open_test_mode
from booking.webhooks import send as webhooks
from booking.webhooks.make import make_deliveries
from marketplace.catalog.models import Offer, Provider
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.models import ConformanceRun
from providers.conformance.step import Outcome, RunResult, StepResult
from tests.world import World, make_slot, make_world, set_provider

PATIENCE, QUIET = 6.0, 0.8


@dataclass(frozen=True)
class Stage:
    """`world` is the live provider's, whose offers wait for a certificate; `twin` has slots of today and of later."""

    world: World
    twin: Twin


def make_stage(*, full_slot: bool = True, today: bool = True) -> Stage:
    """The provider and its test mode. The clock is the machine's."""
    world = make_world()
    set_provider(world.provider, adapter="partner")
    twin = open_test_mode(world.provider.id, SYSTEM, clock.now())
    with transaction() as session:
        session.execute(update(Offer).where(Offer.provider_id == world.provider.id).values(certified=False))
        offer = session.scalars(select(Offer).where(Offer.provider_id == twin.id)).one()
        offer.lead_minutes = 0
        noon = clock.start_of(clock.today(clock.HOME_ZONE), None, clock.HOME_ZONE).astimezone(UTC) + timedelta(hours=12)
        session.add_all(make_slot(offer.pool_id, noon + timedelta(days=3, hours=hour), 9) for hour in range(3))
        if today:
            session.add(make_slot(offer.pool_id, noon + timedelta(hours=11, minutes=59), 9))
        if full_slot:
            slot = make_slot(offer.pool_id, noon + timedelta(days=4), 9)
            slot.external_ref = "kit-sold-out-1"
            session.add(slot)
    return Stage(world, twin)


def worker(stage: Stage) -> None:
    """What the worker's threads do: commands are sent, events become messages, and those are sent."""
    with reading() as session:
        known = connection_of(session.get_one(Provider, stage.twin.id))
    for task in outbox.claim_tasks(known, worker="w1", places=10, now=clock.now()):
        outbox.run_task(known, known.open(), task, clock.now)
    make_deliveries(now=clock.now())
    for failing in (False, True):
        for claimed in webhooks.claim(failing=failing, each=3, places=10, now=clock.now()):
            webhooks.send(claimed, clock.now, lambda: 0.0)


def under_way(stage: Stage) -> int:
    """A run at the twin that somebody carries out; its internal id."""
    with transaction() as session:
        queue_certification(session, stage.world.provider.code, SYSTEM, now=clock.now())
        values = {"state": "running", "lease_until": clock.now() + LEASE, "started_at": clock.now()}
        session.execute(update(ConformanceRun).values(tried_id=stage.twin.id, **values))
        return session.scalars(select(ConformanceRun.id)).one()


def certify(stage: Stage, *only: str, patience: float = PATIENCE) -> RunResult:
    """Ask for a run, and carry it out; of some steps alone."""
    with transaction() as session:
        assert queue_certification(session, stage.world.provider.code, SYSTEM, now=clock.now())
    result = carry_out_next(clock.now, quickly(stage, *only, patience=patience))
    assert result is not None
    return result


def quickly(stage: Stage, *only: str, patience: float = PATIENCE) -> ProgramRun:
    """The kit with little patience, beside a worker."""

    def tried(run_id: int, provider_id: int, twin_id: int, now: Clock, heard: Heard) -> RunResult:
        steps = [step for step in programs.PROGRAM_STEPS if not only or step.name in only]
        return programs.try_program(
            run_id, provider_id, twin_id, now, heard,
            patience=patience, quiet=QUIET, meanwhile=lambda: worker(stage), steps=steps,
        )  # fmt: skip

    return tried


def outcomes(result: RunResult) -> dict[str, Outcome]:
    """How each step ended."""
    return {step.name: step.outcome for step in result.steps}


def failed(result: RunResult) -> list[StepResult]:
    """The steps that failed."""
    return [step for step in result.steps if step.outcome is Outcome.FAILED]


def living(stage: Stage) -> list[str]:
    """Bookings that live at the twin."""
    query = select(Booking.public_id).where(Booking.provider_id == stage.twin.id, Booking.state.in_(LIVE))
    with reading() as session:
        return list(session.scalars(query))
