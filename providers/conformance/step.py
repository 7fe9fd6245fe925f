"""A step of the kit, what it proves, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from marketplace.core.text import Text
from providers.conformance.words import Said, phrase

K = TypeVar("K")
T = TypeVar("T")

NOTHING_SO = phrase("nothing-of-the-kind", "没有等到", "nothing of the kind")


class Capability(StrEnum):
    """What a system is declared to do, each with a certificate of its own."""

    SLOTS = "slots"
    BOOKING = "booking"
    IDEMPOTENCY = "idempotency"
    CHANGE = "change"
    LISTS = "lists"
    WEBHOOKS = "webhooks"
    REPORTS = "reports"
    CONSULTATIONS = "consultations"
    ESCORTS = "escorts"


class Outcome(StrEnum):
    """How a step ended. One that was not tried proves nothing."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


class Failed(Exception):
    """The system did otherwise than the contract says: what was expected, and what came. No personal data."""

    def __init__(self, expected: Said, came: Said) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected = expected
        self.came = came


class NotTried(Exception):
    """The step cannot be tried here, and why."""

    def __init__(self, why: Said) -> None:
        super().__init__(str(why))
        self.why = why


class NoSuchMode(NotTried):
    """Systems of this protocol have no test mode at all, whoever runs them: the step is not asked of them."""


@dataclass(frozen=True)
class Step(Generic[K]):
    """Something that is tried with a kit (K). `name` stays for ever: stored runs name it; `says` is what the system
    must do, in both languages."""

    name: str
    proves: Capability
    says: Text
    act: Callable[[K], None]


@dataclass(frozen=True)
class StepResult:
    """`transcript`: what was sent and what came, without personal data and secrets; `came` is the reason where the step
    was not tried. `asked`: the capability waits for it; False where its protocol has no way to try it."""

    name: str
    proves: Capability
    says: Text
    outcome: Outcome
    seconds: float
    expected: Said | None = None
    came: Said | None = None
    transcript: Sequence[str | Said] = ()
    asked: bool = True

    def stored(self) -> dict[str, Any]:
        """As JSON: codes and facts, to be shown in either language. `says` is for the time when there is no such step
        any more."""
        return {
            "name": self.name,
            "proves": self.proves.value,
            "says": self.says.en,
            "outcome": self.outcome.value,
            "seconds": round(self.seconds, 3),
            "expected": "" if self.expected is None else self.expected.stored(),
            "came": "" if self.came is None else self.came.stored(),
            "transcript": [each.stored() if isinstance(each, Said) else each for each in self.transcript],
            "asked": self.asked,
        }


@dataclass(frozen=True)
class RunResult:
    """A whole run. `left`: what it made and could not take back."""

    steps: Sequence[StepResult]
    left: Sequence[Said] = ()

    @property
    def capabilities(self) -> list[Capability]:
        """What was to be proved."""
        return [each for each in Capability if any(step.proves is each for step in self.steps)]

    def of(self, capability: Capability) -> list[StepResult]:
        """The steps that prove it."""
        return [step for step in self.steps if step.proves is capability]

    def certified(self, capability: Capability) -> bool:
        """Whether every step that proves it was tried and passed, but for those that its protocol cannot try."""
        steps = [step for step in self.of(capability) if step.asked]
        return bool(steps) and all(step.outcome is Outcome.PASSED for step in steps)

    @property
    def passed(self) -> bool:
        """Whether all of it is certified."""
        return all(self.certified(each) for each in self.capabilities)


def expect(holds: bool, expected: Said, came: Said) -> None:
    """Raise Failed unless it `holds`."""
    if not holds:
        raise Failed(expected, came)


def wait_for(look: Callable[[], T | None], expected: Said, patience: float) -> T:
    """What `look` gives once it gives something. Raises Failed after so many seconds (`patience`)."""
    over, pause = time.monotonic() + patience, 0.1
    while (found := look()) is None:
        if time.monotonic() > over:
            raise Failed(expected, NOTHING_SO())
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)
    return found
