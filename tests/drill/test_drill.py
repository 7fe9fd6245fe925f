"""The drill itself, short: it passes, and it fails when a difference was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.conftest import Drill

SEEDS = [
    line.split()[0] for line in (Path(__file__).parent / "seeds").read_text().splitlines() if line and line[0] != "#"
]


PLANTED = {"theirs only", "stood still", "places differ", "a difference nobody has settled"}
"""All that is seen of the two."""
SHORT = ("--minutes", "0.15", "--customers", "10")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS[:-1])
def test_a_short_drill_finds_no_difference(drill: Drill, tmp_path: Path, seed: str) -> None:
    code, lines = drill("--seed", seed, *SHORT)
    assert lines[-1].startswith(f"DRILL PASSED seed={seed} seconds=9 kills="), "\n".join(lines)
    assert code == 0
    assert not (tmp_path / "drill").exists(), "nothing is kept of a drill that passed"


@pytest.mark.slow
def test_planted_differences_fail_the_drill_and_are_named_and_there_is_no_other(drill: Drill, tmp_path: Path) -> None:
    code, lines = drill("--seed", SEEDS[-1], *SHORT, "--still", "25", "--plant", "still", "theirs")
    assert code == 1
    assert lines[-1].startswith("DRILL FAILED: ")
    found = {line.removeprefix("DIFFERENCE ").partition(": ")[0] for line in lines if line.startswith("DIFFERENCE ")}
    assert {"theirs only", "stood still"} <= found <= PLANTED, "\n".join(lines)
    assert any(line.startswith("DIFFERENCE stood still: feed slots ") for line in lines), "\n".join(lines)
    assert list((tmp_path / "drill").glob(f"{SEEDS[-1]}-*/evidence.json")), "the rows behind the differences are kept"
