"""Files of strangers are opened by the examiner alone: not by the pages, the API or the worker."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from marketplace.core.config import ROOT

OPENERS = {"pypdf", "zipfile", "tarfile", "PIL"}
EXAMINERS = {f"booking.reports.intake.{name}" for name in ("pdf", "png", "archive", "fhir", "__main__")}


def test_only_the_examiner_imports_what_opens_files() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("marketplace", "booking", "vip", "providers")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and OPENERS & {alias.name.partition(".")[0] for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OPENERS)
    }
    # The sandbox makes files, as a provider does; it is no part of the product.
    # A customer's copy of her data is a ZIP: it is written and never opened.
    assert {name for name in found if not name.startswith("providers/sandbox/")} == {
        "booking/personal/bundle.py",
        "booking/reports/intake/archive.py",
        "booking/reports/intake/pdf.py",
    }


def test_neither_the_web_process_nor_the_worker_loads_an_examiner() -> None:
    program = "import sys, marketplace.app, booking.worker; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    ).stdout.split()
    assert (EXAMINERS | {"pypdf"}) & set(loaded) == set()
    assert "booking.reports.intake.findings" in loaded, "plain data, which both may know"
