"""A run on a small tree of its own: what a test guards is found, what none does survives, the tree stays as it is."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from mutate.__main__ import report
from mutate.run import Options, Trial, draw, run
from mutate.targets import Targets

# What never ends sleeps: it is given its seconds, but a processor has other things to do meanwhile.
RULE = """
from time import sleep


def may_cancel(hours: int, told: list[str]) -> bool:
    if hours >= 24:
        told.append("cancelled")
        return True
    return False


def nobody_asks(hours: int) -> bool:
    return hours > 3


def waits(hours: int) -> int:
    while hours < 2:
        sleep(0.01)
        hours += 1
    return hours
"""
TESTS = """
from planted.rule import may_cancel, waits


def test_the_window_ends_a_day_before():
    assert may_cancel(24, []) and not may_cancel(23, [])


def test_waiting_ends():
    assert waits(0) == 2
"""
TARGETS = Targets(("planted",), ("tests",))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with one rule and its tests."""
    tree = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    for name, text in {
        "planted/__init__.py": "",
        "planted/rule.py": RULE,
        "tests/test_rule.py": TESTS,
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib -p no:cacheprovider"\n',
    }.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(text)
    return tree


@pytest.fixture(scope="module")
def tried(tree: Path) -> list[Trial]:
    """All mistakes in it, tried."""
    told: list[Trial] = []
    options = Options(tree, tree.parent / "kept", seed=1, seconds=300, patience=8)
    done = run(options, TARGETS, told.append)
    assert Counter(told) == Counter(done), "each was told as it was tried"
    return done


def outcome(tried: list[Trial], mistake: str) -> tuple[str, str]:
    (found,) = [trial for trial in tried if trial.told == mistake]
    return found.outcome, found.by.rpartition("::")[2]


def test_a_mistake_on_a_guarded_line_is_found_and_the_test_named(tried: list[Trial]) -> None:
    assert outcome(tried, "hours >= 24 -> (hours > 24)") == ("killed", "test_the_window_ends_a_day_before")


def test_a_mistake_on_a_line_that_runs_unguarded_survives(tried: list[Trial]) -> None:
    assert outcome(tried, 'told.append("cancelled") -> pass') == ("survived", "")


def test_where_no_test_gets_there_is_nothing_to_try(tried: list[Trial]) -> None:
    assert outcome(tried, "hours > 3 -> (hours >= 3)") == ("untested", "")


def test_a_mistake_that_never_ends_is_ended_and_counts_as_found(tried: list[Trial]) -> None:
    assert outcome(tried, "hours += 1 -> pass")[0] == "timeout"


def test_the_work_tree_is_as_it_was(tree: Path, tried: list[Trial]) -> None:
    assert (tree / "planted/rule.py").read_text() == RULE
    assert {path.name for path in tree.rglob("*.py*")} == {"__init__.py", "rule.py", "test_rule.py"}


def test_the_report_counts_them_and_names_what_survived(tree: Path, tried: list[Trial]) -> None:
    made = Counter(file for file, _ in draw(tree, TARGETS, 1))
    lines = report(tried, made)
    survived, untested = (sum(trial.outcome == name for trial in tried) for name in ("survived", "untested"))
    assert any(line.startswith(f"| all | {len(tried)} | {len(tried)} |") for line in lines)
    assert len([line for line in lines if line.startswith("- `")]) == survived + untested
    assert '- `planted/rule.py:7` statement removed: `told.append("cancelled") -> pass` (1 tests)' in lines


def test_the_same_seed_draws_the_same_and_every_beginning_takes_all_modules_in_turn(tree: Path) -> None:
    (tree / "planted/other.py").write_text("x = 1 < 2\ny = 3 < 4\n")
    try:
        drawn = draw(tree, TARGETS, 7)
        assert drawn == draw(tree, TARGETS, 7) != draw(tree, TARGETS, 8)
        assert {file.name for file, _ in drawn[:2]} == {"rule.py", "other.py"}
    finally:
        (tree / "planted/other.py").unlink()
