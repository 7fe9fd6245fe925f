"""Mistakes of an earlier run found in today's tree, by file and text: lines move, and modules get other rooms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mutate.mutants import Mutant, mutants

_LINE = re.compile(r"(?:survived|untested) +(?P<file>\S+\.py):(?P<line>\d+)  (?P<told>.*?)\s*")


@dataclass(frozen=True)
class Wanted:
    """A mistake as an earlier run told of it; `line` is that day's."""

    file: Path
    line: int
    told: str


@dataclass(frozen=True)
class Again:
    """What was found in the tree, and what is gone from it: its text has changed, or is no longer there."""

    found: list[tuple[Path, Mutant]]
    gone: list[Wanted]


def unnoticed(output: str) -> list[Wanted]:
    """What no test noticed, by the output of a run; each line of it once."""
    lines = (_LINE.fullmatch(line) for line in output.splitlines())
    return [Wanted(Path(line["file"]), int(line["line"]), line["told"]) for line in lines if line]


def find(tree: Path, wanted: Iterable[Wanted]) -> Again:
    """Each in today's tree: in its module or, when that has moved, in one of the same name under the same first folder;
    of several with the same text the nearest to the line of that day, and none twice."""
    again = Again([], [])
    read = cache(lambda file: (source := (tree / file).read_bytes(), mutants(source)))
    for one in wanted:
        there = [
            (abs(mutant.line - one.line), number, (file, mutant))
            for number, file in enumerate(_modules(tree, one.file))
            for source, made in [read(file)]
            for mutant in made
            if mutant.told(source) == one.told and (file, mutant) not in again.found
        ]
        if there:
            again.found.append(min(there, key=lambda entry: entry[:2])[2])
        else:
            again.gone.append(one)
    return again


def _modules(tree: Path, file: Path) -> Sequence[Path]:
    if (tree / file).is_file():
        return [file]
    return sorted(path.relative_to(tree) for path in (tree / file.parts[0]).rglob(file.name))
