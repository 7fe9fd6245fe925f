"""The command line: `python -m drill [--seed N] [--minutes M] [--customers N] [--plant KIND …] [--still S]`.

The last line is the verdict; the exit code is 0 when nothing differs, 1 when something does, 2 when there was no drill.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog

from drill.api import Tally
from drill.calm import PATIENCE, cancel_strays, come_to_rest, compare, reconcile
from drill.customers import customers
from drill.figures import table
from drill.judge import plant
from drill.judge.books import Difference
from drill.judge.evidence import gather
from drill.judge.journal import Journal
from drill.judge.still import MOST_STILL, PLANTED_AT, Watch, troubles_of, watch
from drill.rig.fleet import CannotDrill
from drill.rig.plan import Plan, make_plan
from drill.rig.stage import CODES, Stage, stage
from drill.rig.trouble import Providers, kill_by_plan
from marketplace.core.config import state_dir

_SHOWN = 40


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    seed: int
    seconds: float
    customers: int
    plant: Sequence[str]
    still: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Drill, print the figures and the verdict."""
    options = _options(arguments)
    evidence = state_dir().absolute() / "drill" / f"{options.seed}-{time.strftime('%Y%m%d-%H%M%S')}"
    signal.signal(signal.SIGTERM, _end_in_order)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = make_plan(options.seed, options.seconds, CODES, options.customers)
    print(
        f"Drill with seed {plan.seed}: {plan.seconds:.0f} s, {plan.customers} customers, {len(plan.kills)} kills, "
        f"{len(plan.faults)} faults",
        flush=True,
    )
    try:
        with stage(plan.customers) as where:
            done = perform(where, plan, options.plant, options.still)
            if done.differences:
                gather(where, done.differences, evidence)
    except CannotDrill as reason:
        print(reason, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return verdict(plan, done, evidence)


@dataclass(frozen=True)
class Done:
    """A drill that came to its end."""

    differences: Sequence[Difference]
    kills: int
    bookings: int


def perform(where: Stage, plan: Plan, planted: Sequence[str] = (), still: float = MOST_STILL) -> Done:
    """Carry out a plan on a stage and compare everything; prints the figures. Call it from the main thread."""
    tally, over, since = Tally(), threading.Event(), time.monotonic()
    journal = Journal(where.folder / "journal.jsonl")
    providers = Providers(where, plan, since, over)
    other_side = threading.Thread(target=providers.run, name="providers", daemon=True)
    other_side.start()
    threads = customers(where, plan, tally, journal, over)
    seen, watched = Watch(troubles_of(plan), still), threading.Event()
    watching = threading.Thread(target=watch, args=(where, seen, since, watched), name="watch", daemon=True)
    watching.start()
    try:
        kill_by_plan(where, plan, since)
    finally:
        over.set()
    for thread in (other_side, *threads):
        thread.join(PATIENCE)
        if thread.is_alive():
            raise CannotDrill(f"The thread {thread.name!r} does not end.")
    where.fleet.wait_until_up()
    providers.calm()
    rested = come_to_rest(where)
    reconciled = reconcile()
    cancelled = cancel_strays(where, providers.strays)
    come_to_rest(where)
    for kind, put in plant.KINDS.items():
        if kind in planted:
            put(where)
            if kind == "still":
                seen.wait_for(PLANTED_AT, still + 20)
    watched.set()
    watching.join(PATIENCE)
    found = [Difference("an answer no customer should get", sentence) for sentence in tally.broken]
    found += compare(where) + seen.differences()
    journal.close()
    with where.books() as books:
        for line in table(books, where.fleet, tally, providers, rested, reconciled):
            print(line)
        print(f"the database was silent {providers.silences} times")
        print(f"strays: {len(providers.strays)}, of these found and cancelled there: {cancelled}")
        print(f"longest stand-still outside a trouble: {seen.worst()}")
        bookings = books.execute("SELECT count(*) FROM booking").fetchall()[0][0]
    return Done(found, where.fleet.kills.total(), bookings)


def verdict(plan: Plan, done: Done, evidence: Path) -> int:
    """Print what differs and the last line; the exit code."""
    found = done.differences
    figures = f"seed={plan.seed} seconds={plan.seconds:.0f} kills={done.kills} bookings={done.bookings}"
    for difference in found[:_SHOWN]:
        print(f"DIFFERENCE {difference}")
    if len(found) > _SHOWN:
        print(f"… and {len(found) - _SHOWN} more")
    if found:
        print(f"Logs, journal and the rows behind the differences are in {evidence}")
        print(f"DRILL FAILED: {len(found)} differences {figures}", flush=True)
        return 1
    print(f"DRILL PASSED {figures} differences=0", flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m drill", description="Kill everything, then compare all books.")
    parser.add_argument("--seed", type=int, default=None, help="what goes wrong and when; a random one if left out")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long customers book and processes die (5)")
    parser.add_argument("--customers", type=int, default=24, help="how many at once (24)")
    parser.add_argument("--plant", nargs="+", choices=sorted(plant.KINDS), default=(), help="differences on purpose")
    parser.add_argument("--still", type=float, default=MOST_STILL, help="seconds that nothing may stand still for (60)")
    given = parser.parse_args(arguments)
    if given.minutes <= 0 or given.customers < 1:
        parser.error("--minutes and --customers must be more than 0")
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    return Options(seed, given.minutes * 60, given.customers, given.plant, given.still)


def _end_in_order(*_: object) -> NoReturn:
    """SIGTERM: leave as Ctrl-C would, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
