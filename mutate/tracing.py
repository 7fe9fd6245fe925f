"""A pytest plugin (`-p mutate.tracing`) that writes down which test touches which lines, and how long each takes.

`MUTATE_TRACE` is the file to write: {"lines": {file: {line: [test, …]}}, "seconds": {test: s}, "failed": [test, …]}.
Lines that run while a module is imported belong to no test.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

_FOLDERS = ("booking", "vip", "planted")

_measure = coverage.Coverage(data_file=None, include=[f"{folder}/*" for folder in _FOLDERS], config_file=False)
_seconds: dict[str, float] = {}
_failed: set[str] = set()


def pytest_load_initial_conftests() -> None:
    """Before conftest imports the product."""
    _measure.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """One context a test, its fixtures included."""
    _measure.switch_context(item.nodeid)
    began = time.monotonic()
    result = yield
    _seconds[item.nodeid] = time.monotonic() - began
    _measure.switch_context("")
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What fails without any mistake shows nothing."""
    if report.failed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write all down."""
    _measure.stop()
    data = _measure.get_data()
    lines = {
        str(Path(file).relative_to(Path.cwd())): {
            line: [test for test in tests if test] for line, tests in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    found = {"lines": lines, "seconds": _seconds, "failed": sorted(_failed)}
    Path(os.environ["MUTATE_TRACE"]).write_text(json.dumps(found), encoding="utf-8")
