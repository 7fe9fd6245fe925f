"""Changing slots, 500 rows a transaction: by bare SQL, by the partner API, and as the worker applies what it polled."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from bench.stage import CannotMeasure, Stage
from booking.sync.slots import BATCH, apply_slots
from marketplace.clients import credentials
from marketplace.core import clock
from providers.partner_api.slot_lines import MOST_LINES
from providers.reported import RemoteSlot

MOST_CALLS = 5

# What is written, and nothing else: no answer for each row, no look at what was sold, no discrepancies.
_UPDATE = """
    UPDATE slot s
       SET offered = g.offered, capacity = greatest(g.offered, s.taken), closed = g.closed, version = g.version,
           service_date = g.service_date, starts_at = g.starts_at, ends_at = g.ends_at
      FROM unnest(%(pools)s::bigint[], %(refs)s::text[], %(dates)s::date[], %(starts)s::timestamptz[],
                  %(ends)s::timestamptz[], %(offered)s::bigint[], %(closed)s::boolean[], %(versions)s::bigint[])
           AS g(pool_id, external_ref, service_date, starts_at, ends_at, offered, closed, version)
     WHERE s.pool_id = g.pool_id AND s.external_ref = g.external_ref AND s.version <= g.version
"""


@dataclass(frozen=True)
class Rates:
    """Slots changed a second."""

    sql: float
    api: float
    worker: float


@dataclass(frozen=True)
class Feed:
    """The slots that change, as they stand in the database; `pools` has our id of each pool by its name."""

    provider: int
    pools: dict[str, int]
    slots: Sequence[RemoteSlot]

    def at(self, version: int) -> list[RemoteSlot]:
        """All of them with this version and other figures than at the one before."""
        return [
            RemoteSlot(
                slot.pool, slot.reference, slot.service_date, slot.starts_at, slot.ends_at,
                slot.offered + version % 2, slot.closed, version,
            )
            for slot in self.slots
        ]  # fmt: skip


def feed(where: Stage) -> Feed:
    """As many slots as up to five calls have, of the pools in their order. Raises CannotMeasure."""
    with psycopg.connect(where.superuser_url) as connection:
        rows = connection.execute(
            "SELECT p.external_ref, s.external_ref, s.service_date, s.starts_at, s.ends_at, s.offered FROM slot s"
            " JOIN capacity_pool p ON p.id = s.pool_id ORDER BY s.id LIMIT %s",
            [MOST_CALLS * MOST_LINES],
        ).fetchall()
        pools: dict[str, int] = dict(connection.execute("SELECT external_ref, id FROM capacity_pool").fetchall())
        provider = connection.execute("SELECT id FROM provider WHERE code = 'bench'").fetchone()
    whole = len(rows) // MOST_LINES * MOST_LINES
    if not whole or provider is None:
        raise CannotMeasure(f"At least {MOST_LINES:,} slots are needed.")
    return Feed(provider[0], pools, [RemoteSlot(*row) for row in rows[:whole]])


class Program:
    """A provider's program with a token, on one connection."""

    def __init__(self, port: int) -> None:
        made = credentials.add_client("bench", "bench", ["slots"], by=credentials.operator("bench"), now=clock.now())
        basic = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        form = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/partner/v1/oauth/token", b"grant_type=client_credentials", form)
        token = json.loads(self.connection.getresponse().read())["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}

    def publish(self, bodies: Sequence[bytes]) -> float:
        """Send the calls one after the other; the seconds. Raises CannotMeasure if a line was not taken."""
        self.connection.close()  # the server has hung up meanwhile
        since, taken = time.perf_counter(), 0
        for body in bodies:
            self.connection.request("POST", "/partner/v1/slots", body, self.headers)
            answer = self.connection.getresponse().read()
            taken += json.loads(answer.splitlines()[-1]).get("summary", {}).get("updated", 0)
        seconds = time.perf_counter() - since
        if taken != len(bodies) * MOST_LINES:
            raise CannotMeasure(f"Of {len(bodies) * MOST_LINES:,} lines {taken:,} were taken: {answer[-300:]!r}")
        return seconds


def measure(where: Stage, told: Feed, program: Program, version: int) -> Rates:
    """Each side changes the same slots once; `version` must be higher than any before, by three."""
    count = len(told.slots)
    where.begin_anew()
    sql = _by_sql(where, told, told.at(version))
    where.begin_anew()
    api = program.publish(_bodies(told.at(version + 1)))
    where.begin_anew()
    worker = _as_polled(told, told.at(version + 2), clock.now())
    return Rates(count / sql, count / api, count / worker)


def _bodies(slots: Sequence[RemoteSlot]) -> list[bytes]:
    lines = [json.dumps(_line(slot)).encode() for slot in slots]
    return [b"\n".join(lines[start : start + MOST_LINES]) for start in range(0, len(lines), MOST_LINES)]


def _line(slot: RemoteSlot) -> dict[str, Any]:
    return {
        "pool": slot.pool,
        "reference": slot.reference,
        "service_date": slot.service_date.isoformat(),
        "starts_at": slot.starts_at and slot.starts_at.isoformat(),
        "ends_at": slot.ends_at and slot.ends_at.isoformat(),
        "offered": slot.offered,
        "closed": slot.closed,
        "version": slot.version,
    }


def _batches(slots: Sequence[RemoteSlot]) -> list[Sequence[RemoteSlot]]:
    return [slots[start : start + BATCH] for start in range(0, len(slots), BATCH)]


def _by_sql(where: Stage, told: Feed, slots: Sequence[RemoteSlot]) -> float:
    """Seconds. The values are made ready before the clock starts."""
    ready = [
        {
            "pools": [told.pools[slot.pool] for slot in batch],
            "refs": [slot.reference for slot in batch],
            "dates": [slot.service_date for slot in batch],
            "starts": [slot.starts_at for slot in batch],
            "ends": [slot.ends_at for slot in batch],
            "offered": [slot.offered for slot in batch],
            "closed": [slot.closed for slot in batch],
            "versions": [slot.version for slot in batch],
        }
        for batch in _batches(slots)
    ]
    address = where.database.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True, prepare_threshold=1) as connection:
        since = time.perf_counter()
        changed = sum(connection.execute(_UPDATE, values).rowcount for values in ready)
        seconds = time.perf_counter() - since
    if changed != len(slots):
        raise CannotMeasure(f"Of {len(slots):,} slots bare SQL changed {changed:,}.")
    return seconds


def _as_polled(told: Feed, slots: Sequence[RemoteSlot], now: datetime) -> float:
    """Seconds. Asking the provider for its pages is not among them."""
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    since = time.perf_counter()
    for batch in _batches(slots):
        apply_slots(told.provider, batch, told.pools, counts, now=now)
    seconds = time.perf_counter() - since
    if counts["changed"] != len(slots):
        raise CannotMeasure(f"Of {len(slots):,} polled slots {counts['changed']:,} were changed.")
    return seconds
