"""The drill of consultations itself, short: it passes, and it fails when a difference was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.conftest import Drill

SHORT = ["--consultations", "16", "--clinicians", "6", "--pledged", "4", "--answers", "0.5", "7", "--kill-at", "3"]
SHORT += ["--late", "30"]  # how fast a busy machine is isn't asked here


@pytest.mark.slow
@pytest.mark.parametrize("doctors", ["desk", "outside"])
def test_a_worker_dies_before_the_pledges_run_out_and_nothing_is_lost_or_doubled(
    drill: Drill, tmp_path: Path, doctors: str
) -> None:
    code, lines = drill("--seed", "3", "--doctors", doctors, *SHORT, module="drill.consultations")
    assert lines[-1].startswith("CONSULTATIONS PASSED seed=3 consultations=16 messages="), "\n".join(lines)
    assert code == 0
    assert not (tmp_path / "drill").exists(), "nothing is kept of a drill that passed"


@pytest.mark.slow
def test_planted_differences_fail_it_and_are_named(drill: Drill, tmp_path: Path) -> None:
    planted = ["--workers", "3", "--plant", "twice", "granted", "lost"]
    code, lines = drill("--seed", "4", *SHORT, *planted, module="drill.consultations")
    assert code == 1
    assert lines[-1].startswith("CONSULTATIONS FAILED: ")
    for difference in (
        "not promised once: ",
        "what was given does not stand in the ledger once: ",
        "an acknowledged message is not there: ",
    ):
        assert any(line.startswith(f"DIFFERENCE {difference}") for line in lines), "\n".join(lines)
    assert list((tmp_path / "drill").glob("consultations-4-*/differences.json")), "what differed is kept"
