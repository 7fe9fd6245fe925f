"""The drill itself, short: it passes, and it fails when a difference was planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.core.config import ROOT

SEEDS = [
    line.split()[0] for line in (Path(__file__).parent / "seeds").read_text().splitlines() if line and line[0] != "#"
]


def drill(folder: Path, *options: str, module: str = "drill") -> tuple[int, list[str]]:
    """Exit code and lines of `python -m drill`, or of another module that drills, whose processes are forks: see
    tests/drill/forking.py."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.drill.forking import run; run({module!r})", *options],
        cwd=ROOT,
        env={**environment, "ANXIANG_STATE_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_drill_finds_no_difference(tmp_path: Path, seed: str) -> None:
    code, lines = drill(tmp_path, "--seed", seed, "--minutes", "0.15", "--customers", "10")
    assert lines[-1].startswith(f"DRILL PASSED seed={seed} seconds=9 kills="), "\n".join(lines)
    assert code == 0
    assert not (tmp_path / "drill").exists(), "nothing is kept of a drill that passed"


@pytest.mark.slow
def test_planted_differences_fail_the_drill_and_are_named(tmp_path: Path) -> None:
    planted = ["--still", "25", "--plant", "still", "theirs"]
    code, lines = drill(tmp_path, "--seed", "5", "--minutes", "0.05", "--customers", "6", *planted)
    assert code == 1
    assert lines[-1].startswith("DRILL FAILED: ")
    for difference in ("theirs only: ", "stood still: feed "):
        assert any(line.startswith(f"DIFFERENCE {difference}") for line in lines), "\n".join(lines)
    assert list((tmp_path / "drill").glob("5-*/evidence.json")), "the rows behind the differences are kept"
