"""The embedded PostgreSQL of development and tests.

`python -m marketplace.development.database start|stop|status|url|remove` works it by hand.

Production gives DATABASE_URL and never comes here. The programs are the machine's, else the wheel's;
we drive initdb and postgres ourselves (embedded/).

**Who keeps it alive.** A small guard process owns the server, and every DevDatabase that started or joined it holds a
shared lock. The kernel drops that lock when its holder ends, however it ends, so the guard sees when the last one is
gone and stops the server: kill -9 of us leaves nothing behind. If the guard itself is killed, the
kernel tells postgres to stop (PR_SET_PDEATHSIG). The command line's `start` leaves a marker instead of a lock.

**Where things are.** `postgres/` in the state folder holds the server's description with random passwords (0600), its
log and the data. As root the server runs as an unprivileged user; if that user cannot reach the state folder (it lies
under /root, say), the data goes to a folder of our own, /var/lib/anxiang-dev/<hash of the state folder's path>, 0700
and owned by that user, because the alternative would be to open up folders that are not ours.

**Crashes.** PostgreSQL recovers its data by itself. What it cannot know is whether the pid in a stale postmaster.pid
is a postmaster or a stranger that got the number since; we look at the process's command line to tell.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from marketplace.core.config import sqlalchemy_url, state_dir
from marketplace.core.database.connection import set_on_role
from marketplace.development.embedded import guard, postgres
from marketplace.development.embedded.postgres import APPLICATION, OWNER, SUPERUSER, Server
from marketplace.development.embedded.programs import DevDatabaseError, RunAs, choose_user, find, own_folder

__all__ = ["DevDatabase", "DevDatabaseError"]

DATABASE = "anxiang"
_PATIENCE = 60.0


class DevDatabase:
    """An embedded server: start() makes, starts or joins it, stop() lets go of it.

    `state` is the folder that describes it (default `postgres/` in the state folder); whoever gives the same folder
    gets the same server. `ephemeral` puts the data into a temporary folder that disappears with the last user.
    All methods raise DevDatabaseError with one clear sentence.
    """

    def __init__(self, state: Path | None = None, *, ephemeral: bool = False, fsync: bool = True) -> None:
        self.state = (state or state_dir() / "postgres").absolute()
        self._ephemeral = ephemeral
        self._fsync = fsync
        self._hold: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def server(self) -> Server:
        """The server's description. Raises DevDatabaseError when it was never started."""
        described = Server.read(self.state)
        if described is None:
            raise DevDatabaseError(f"There is no embedded database in {self.state}.")
        return described

    @property
    def database_url(self) -> str:
        """The address of the database `anxiang` for the application's role."""
        return self.url(DATABASE)

    @property
    def owner_url(self) -> str:
        """The same database for the role that owns the tables."""
        return self.url(DATABASE, role=OWNER)

    def url(self, database: str, *, role: str = APPLICATION) -> str:
        """The address of any database of this server for one of our roles."""
        return self.server.url(role, database)

    @property
    def running(self) -> bool:
        """True while a server process exists."""
        described = Server.read(self.state)
        return described is not None and postgres.postmaster(described) is not None

    def start(self) -> None:
        """Start the server, or join it where it runs; returns when it answers. Calling it again is harmless."""
        with self._alone():
            if self._hold is None:
                self._hold = guard.join(self.state)
            try:
                self._ensure_running()
            except BaseException:
                self._leave()
                raise

    def stop(self) -> None:
        """Let go. If nobody else uses the server it is stopped, and has stopped when this returns."""
        with self._alone():
            self._leave()

    def kill(self) -> None:
        """Kill every server process at once, as a crash would; start() brings the data back."""
        postgres.kill(self.server)

    def keep(self, *, wanted: bool) -> None:
        """Let the server run on without users, or no longer; for the command line."""
        with self._alone():
            if wanted:
                (self.state / "keep").touch()
            else:
                (self.state / "keep").unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the stopped server with all its data. Raises DevDatabaseError while somebody uses it."""
        self.keep(wanted=False)
        self.stop()
        if self.running:
            raise DevDatabaseError("The embedded database is in use: stop what uses it first.")
        described = Server.read(self.state)
        if described is not None:
            postgres.remove(described)
            if described.folder != self.state:
                described.folder.rmdir()
        shutil.rmtree(self.state)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database that belongs to the owner's role, a copy of `template` if given (nobody may be in it)."""
        with self._superuser() as connection:
            _create(connection, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, ending the sessions in it."""
        with self._superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _superuser(self) -> Iterator[psycopg.Connection]:
        address = self.server.url(SUPERUSER, "postgres")
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One start or stop at a time on this machine."""
        self.state.mkdir(parents=True, exist_ok=True)
        if self.state.stat().st_uid != os.geteuid():
            raise DevDatabaseError(f"{self.state} belongs to another user; set ANXIANG_STATE_DIR to a folder of yours.")
        lock = self._wait_for_turn()
        try:
            yield
        finally:
            os.close(lock)

    def _wait_for_turn(self) -> int:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                return guard.lock_alone(self.state / "start.lock")
            except BlockingIOError:
                time.sleep(0.05)
        raise DevDatabaseError(f"Another start of the database in {self.state} does not end.")

    def _ensure_running(self) -> None:
        described = Server.read(self.state)
        if described is not None and postgres.postmaster(described) is not None:
            self._wait_until_it_answers(described, None)
        else:
            described = self._launch(self._describe(described))
        _make_roles_and_database(described)

    def _launch(self, server: Server) -> Server:
        """Start it on its old port, else on another: one that was free can be taken before postgres has it."""
        for _attempt in range(5):
            if not postgres.is_free(server.port):
                server = replace(server, port=postgres.free_port())
            server.write(self.state)
            if self._wait_until_it_answers(server, guard.start(self.state)):
                return server
        raise DevDatabaseError(f"PostgreSQL does not start: {self._last_words()}")

    def _describe(self, before: Server | None) -> Server:
        """The server to start: as before where possible, with whatever programs fit its data now."""
        user = choose_user() if before is None else RunAs(before.user)
        major = _version_of(before.data) if before is not None else None
        binaries = find(user, major=major)
        folder = before.folder if before is not None and before.folder.exists() else self._place(user)
        if before is None and _version_of(folder / "data") is not None:
            raise DevDatabaseError(f"{folder} holds a database whose passwords are gone: remove it to begin anew.")
        names = (SUPERUSER, OWNER, APPLICATION)
        server = Server(
            folder=folder,
            programs=binaries.folder,
            major=binaries.major,
            port=postgres.free_port() if before is None else before.port,
            user=user.name,
            passwords={name: postgres.new_password() for name in names} if before is None else before.passwords,
            ephemeral=self._ephemeral,
            fsync=self._fsync,
        )
        server.write(self.state)
        return server

    def _place(self, user: RunAs) -> Path:
        """A folder for the data that `user` reaches."""
        if self._ephemeral:
            folder = Path(tempfile.mkdtemp(prefix="anxiang-db-"))
            user.give(folder)
            if user.reaches(folder):
                return folder
            folder.rmdir()
        elif user.reaches(self.state):
            return self.state
        return own_folder(hashlib.sha256(str(self.state).encode()).hexdigest()[:16], user)

    def _wait_until_it_answers(self, server: Server, owner: subprocess.Popen[bytes] | None) -> bool:
        """True when the server takes connections, False when the guard has given up."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if _answers(server):
                return True
            if owner is not None and owner.poll() is not None:
                return False
            time.sleep(0.03)
        raise DevDatabaseError(f"PostgreSQL does not answer: {self._last_words()}")

    def _last_words(self) -> str:
        lines = (self.state / "server.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _leave(self) -> None:
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None
        if guard.end_if_unused(self.state):
            guard.collect(self.state)


def _version_of(data: Path) -> int | None:
    """The major version that made a data folder, None when there is none."""
    version = data / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _answers(server: Server) -> bool:
    try:
        psycopg.connect(server.url(SUPERUSER, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_roles_and_database(server: Server) -> None:
    """Roles and the database, as far as they are missing: a start may have been killed before it got here."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for role in (OWNER, APPLICATION):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(server.passwords[role])
                    )
                )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            _create(connection, DATABASE, None)
    set_on_role(sqlalchemy_url(server.url(APPLICATION, DATABASE)))


def _create(connection: psycopg.Connection, name: str, template: str | None) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template1")
        )
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; prints one sentence, or the address, and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m marketplace.development.database", description="The embedded database."
    )
    parser.add_argument("what", choices=["start", "stop", "status", "url", "remove"])
    parser.add_argument("--state", type=Path, default=None, help="folder that describes the server")
    parser.add_argument("--owner", action="store_true", help="url: the address for the owner's role")
    given = parser.parse_args(arguments)
    database = DevDatabase(given.state)
    try:
        print(_answer(database, given.what, owner=given.owner))
    except DevDatabaseError as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


def _answer(database: DevDatabase, what: str, *, owner: bool) -> str:
    if what == "url":
        return database.owner_url if owner else database.database_url
    if what == "start":
        database.start()
        database.keep(wanted=True)
    elif what == "stop":
        database.keep(wanted=False)
        database.stop()
    elif what == "remove":
        database.remove()
        return "The embedded database and its data are removed."
    if not database.running:
        return "The embedded database does not run."
    server = database.server
    return f"The embedded database (PostgreSQL {server.major}) runs on 127.0.0.1:{server.port}."


if __name__ == "__main__":
    sys.exit(main())
