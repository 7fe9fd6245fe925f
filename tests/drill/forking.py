"""`python -m drill`, or another module that drills, but each process it starts is a fork of one that has the product
imported (tests/processes.py), and its database a copy of one that was migrated (tests/migrated_server.py): a drill that
is over in seconds would else spend most of them on importing the same modules a dozen times and on migrations.

`python -m tests.drill.forking MODULE MIGRATED …`, with the options of the drill.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path

from drill.consultations import stage as clinic
from drill.rig import fleet, stage
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import Server
from marketplace.development.processes import GIVES_WAY
from tests.migrated_server import place_copy
from tests.processes import start


@dataclass
class Forked:
    """A fork, as the fleet wants it."""

    process: BaseProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        self.process.join(timeout)
        assert self.process.exitcode is not None, f"it has not ended within {timeout} s"
        return self.process.exitcode


def launch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Forked:
    """The command's module: `python -m module …`, or the program of a package of that name, whatever its priority."""
    if tuple(command[: len(GIVES_WAY)]) == GIVES_WAY:
        command = command[len(GIVES_WAY) :]
    module = command[2:] if command[1] == "-m" else [Path(command[0]).name, *command[1:]]
    return Forked(start(module, environment, log))


def run(module: str, migrated: Path) -> None:
    """Run a module that drills on a copy of the migrated server, and end this process."""

    class Copied(DevDatabase):
        def start(self) -> None:
            """The copy is placed before the first start."""
            if Server.read(self.state) is None:
                place_copy(migrated, self.state)
            super().start()

    for name in [name for name in os.environ if name.startswith("DATABASE_")]:
        del os.environ[name]  # it has a database of its own, or none
    fleet.launch = launch
    stage.DevDatabase = clinic.DevDatabase = Copied
    sys.exit(import_module(f"{module}.__main__").main(sys.argv[3:]))


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
