"""The command line: `python -m drill.dispatch [--seed N] [--requests N] [--cities N] [--workers N] [--no-growth] …`.

The last line is the verdict; the exit code is 0 when nothing differs, 1 when something does.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import structlog

from booking.escort.matching.against import FILTERS, Against
from booking.escort.matching.load import load
from booking.escort.matching.plan import CityPlan, Plan, plan
from booking.escort.matching.words import explained, helps, lacking
from drill.dispatch.country import NOW, Country, Size, make_country
from drill.dispatch.judge import forget, together, write
from drill.dispatch.optimum import BestByWindow
from drill.dispatch.recount import Recount
from drill.dispatch.stored import Stored, store
from drill.judge.books import Difference
from marketplace.core import migrate
from marketplace.core.config import settings
from marketplace.core.database import db
from marketplace.core.database.db import reading
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION

_SHOWN = 20
_GROWTH = (1, 2, 5, 10)
_SWITCHED_OFF: Mapping[str, frozenset[Against]] = {
    "busy and travel": frozenset({Against.BUSY, Against.TRAVEL}),
    "travel": frozenset({Against.TRAVEL}),
}
"""What the planner does not look at, to see that the database refuses what it then plans."""


@dataclass(frozen=True)
class _Timed:
    plan: Plan
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Give out, count again, print the figures and the verdict."""
    given = _options(arguments)
    signal.signal(signal.SIGTERM, _end_in_order)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    size = Size(given.requests, given.cities, given.workers)
    country = make_country(given.seed, size)
    print(
        f"Dispatch with seed {given.seed}: {size.requests:,} requests over two days, {size.cities} cities,"
        f" {size.workers:,} workers; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    try:
        found = _in_memory(country)
        if given.growth:
            _compare(country)
            _grow(given.seed, size)
        found += _in_tables(country)
    except KeyboardInterrupt:
        return 130
    for each in found[:_SHOWN]:
        print(f"DIFFERENCE {each}")
    verdict = f"FAILED: {len(found)} differences" if found else "PASSED"
    print(f"DISPATCH {verdict} seed={given.seed} requests={size.requests} differences={len(found)}", flush=True)
    return 1 if found else 0


def _in_memory(country: Country) -> list[Difference]:
    run = _timed(country)
    sent, nobody = run.plan.sent, run.plan.nobody
    print(f"in one run: {len(sent):,} sent, {len(nobody):,} nobody; {run.seconds:.2f} s of the processor")
    helped = Counter(each.relaxation.wish if each.relaxation else "nothing alone" for each in nobody.values())
    print("  what would help: " + ", ".join(f"{wish} {number}" for wish, number in helped.most_common()))
    for each in list(nobody.values())[:2]:
        help_ = helps(each.relaxation) if each.relaxation else lacking(each.request, each.missing)
        print(f"  e.g. {explained(each).en}. {help_.en}.\n       {explained(each).zh}。{help_.zh}。")
    found = _recount(country, run.plan)
    print(f"  counted again by other code: {len(found)} differences")
    return found


def _recount(country: Country, made: Plan) -> list[Difference]:
    requests = {each.booking: each for each in country.requests}
    return Recount(country.candidates, requests).differences(made.sent, made.nobody)


def _compare(country: Country) -> None:
    """Each window by itself in the best way, against one request after the other."""
    print(
        "against the best assignment of each window, without and with the step at the end (bookings, points, seconds):"
    )
    for name, kind in (("one by one", CityPlan), ("best by window", BestByWindow)):
        without, with_step = (_by_city(country, kind, step=step) for step in (False, True))
        print(f"  {name:<15} {without}   {with_step}")


def _by_city(country: Country, kind: type[CityPlan], *, step: bool) -> str:
    since, bookings, points = time.process_time(), 0, 0
    for name in sorted({each.city for each in country.requests}):
        here = [each for each in country.requests if each.city == name]
        city = kind(here, [each for each in country.candidates if each.city == name], FILTERS)
        city.give_out()
        if step:
            city.assign_the_rest()
        sent = city.sent()
        bookings, points = bookings + len(sent), points + sum(each.score for each in sent.values())
    return f"{bookings:6,} {points:8,} {time.process_time() - since:6.2f}"


def _grow(seed: int, size: Size) -> None:
    print("growth (seconds of the processor): as many cities more, and the same cities fuller")
    for times in _GROWTH:
        more = size.requests * times, size.workers * times
        wide = _timed(make_country(seed, Size(more[0], size.cities * times, more[1])))
        full = _timed(make_country(seed, Size(more[0], size.cities, more[1])))
        print(
            f"  {more[0]:7,} requests, {more[1]:7,} workers: {wide.seconds:7.2f} s in {size.cities * times} cities"
            f" ({len(wide.plan.nobody):,} nobody), {full.seconds:7.2f} s in {size.cities} ({len(full.plan.nobody):,})",
            flush=True,
        )


def _timed(country: Country) -> _Timed:
    since = time.process_time()
    made = plan(country.requests, country.candidates)
    return _Timed(made, time.process_time() - since)


def _in_tables(country: Country) -> list[Difference]:
    with _database() as owner_url, psycopg.connect(owner_url, autocommit=True) as books:
        stored = store(country)
        since = time.monotonic()
        with reading() as session:
            loaded = load(session, stored.bookings, now=NOW)
        took = time.monotonic() - since
        since = time.monotonic()
        made = plan(loaded.requests, loaded.candidates)
        print(f"from the tables: loaded in {took:.2f} s, given out in {time.monotonic() - since:.2f} s")
        found = _as_stored(stored, loaded.requests, loaded.candidates)
        judged = write(books, made.sent, stored.requests, stored.candidates)
        found += together(books)
        print(f"  the database took {judged.taken:,} and refused {judged.refused:,}")
        if judged.refused or judged.taken != len(made.sent):
            found.append(Difference("the database refuses what was planned", "", vars(judged)))
        for name, codes in _SWITCHED_OFF.items():
            forget(books)
            blind = plan(loaded.requests, loaded.candidates, [each for each in FILTERS if each.code not in codes])
            judged = write(books, blind.sent, stored.requests, stored.candidates)
            found += together(books)
            print(f"  without looking at {name}: {len(blind.sent):,} planned, the database refused {judged.refused:,}")
            if not judged.refused:
                found.append(Difference("nothing is refused without looking", name))
        return found


def _as_stored(stored: Stored, requests: Sequence[object], candidates: Sequence[object]) -> list[Difference]:
    """Whether what was loaded is what was written."""
    asked = {getattr(each, "booking", ""): each for each in requests}
    found = [
        Difference("a request is loaded otherwise", booking)
        for booking, each in stored.requests.items()
        if asked.get(booking) != each
    ]
    cities = {each.city for each in stored.requests.values()}
    there = {each.id: each for each in stored.candidates if each.city in cities}
    loaded = {getattr(each, "id", 0): each for each in candidates}
    differ = [worker for worker in there.keys() | loaded.keys() if there.get(worker) != loaded.get(worker)]
    return [*found, *(Difference("a worker is loaded otherwise", str(worker)) for worker in differ)]


@contextmanager
def _database() -> Iterator[str]:
    """A database of its own, which this process's settings point at; its owner's address."""
    with (
        tempfile.TemporaryDirectory(prefix="anxiang-dispatch-") as name,
        DevDatabase(Path(name) / "postgres", ephemeral=True, fsync=False) as database,
    ):
        os.environ.update(
            ANXIANG_ENV="development",
            ANXIANG_STATE_DIR=str(Path(name) / "state"),
            DATABASE_URL=database.database_url,
            DATABASE_OWNER_URL=database.owner_url,
        )
        settings.cache_clear()
        db.forget_engines()
        migrate.upgrade(database.owner_url, application_role=APPLICATION)
        try:
            yield database.owner_url
        finally:
            db.forget_engines()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    usual = Size()
    parser = argparse.ArgumentParser(
        prog="python -m drill.dispatch", description="Give many requests out in one run, and count everything again."
    )
    parser.add_argument("--seed", type=int, default=None, help="who asks what, and who works where; else a random one")
    parser.add_argument("--requests", type=int, default=usual.requests, help="how many (1000)")
    parser.add_argument("--cities", type=int, default=usual.cities, help="in how many cities (50)")
    parser.add_argument("--workers", type=int, default=usual.workers, help="how many work there (1500)")
    parser.add_argument("--no-growth", dest="growth", action="store_false", help="leave comparing and growth out")
    given = parser.parse_args(arguments)
    if min(given.requests, given.cities, given.workers) < 1:
        parser.error("these must be more than 0")
    if given.seed is None:
        given.seed = secrets.randbelow(1_000_000)
    return given


def _end_in_order(*_: object) -> NoReturn:
    """SIGTERM: leave as Ctrl-C would, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
