"""A run: mistakes drawn evenly from all modules, each tried in a copy of the tree, until the time is over."""

from __future__ import annotations

import compileall
import json
import os
import py_compile
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, cast

from marketplace.core.config import ROOT
from marketplace.development.database import DevDatabase
from mutate.again import Wanted, find
from mutate.copies import copy_tree, fingerprint
from mutate.mutants import Mutant, mutants
from mutate.targets import Targets
from mutate.trace import Trace, trace


@dataclass(frozen=True)
class Options:
    """`tree` is copied, `kept` keeps traces; at most `most` mistakes in at most `seconds`, drawn by `seed`.

    A mistake's tests may take `patience` seconds beyond four times what they took without it. `again`: these mistakes
    of an earlier run instead of a draw.
    """

    tree: Path
    kept: Path
    seed: int
    seconds: float
    most: int | None = None
    lanes: int = 2
    patience: float = 60.0
    again: Sequence[Wanted] = ()


@dataclass(frozen=True)
class Trial:
    """What became of one mistake: killed | timeout (both are found), survived, untested (no test gets there)."""

    file: Path
    mutant: Mutant
    told: str
    outcome: str
    by: str
    tests: int

    @property
    def found(self) -> bool:
        """Whether a test noticed."""
        return self.outcome in ("killed", "timeout")


Draw = list[tuple[Path, Mutant]]


def draw(tree: Path, targets: Targets, seed: int) -> Draw:
    """All mistakes, shuffled within each module and one of each in turn, so that any beginning is a fair sample."""
    shuffled = []
    for file in targets.files(tree):
        made = mutants((tree / file).read_bytes())
        random.Random(f"{seed}:{file}").shuffle(made)
        shuffled.append([(file, mutant) for mutant in made])
    return [one for turn in zip_longest(*shuffled) for one in turn if one is not None]


def chosen(tree: Path, options: Options, targets: Targets) -> Draw:
    """What a run tries in a tree, in order."""
    drawn = find(tree, options.again).found if options.again else draw(tree, targets, options.seed)
    return drawn[: options.most]


def run(options: Options, targets: Targets, tell: Callable[[Trial], None]) -> list[Trial]:
    """Try what was drawn, `lanes` at a time, on one PostgreSQL; `tell` hears of each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anxiang-mutate-")))
        stack.enter_context(DevDatabase(folder / "run" / "postgres", ephemeral=True, fsync=False))
        copies = [_copy(options.tree, folder / f"lane{number}") for number in range(options.lanes)]
        kept = options.kept / f"trace-{fingerprint(options.tree, targets.tests)}.json"
        traced = trace(copies[0], targets.tests, _environment(folder, 0), kept)
        end = time.monotonic() + options.seconds
        todo: Queue[tuple[Path, Mutant]] = Queue()
        for one in chosen(copies[0], options, targets):  # the tree itself may have changed since it was copied
            todo.put(one)
        done: list[Trial] = []

        def work(number: int) -> None:
            with _lane(copies[number], _environment(folder, number)) as ask:
                while time.monotonic() < end:
                    try:
                        file, mutant = todo.get_nowait()
                    except Empty:
                        return
                    trial = _try(copies[number], file, mutant, traced, ask, options.patience)
                    done.append(trial)
                    tell(trial)

        workers = [Thread(target=work, args=[number]) for number in range(options.lanes)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return sorted(done, key=lambda trial: (trial.file, trial.mutant.start, trial.mutant.text))


Ask = Callable[[list[str], float], dict[str, str]]


def _try(copy: Path, file: Path, mutant: Mutant, traced: Trace, ask: Ask, patience: float) -> Trial:
    source = (copy / file).read_bytes()
    tests = traced.tests(file, mutant)
    told = mutant.told(source)
    if not tests:
        return Trial(file, mutant, told, "untested", "", 0)
    (copy / file).write_bytes(mutant.apply(source))
    try:
        answer = ask(tests, 4 * sum(traced.seconds[test] for test in tests) + patience)
    finally:
        (copy / file).write_bytes(source)
    return Trial(file, mutant, told, answer["outcome"], answer["by"], len(tests))


@contextmanager
def _lane(copy: Path, environment: dict[str, str]) -> Iterator[Ask]:
    lane = subprocess.Popen(
        [sys.executable, "-m", "mutate.lane"],
        cwd=copy,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    given, said = cast(IO[str], lane.stdin), cast(IO[str], lane.stdout)

    def ask(tests: list[str], seconds: float) -> dict[str, str]:
        given.write(json.dumps({"tests": tests, "seconds": seconds}) + "\n")
        given.flush()
        answer: dict[str, str] = json.loads(said.readline())
        return answer

    try:
        yield ask
    finally:
        given.close()
        said.close()
        lane.wait(timeout=30)


def _copy(tree: Path, to: Path) -> Path:
    """A copy whose compiled modules are known by the hash of their text, so that a mistake is never overlooked."""
    copy_tree(tree, to)
    compileall.compile_dir(to, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return to


def _environment(folder: Path, number: int) -> dict[str, str]:
    """A run of tests that others have begun (the server is up), with a database of its own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")},
        "ANXIANG_TEST_RUN": str(folder / "run"),
        "PYTEST_XDIST_WORKER": f"mutate{number}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),  # for this package, where the tree has none; what the copy has comes first
    }
