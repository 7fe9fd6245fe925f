"""Runs several processes as one: they start together, log with a prefix, and stop together.

None that died is started anew: it has something to say, and a silent new one would hide it. The exception is a service
with an `again`: it ends itself so when it stands still, and after a pause a new one is started, with a sentence. In
production each is a unit of its own under systemd or a container runtime, which restarts them.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from marketplace.development.children import dies_with_us

GRACE = 10.0
_TICK = 0.1
_PAUSE = 2.0


@dataclass(frozen=True)
class Service:
    """One process to run: its short name for the log, its command, and whether it is started `again` when it ended with
    that exit code."""

    name: str
    command: list[str]
    again: int | None = None


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes]
    pipe: IO[bytes]
    rest: bytes = b""

    def ended(self) -> bool:
        """True once it has ended; it stays uncollected, so that its process group's number stays taken."""
        if self.process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def signal_group(self, what: signal.Signals) -> None:
        """Signal it and all its descendants that stayed in its process group."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, what)


@dataclass
class Supervisor:
    """Runs `services` until one ends for good, or SIGINT or SIGTERM comes.

    `ready` is asked about every 0.1 s until it says True; then `on_ready` is called once. Give it `ready_seconds`.
    """

    services: list[Service]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] = lambda: True
    on_ready: Callable[[], None] = lambda: None
    ready_seconds: float = 60.0
    grace: float = GRACE
    pause: float = _PAUSE
    _children: list[_Child] = field(default_factory=list)
    _stops: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> int:
        """Start all and block. Returns 0 after a signal, 1 when a process ended by itself or never got ready.

        No child is left when this returns. If we are killed, the kernel tells each child to stop.
        """
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for service in self.services:
                self._start(service)
            return self._watch()
        finally:
            self._stop_all()
            self._selector.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self._stops += 1

    def _start(self, service: Service) -> None:
        try:
            process = subprocess.Popen(
                service.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that Ctrl-C reaches us alone and we stop everything in order
                preexec_fn=dies_with_us(signal.SIGTERM),
            )
        except OSError as failed:
            raise SystemExit(f"{service.name} cannot be started: {failed.strerror}: {service.command[0]}") from failed
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        child = _Child(service, process, process.stdout)
        self._children.append(child)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _watch(self) -> int:
        waiting, until = True, time.monotonic() + self.ready_seconds
        while not self._stops:
            self._pass_on_logs(_TICK)
            for child in list(self._children):
                if child.ended():
                    self._pass_on_logs(0.2)
                    if self._start_again(child):
                        continue
                    _say(f"{child.service.name} stopped by itself ({_how(child)}); the others are stopped too.")
                    return 1
            if waiting and self.ready():
                waiting = False
                self.on_ready()
            elif waiting and time.monotonic() > until:
                _say(f"Nothing answers after {self.ready_seconds:.0f} seconds; everything is stopped.")
                return 1
        return 0

    def _start_again(self, child: _Child) -> bool:
        """True when it was such a child and a new one runs, or a signal came while we paused."""
        code = os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOWAIT)
        again = child.service.again
        if again is None or code is None or (code.si_code, code.si_status) != (os.CLD_EXITED, again):
            return False
        _say(f"{child.service.name} ended itself (exit code {again}) and is started anew.")
        until = time.monotonic() + self.pause
        while time.monotonic() < until and not self._stops:
            self._pass_on_logs(_TICK)
        self._collect(child)
        self._children.remove(child)
        if not self._stops:
            self._start(child.service)
        return True

    def _collect(self, child: _Child) -> None:
        """End what it left running, before its number is free."""
        child.signal_group(signal.SIGKILL)
        child.process.wait()
        if child.pipe.fileno() in self._selector.get_map():
            self._selector.unregister(child.pipe)
        child.pipe.close()

    def _stop_all(self) -> None:
        """SIGTERM to every group; SIGKILL after the grace, or at once when asked a second time."""
        asked = self._stops
        for child in self._children:
            child.signal_group(signal.SIGTERM)
        until = time.monotonic() + self.grace
        while not all(child.ended() for child in self._children):
            self._pass_on_logs(_TICK)
            if time.monotonic() > until or self._stops > asked:
                break
        for child in self._children:
            child.signal_group(signal.SIGKILL)  # also what a child that ended has left running
        self._pass_on_logs(0.2)
        for child in self._children:
            child.process.wait()
            child.pipe.close()

    def _pass_on_logs(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _events in self._selector.select(seconds):
            self._pass_on(key.data)

    def _pass_on(self, child: _Child) -> None:
        pipe = child.pipe
        block = os.read(pipe.fileno(), 65536)
        *lines, child.rest = (child.rest + block).split(b"\n")
        if not block:
            self._selector.unregister(pipe)
            lines = [child.rest] if child.rest else []
        for line in lines:
            sys.stdout.write(f"{child.service.name:<8}| {line.decode(errors='replace')}\n")
        sys.stdout.flush()


def _how(child: _Child) -> str:
    code = child.process.poll()
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _say(sentence: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
