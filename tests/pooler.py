"""Debian's PgBouncer in transaction mode in front of a test's server."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, free_port
from marketplace.development.embedded.programs import RunAs, clean_environment
from tests.needs import needs

_PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/sbin:/bin")
_CONNECTIONS = 2  # few, so that those who share the pooler meet on them


@contextmanager
def pooler(server: DevDatabase) -> Iterator[str]:
    """The address of the database `anxiang` through a pooler of its own, which ends with the block."""
    needs(_PROGRAM is not None, "pgbouncer")
    user = RunAs(server.server.user)
    folder, port = Path(tempfile.mkdtemp(prefix="anxiang-pooler-")), free_port()
    (folder / "users.txt").write_text(f'"{APPLICATION}" "{server.server.passwords[APPLICATION]}"\n')
    (folder / "pgbouncer.ini").write_text(_settings(server, folder, port))
    for path in (folder, folder / "users.txt", folder / "pgbouncer.ini"):
        user.give(path)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(_PROGRAM), str(folder / "pgbouncer.ini")],
            cwd="/",
            env=clean_environment(),
            user=user.name,
            group=user.group,
            extra_groups=None if user.name is None else [],
            stdout=log,
            stderr=log,
        )
    try:
        url = server.database_url.replace(f":{server.server.port}/", f":{port}/")
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)


def _settings(server: DevDatabase, folder: Path, port: int) -> str:
    return (
        f"[databases]\n* = host=127.0.0.1 port={server.server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = {_CONNECTIONS}\nmax_client_conn = 300\n"
    )


def _wait_for(url: str) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
