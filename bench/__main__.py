"""The command line: `python -m bench [--seconds S] [--clients N] [--rounds R] [--only PART …]`."""

from __future__ import annotations

import argparse
import math
import os
import platform
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import NoReturn

from bench import attempts, bare, data, load, pages, polling, rotation, streams
from bench.data import Loaded
from bench.providers import commands, partner, webhooks
from bench.reads import READS, slots
from bench.stage import CHOSEN, CannotMeasure, Stage, WebServer, serving, stage, working
from marketplace.development import processes

PARTS = ("bookings", "reads", "attempts", "pages", "partner", "webhooks", "dead", "streams", "servers")
KEYS = "keys"
"""Measured by itself: it makes people of its own, and changes the keys under everybody."""
BOOKINGS = {"spread": "hold, spread over the slots", "hot": "hold, one hot slot", "confirm": "hold and confirm, spread"}
MOST_PER_SECOND = 4000  # requests made ready for each second that is measured


def _granian(threads: int) -> WebServer:
    command = processes.WEB.replace("--blocking-threads 256", f"--blocking-threads {threads}")
    return WebServer(f"granian, 2 × {threads} threads", command, threads)


SERVERS = (CHOSEN, _granian(4), _granian(8))


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    seconds: float
    clients: int
    readers: int
    rounds: int
    only: Sequence[str]
    slots: int
    customers: int
    reports: int


def main() -> int:
    """Measure, print, and stop everything; 1 with a sentence when it cannot be measured, 130 on Ctrl-C."""
    options = _options()
    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        with stage() as where:
            _measure(where, options)
    except CannotMeasure as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure against bare SQL; print ratios.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes (3)")
    parser.add_argument("--clients", type=int, default=32, help="who book at once (32)")
    parser.add_argument("--readers", type=int, default=4, help="who read at once (4)")
    parser.add_argument("--rounds", type=int, default=3, help="SQL and HTTP in turn, so many times (3)")
    parser.add_argument(
        "--only", nargs="+", choices=(*PARTS, KEYS), default=PARTS, help="parts to measure; keys alone (all but keys)"
    )
    parser.add_argument("--slots", type=int, default=1_500_000, help="slots to load (1,500,000)")
    parser.add_argument("--customers", type=int, default=10_000, help="customers to make (10,000)")
    parser.add_argument("--reports", type=int, default=10_000, help="reports to make for `keys` (10,000)")
    given = parser.parse_args()
    if KEYS in given.only and given.only != [KEYS]:
        parser.error("keys are measured by themselves")
    return Options(**vars(given))


def _measure(where: Stage, options: Options) -> None:
    since = time.monotonic()
    if options.only == [KEYS]:
        _keys(where, options)
    else:
        _measure_bookings(where, options)
    print(f"\nDone in {time.monotonic() - since:.0f} s.")


def _measure_bookings(where: Stage, options: Options) -> None:
    since = time.monotonic()
    loaded = data.load(where, slots=options.slots, customers=options.customers)
    print(
        f"PostgreSQL {where.database.server.major} with fsync, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {where.count('SELECT count(*) FROM slot'):,} slots, "
        f"{len(loaded.names):,} sites, {options.customers:,} customers; made in {time.monotonic() - since:.0f} s"
    )
    if "bookings" in options.only:
        _bookings(where, loaded, options)
    if "reads" in options.only:
        _reads(where, loaded, options)
    if "attempts" in options.only:
        _attempts(where, loaded, options)
    if "pages" in options.only:
        _pages(where, loaded)
    if "partner" in options.only:
        _partner(where, options)
    if "webhooks" in options.only:
        _webhooks(where, loaded, options)
    if "dead" in options.only:
        _dead(where, loaded, options)
    if "streams" in options.only:
        _streams(where, loaded, options)
    if "servers" in options.only:
        _servers(where, loaded, options)


