"""Copies of the work tree: a mistake is never made in the tree itself, so whatever ends us leaves it as it was."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


def files_of(tree: Path) -> list[Path]:
    """What git knows or would add, and compiled translations, as paths below the tree, in order."""
    named = _listed(tree) + _listed(tree, "--ignored", "--", "*.mo")
    return sorted({Path(name) for name in named if (tree / name).is_file()})


def _listed(tree: Path, *more: str) -> list[str]:
    which = ["--others", "--exclude-standard", *more] if more else ["--cached", "--others", "--exclude-standard"]
    ran = subprocess.run(["git", "ls-files", "-z", *which], cwd=tree, capture_output=True, text=True, check=True)
    return [name for name in ran.stdout.split("\0") if name]


def copy_tree(tree: Path, to: Path) -> None:
    """Make `to` a copy of what files_of() names."""
    for name in files_of(tree):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, to / name)


def fingerprint(tree: Path, tests: Sequence[str]) -> str:
    """The same for as long as no Python file of the tree changes, and the same tests are meant."""
    whole = hashlib.sha256("\n".join(tests).encode())
    for name in files_of(tree):
        if name.suffix == ".py" and name.parts[0] != "mutate":
            whole.update(f"{name}\0".encode() + hashlib.sha256((tree / name).read_bytes()).digest())
    return whole.hexdigest()[:16]
