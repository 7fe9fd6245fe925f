"""The product's own processes, started for real: worker and web server on a given database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from marketplace.core.config import ROOT
from tests.sandboxes import eventually


@dataclass
class Running:
    """A process in a group of its own, so that a kill takes its children too."""

    process: subprocess.Popen[bytes]
    url: str = ""

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def _start(arguments: list[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def start_worker(environment: Mapping[str, str], log: Path) -> Running:
    """A worker; it may not be working yet."""
    return Running(_start(["booking.worker"], environment, log))


def start_web(environment: Mapping[str, str], log: Path, port: int = 0) -> Running:
    """A web server with two workers that answers /healthz."""
    port = port or free_port()
    web = Running(
        _start(
            ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
             "--blocking-threads", "8", "--no-ws", "wsgi:app"],
            environment,
            log,
        ),
        f"http://127.0.0.1:{port}",
    )  # fmt: skip
    eventually(lambda: _answers(web.url), 60)
    return web


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def killed_afterwards(*running: Running) -> Iterator[None]:
    """Leave nothing behind."""
    try:
        yield
    finally:
        for each in running:
            each.kill()
