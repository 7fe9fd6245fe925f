"""Commands of a provider that answers, alone and beside one that does not: one worker, both have commands that are due.

A command's latency is the time from the moment at which it was due to the one at which its answer was settled.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import psycopg

from bench.data import Loaded
from bench.providers.submitted import submit
from bench.stage import CannotMeasure, Stage
from booking.calls.connections import CALL_RECORD
from booking.worker.process import BEAT
from marketplace.core.crypto import seal_master

PER_SECOND = 5.0
"""Commands due for each of the two. A lane of four threads takes up to four at each round of the worker; nearer to that
the commands would wait for each other."""
ANSWER_SECONDS = 0.02
WARM_UP = 25
"""Commands before the first that counts: five seconds, in which a worker begins all its jobs."""
DEAD = ("refusing", "silent")
_SOON = 1.0
_PATIENCE = 30.0
"""Seconds for what should have been done by now."""
_HEALTHY, _DEAD = "bench", "dead"


class _Answers(BaseHTTPRequestHandler):
    """A provider that confirms every booking, and asks to be left alone with everything else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(ANSWER_SECONDS)
        ours = asked["our_reference"]
        self._send(201, {"reference": f"R-{ours}", "our_reference": ours, "status": "confirmed", "version": 1})

    def do_GET(self) -> None:
        self._send(503, {}, ("Retry-After", "3600"))

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _send(self, status: int, answer: dict[str, Any], *headers: tuple[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@dataclass(frozen=True)
class Rig:
    """The two providers' addresses: the healthy one's, and those of the dead one by the way it is dead."""

    healthy: str
    refusing: str
    silent: str

    def address(self, way: str) -> str:
        """Of the dead one. `way` is one of DEAD."""
        return {"refusing": self.refusing, "silent": self.silent}[way]


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of the healthy provider's commands: alone, and beside a dead one by the way it is dead. `tried`: how
    many commands of the dead one the worker had tried meanwhile."""

    alone: list[float]
    beside: dict[str, list[float]]
    tried: dict[str, int]


@contextmanager
def rig(where: Stage) -> Iterator[Rig]:
    """A provider that answers and the addresses of one that does not: refusing is a port on which nobody listens,
    silent one that accepts connections and never says anything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent, socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        addresses = [f"http://127.0.0.1:{port}" for port in (server.server_port, _port(refusing), _port(silent))]
        try:
            _make_known(where, addresses[0])
            yield Rig(*addresses)
        finally:
            server.shutdown()
            server.server_close()


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def _make_known(where: Stage, healthy: str) -> None:
    """Let the healthy provider be found at its address, and make the dead one."""
    with psycopg.connect(where.superuser_url) as connection:
        connection.execute(
            "UPDATE provider SET base_url = %s, secret_sealed = %s, networks = '{127.0.0.0/8}' WHERE code = %s",
            [healthy, seal_master("key", CALL_RECORD.format(_HEALTHY)), _HEALTHY],
        )
        connection.execute(
            "INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url, secret_sealed, networks)"
            " VALUES ('prv_00000000000000000001', %s, '停摆', 'Dead', 'open_protocol', %s, %s, '{127.0.0.0/8}')",
            [_DEAD, healthy, seal_master("key", CALL_RECORD.format(_DEAD))],
        )


def queue(where: Stage, loaded: Loaded, port: int, *, rounds: int, seconds: float, clients: int) -> None:
    """Book as much as so many rounds need, and let none of the commands be due yet. No worker may run. Raises
    CannotMeasure."""
    submit(where, loaded, port, WARM_UP + rounds * (1 + 2 * len(DEAD)) * _each(seconds), clients)
    with psycopg.connect(where.superuser_url) as connection:
        connection.execute("UPDATE provider_task SET run_after = now() + interval '1 day'")


def _each(seconds: float) -> int:
    return max(1, round(PER_SECOND * seconds))


def warm_up(where: Stage) -> None:
    """A few commands, so that the worker has its connections and plans. Raises CannotMeasure."""
    with _connected(where) as connection:
        _settled(connection, _fall_due(connection, _HEALTHY, WARM_UP))


def measure(where: Stage, made: Rig, *, seconds: float) -> Latencies:
    """One round, while one worker works: commands that fall due for so long, alone, beside a provider that refuses, and
    beside a silent one. Raises CannotMeasure unless every command of the healthy one was carried out at the first try,
    and some of the dead one's were tried."""
    each = _each(seconds)
    beside, tried = {}, {}
    with _connected(where) as connection:
        alone = _settled(connection, _fall_due(connection, _HEALTHY, each))
        for way in DEAD:
            _kill(connection, made.address(way))
            _fall_due(connection, _DEAD, each)
            beside[way] = _settled(connection, _fall_due(connection, _HEALTHY, each))
            tried[way] = _put_away(connection)
            if not tried[way]:
                raise CannotMeasure(f"No command of the {way} provider was tried.")
    return Latencies(alone, beside, tried)


def _connected(where: Stage) -> psycopg.Connection[Any]:
    """A connection whose writes no key and no trigger checks: commands of the one provider become the other's."""
    return psycopg.connect(where.superuser_url, autocommit=True, options="-c session_replication_role=replica")


def _fall_due(connection: psycopg.Connection[Any], provider: str, how_many: int) -> list[int]:
    """Commands that fall due one after the other, from soon on; of the dead provider, some that were the other's. Their
    numbers."""
    rows = connection.execute(
        """
        WITH chosen AS (
          SELECT id, booking_id, row_number() OVER (ORDER BY id) - 1 AS n FROM provider_task
           WHERE state = 'queued' AND tries = 0 AND run_after > now() + interval '1 hour'
             AND provider_id = (SELECT id FROM provider WHERE code = %(from)s)
           ORDER BY id LIMIT %(how_many)s),
        theirs AS (
          UPDATE booking SET provider_id = (SELECT id FROM provider WHERE code = %(to)s) FROM chosen
           WHERE booking.id = chosen.booking_id)
        UPDATE provider_task t
           SET provider_id = (SELECT id FROM provider WHERE code = %(to)s),
               run_after = clock_timestamp() + (%(soon)s + n / %(per_second)s) * interval '1 s'
          FROM chosen WHERE chosen.id = t.id RETURNING t.id
        """,
        {"from": _HEALTHY, "to": provider, "how_many": how_many, "soon": _SOON, "per_second": PER_SECOND},
    ).fetchall()
    if len(rows) != how_many:
        raise CannotMeasure(f"{how_many} commands are needed, {len(rows)} are there.")
    return [row[0] for row in rows]


def _settled(connection: psycopg.Connection[Any], commands: list[int]) -> list[float]:
    """Wait for the answers; the latencies. Raises CannotMeasure."""
    until = time.monotonic() + _SOON + len(commands) / PER_SECOND + _PATIENCE
    while True:
        rows = connection.execute(
            "SELECT CAST(extract(epoch FROM finished_at - run_after) * 1000 AS float), state, tries FROM provider_task"
            " WHERE id = ANY(%s)",
            [commands],
        ).fetchall()
        if all(state in ("done", "refused") for _, state, _ in rows):
            break
        if time.monotonic() > until:
            raise CannotMeasure("The worker does not carry out the commands of the healthy provider.")
        time.sleep(0.2)
    if any(state != "done" or tries != 1 for _, state, tries in rows):
        raise CannotMeasure("Not every command of the healthy provider was carried out at the first try.")
    return [milliseconds for milliseconds, _, _ in rows]


def _kill(connection: psycopg.Connection[Any], address: str) -> None:
    """Let the dead provider be dead at this address, with nothing known of it. A worker reads addresses every two
    seconds."""
    connection.execute("UPDATE provider SET base_url = %s WHERE code = %s", [address, _DEAD])
    connection.execute(
        "DELETE FROM provider_breaker WHERE provider_id = (SELECT id FROM provider WHERE code = %s)", [_DEAD]
    )
    time.sleep(2 * BEAT)


def _put_away(connection: psycopg.Connection[Any]) -> int:
    """How many commands of the dead provider were tried in this round. Then it has nothing to do any more, and none of
    its calls is under way."""
    of_it = "FROM provider_task WHERE provider_id = (SELECT id FROM provider WHERE code = %s) AND"
    tried = _count(connection, f"SELECT count(*) {of_it} tries > 0 AND state <> 'parked'")
    until = time.monotonic() + _PATIENCE
    while True:
        connection.execute(
            "UPDATE provider_task SET state = 'parked' WHERE state IN ('queued', 'unknown')"
            " AND provider_id = (SELECT id FROM provider WHERE code = %s)",
            [_DEAD],
        )
        if not _count(connection, f"SELECT count(*) {of_it} state = 'in_flight'"):
            return tried
        if time.monotonic() > until:
            raise CannotMeasure("A call of the dead provider does not end.")
        time.sleep(0.2)


def _count(connection: psycopg.Connection[Any], question: str) -> int:
    row = connection.execute(question.encode(), [_DEAD]).fetchone()
    return int(row[0]) if row is not None else 0
