"""What a process loads before it works: a restart should be short, however many follow each other."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import NamedTuple

import pytest

from marketplace.core.config import ROOT

MIGRATIONS = {"alembic", "mako"}
PRINTING = {"reportlab", "PIL"}
PAGES = {"marketplace.web", "marketplace.api", "marketplace.partner_api", "marshmallow", "flask_smorest", "flask_babel"}
SEARCHING = {"pypinyin", "opencc"}
EXAMINERS = {f"booking.reports.intake.{name}" for name in ("pdf", "png", "archive", "fhir", "__main__")}
EXAMINERS |= {"booking.consultation.intake.__main__"}
EXAMINERS |= {f"marketplace.core.bulk.intake.{name}" for name in ("csv_file", "xlsx_file", "__main__")}
SCHEDULING = {"apscheduler", "booking.worker.process"}

WORKER, WEB = "booking.worker.__main__", "wsgi"


@pytest.mark.parametrize(
    ("module", "stranger_to"),
    [
        # Adapters declare their providers' settings as schemas, and read them by these.
        (WORKER, MIGRATIONS | PRINTING | (PAGES - {"marshmallow"}) | SEARCHING | {"zxcvbn", "icalendar"}),
        (WEB, MIGRATIONS | PRINTING | SCHEDULING),
    ],
)
def test_a_process_loads_nothing_that_it_does_not_work_with(module: str, stranger_to: set[str]) -> None:
    assert stranger_to & set(_started(module).loaded) == set()


@pytest.mark.parametrize("module", [WORKER, WEB])
def test_no_process_that_serves_loads_an_examiner(module: str) -> None:
    """Files of strangers are opened by the examiner alone."""
    loaded = _started(module).loaded
    assert (EXAMINERS | {"pypdf", "python_calamine"}) & set(loaded) == set()
    assert "booking.reports.intake.findings" in loaded, "plain data, which both may know"


@pytest.mark.parametrize("module", [WORKER, WEB])
def test_a_start_does_not_look_for_garbage_among_what_it_imports(module: str) -> None:
    assert _started(module).collections < 50


def test_what_the_application_is_made_of_is_kept_out_of_garbage_collection() -> None:
    started = _started(WEB)
    assert started.frozen > 10 * started.watched


class Started(NamedTuple):
    """A process once it is ready: the modules it loaded, how often it looked for garbage, how many objects are kept
    out of that and how many are not."""

    loaded: list[str]
    collections: int
    frozen: int
    watched: int


@cache
def _started(module: str) -> Started:
    """Each is started once for all that is asked of it."""
    program = f"""
import gc, json, sys
before = gc.get_stats()[0]["collections"]
import {module}
looked = gc.get_stats()[0]["collections"] - before
print(json.dumps([list(sys.modules), looked, gc.get_freeze_count(), len(gc.get_objects())]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return Started(*json.loads(done.stdout.splitlines()[-1]))
