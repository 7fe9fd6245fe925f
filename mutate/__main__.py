"""The command line: `python -m mutate [--seed N] [--minutes M] [--most N] [--again LOG] [MODULE …] [--tests TEST …]`.

Prints each mistake as it is tried, then the score by module and what no test noticed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from marketplace.core.config import ROOT, state_dir
from mutate.again import find, unnoticed
from mutate.run import Options, Trial, chosen, draw, run
from mutate.targets import HEART, Targets


def main(arguments: Sequence[str] | None = None) -> None:
    """Try the mistakes and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m mutate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which mistakes come first")
    parser.add_argument("--minutes", type=float, default=50, help="no new mistake is begun after these")
    parser.add_argument("--most", type=int, help="mistakes at most")
    parser.add_argument("--lanes", type=int, default=2, help="tried at a time")
    parser.add_argument("--again", type=Path, metavar="LOG", help="what an earlier run's output says no test noticed")
    parser.add_argument("--tests", nargs="+", help="test modules or folders instead of the heart's")
    parser.add_argument("modules", nargs="*", help="modules or folders instead of the heart's")
    given = parser.parse_args(arguments)
    targets = Targets(tuple(given.modules) or HEART.modules, tuple(given.tests or HEART.tests))
    again = unnoticed(given.again.read_text(encoding="utf-8")) if given.again else []
    options = Options(
        ROOT,
        state_dir().absolute() / "mutate",
        given.seed,
        given.minutes * 60,
        most=given.most,
        lanes=given.lanes,
        again=again,
    )
    for wanted in find(ROOT, again).gone:
        print(f"gone     {wanted.file}:{wanted.line}  {wanted.told}")
    lock = Lock()

    def tell(trial: Trial) -> None:
        with lock:
            print(f"{trial.outcome:8} {where(trial)}  {trial.told}  {trial.by}", flush=True)

    tried = run(options, targets, tell)
    made = Counter(file for file, _ in (chosen(ROOT, options, targets) if again else draw(ROOT, targets, given.seed)))
    print("\n".join(report(tried, made)))


def report(tried: Sequence[Trial], made: Counter[Path]) -> list[str]:
    """Markdown: the score of each module and of all, and the mistakes that no test noticed."""
    lines = ["", "| module | mistakes | tried | found | survived | no test there | score |", "| --- " * 7 + "|"]
    for file in [*sorted(made), None]:
        here = [trial for trial in tried if file in (None, trial.file)]
        outcomes = Counter(trial.outcome for trial in here)
        found = sum(trial.found for trial in here)
        score = f"{100 * found / len(here):.0f} %" if here else "–"
        cells = [file or "all", made[file] if file else made.total(), len(here), found]
        lines.append("| " + " | ".join(map(str, [*cells, outcomes["survived"], outcomes["untested"], score])) + " |")
    left = [trial for trial in tried if not trial.found]
    lines += ["", *(f"- `{where(trial)}` {trial.mutant.kind}: `{trial.told}` ({trial.tests} tests)" for trial in left)]
    return lines


def where(trial: Trial) -> str:
    """`booking/hold/place.py:12`."""
    return f"{trial.file}:{trial.mutant.line}"


if __name__ == "__main__":
    main()
