"""The processes of a drill: killed with kill -9, and brought back as a supervisor would.

Everything here is called from the main thread: the kernel ends each process when the thread that started it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from drill.rig.plan import POSTGRESQL
from marketplace.core.config import ROOT
from marketplace.development.children import dies_with_us
from marketplace.development.database import DevDatabase

_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


LONGEST_START = 30.0
"""Seconds after a kill in which a process may be starting. What takes longer is not the kill's doing."""


class CannotDrill(Exception):
    """Why there is no verdict, in one sentence."""


class Process(Protocol):
    """A process that was started, as subprocess.Popen has it."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def wait(self, timeout: float) -> int:
        """Its exit code, within so many seconds."""


def launch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """Start a program in a group of its own, what it says behind what the log holds."""
    with log.open("ab") as said:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            process_group=0,  # a kill takes what it has started too
            preexec_fn=dies_with_us(signal.SIGKILL),
        )


@dataclass
class Fleet:
    """Named processes and the database server. `ready` tells of each process, by its pid, whether it is at work;
    `settings` are those that one has beside the `environment` of all."""

    database: DevDatabase
    environment: Mapping[str, str]
    logs: Path
    commands: Mapping[str, Sequence[str]]
    ready: Mapping[str, Callable[[int], bool]]
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    starts: dict[str, list[float]] = field(default_factory=dict)
    _running: dict[str, Process] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _up_since: dict[str, float] = field(default_factory=dict)
    _killed: set[str] = field(default_factory=set)

    def start(self, name: str) -> None:
        """Start a process; it may not be up yet."""
        environment = {**self.environment, **self.settings.get(name, {})}
        self._running[name] = launch(self.commands[name], environment, self.logs / f"{name}.log")
        self._started[name] = time.monotonic()

    def kill(self, name: str) -> None:
        """kill -9, whatever it is doing, and start it again."""
        self.kills[name] += 1
        if name == POSTGRESQL:
            began = time.monotonic()
            self.database.kill()
            self.database.start()
            self._note(name, began)
            return
        self._end(name)
        self.start(name)
        self._killed.add(name)

    def up(self, name: str, seconds: float = 0.0) -> bool:
        """Whether it was first seen at work at least so many seconds ago, since it was started last; the database is at
        work whenever it was started."""
        return name not in self._started and time.monotonic() - self._up_since.get(name, 0.0) >= seconds

    def held_down(self, names: Sequence[str]) -> bool:
        """Whether none of them can be at work because we killed each: it is starting since, not longer than
        LONGEST_START. One that ended by itself is not."""
        now = time.monotonic()
        return all(name in self._killed and now - self._started.get(name, 0.0) <= LONGEST_START for name in names)

    def look(self) -> None:
        """Note who has come up since the last look, and bring back who ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self.kills[f"{name} ended by itself"] += 1
                self.start(name)
                self._killed.discard(name)
        for name in list(self._started):
            if self.ready[name](self._running[name].pid):
                self._note(name, self._started.pop(name))
                self._killed.discard(name)

    def wait_until_up(self, seconds: float = 180.0) -> None:
        """Wait for everybody. Raises CannotDrill."""
        until = time.monotonic() + seconds
        while self._started:
            if time.monotonic() > until:
                who = ", ".join(self._started)
                raise CannotDrill(f"Not at work after {seconds:.0f} seconds: {who}; the logs are in {self.logs}.")
            time.sleep(0.1)
            self.look()

    def end(self) -> None:
        """Kill all processes; the database belongs to whoever gave it."""
        for name in self._running:
            self._end(name)

    def _end(self, name: str) -> None:
        process = self._running[name]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def _note(self, name: str, began: float) -> None:
        self._up_since[name] = time.monotonic()
        self.starts.setdefault(name, []).append(self._up_since[name] - began)


def answers(address: str) -> bool:
    """Whether an address answers 200."""
    try:
        with _NO_PROXY.open(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
