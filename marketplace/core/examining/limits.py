"""What an examiner takes from itself before it looks at a file."""

from __future__ import annotations

import resource
import signal


def hold(*, memory: int, processor_seconds: int, clock_seconds: int, answer: int) -> None:
    """Limit this process: memory and size of its answer (bytes), time, no other file. Standard input and output stay
    open."""
    signal.alarm(clock_seconds)
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: processor_seconds,
        resource.RLIMIT_FSIZE: answer,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 3,
    }
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
