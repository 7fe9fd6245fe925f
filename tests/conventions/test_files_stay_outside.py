"""Files of strangers are opened by the examiner alone: not by the pages, the API or the worker."""

from __future__ import annotations

import ast

from tests.conventions.sources import modules, parsed

OPENERS = {"pypdf", "zipfile", "tarfile", "PIL", "python_calamine"}


def test_only_the_examiner_imports_what_opens_files() -> None:
    found = {
        str(path)
        for path, tree in parsed(modules("marketplace", "booking", "vip", "providers"), about="|".join(OPENERS))
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and OPENERS & {alias.name.partition(".")[0] for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OPENERS)
    }
    # The sandbox makes files, as a provider does; it is no part of the product.
    # A customer's copy of her data is a ZIP: it is written and never opened.
    assert {name for name in found if not name.startswith("providers/sandbox/")} == {
        "booking/consultation/intake/__main__.py",
        "booking/personal/bundle.py",
        "booking/reports/intake/archive.py",
        "booking/reports/intake/pdf.py",
        "marketplace/core/bulk/intake/xlsx_file.py",
    }
