"""The product's own processes, started for real: worker and web server on a given database.

A start takes seconds, nearly all of them for importing the same modules. So a process that has them imported is kept
ready, and each start is a fork of it that runs the module as `python -m` would. `anew` begins from nothing, for what
an import itself reads of the environment.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import requests

from marketplace.core.config import ROOT
from marketplace.development.embedded.postgres import free_port
from tests.eventually import eventually

_READY = multiprocessing.get_context("forkserver")
_READY.set_forkserver_preload(
    ["booking.worker.process", "marketplace.app", "marketplace.cli", "granian.cli", "providers.sandbox.__main__",
     "providers.sandbox.day_capacity.__main__", __name__]
)  # fmt: skip


@dataclass
class Running:
    """A process in a group of its own, so that a kill takes its children too."""

    process: BaseProcess
    url: str = ""

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self.alive:
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(20)

    def wait(self, seconds: float) -> int:
        """The exit code, within so many seconds."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"it has not ended within {seconds} s"
        return self.process.exitcode


def start(arguments: list[str], environment: Mapping[str, str], log: Path, anew: bool = False) -> BaseProcess:
    """`python -m` with these arguments: in a session and an environment of its own, its words behind what the log
    holds."""
    process = _READY.Process(target=_become, args=(arguments, {**os.environ, **environment}, str(log), anew))
    process.start()
    eventually(lambda: _apart(process))
    return process


def _apart(process: BaseProcess) -> bool:
    """Whether it is in a group of its own, or has ended already."""
    try:
        return os.getpgid(process.pid or 0) == process.pid
    except ProcessLookupError:
        return True


def _become(arguments: list[str], environment: dict[str, str], log: str, anew: bool) -> None:
    """Be what `start` promises."""
    with open(log, "ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.setsid()
    os.chdir(ROOT)
    if anew:
        os.execve(sys.executable, [sys.executable, "-m", *arguments], environment)  # noqa: S606
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def run_program(program: str, environment: Mapping[str, str]) -> int:
    """Run a program's text in a process that has the product imported; its exit code, below 0 where a signal ended
    it."""
    process = _READY.Process(target=_run, args=(program, {**os.environ, **environment}))
    process.start()
    return Running(process).wait(120)


def _run(program: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    exec(program, {"__name__": "__main__"})  # noqa: S102


def start_worker(environment: Mapping[str, str], log: Path) -> Running:
    """A worker; it may not be working yet."""
    return Running(start(["booking.worker"], environment, log))


def start_web(environment: Mapping[str, str], log: Path, port: int = 0, anew: bool = False) -> Running:
    """A web server that answers /healthz, both its workers loaded: before that, one has requests queued behind it."""
    port = port or free_port()
    before = _started(log)
    web = Running(
        start(
            ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
             "--blocking-threads", "8", "--no-ws", "wsgi:app"],
            environment,
            log,
            anew,
        ),
        f"http://127.0.0.1:{port}",
    )  # fmt: skip
    eventually(lambda: _started(log) == before + 2 and _answers(web.url), 180)
    return web


def _started(log: Path) -> int:
    """How many workers of web servers have said in the log that they are loaded."""
    return log.read_text().count("Started worker-") if log.exists() else 0


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def killed_afterwards(*running: Running) -> Iterator[None]:
    """Leave nothing behind."""
    try:
        yield
    finally:
        for each in running:
            each.kill()
