"""Servers of a test's own without initdb and migrations each time: copies of one that the run makes once."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from marketplace.core import migrate
from marketplace.development.database import DevDatabase
from marketplace.development.embedded import postgres
from marketplace.development.embedded.postgres import APPLICATION, Server
from marketplace.development.embedded.programs import RunAs


def make_once(folder: Path) -> None:
    """Keep the data of a migrated server that was stopped in order in `folder`, unless it is there. One at a time."""
    if Server.read(folder) is None:
        keep(folder, lambda database: migrate.upgrade(database.owner_url, application_role=APPLICATION))


def keep(folder: Path, prepare: Callable[[DevDatabase], None] = lambda database: None) -> None:
    """Keep the data of a new server in `folder`, once it was prepared and stopped in order."""
    with DevDatabase(folder / "draft", ephemeral=True, fsync=False) as database:
        prepare(database)
        postgres.stop(database.server)
        _copy(database.server.data, folder / "data")
        database.server.write(folder)


def place_copy(made: Path, state: Path) -> None:
    """Describe in `state` an ephemeral server with a copy of what make_once or keep kept, on a port of its own, to be
    started by DevDatabase, which removes it too."""
    server = Server.read(made)
    assert server is not None, "make_once comes first"
    folder = Path(tempfile.mkdtemp(prefix="anxiang-db-"))
    RunAs(server.user).give(folder)
    _copy(made / "data", folder / "data")
    state.mkdir()
    replace(server, folder=folder, port=postgres.free_port()).write(state)


def _copy(data: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", data, to], check=True)  # with its owner, who is not us where we are root
