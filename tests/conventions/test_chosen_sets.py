"""The chosen parts of the suite hold what they say: quick is quick, and no constraint is tried on one server only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.core.config import ROOT

TESTS = ROOT / "tests"
ON_EVERY_POSTGRES = ("migrations", "concurrency")
SLOW = re.compile(
    r"\b(chromium|own_server|other_database|subprocess|start_worker|start_web|start_sandbox|start_day_sandbox)\b"
)
REFUSED_BY_POSTGRES = re.compile(r"\b(IntegrityError|DBAPIError|psycopg\.errors|own_server|other_database)\b")
PLAYS_A_JOURNEY = {
    "test_journey.py",
    "test_change_journey.py",
    "test_consultations_end_to_end.py",
    "test_escorts_end_to_end.py",
    "test_events_end_to_end.py",
    "test_day_capacity_end_to_end.py",
    "test_fhir_end_to_end.py",
    "test_first_booking.py",
    "test_messages_and_commands.py",
    "test_metrics.py",
}
"""These need a database of their own for their processes; what they show is the same on any server."""

MODULES = sorted(TESTS.rglob("test_*.py"))


def marked(module: Path, mark: str) -> bool:
    return f"pytest.mark.{mark}" in module.read_text(encoding="utf-8")


QUICK = [module for module in MODULES if marked(module, "quick") and module != Path(__file__)]


@pytest.mark.parametrize("module", QUICK, ids=lambda module: module.name)
def test_a_quick_module_starts_no_browser_and_no_process(module: Path) -> None:
    assert not SLOW.findall(module.read_text(encoding="utf-8"))


def test_whatever_postgres_refuses_is_tried_on_every_postgres() -> None:
    left_out = [
        module.name
        for module in MODULES
        if REFUSED_BY_POSTGRES.search(module.read_text(encoding="utf-8"))
        and not set(ON_EVERY_POSTGRES) & set(module.parts)
        and not marked(module, "every_postgres")
        and module != Path(__file__)
    ]
    assert set(left_out) <= PLAYS_A_JOURNEY
