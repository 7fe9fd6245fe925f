"""Where it happens: a database of its own, with fsync, and a web server as a process. Both end with the block."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from marketplace.core import migrate
from marketplace.core.config import ROOT, settings
from marketplace.development import processes
from marketplace.development.children import dies_with_us
from marketplace.development.database import DATABASE, DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, SUPERUSER, free_port

_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# Truncated together, so that every measurement begins with the same rows, whatever the one before it wrote.
_FORGET = """
    UPDATE slot SET taken = 0 WHERE id IN (SELECT slot_id FROM slot_claim);
    TRUNCATE booking, booking_history, slot_claim, entitlement_entry, provider_task, idempotency_key CASCADE;
    TRUNCATE live_event;
    UPDATE entitlement SET reserved = 0 WHERE reserved <> 0;
"""


class CannotMeasure(Exception):
    """Why there is no figure, in one sentence."""


@dataclass(frozen=True)
class Stage:
    """A migrated database and a folder for logs. This process's settings point at it."""

    database: DevDatabase
    folder: Path

    @property
    def programs(self) -> Path:
        """Where pgbench lies: beside the server's own programs."""
        return self.database.server.programs

    @property
    def superuser_url(self) -> str:
        """For what neither of the product's roles may do: truncating the ledger, checkpoints."""
        return self.database.server.url(SUPERUSER, DATABASE)

    def begin_anew(self) -> None:
        """Forget all bookings and write everything to disk, so that no measurement pays for the one before."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(_FORGET)
            connection.execute("VACUUM entitlement")
            connection.execute("CHECKPOINT")

    def count(self, question: str) -> int:
        """The single number that a query answers."""
        with psycopg.connect(self.superuser_url) as connection:
            row = connection.execute(question.encode()).fetchone()
        if row is None:
            raise CannotMeasure(f"{question} found nothing.")
        return int(row[0])


@contextmanager
def stage() -> Iterator[Stage]:
    """A new database, migrated; it and everything in the folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="anxiang-bench-") as name:
        folder = Path(name)
        with DevDatabase(folder / "postgres", ephemeral=True, fsync=True) as database:
            os.environ.update(
                ANXIANG_ENV="development",
                ANXIANG_STATE_DIR=str(folder / "state"),
                DATABASE_URL=database.database_url,
                DATABASE_OWNER_URL=database.owner_url,
            )
            migrate.upgrade(database.owner_url, application_role=APPLICATION)
            yield Stage(database, folder)


@dataclass(frozen=True)
class WebServer:
    """A web server to measure. {host}, {port} and {workers} of `command` are filled in, as in ANXIANG_WEB_COMMAND."""

    name: str
    command: str
    pool_size: int


CHOSEN = WebServer("granian, 2 × 16 threads (default)", processes.WEB, 16)


@contextmanager
def serving(where: Stage, server: WebServer = CHOSEN, **more: str) -> Iterator[int]:
    """The server runs as in production, with `more` settings and its log in a file; yields its port. Raises
    CannotMeasure."""
    with serving_in_group(where, server, **more) as (port, _):
        yield port


@contextmanager
def serving_in_group(where: Stage, server: WebServer = CHOSEN, **more: str) -> Iterator[tuple[int, int]]:
    """serving() with the server's process group beside its port."""
    port = free_port()
    workers = processes.Options.read(os.environ).web_workers
    command = processes.web_command(server.command, host="127.0.0.1", port=port, workers=workers)
    with (where.folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**_as_in_production(server), **more},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # so that Ctrl-C reaches us alone, and its workers end with it
            preexec_fn=dies_with_us(signal.SIGTERM),
        )
        try:
            _wait(process, port, where.folder / "web.log")
            yield port, process.pid
        finally:
            _end(process)


@contextmanager
def delivering(where: Stage) -> Iterator[tuple[int, int]]:
    """The process that delivers streams, as in production; yields its port and its process group. Raises
    CannotMeasure."""
    port = free_port()
    with (where.folder / "live.log").open("ab") as log:
        process = subprocess.Popen(
            processes.live_command(host="127.0.0.1", port=port),
            cwd=ROOT,
            env=_as_in_production(CHOSEN),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            preexec_fn=dies_with_us(signal.SIGTERM),
        )
        try:
            _wait(process, port, where.folder / "live.log", "/live/healthz")
            yield port, process.pid
        finally:
            _end(process)


@contextmanager
def working(where: Stage) -> Iterator[None]:
    """One worker, as in production, with its log in a file, from its first heartbeat on. Raises CannotMeasure."""
    log = where.folder / "worker.log"
    with log.open("ab") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking.worker"],
            cwd=ROOT,
            env=_as_in_production(CHOSEN),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            process_group=0,
            preexec_fn=dies_with_us(signal.SIGTERM),
        )
        try:
            until = time.monotonic() + 60
            while not where.count("SELECT count(*) FROM worker_beat WHERE at > now() - interval '5 s'"):
                if process.poll() is not None or time.monotonic() > until:
                    raise CannotMeasure(f"The worker does not work: {' '.join(log.read_text().split()[-40:])}")
                time.sleep(0.1)
            yield
        finally:
            _end(process)


def _as_in_production(server: WebServer) -> dict[str, str]:
    keys = json.loads((settings().state_dir / "keys.json").read_text())
    return {**os.environ, **keys, "ANXIANG_ENV": "production", "DATABASE_POOL_SIZE": str(server.pool_size)}


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, path: str = "/healthz") -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            _NO_PROXY.open(f"http://127.0.0.1:{port}{path}", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CannotMeasure(f"The server does not answer: {' '.join(log.read_text().split()[-40:])}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to its group, SIGKILL to what is left after ten seconds."""
    for what, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, what)
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return
