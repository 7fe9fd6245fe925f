"""Who asks what when, how long clinicians take, and which worker dies: all of it follows from the seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

PLEDGED = 90
"""Seconds that the product promises where an offer says nothing else."""
WORKERS = ("worker-1", "worker-2", "worker-3")
CLOCKS = (0, 3600, -3600)
"""Seconds by which the clocks of three workers are ahead. Two have the right time."""

At = Literal["desk", "outside"]
AT_ONCE: Mapping[At, int] = {"desk": 4, "outside": 5}
"""How many patients a clinician has in hand. At our desk some of 200 wait, since 40 have 160 of them; outside nobody
may, as a clinician there takes as long to sum up as to answer."""


@dataclass(frozen=True)
class Setting:
    """How large it is; times in seconds. `answers`: how long a clinician takes at least and at most; `at_once`: how
    many patients each has in hand; `kill_at`: when a worker dies after the first has asked; `late`: how long after its
    moment a breach may be written. `clinicians_at`: our own desk, or an outside provider with a system of its own."""

    consultations: int = 200
    clinicians: int = 40
    workers: int = 2
    pledged: int = PLEDGED
    answers: tuple[float, float] = (10.0, 150.0)
    kill_at: float = 80.0
    late: float = 2.0
    at_once: int = AT_ONCE["desk"]
    clinicians_at: At = "desk"


@dataclass(frozen=True)
class Words:
    """What a customer says so many seconds after her first words. `twice`: two tries of the same message at once."""

    after: float
    text: str
    twice: bool = False


@dataclass(frozen=True)
class Visit:
    """A customer's consultation. `flagged`: her words have a sign of an emergency. `gives_up`: so many seconds after
    her first words she cancels it, None if she stays."""

    department: str
    language: str
    words: Sequence[Words]
    flagged: bool
    gives_up: float | None


@dataclass(frozen=True)
class Plan:
    """Everything that was decided beforehand. `killed` is the worker that dies."""

    seed: int
    setting: Setting
    visits: Sequence[Visit]
    killed: str

    def dice(self, name: str) -> random.Random:
        """Dice of somebody's own: what others do doesn't change how they fall."""
        return random.Random(f"{self.seed}/{name}")

    @property
    def workers(self) -> Sequence[str]:
        """Their names."""
        return WORKERS[: self.setting.workers]


FIRST = {
    "zh": ("嗓子疼两天了，没有发烧", "身上起了红疹，有点痒", "孩子咳嗽一周", "睡不好，白天没精神"),
    "en": ("My throat has been sore for two days", "An itchy rash on both arms", "I cannot sleep well"),
}
MORE = {
    "zh": ("补充一下：昨晚吃过布洛芬", "还有点头晕", "需要去医院吗？"),
    "en": ("I took ibuprofen last night", "A little dizzy as well", "Should I see someone in person?"),
}
EMERGENCY = {
    "zh": "胸口像被石头压着一样痛，出冷汗，喘不上气",
    "en": "crushing chest pain going into my left arm, sweating",
}
_FLAGGED, _GIVES_UP, _TWICE = 0.08, 0.03, 0.3


def make_plan(seed: int, setting: Setting, departments: Sequence[str]) -> Plan:
    """The plan of a seed, for an offer with these departments."""
    dice = random.Random(f"{seed}/visits")
    visits = [_visit(dice, setting, departments) for _ in range(setting.consultations)]
    return Plan(seed, setting, visits, dice.choice(WORKERS[: setting.workers]))


def _visit(dice: random.Random, setting: Setting, departments: Sequence[str]) -> Visit:
    language = dice.choices(("zh", "en"), (3, 1))[0]
    flagged = dice.random() < _FLAGGED
    first = EMERGENCY[language] if flagged and dice.random() < 0.5 else dice.choice(FIRST[language])
    words = [Words(0.0, first, dice.random() < _TWICE)]
    for _ in range(dice.randrange(4)):
        after = dice.uniform(0.02, 1.2) * setting.pledged
        words.append(Words(after, dice.choice(MORE[language]), dice.random() < _TWICE))
    if flagged and first != EMERGENCY[language]:
        words.append(Words(dice.uniform(0.02, 0.5) * setting.pledged, EMERGENCY[language], dice.random() < _TWICE))
    words.sort(key=lambda each: each.after)
    gives_up = dice.uniform(0.1, 0.9) * setting.pledged if dice.random() < _GIVES_UP else None
    return Visit(dice.choice(departments), language, words, flagged, gives_up)
