"""A lane: a process in a copy of the tree that has the libraries loaded, and forks for each mistake.

Reads a line of JSON for each, {"tests": […], "seconds": s}; answers with {"outcome": killed | survived | timeout,
"by": the first test that failed}. Run as `python -m mutate.lane`, with the copy as its folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

# What every test needs and no mistake is in: loaded once.
import flask  # noqa: F401
import flask_sqlalchemy  # noqa: F401
import hypothesis  # noqa: F401
import psycopg  # noqa: F401
import pytest
import sqlalchemy  # noqa: F401

OPTIONS = ["-x", "-q", "--no-header", "-p", "no:xdist", "-p", "no:schemathesis"]
_POLL = 0.05
_VERDICTS = {0: "survived", 1: "killed", 2: "killed"}
"""What an exit code of pytest says of a mistake; any other one means that no test was run."""


class _First:
    """The first test that fails."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep its name."""
        if report.failed and not self._note.exists():
            self._note.write_text(report.nodeid, encoding="utf-8")


def main() -> None:
    """Answer line by line until there is no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    sys.path.insert(0, os.getcwd())
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(json.dumps(_try(asked["tests"], asked["seconds"])) + "\n")


def _try(tests: list[str], seconds: float) -> dict[str, str]:
    note = Path(".mutate-first-failure")
    note.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _run(tests, note)
    code = _wait(child, seconds)
    by = note.read_text(encoding="utf-8") if note.exists() else ""
    if code is None:
        return {"outcome": "timeout", "by": by}
    if code not in _VERDICTS:
        raise RuntimeError(f"the tests were not run (exit code {code})")
    return {"outcome": _VERDICTS[code], "by": by}


def _run(tests: list[str], note: Path) -> None:
    """In the child: a session of pytest with a group of its own, silent."""
    os.setsid()
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    code = 70
    try:
        code = int(pytest.main([*OPTIONS, *tests], plugins=[_First(note)]))
    finally:
        os._exit(code)


def _wait(child: int, seconds: float) -> int | None:
    """The exit code; None when the time was over, and then the whole group is ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _end_group(child)  # what a test may have left behind
            return os.waitstatus_to_exitcode(status)
        time.sleep(_POLL)
    _end_group(child)
    os.waitpid(child, 0)
    return None


def _end_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