def _bookings(where: Stage, loaded: Loaded, options: Options) -> None:
    print(f"\nBookings a second, {options.clients} clients; median of {options.rounds} rounds (lowest to highest)")
    with serving(where) as port:
        _warm_up(where, loaded, port, options)
        for what, name in BOOKINGS.items():
            sql, http = [], []
            for _ in range(options.rounds):
                where.begin_anew()
                sql.append(bare.bookings(where, loaded, what, clients=options.clients, seconds=options.seconds))
                where.begin_anew()
                http.append(_book(where, loaded, what, port, options).rate)
            ratios = [ours / theirs for ours, theirs in zip(http, sql, strict=True)]
            print(f"  {name:<28} SQL {_spread(sql, 0)}   HTTP {_spread(http, 0)}   ratio {_spread(ratios, 3)}")


def _warm_up(where: Stage, loaded: Loaded, port: int, options: Options) -> None:
    """Imports, prepared statements and PostgreSQL's own caches."""
    where.begin_anew()
    load.run(load.Job(port, options.clients, 1.0, _booking_requests(loaded, "spread", 2000)))


def _book(where: Stage, loaded: Loaded, what: str, port: int, options: Options) -> load.Tally:
    """Book through the API. Raises CannotMeasure unless every answer is a yes and every yes is in the database."""
    most = round(MOST_PER_SECOND * options.seconds)
    if what == "hot":
        most = min(most, loaded.numbers.people)
    job = load.Job(port, options.clients, options.seconds, _booking_requests(loaded, what, most), what == "confirm")
    tally = load.run(job)
    if set(tally.statuses) != {"200" if job.confirm else "201"}:
        raise CannotMeasure(f"Not every booking succeeded: {tally.statuses} {tally.refusal}")
    kept = where.count("SELECT count(*) FROM booking")
    if kept != len(tally.latencies):
        raise CannotMeasure(f"{len(tally.latencies)} bookings were acknowledged, {kept} are there.")
    return tally


def _booking_requests(loaded: Loaded, what: str, how_many: int) -> list[str]:
    requests = []
    for n in range(how_many):
        token, body = loaded.request(n, hot=what == "hot")
        requests.append(load.message("POST", "/api/v1/bookings", token, body, str(uuid.uuid4())))
    return requests


def _reads(where: Stage, loaded: Loaded, options: Options) -> None:
    print(
        f"\nLatency of reads in milliseconds, {options.readers} clients: median and p99; ratio of the p99, median of "
        f"{options.rounds} rounds (lowest to highest)"
    )
    with serving(where) as port:
        _warm_up(where, loaded, port, options)
        where.begin_anew()
        for make in READS:
            read = make(loaded)
            requests = read.requests(loaded, round(MOST_PER_SECOND * options.seconds))
            job = load.Job(port, options.readers, options.seconds, requests)
            sql, http, ratios = [], [], []
            for _ in range(options.rounds):
                theirs = bare.read(read.statements, clients=options.readers, seconds=options.seconds)
                tally = load.run(job)
                if set(tally.statuses) != {"200"}:
                    raise CannotMeasure(f"Not every read succeeded: {tally.statuses} {tally.refusal}")
                sql += theirs
                http += tally.latencies
                ratios.append(_p99(tally.latencies) / _p99(theirs))
            print(
                f"  {read.name:<32} SQL {median(sql):5.1f} {_p99(sql):6.1f}   HTTP {median(http):5.1f} "
                f"{_p99(http):6.1f}   p99 ratio {_spread(ratios, 2)}   ({len(sql)} and {len(http)} answers)"
            )


def _partner(where: Stage, options: Options) -> None:
    told = partner.feed(where)
    print(f"\n{len(told.slots):,} slots changed, 500 a transaction: slots a second; median of {options.rounds} rounds")
    with serving(where) as port:
        program = partner.Program(port)
        partner.measure(where, told, program, 1)  # imports, prepared statements, caches
        rates = [partner.measure(where, told, program, 4 + 3 * n) for n in range(options.rounds)]
    sql = [rate.sql for rate in rates]
    for name, ours in (("partner API", [rate.api for rate in rates]), ("worker, polled", [r.worker for r in rates])):
        ratios = [one / bare_ for one, bare_ in zip(ours, sql, strict=True)]
        print(f"  {name:<28} SQL {_spread(sql, 0)}   ours {_spread(ours, 0)}   ratio {_spread(ratios, 3)}")


