"""Child processes that never outlive whoever started them."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: the child must not have to look for it


def dies_with_us(how: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` for subprocess: the kernel sends the child `how` when the thread that started it ends.

    Even kill -9 of the parent counts (prctl(2), PR_SET_PDEATHSIG). The thread that starts the child must therefore
    live as long as the child should: use the main thread.
    """
    parent = os.getpid()

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call above
            os._exit(1)

    return tie


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with, or what it shows instead; empty if it has ended.

    World-readable on Linux, unlike /proc/PID/cwd, so it also works for root in a container without CAP_SYS_PTRACE.
    """
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [part.decode(errors="replace") for part in file.read().rstrip(b"\0").split(b"\0")]
    except (FileNotFoundError, ProcessLookupError):
        return []


def all_processes() -> list[int]:
    """The ids of all processes now running."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
