"""Asking an examiner: a program that limits itself, gets a file through a pipe and writes its answer into memory.

It gets no setting and no key of ours, can open no file and no connection (`limits.hold`), and is killed when it takes
too long.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from marketplace.core.config import ROOT
from marketplace.core.logging import get_logger

log = get_logger(__name__)


class NoVerdict(Exception):
    """The examiner ended without an answer: it was killed for what it cost (`costly`), or it broke."""

    def __init__(self, *, costly: bool) -> None:
        super().__init__("too costly" if costly else "broken")
        self.costly = costly


def answer_of(command: Sequence[str], content: bytes, *, seconds: float, largest: int) -> bytes:
    """What the examiner `command` says of `content`: at most `largest` bytes, within so many seconds. What it says is
    no more to be trusted than the file. Raises NoVerdict."""
    with os.fdopen(os.memfd_create("findings"), "w+b") as answer:
        try:
            done = subprocess.run(
                command,
                input=content,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise NoVerdict(costly=True) from late
        if done.returncode != 0:
            log.warning("examiner.ended", program=command[-1], code=done.returncode)
            raise NoVerdict(costly=done.returncode < 0)
        answer.seek(0)
        return answer.read(largest)
