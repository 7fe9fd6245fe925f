"""Examiners of files that need no start: each is a fork of a process that has its program loaded.

An examiner is a program that is run anew for each file. To start the interpreter and load what reads a PDF takes a
fifth of a second, the examination itself a hundredth of that. So a process that has the program loaded, with the same
flags, folder and environment, is kept ready; a fork of it is held, gets the file and answers as one that was just
started. What is no `python -m` (a test's own command) is started, and so is everything under `started_anew`.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import IO, Any
from unittest import mock

from marketplace.core.examining import ask

# Each message brings three files: what is read, what is written, and where the exit code goes.
_PROGRAM = """
import importlib, os, signal, socket, sys
asked = socket.socket(fileno=int(sys.argv[1]))
program = importlib.import_module(sys.argv[2] + ".__main__")
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    message, files, *_ = socket.recv_fds(asked, 1, 3)
    if not message:
        break
    if not os.fork():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        content, answer, ended = files
        examiner = os.fork()
        if not examiner:
            os.dup2(content, 0)
            os.dup2(answer, 1)
            os.closerange(3, max(*files, asked.fileno()) + 1)
            code = 1
            try:
                code = program.main()
            finally:
                os._exit(code)
        os.write(ended, b"%d " % examiner)
        os.write(ended, b"%d" % os.waitstatus_to_exitcode(os.waitpid(examiner, 0)[1]))
        os._exit(0)
    for file in files:
        os.close(file)
"""


class _Ready:
    """A process that has one examiner's program loaded."""

    def __init__(self, command: Sequence[str], cwd: Any, env: Mapping[str, str]) -> None:
        python, *flags, _dash_m, module = command
        self._ours, theirs = socket.socketpair()
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [python, *flags, "-c", _PROGRAM, number, module],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def examine(self, content: bytes, answer: IO[bytes], seconds: float) -> int:
        """Its exit code, as subprocess tells it; what it writes goes where `answer` stands. Raises TimeoutExpired."""
        read, write = os.pipe()
        with os.fdopen(read, "rb", buffering=0) as ended, os.fdopen(os.memfd_create("file"), "w+b") as file:
            file.write(content)
            file.seek(0)
            socket.send_fds(self._ours, [b"."], [file.fileno(), answer.fileno(), write])
            os.close(write)
            until, said = time.monotonic() + seconds, b""
            while select.select([ended], [], [], max(0.0, until - time.monotonic()))[0]:
                more = ended.read(100)
                if not more:
                    return int(said.split()[1])
                said += more
            os.kill(int(said.split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired("", seconds)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait(10)


class _Programs:
    """What `ask` finds as `subprocess`."""

    DEVNULL = subprocess.DEVNULL
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self) -> None:
        self._ready: dict[Any, _Ready] = {}
        self._one_at_a_time = Lock()

    def run(
        self, command: Sequence[str], *, input: bytes, stdout: IO[bytes], timeout: float, cwd: Any, env: Any, **how: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """As subprocess does."""
        if command[-2:-1] != ("-m",):
            return subprocess.run(command, input=input, stdout=stdout, timeout=timeout, cwd=cwd, env=env, **how)
        program = tuple(command), str(cwd), tuple(env.items())
        with self._one_at_a_time:
            if program not in self._ready:
                self._ready[program] = _Ready(command, cwd, env)
        return subprocess.CompletedProcess(command, self._ready[program].examine(input, stdout, timeout))

    def close(self) -> None:
        """End all that are ready."""
        for each in self._ready.values():
            each.close()


@contextmanager
def kept_ready() -> Iterator[None]:
    """While this lasts each examiner is a fork."""
    with closing(_Programs()) as programs, mock.patch.object(ask, "subprocess", programs):
        yield


def started_anew() -> Any:
    """While this lasts each examiner is started as it is in the product."""
    return mock.patch.object(ask, "subprocess", subprocess)
