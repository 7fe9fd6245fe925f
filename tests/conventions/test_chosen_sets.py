"""The chosen parts of the suite hold what they say: quick is quick, and no constraint is tried on one server only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.core.config import ROOT

TESTS = ROOT / "tests"
ON_EVERY_POSTGRES = ("migrations", "concurrency")
SLOW = re.compile(
    r"\b(chromium|own_server|other_database|subprocess|start_worker|start_web|start_sandbox|start_day_sandbox)\b"
)
A_CONSTRAINT = re.compile(r"\b(IntegrityError|violated)\b")
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


def on_one_postgres(module: Path) -> Iterator[str]:
    """What of a module is left out on other builds of PostgreSQL: the functions marked so, or all of it but the tests
    that run on each."""
    text = module.read_text(encoding="utf-8")
    tree = ast.parse(text)
    whole = any(isinstance(node, ast.Assign) and "one_postgres" in ast.unparse(node.value) for node in tree.body)
    for node in tree.body:
        marks = {ast.unparse(each) for each in getattr(node, "decorator_list", ())}
        if "pytest.mark.one_postgres" in marks or (whole and "pytest.mark.every_postgres" not in marks):
            yield ast.get_source_segment(text, node) or ""


LEFT_OUT = [module for module in MODULES if marked(module, "one_postgres") and module != Path(__file__)]


@pytest.mark.parametrize("module", LEFT_OUT, ids=lambda module: module.name)
def test_what_is_tried_on_one_postgres_is_of_the_rooms_and_tries_no_constraint(module: Path) -> None:
    assert set(ON_EVERY_POSTGRES) & set(module.parts), "it is on one unless it is marked"
    left_out = list(on_one_postgres(module))
    assert left_out and not any(A_CONSTRAINT.search(text) for text in left_out)
