"""Drills, carried out by a process of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import Running, killed_afterwards, start

Drill = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def drill(migrated_server: Path, tmp_path: Path) -> Drill:
    """Exit code and lines of a drill with these options, as forking.py has it; what it keeps is in `tmp_path`."""

    def carry_out(*options: str, module: str = "drill") -> tuple[int, list[str]]:
        said = tmp_path / "said"
        arguments = ["tests.drill.forking", module, str(migrated_server), *options]
        drilling = Running(start(arguments, {"ANXIANG_STATE_DIR": str(tmp_path)}, said))
        with killed_afterwards(drilling):
            code = drilling.wait(600)
        return code, said.read_text(encoding="utf-8").splitlines()

    return carry_out