def _webhooks(where: Stage, loaded: Loaded, options: Options) -> None:
    print(f"\nWebhook in, status seen: {webhooks.PER_SECOND:.0f} messages a second; p50 and p99 in milliseconds")
    told = webhooks.sender(where)
    with serving(where) as port:
        webhooks.measure(where, loaded, port, told, seconds=1, clients=options.clients)  # imports, statements, caches
        for _ in range(options.rounds):
            tally = webhooks.measure(where, loaded, port, told, seconds=options.seconds, clients=options.clients)
            rate = len(tally.answered) / tally.seconds
            print(
                f"  answered {median(tally.answered):6.1f} {_p99(tally.answered):7.1f}   seen by the customer "
                f"{median(tally.shown):6.1f} {_p99(tally.shown):7.1f}   "
                f"({rate:.0f} a second, {tally.reads} reads; load {os.getloadavg()[0]:.1f})"
            )


def _dead(where: Stage, loaded: Loaded, options: Options) -> None:
    seconds = 4 * options.seconds
    print(f"\nCommands a healthy provider gets, {commands.PER_SECOND:.0f} a second, one worker: p50 and p95 in ms")
    with serving(where) as port:
        commands.queue(where, loaded, port, rounds=options.rounds, seconds=seconds, clients=options.clients)
    with commands.rig(where) as rig, working(where):
        commands.warm_up(where)
        rounds = [commands.measure(where, rig, seconds=seconds) for _ in range(options.rounds)]
    alone = [one for each in rounds for one in each.alone]
    print(f"  alone {median(alone):25.1f} {_p95(alone):6.1f}   ({len(alone)} commands; load {os.getloadavg()[0]:.1f})")
    for way in commands.DEAD:
        beside = [one for each in rounds for one in each.beside[way]]
        tried = sum(each.tried[way] for each in rounds)
        print(
            f"  beside one that is {way:<8} {median(beside):6.1f} {_p95(beside):6.1f}   "
            f"p95 ratio {_p95(beside) / _p95(alone):.2f}   ({tried} commands of that one were tried)"
        )


def _streams(where: Stage, loaded: Loaded, options: Options) -> None:
    seconds = 4 * options.seconds
    print(f"\n{streams.STREAMS:,} streams, {streams.PER_SECOND} messages a second: p50 and p99 in ms until it is read")
    for _ in range(options.rounds):
        told = streams.measure(where, loaded, seconds=seconds)
        print(
            f"  SQL {median(told.bare):5.1f} {_p99(told.bare):6.1f}   streamed {median(told.streamed):6.1f} "
            f"{_p99(told.streamed):6.1f}   p50 ratio {median(told.streamed) / median(told.bare):.1f}, p99 ratio "
            f"{_p99(told.streamed) / _p99(told.bare):.1f}   {told.bytes_a_page / 1024:.0f} KiB a page, idle "
            f"{told.idle:.1%} and busy {told.busy:.1%} of a core, opened in {told.opened_seconds:.1f} s "
            f"(load {os.getloadavg()[0]:.1f})"
        )
    talks = polling.begin_talks(where, loaded)
    print(f"\n{len(talks):,} readers asking every {polling.EVERY_SECONDS:.0f} s instead, by their ETag")
    for _ in range(options.rounds):
        polled = polling.measure(where, talks, seconds=seconds)
        print(
            f"  polled {median(polled.late):6.1f} {_p99(polled.late):6.1f}   {polled.rate:.0f} requests a second; the "
            f"web server takes {polled.idle:.1%} of a core while nothing is said and {polled.busy:.1%} under messages "
            f"(load {os.getloadavg()[0]:.1f})"
        )


