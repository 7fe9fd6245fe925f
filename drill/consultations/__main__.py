"""The command line: `python -m drill.consultations [--seed N] [--workers 2|3] [--consultations N] [--plant KIND …] …`.

The last line is the verdict; the exit code is 0 when nothing differs, 1 when something does, 2 when there was no drill.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import psycopg
import structlog

from drill.api import Tally
from drill.consultations import plant
from drill.consultations.desk import Clinicians
from drill.consultations.judge import judge, table, unanswered
from drill.consultations.outside import Outside
from drill.consultations.patients import begin, patients
from drill.consultations.plan import AT_ONCE, CLOCKS, Plan, Setting, make_plan
from drill.consultations.stage import DEPARTMENTS, Clinic, clinic
from drill.figures import milliseconds, part
from drill.judge.books import Difference
from drill.judge.journal import Journal
from drill.rig.fleet import CannotDrill
from marketplace.core.config import state_dir

_SHOWN = 40
_TICK, _LOOK = 0.1, 1.0
_LONGEST = 5.0
"""So many times the longest answer, or the pledged time, everything must have been answered."""


@dataclass(frozen=True)
class Done:
    """A drill that came to its end."""

    differences: Sequence[Difference]
    kills: int
    messages: int
    breaches: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Drill, print the figures and the verdict."""
    given = _options(arguments)
    plan = make_plan(given.seed, _setting(given), DEPARTMENTS)
    evidence = state_dir().absolute() / "drill" / f"consultations-{plan.seed}-{time.strftime('%Y%m%d-%H%M%S')}"
    signal.signal(signal.SIGTERM, _end_in_order)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asked = plan.setting
    print(
        f"Consultations with seed {plan.seed}: {asked.consultations} at once, {asked.clinicians} clinicians"
        f" ({asked.clinicians_at}) who answer after {asked.answers[0]:g} to {asked.answers[1]:g} s, {asked.workers}"
        f" workers, {plan.killed} dies at second {asked.kill_at:g}",
        flush=True,
    )
    try:
        with clinic(asked) as where:
            done = perform(where, plan, given.plant)
            if done.differences:
                _gather(where, done.differences, evidence)
    except CannotDrill as reason:
        print(reason, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return _verdict(plan, done, evidence)


def perform(where: Clinic, plan: Plan, planted: Sequence[str] = ()) -> Done:
    """Carry out a plan in a clinic and judge it; prints the figures. Call it from the main thread."""
    tally = Tally()
    journal = Journal(where.journal)
    clinicians = where.outside or Clinicians(where, plan, tally, journal)
    clinicians.begin()
    asking = patients(where, plan, tally, journal)
    threads = begin(asking)
    try:
        loads = _until_answered(where, plan, threads, clinicians)
    finally:
        clinicians.end()
    where.fleet.wait_until_up()
    with psycopg.connect(where.database.owner_url, autocommit=True) as books:
        for kind in planted:
            plant.KINDS[kind](books)
    found = [Difference("an answer nobody should get", sentence) for sentence in tally.broken]
    found += [Difference("ended by itself", name) for name in where.fleet.kills if name.endswith("by itself")]
    judged, stored = judge(where, asking, timedelta(seconds=plan.setting.late))
    journal.close()
    lines = [
        *part(f"kills: {where.fleet.kills.total()}", where.fleet.kills),
        *part("clinicians", clinicians.done),
        *part(f"answers to customers: {tally.answers.total()}", tally.answers),
        *part("refusals", tally.refusals),
        *part("what customers saw of trouble", tally.errors),
        f"one answer: p50 {milliseconds(tally.times, 0.5)}, p99 {milliseconds(tally.times, 0.99)}",
        *table(stored),
        f"load of the machine ({os.cpu_count()} processors): {min(loads):.1f} to {max(loads):.1f}",
    ]
    print("\n".join(lines))
    messages = sum(len(case.lines) for case in stored.cases)
    breaches = sum(each.state == "breached" for case in stored.cases for each in case.promises)
    return Done([*found, *judged], where.fleet.kills.total(), messages, breaches)


def _until_answered(
    where: Clinic, plan: Plan, threads: Sequence[threading.Thread], clinicians: Clinicians | Outside
) -> list[float]:
    """Kill who is to be killed in its time, and wait until everybody has said everything and was answered; the
    machine's loads meanwhile. Raises CannotDrill."""
    setting, loads = plan.setting, [os.getloadavg()[0]]
    began, looked, killed = time.monotonic(), 0.0, False
    until = began + 60 + _LONGEST * max(setting.answers[1], setting.pledged)
    while True:
        now = time.monotonic()
        if not killed and now - began >= setting.kill_at:
            if not where.fleet.up(plan.killed):
                raise CannotDrill(f"{plan.killed} is not at work when it should die.")
            where.fleet.kill(plan.killed)
            killed = True
        if now - looked > _LOOK:
            looked = now
            where.fleet.look()
            loads.append(os.getloadavg()[0])
            said = not any(thread.is_alive() for thread in threads)
            if killed and said and not unanswered(where) and clinicians.idle:
                return loads
        if now > until:
            raise CannotDrill(f"{unanswered(where)} were not answered; the logs are in {where.fleet.logs}.")
        time.sleep(_TICK)


def _gather(where: Clinic, found: Sequence[Difference], target: Path) -> None:
    """Keep logs, journal and all differences of a drill that failed."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(where.fleet.logs, target / "logs", dirs_exist_ok=True)
    shutil.copy(where.journal, target)
    shutil.copy(where.database.state / "server.log", target / "logs" / "postgresql.log")
    said = [{"kind": each.kind, "subject": each.subject, **each.facts} for each in found]
    (target / "differences.json").write_text(json.dumps(said, ensure_ascii=False, indent=1, default=str), "utf-8")


def _verdict(plan: Plan, done: Done, evidence: Path) -> int:
    found = done.differences
    figures = (
        f"seed={plan.seed} consultations={plan.setting.consultations} messages={done.messages}"
        f" breaches={done.breaches} kills={done.kills}"
    )
    for difference in found[:_SHOWN]:
        print(f"DIFFERENCE {difference}")
    if len(found) > _SHOWN:
        print(f"… and {len(found) - _SHOWN} more")
    if found:
        print(f"Logs, journal and the differences are in {evidence}")
        print(f"CONSULTATIONS FAILED: {len(found)} differences {figures}", flush=True)
        return 1
    print(f"CONSULTATIONS PASSED {figures} differences=0", flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    usual = Setting()
    parser = argparse.ArgumentParser(
        prog="python -m drill.consultations",
        description="Open many consultations at once, kill a worker, and count every pledge again.",
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="who asks what, and which worker dies; else a random one"
    )
    parser.add_argument("--workers", type=int, choices=(2, len(CLOCKS)), default=usual.workers,
                        help="2; or 3, of which one's clock is an hour ahead and one's an hour behind")  # fmt: skip
    parser.add_argument("--doctors", choices=("desk", "outside"), default=usual.clinicians_at,
                        help="at our own desk, or of an outside provider that the sandbox plays (desk)")  # fmt: skip
    parser.add_argument("--consultations", type=int, default=usual.consultations, help="how many at once (200)")
    parser.add_argument("--clinicians", type=int, default=usual.clinicians, help="how many answer (40)")
    parser.add_argument("--pledged", type=int, default=usual.pledged, help="seconds that are promised (90)")
    parser.add_argument("--answers", type=float, nargs=2, default=usual.answers, metavar=("FROM", "TO"),
                        help="seconds that a clinician takes (10 150)")  # fmt: skip
    parser.add_argument("--kill-at", type=float, default=usual.kill_at, help="second in which a worker dies (80)")
    parser.add_argument("--late", type=float, default=usual.late, help="seconds that a breach may be written late (2)")
    parser.add_argument("--plant", nargs="+", choices=sorted(plant.KINDS), default=(), help="differences on purpose")
    given = parser.parse_args(arguments)
    if min(given.consultations, given.clinicians, given.pledged) < 1 or not 0 < given.answers[0] <= given.answers[1]:
        parser.error("these must be more than 0")
    if given.seed is None:
        given.seed = secrets.randbelow(1_000_000)
    return given


def _setting(given: argparse.Namespace) -> Setting:
    return Setting(
        consultations=given.consultations,
        clinicians=given.clinicians,
        workers=given.workers,
        pledged=given.pledged,
        answers=(given.answers[0], given.answers[1]),
        kill_at=given.kill_at,
        late=given.late,
        at_once=AT_ONCE[given.doctors],
        clinicians_at=given.doctors,
    )


def _end_in_order(*_: object) -> NoReturn:
    """SIGTERM: leave as Ctrl-C would, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
