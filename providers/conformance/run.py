"""A run of the kit: what an earlier one left is taken back, each step is tried, and what was made is taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from providers.adapters.http import overhear
from providers.conformance.clean import clean
from providers.conformance.journal import Journal
from providers.conformance.kit import Kit, Target, declared
from providers.conformance.listening import Listener
from providers.conformance.step import (
    Capability,
    Failed,
    K,
    NoSuchMode,
    NotTried,
    Outcome,
    RunResult,
    Step,
    StepResult,
)
from providers.conformance.steps import (
    booking,
    change,
    consultations,
    escorts,
    idempotency,
    lists,
    reports,
    said,
    slots,
    webhooks,
)
from providers.conformance.transcript import Transcript, in_words
from providers.conformance.words import Said, phrase
from providers.port import ProviderError

NOT_REACHED = phrase(
    "provider-not-reached", "无法访问服务方（{reason}）", "the provider could not be reached ({reason})"
)
NO_TIME_LEFT = phrase("run-out-of-time", "没有时间了", "no time was left")
AS_THE_CONTRACT = phrase("answer-as-contract", "符合约定的回复", "an answer as the contract has it")

STEPS: Sequence[Step[Kit]] = (
    *slots.STEPS,
    *booking.STEPS,
    *idempotency.STEPS,
    *change.STEPS,
    *lists.STEPS,
    *webhooks.STEPS,
    *reports.STEPS,
    *consultations.STEPS,
    *said.STEPS,
    *escorts.STEPS,
)


def run(
    target: Target,
    journal: Journal,
    listener: Listener | None = None,
    *,
    only: Sequence[Capability] | None = None,
    most_seconds: float = 600.0,
    heard: Callable[[StepResult], None] = lambda _: None,
) -> RunResult:
    """Try every step of the declared capabilities, or of those in `only`; consultations where the provider says that it
    answers some, escorts where it sends some, or where they are asked for by name. `heard` is told of each step as it
    ends. What has not begun after `most_seconds` is not tried."""
    kit, over = Kit(target, journal, listener), time.monotonic() + most_seconds
    results: list[StepResult] = []
    with _overheard(kit):
        away: Said | None = None
        try:
            kit.prepare()
            clean(kit, answered=False)
        except ProviderError as error:
            away = NOT_REACHED(reason=in_words(error))
        wanted = _wanted(kit, only)
        for step in STEPS:
            if step.proves not in wanted:
                continue
            if time.monotonic() > over:
                result = not_tried(step, NO_TIME_LEFT())
            elif away is None:
                result = _try(kit, step)
            else:
                result = not_tried(step, away)
            results.append(result)
            heard(result)
        left = clean(kit)
    return RunResult(results, left)


def _wanted(kit: Kit, only: Sequence[Capability] | None) -> list[Capability]:
    left_out = set() if kit.target.connection.webhook_secrets else {Capability.WEBHOOKS}
    if only is None and not kit.consultation[0]:
        left_out.add(Capability.CONSULTATIONS)
    if only is None and not kit.escort[0]:
        left_out.add(Capability.ESCORTS)
    return [each for each in declared(kit.target.adapter) if each not in left_out and (only is None or each in only)]


def clean_up(target: Target, journal: Journal, *, goes_on: Callable[[], bool] = lambda: True) -> list[Said]:
    """Take back what earlier runs left, as long as it `goes_on`; returns what is left still. Raises ProviderError."""
    kit = Kit(target, journal)
    kit.prepare()
    return clean(kit, answered=False, goes_on=goes_on)


@contextmanager
def _overheard(kit: Kit) -> Iterator[None]:
    token = overhear.set(lambda call, parts, came: kit.transcript.heard(call, parts, came))
    try:
        yield
    finally:
        overhear.reset(token)


def _try(kit: Kit, step: Step[Kit]) -> StepResult:
    result = attempt(step, kit, kit.new_transcript())
    kit.new_transcript()  # what follows is not the step's
    clean(kit)
    return result


def attempt(step: Step[K], kit: K, transcript: Transcript) -> StepResult:
    """Try one step; what came of it, with its transcript where it failed."""
    began = time.monotonic()
    outcome, expected, came, asked = Outcome.PASSED, None, None, True
    try:
        step.act(kit)
    except NotTried as error:
        asked = not isinstance(error, NoSuchMode)
        outcome, came = Outcome.NOT_TRIED, error.why
    except Failed as error:
        outcome, expected, came = Outcome.FAILED, error.expected, error.came
    except ProviderError as error:
        outcome, expected, came = Outcome.FAILED, AS_THE_CONTRACT(), in_words(error)
    seconds = time.monotonic() - began
    lines = tuple(transcript.lines) if outcome is Outcome.FAILED else ()
    came = None if came is None else came.each(lambda text: transcript.blot(text)[:300])
    return StepResult(step.name, step.proves, step.says, outcome, seconds, expected, came, lines, asked)


def not_tried(step: Step[K], why: Said) -> StepResult:
    """The result of a step that did not begin."""
    return StepResult(step.name, step.proves, step.says, Outcome.NOT_TRIED, 0.0, came=why)
