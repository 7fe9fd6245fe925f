"""Which fault strikes which test booking, and when: made from a seed alone, the same for ever.

It is drawn with SHA-256 and not with `random`, whose shuffles may change from one Python to the next. A seed that a
partner keeps in her CI, or quotes to us, must mean the same after an upgrade.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from booking.faults.kinds import Kind

MOST_BOOKINGS = 20
LARGEST_SEED = 999_999_999
"""Nine digits: a number that can be read out."""
SKEW_SECONDS = 600
"""How wrong the clock of a skewed webhook is; Standard Webhooks lets receivers allow five minutes."""
_FORM = "anxiang rehearsal plan 1"


@dataclass(frozen=True)
class Fault:
    """What strikes one test booking. `number` counts from 1, in the order in which they are made.

    `seconds`: of `lost_answer` and `late` for how long our answer is held back; of `clock_skew` what is added to the
    time, negative for the past; else 0. `hold`: of `late`, for how long the first webhook is held back; else 0.
    """

    number: int
    kind: Kind
    seconds: int = 0
    hold: int = 0


def plan(seed: int, kinds: Collection[Kind], bookings: int) -> tuple[Fault, ...]:
    """One fault for each test booking. The kinds are dealt out like a pack of cards: each comes once before any comes
    again, in an order that the seed gives. The order and number of `kinds` as they are given say nothing."""
    pack = [kind for kind in Kind if kind in kinds]
    faults: list[Fault] = []
    dealt = 0
    while len(faults) < bookings:
        mixed = sorted(pack, key=lambda kind: _draw(seed, "deal", dealt, kind.value))
        faults += [_fault(seed, len(faults) + 1 + at, kind) for at, kind in enumerate(mixed)]
        dealt += 1
    return tuple(faults[:bookings])


def _fault(seed: int, number: int, kind: Kind) -> Fault:
    draw = _draw(seed, "when", number, kind.value)
    match kind:
        case Kind.LOST_ANSWER:
            return Fault(number, kind, 1 + draw % 3)
        case Kind.CLOCK_SKEW:
            return Fault(number, kind, SKEW_SECONDS if draw % 2 else -SKEW_SECONDS)
        case Kind.LATE:
            return Fault(number, kind, 2 + draw % 3, hold=3 + draw // 3 % 6)
        case _:
            return Fault(number, kind)


def _draw(seed: int, what: str, number: int, kind: str) -> int:
    text = f"{_FORM}/{seed}/{what}/{number}/{kind}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