def _attempts(where: Stage, loaded: Loaded, options: Options) -> None:
    print(f"\nReads under attempts, {options.readers} clients read, {options.clients} try: p50 and p95 in milliseconds")
    with serving(where, CHOSEN, TRUSTED_PROXIES="1") as port:
        _warm_up(where, loaded, port, options)
        read = slots(loaded)
        most = round(MOST_PER_SECOND * options.seconds)
        job = load.Job(port, options.readers, options.seconds, read.requests(loaded, most))
        tries = round(attempts.MOST_TRIES_PER_SECOND * (options.seconds + 1) * options.rounds)
        for attack in (attempts.codes(tries, options.clients), attempts.passwords(port, tries, options.clients)):
            for number in range(options.rounds):
                quiet = load.run(job)
                step = len(attack.requests) // options.rounds
                part = replace(attack, requests=attack.requests[number * step : (number + 1) * step])
                busy = attempts.under(part, job)
                if set(quiet.statuses) | set(busy.reads.statuses) != {"200"}:
                    raise CannotMeasure(f"Not every read succeeded: {busy.reads.statuses} {busy.reads.refusal}")
                before, beside = quiet.latencies, busy.reads.latencies
                print(
                    f"  {attack.name:<16} alone {median(before):5.1f} {_p95(before):6.1f}   under attempts "
                    f"{median(beside):5.1f} {_p95(beside):6.1f}   p95 ratio {_p95(beside) / _p95(before):.2f}   "
                    f"({busy.tries.rate:.0f} tries a second, {busy.tries.statuses}; load {os.getloadavg()[0]:.1f})"
                )


def _keys(where: Stage, options: Options) -> None:
    before = os.getloadavg()[0]
    print(f"\nBoth keys changed, {options.reports:,} reports, {options.readers} readers: p50 and p95 in milliseconds")
    found = rotation.measure(
        where, reports=options.reports, readers=options.readers, seconds=options.seconds * options.rounds
    )
    alone, beside = ([each * 1000 for each in reads] for reads in (found.alone, found.beside))
    print(
        f"  rewrap {found.seconds:.0f} s ({found.moved})\n"
        f"  reads alone {median(alone):.1f} {_p95(alone):.1f} ({len(alone)})   beside it {median(beside):.1f} "
        f"{_p95(beside):.1f} ({len(beside)})   p95 ratio {_p95(beside) / _p95(alone):.2f}   "
        f"errors {len(found.errors)}   load {before:.1f} before, {os.getloadavg()[0]:.1f} at the end"
    )
    if found.errors:
        raise CannotMeasure(f"Reads went wrong: {sorted(set(found.errors))[:5]}")


def _pages(where: Stage, loaded: Loaded) -> None:
    with serving(where) as port:
        weights = pages.first_visit(pages.over_http(port, f"__Host-signed_in={loaded.bookers[0].token}"), "/")
    print(f"\nFirst visit of the home page: {sum(weights.values()):,} bytes in {len(weights)} answers, heads included")


def _servers(where: Stage, loaded: Loaded, options: Options) -> None:
    print(f"\nWeb servers: holds spread over the slots, {options.clients} clients, {options.rounds} rounds in turn")
    tallies: dict[str, list[load.Tally]] = {server.name: [] for server in SERVERS}
    for _ in range(options.rounds):
        for server in SERVERS:
            with serving(where, server) as port:
                _warm_up(where, loaded, port, options)
                where.begin_anew()
                tallies[server.name].append(_book(where, loaded, "spread", port, options))
    for name, of_it in tallies.items():
        latencies = [latency for tally in of_it for latency in tally.latencies]
        print(
            f"  {name:<34} {_spread([tally.rate for tally in of_it], 0):<20} a second   "
            f"latency median {median(latencies):6.1f} ms, p99 {_p99(latencies):6.1f} ms"
        )


def _spread(figures: Sequence[float], digits: int) -> str:
    return f"{median(figures):.{digits}f} ({min(figures):.{digits}f} to {max(figures):.{digits}f})"


def _p95(latencies: Sequence[float]) -> float:
    return sorted(latencies)[math.ceil(0.95 * len(latencies)) - 1]


def _p99(latencies: Sequence[float]) -> float:
    return sorted(latencies)[math.ceil(0.99 * len(latencies)) - 1]


def _end_in_order(*_: object) -> NoReturn:
    """SIGTERM: leave as Ctrl-C would, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
