"""The kinds of deeds, and what each carries."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "on_the_way",
    "arrived",
    "met",
    "registered",
    "consulted",
    "examined",
    "medicines_fetched",
    "back_home",
    "note",
    "paper",
    "cost",
    "handed_over",
    "signed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""All, the steps first, in the order in which a visit goes as a rule; any may be left out or come at another point."""

STEPS: tuple[Kind, ...] = KINDS[: KINDS.index("note")]
"""Steps of the visit."""

IN_SERVICE: frozenset[Kind] = frozenset(STEPS[STEPS.index("registered") :])
"""Steps that are done with the person: the visit has begun."""

PRESENCE: frozenset[Kind] = frozenset({"arrived", "met"})
"""Deeds that may be proved by position or by the person's code."""

ENDING: frozenset[Kind] = frozenset({"handed_over", "signed"})
"""Together they end the visit."""

PROGRESS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in {*STEPS, *ENDING})
"""Deeds that say how far she is, in the order of a day."""
THERE: tuple[Kind, ...] = PROGRESS[PROGRESS.index("arrived") :]
"""Those of who has come to where she is to be."""
MET: tuple[Kind, ...] = PROGRESS[PROGRESS.index("met") :]
"""Those of who has met the person."""
