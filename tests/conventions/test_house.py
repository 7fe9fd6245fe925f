"""Rules of the house that are worth saying twice."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from marketplace.core.config import ROOT

PACKAGES = ("marketplace", "booking", "vip", "providers")


def test_only_one_file_commits() -> None:
    found = {str(path) for path, tree in _ours() for node in ast.walk(tree) if _is_commit(node)}
    # The guard against two migration runs ends its own transaction; nothing of the product passes through it.
    assert found - {"migrations/env.py", "providers/sandbox/ledger.py"} <= {"marketplace/core/db.py"}


def test_only_the_worker_imports_the_scheduler() -> None:
    found = {str(path) for path, tree in _ours() if "apscheduler" in _imported(tree)}
    assert found <= {"booking/worker/process.py"}


def test_the_four_top_packages_hold_a_docstring_only() -> None:
    for package in PACKAGES:
        body = ast.parse((ROOT / package / "__init__.py").read_text()).body
        assert len(body) == 1, package
        assert isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant), package


def test_every_module_of_booking_has_its_place_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(next(contract["layers"] for contract in contracts if contract["id"] == "layers"))
    placed = {word.strip("()") for word in layers.replace("|", " ").replace(":", " ").split()}
    modules = {f"booking.{path.stem}" for path in (ROOT / "booking").glob("*") if path.suffix in ("", ".py")}
    assert modules - {"booking.__init__", "booking.__pycache__"} <= placed, "add it to the layers in pyproject.toml"


def test_no_file_of_the_project_is_a_secret_or_a_leftover() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    endings = (".env", ".pem", ".key", ".mo", ".pyc", ".orig", ".rej", ".sqlite3", ".db")
    assert [name for name in listed if name.endswith(endings)] == []


def _ours() -> Iterator[tuple[Path, ast.Module]]:
    for package in (*PACKAGES, "migrations"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def _is_commit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"


def _imported(tree: ast.Module) -> set[str]:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}
