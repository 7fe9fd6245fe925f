"""After the trouble: everything runs, and the product is given time to come to rest by itself."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import psycopg

from booking.actors import SYSTEM
from booking.calls.connections import connection_by_code
from booking.reconcile.repair import repair
from booking.reconcile.run import run_now
from drill.judge.books import Difference, differences, served_anyway
from drill.judge.compare import read_ours, read_record, read_theirs, with_customers, with_providers
from drill.judge.journal import Acknowledged, Journal
from drill.rig.fleet import CannotDrill
from drill.rig.stage import CODES, Stage
from marketplace.core import clock
from marketplace.core.database.db import forget_engines, reading
from providers.port import ProviderError
from vip.principal import Principal

PATIENCE = 180.0
"""Seconds in which everything must have come to rest. Look-ups of an open outcome are up to 60 s apart."""

_RESTLESS = """
    SELECT (SELECT count(*) FROM provider_task WHERE state NOT IN ('done', 'refused'))
         + (SELECT count(*) FROM booking WHERE state IN ('held', 'awaiting_provider', 'outcome_unknown'))
         + (SELECT count(*) FROM change_request WHERE closed_at IS NULL)
         + (SELECT count(*) FROM discrepancy
             WHERE kind = 'unreadable_row' AND closed_at IS NULL AND facts ->> 'feed' <> 'bookings')
         + (SELECT count(*) FROM entitlement_entry
             WHERE xact >= coalesce((SELECT split_part(snapshot, ':', 2)::bigint
                                       FROM audit_seal ORDER BY seq DESC LIMIT 1), 0))
"""
_STRAYS = """
    SELECT public_id FROM discrepancy
     WHERE kind = 'theirs_only' AND booking_id IS NULL AND closed_at IS NULL AND subject = ANY(%s)
"""
_POLLED = """
    SELECT count(*) FROM sync_cursor JOIN provider ON provider.id = sync_cursor.provider_id
     WHERE sync_cursor.feed = 'bookings' AND sync_cursor.last_success_at > %s AND provider.code = ANY(%s)
"""


def come_to_rest(where: Stage, patience: float = PATIENCE) -> float:
    """Wait until nothing is left to do on either side, then for one more poll of every provider; the seconds it took.
    Whatever has not come to rest within `patience` is for the comparison to find."""
    began = time.monotonic()
    where.fleet.wait_until_up()
    quiet: datetime | None = None
    while time.monotonic() - began < patience:
        where.fleet.look()
        where.ask_again()
        where.end_holds()  # again and again: a hold that ends makes room for the next in line
        with where.books() as books:
            quiet = _quiet_since(books, quiet)
            if quiet is not None and all_polled(books, quiet):
                break
        time.sleep(0.3)
    return time.monotonic() - began


def reconcile() -> dict[str, str]:
    """Let the product compare itself with each provider, as `flask reconcile` does; what came out, by provider.
    Raises CannotDrill."""
    results: dict[str, str] = {}
    for code in CODES:
        with reading() as session:
            connection = connection_by_code(session, code)
        until, counts = time.monotonic() + PATIENCE, None
        while counts is None and time.monotonic() < until:  # None: the worker is at it, and may have begun long ago
            try:
                counts = run_now(connection, connection.open(), SYSTEM, clock=clock.now)
            except ProviderError as problem:
                raise CannotDrill(f"{code} cannot be reconciled with: {problem}") from problem
            if counts is None:
                time.sleep(1)
        if counts is None:
            raise CannotDrill(f"{code} cannot be reconciled with: the worker does not end its own comparison")
        results[code] = " ".join(f"{name}={number}" for name, number in sorted(counts.items()))
    forget_engines()
    return results


def cancel_strays(where: Stage, planted: Collection[str], patience: float = PATIENCE) -> int:
    """Cancel at their providers the strays that were planted and found, one click each, as an operator would; returns
    how many. One that was not found, or does not go away, is for the comparison to find."""
    with where.books() as books:
        insurer = books.execute("SELECT min(id) FROM insurer").fetchall()[0][0]
        found = books.execute(_STRAYS, [list(planted)]).fetchall()
    operator = Principal("operator", 0, "opr_drill", insurer, 0, clock.HOME_ZONE, "admin")
    for row in found:
        repair(operator, row.public_id, "cancel_there", now=clock.now())
    forget_engines()
    until = time.monotonic() + patience
    with where.books() as books:
        while time.monotonic() < until and _one(books, "SELECT count(*) FROM stray_cancel WHERE finished_at IS NULL"):
            where.fleet.look()
            time.sleep(0.3)
    return len(found)


def all_polled(books: psycopg.Connection[Any], since: datetime) -> bool:
    """Whether each provider that the drill books at has been asked for its bookings since then, whoever else has."""
    return _one(books, _POLLED, since, list(CODES)) == len(CODES)


def _quiet_since(books: psycopg.Connection[Any], quiet: datetime | None) -> datetime | None:
    """Since when there has been nothing to do; None while there is something."""
    if _one(books, _RESTLESS):
        return None
    return quiet or clock.now()


def _one(books: psycopg.Connection[Any], question: str, *values: object) -> int:
    return int(books.execute(question.encode(), values or None).fetchall()[0][0])


def compare(where: Stage) -> list[Difference]:
    """Every difference between our books, the providers' ledgers and the acknowledged answers. Raises CannotDrill."""
    acknowledged = Journal.read(where.folder / "journal.jsonl", Acknowledged)
    theirs = [
        booking for code in CODES for booking in read_theirs(code, where.control("GET", code, "/bookings")["bookings"])
    ]
    with where.books() as books:
        ours = read_ours(books)
        if not ours:
            raise CannotDrill("Nothing was booked, so nothing was tried.")
        for_a_person = served_anyway(books)
        return [
            *differences(books),
            *with_providers(ours, [each for each in theirs if each.reference not in for_a_person], where.places),
            *with_customers(ours, acknowledged, read_record(books)),
        ]
