"""The current text of the database's functions and triggers: `*.sql` files, each in the room that it works for.

A migration runs a frozen copy (migrations/frozen.py); tests/migrations/test_functions.py compares the files with what
the migrations made.
"""

from __future__ import annotations

from pathlib import Path

from marketplace.core.config import ROOT

_FROM_BELOW = ("marketplace/core", "marketplace", "vip", "booking", "providers")


def files() -> list[Path]:
    """All of them, in an order in which they can be run: a trigger may call a function of a lower package."""
    found: list[Path] = []
    for package in _FROM_BELOW:
        found += sorted(path for path in (ROOT / package).rglob("*.sql") if path not in found)
    return found
