"""A run that tries a provider's program at its twin: what an earlier run left is taken back, each step is tried, and
what was booked is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from booking.certifying.journal import TableJournal
from booking.programs.clean import clean
from booking.programs.kit import ProgramKit, Trial
from booking.programs.steps import booking, reports, webhooks
from booking.programs.watch import forget_calls
from marketplace.core.database.db import transaction
from providers.conformance.certificates.models import ConformanceRun
from providers.conformance.run import NO_TIME_LEFT, attempt, not_tried
from providers.conformance.step import RunResult, Step, StepResult

PROGRAM_STEPS: Sequence[Step[ProgramKit]] = (*booking.STEPS, *webhooks.STEPS, *reports.STEPS)
MOST_SECONDS = 1500.0


def try_program(
    run_id: int,
    provider_id: int,
    twin_id: int,
    clock: Callable[[], datetime],
    heard: Callable[[StepResult], None],
    *,
    patience: float = 60.0,
    quiet: float = 5.0,
    meanwhile: Callable[[], None] = lambda: None,
    steps: Sequence[Step[ProgramKit]] = PROGRAM_STEPS,
) -> RunResult:
    """Try every step. `heard` is told of each as it ends; the worker's threads must run meanwhile, or `meanwhile` does
    their work. What has not begun after MOST_SECONDS is not tried."""
    over = time.monotonic() + MOST_SECONDS
    _begin(run_id, twin_id)
    clean(provider_id, twin_id, now=clock())
    kit = ProgramKit(Trial(run_id, twin_id, TableJournal(provider_id), clock, patience, quiet, meanwhile))
    results: list[StepResult] = []
    try:
        for step in steps:
            late = time.monotonic() > over
            result = not_tried(step, NO_TIME_LEFT()) if late else attempt(step, kit, kit.new_transcript())
            clean(provider_id, twin_id, now=clock())
            results.append(result)
            heard(result)
        left = clean(provider_id, twin_id, now=clock())
    finally:
        forget_calls(run_id)
    return RunResult(results, left)


def _begin(run_id: int, twin_id: int) -> None:
    """From now on the calls of the twin's program are noted."""
    with transaction() as session:
        session.get_one(ConformanceRun, run_id).tried_id = twin_id
