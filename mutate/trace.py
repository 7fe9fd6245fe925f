"""Which test touches which lines: asked once for a state of the code, and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutate.mutants import Mutant

MOST_SECONDS = 60.0
"""Of tests a mistake: what runs on each line of every booking isn't tried with the whole suite."""


PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:schemathesis"]


@dataclass(frozen=True)
class Trace:
    """`lines[file][line]` names tests; a line with none ran while its module was imported. `seconds` a test."""

    lines: Mapping[str, Mapping[int, Sequence[str]]]
    seconds: Mapping[str, float]
    failed: frozenset[str]

    def tests(self, file: Path, mutant: Mutant) -> list[str]:
        """The tests for a mistake, those of the module's own room first and then the quickest; none if it never runs.

        What runs at import is tried with every test that touches the file.
        """
        known = self.lines.get(str(file), {})
        lines = [number for number in range(mutant.first, mutant.last + 1) if number in known]
        found = {test for number in lines for test in known[number]}
        if lines and not found:
            found = {test for tests in known.values() for test in tests}
        return self._as_many_as_may_be(file, found - self.failed)

    def _as_many_as_may_be(self, file: Path, found: set[str]) -> list[str]:
        room = f"tests/{file.parent}/"
        chosen: list[str] = []
        total = 0.0
        for test in sorted(found, key=lambda test: (not test.startswith(room), self.seconds[test], test)):
            total += self.seconds[test]
            if chosen and total > MOST_SECONDS:
                break
            chosen.append(test)
        return chosen


def trace(copy: Path, tests: Sequence[str], environment: Mapping[str, str], kept: Path) -> Trace:
    """Run the tests once under coverage, or read what an earlier run of the same code wrote to `kept`."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".draft")
        ran = subprocess.run(
            [*PYTEST, "-p", "mutate.tracing", *tests],
            cwd=copy,
            env={**environment, "MUTATE_TRACE": str(draft)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not draft.exists():
            raise RuntimeError(f"the tests did not run: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        draft.rename(kept)
    raw = json.loads(kept.read_text(encoding="utf-8"))
    lines = {file: {int(line): tests for line, tests in found.items()} for file, found in raw["lines"].items()}
    return Trace(lines, raw["seconds"], frozenset(raw["failed"]))
