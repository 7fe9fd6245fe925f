"""What a process loads before it works: a restart should be short, however many follow each other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from marketplace.core.config import ROOT

MIGRATIONS = {"alembic", "mako"}
PRINTING = {"reportlab", "PIL"}
PAGES = {"marketplace.web", "marketplace.api", "marketplace.partner_api", "marshmallow", "flask_smorest", "flask_babel"}
SEARCHING = {"pypinyin", "opencc"}
SCHEDULING = {"apscheduler", "booking.worker.process"}


@pytest.mark.parametrize(
    ("program", "stranger_to"),
    [
        ("import booking.worker.process", MIGRATIONS | PRINTING | PAGES | SEARCHING | {"zxcvbn", "icalendar"}),
        ("from marketplace.app import create_app; create_app()", MIGRATIONS | PRINTING | SCHEDULING),
    ],
    ids=["worker", "web"],
)
def test_a_process_loads_nothing_that_it_does_not_work_with(program: str, stranger_to: set[str]) -> None:
    assert stranger_to & set(_loaded_by(program)) == set()


@pytest.mark.parametrize("module", ["wsgi", "booking.worker.__main__"])
def test_a_start_does_not_look_for_garbage_among_what_it_imports(module: str) -> None:
    collected = "gc.get_stats()[0]['collections']"
    assert int(_run(f"import gc; before = {collected}; import {module}; print({collected} - before)")) < 50


def _loaded_by(program: str) -> list[str]:
    return _run(f"{program}; import sys; print(*sys.modules)").split()


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    return done.stdout
