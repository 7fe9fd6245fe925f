"""What a system did under a fault, judged from the timeline alone: right, wrong by a reason, or not decided yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from booking.faults.kinds import Kind

PATIENCE = timedelta(seconds=60)
"""How long a system is waited for: it should answer within seconds, and repeat within seconds."""
PATIENCE_WITH_SYSTEMS = timedelta(seconds=300)
"""The same for a system that we call: a command whose answer was lost is looked up after its settle window."""
QUIET = timedelta(seconds=5)
"""So long nothing more must come before a booking passes where too much would be the mistake."""
QUIET_AFTER_A_NO = timedelta(seconds=12)
MOST_TRIES = 3
"""So often a booking that is gone may be answered: as it was known, after looking again, and once more for good
measure. The fourth is somebody who tries for ever."""

TYPES_OF_A_CANCEL = ("booking.cancelled", "booking.cancel_asked")
"""Events that tell of the customer's cancel."""

REASONS = (
    *("repeated", "not_repeated", "other_key", "no_answer", "answered_once", "answered_twice", "second_refused"),
    *("not_taken", "not_reached", "older_ignored", "believed_older", "older_refused", "skew_refused", "skew_accepted"),
    *("accepted_the_end", "retried_for_ever", "found", "not_found", "same_booking", "made_twice"),
    *("no_endpoint", "not_with_systems", "not_booked", "stopped"),
)
"""Every code that a verdict can have; the last four say why something was not tried."""
NEVER_STRIKES = "not_with_systems"
"""That of them for which nothing can be done: without such a fault a rehearsal is complete."""


@dataclass(frozen=True)
class Step:
    """A line of the timeline (booking.faults.models.RehearsalStep)."""

    at: datetime
    by: str
    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was answered by a 2xx."""
        status = self.facts.get("status")
        return isinstance(status, int) and 200 <= status < 300


@dataclass(frozen=True)
class Verdict:
    """`reason` is one of REASONS."""

    right: bool
    reason: str


@dataclass(frozen=True)
class Case:
    """One test booking as it is to be judged. `told`: her endpoint is told of the customer's cancel."""

    steps: Sequence[Step]
    now: datetime
    told: bool = True

    def after(self, what: str) -> Sequence[Step]:
        """What follows the first step of this name; nothing if there is none."""
        found = next((at for at, step in enumerate(self.steps) if step.what == what), None)
        return () if found is None else self.steps[found + 1 :]

    def all(self, what: str) -> Sequence[Step]:
        """The steps of this name."""
        return [step for step in self.steps if step.what == what]

    def quiet(self, how_long: timedelta = QUIET) -> bool:
        """Whether nothing but looking at the booking has happened for so long."""
        done = [step for step in self.steps if step.what != "read"]
        return bool(done) and self.now - done[-1].at >= how_long

    def over(self, patience: timedelta = PATIENCE) -> bool:
        """Whether nothing that counts will come any more: it was quiet for so long, or all went on for thrice that."""
        return bool(self.steps) and (self.quiet(patience) or self.now - self.steps[0].at >= 3 * patience)


def judge(kind: Kind, case: Case) -> Verdict | None:
    """The verdict; None while it can still become either."""
    return _JUDGES[kind](case)


def judge_system(kind: Kind, case: Case) -> Verdict | None:
    """The same for a system that we call, which is struck by kinds.OF_SYSTEMS alone."""
    if kind is Kind.LOST_ANSWER:
        looked = [step for step in case.after("answer_lost") if step.what == "looked_up"]
        if any(step.facts.get("found") for step in looked):
            return Verdict(True, "found")
        if case.over(PATIENCE_WITH_SYSTEMS):
            return Verdict(False, "not_found" if looked else "no_answer")
        return None
    sent = case.all("command_answered")
    if len(sent) >= 2:
        same = sent[0].facts.get("answer") == sent[1].facts.get("answer")
        return Verdict(same, "same_booking" if same else "made_twice")
    return Verdict(False, "no_answer") if case.over(PATIENCE_WITH_SYSTEMS) else None


