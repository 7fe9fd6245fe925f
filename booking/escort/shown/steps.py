"""The steps of an escort: what was done, by whom was sent, what is now and what comes next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from booking.escort.evidence.doubt import Doubt

PLANNED = (
    "on_the_way",
    "arrived",
    "met",
    "registered",
    "consulted",
    "examined",
    "medicines_fetched",
    "back_home",
    "handed_over",
)
"""The steps in their usual order. One that was not needed (no examination, nothing to fetch) is passed over."""
TO_MEET = PLANNED[:3]
"""Those that every escort does herself: whoever takes over sets out, arrives and meets anew."""
REPLACED = "replaced"
"""Another escort took over."""
SIGNED_OFF = ("handed_over", "signed")
"""Deeds that say that the escort is over."""
_SHOWN = frozenset({*PLANNED, "signed"})
SPEAKS = frozenset(PLANNED) - set(SIGNED_OFF)
"""Steps whose own words stand under them; those of the end are the note at the end."""

StepState = Literal["done", "now", "next"]


@dataclass(frozen=True)
class StepDeed:
    """A deed as it is told: `at` is when it was done, by the phone's clock. `position`: within (near the place by
    its position), away or not_checkable; None where it was not asked for. `by_code`: the customer's code was given.
    `doubt`: why `at` can't be quite true (evidence.doubt). `early`: it says that it is over, before it had begun.
    `words`: what was written at this step."""

    kind: str
    at: datetime
    position: str | None = None
    by_code: bool = False
    doubt: Doubt | None = None
    early: bool = False
    words: str = field(default="", repr=False)


@dataclass(frozen=True)
class Sent:
    """Somebody who was sent, with her deeds in their order. `replaced_at`: when another one took over; None while she
    is the one who comes, or came."""

    name: str
    deeds: tuple[StepDeed, ...] = ()
    replaced_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """A line of the timeline. `what`: a kind of deed or REPLACED; `at`: when it was done, None for what is to come;
    `doubt`: why that can't be quite true. `words`: what was written at it."""

    what: str
    state: StepState
    at: datetime | None = None
    position: str | None = None
    by_code: bool = False
    doubt: Doubt | None = None
    words: str = field(default="", repr=False)


def steps(sent: Sequence[Sent], *, over: bool) -> tuple[Step, ...]:
    """The timeline, from those who were sent in their order. Where it is `over`, nothing comes any more; while nobody
    comes, nothing is now."""
    lines: list[Step] = []
    for one in sent:
        lines += [_done(it) for it in one.deeds if it.kind in _SHOWN]
        if one.replaced_at is not None:
            lines.append(Step(REPLACED, "done", one.replaced_at))
    return tuple(lines) if over else (*lines, *_coming(sent))


def _done(deed: StepDeed) -> Step:
    return Step(deed.kind, "done", deed.at, deed.position, deed.by_code, deed.doubt, deed.words)


def _coming(sent: Sequence[Sent]) -> list[Step]:
    """The planned steps after the last one done. What is done to meet, and that it is over, counts of the one who comes
    alone."""
    comes = sent[-1] if sent and sent[-1].replaced_at is None else None
    hers = {it.kind for it in comes.deeds if not it.early} if comes else set()
    anybodys = hers | {it.kind for one in sent for it in one.deeds if it.kind not in SIGNED_OFF}
    if "signed" in hers:
        return []
    met = bool(hers - set(TO_MEET) & set(PLANNED))
    done = anybodys if met or "met" in hers else hers & set(TO_MEET)
    last = max((number for number, kind in enumerate(PLANNED) if kind in done), default=-1)
    rest = PLANNED[last + 1 :]
    if done is not anybodys:  # she is on her way to somebody with whom another one had begun
        rest = tuple(kind for kind in rest if kind in TO_MEET or kind not in anybodys)
    return [Step(kind, "now" if comes and not number else "next") for number, kind in enumerate(rest)]


def signed_off(sent: Sequence[Sent]) -> datetime | None:
    """When the escort was said to be over, the first time, by who comes or came; None before."""
    over = (
        it.at for one in sent if one.replaced_at is None for it in one.deeds if it.kind in SIGNED_OFF and not it.early
    )
    return min(over, default=None)
