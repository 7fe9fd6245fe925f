"""The modules of the product, parsed, for rules about what may stand in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from marketplace.core.config import ROOT


def parsed(paths: Iterable[Path], about: str = "") -> Iterator[tuple[Path, ast.Module]]:
    """Each module by its path below the root. `about`: only those whose text it is found in, since to parse a module
    takes far longer than to search it; it has to stand in whatever the rule is about."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if re.search(about, text):
            yield path.relative_to(ROOT), ast.parse(text)


def modules(*packages: str) -> list[Path]:
    """All modules of these packages."""
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