def _lost_answer(case: Case) -> Verdict | None:
    lost = next((step for step in case.steps if step.what == "answer_lost"), None)
    if lost is None:
        return _unless_over(case, _silence(case))
    for step in case.after("answer_lost"):
        if step.what == "answered" and step.facts.get("answer") == lost.facts.get("answer"):
            if step.facts.get("key") != lost.facts.get("key"):
                return Verdict(False, "other_key")
            if step.ok:
                return Verdict(True, "repeated")
    return _unless_over(case, "not_repeated")


def _duplicate(case: Case) -> Verdict | None:
    copies = case.all("delivered")
    if any(step.facts.get("copy") == 2 and not step.ok for step in copies):
        return Verdict(False, "second_refused")
    if _twice(case):
        return Verdict(False, "answered_twice")
    done = any(step.ok for step in case.all("answered"))
    if done and any(step.facts.get("copy") == 2 for step in copies) and case.quiet():
        return Verdict(True, "answered_once")
    return _unless_over(case, _silence(case))


def _out_of_order(case: Case) -> Verdict | None:
    newer = next((step for step in case.steps if step.what == "sent_ahead" and step.ok), None)
    if newer is None:
        return _unless_over(case, _silence(case, "sent_ahead", "not_taken"))
    since = case.steps[case.steps.index(newer) + 1 :]
    if any(step.what == "answered" for step in since):
        return Verdict(False, "believed_older")
    older = [step for step in since if step.what == "delivered"]
    if any(not step.ok for step in older):
        return Verdict(False, "older_refused")
    if older and case.quiet():
        return Verdict(True, "older_ignored")
    return _unless_over(case, "not_taken")


def _clock_skew(case: Case) -> Verdict | None:
    skewed = case.all("sent_skewed")
    if any(step.ok for step in skewed):
        return Verdict(False, "skew_accepted")
    taken = any(step.ok for step in case.all("delivered"))
    if skewed and taken and any(step.ok for step in case.all("answered")):
        return Verdict(True, "skew_refused")
    return _unless_over(case, "no_answer" if taken else _silence(case))


def _gone(case: Case) -> Verdict | None:
    if not case.all("cancelled"):
        return _unless_over(case, _silence(case))
    tries = [step for step in case.after("cancelled") if step.what == "answered"]
    if len(tries) > MOST_TRIES:
        return Verdict(False, "retried_for_ever")
    if tries and case.quiet(QUIET_AFTER_A_NO):
        return Verdict(True, "accepted_the_end")
    return _unless_over(case, "no_answer")


def _late(case: Case) -> Verdict | None:
    if not case.all("cancelled"):
        return _unless_over(case, _silence(case))
    if _twice(case):
        return Verdict(False, "answered_twice")
    heard = False
    keys: set[object] = set()
    for step in case.steps:
        heard = heard or (step.what == "delivered" and step.ok and step.facts.get("type") in TYPES_OF_A_CANCEL)
        if step.what == "answered":
            if heard and step.facts.get("key") not in keys:
                return Verdict(False, "believed_older")
            keys.add(step.facts.get("key"))
    if case.told and not heard:
        return _unless_over(case, "not_taken")
    return Verdict(True, "accepted_the_end") if case.quiet() else None


def _twice(case: Case) -> bool:
    """Whether one answer was given under two keys: it was meant twice, whatever became of it."""
    keys: dict[object, set[object]] = {}
    for step in case.all("answered"):
        keys.setdefault(step.facts.get("answer"), set()).add(step.facts.get("key"))
    return any(len(each) > 1 for each in keys.values())


def _silence(case: Case, what: str = "delivered", without: str = "no_answer") -> str:
    """Why nothing came back: no webhook (a step of this name) reached the partner, none was taken, or no answer
    followed. `without`: the reason where none was sent."""
    sent = case.all(what)
    if not sent:
        return without
    if any(step.ok for step in sent):
        return "no_answer"
    return "not_taken" if any(step.facts.get("status") is not None for step in sent) else "not_reached"


def _unless_over(case: Case, reason: str) -> Verdict | None:
    return Verdict(False, reason) if case.over() else None


_JUDGES: Mapping[Kind, Callable[[Case], Verdict | None]] = {
    Kind.LOST_ANSWER: _lost_answer,
    Kind.DUPLICATE: _duplicate,
    Kind.OUT_OF_ORDER: _out_of_order,
    Kind.CLOCK_SKEW: _clock_skew,
    Kind.GONE: _gone,
    Kind.LATE: _late,
}
