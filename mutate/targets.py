"""What is tried, and the tests that are asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Targets:
    """Modules or folders of modules to make mistakes in, and test modules or folders that should find them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def files(self, tree: Path) -> list[Path]:
        """The modules as paths below the tree, in order; a folder's own `__init__` and tables hold no rule."""
        found = (file for name in self.modules for file in _modules(tree / name))
        return [file.relative_to(tree) for file in found if file.name not in ("__init__.py", "models.py")]


def _modules(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


HEART = Targets(
    modules=(
        "booking/transition.py",
        "booking/states.py",
        "booking/hold",
        "booking/changes",
        "booking/calls",
        "booking/exchange",
        "booking/feeds",
        "booking/attendance",
        "vip/entitlements/ledger.py",
        "vip/entitlements/of_customer.py",
    ),
    tests=(
        "tests/booking/test_moves.py",
        "tests/booking/attendance",
        "tests/booking/calls",
        "tests/booking/changes",
        "tests/booking/closures",
        "tests/booking/exchange",
        "tests/booking/feeds",
        "tests/booking/hold",
        "tests/booking/notices",
        "tests/booking/offers/test_alternatives.py",
        "tests/booking/reconcile",
        "tests/booking/waiting",
        "tests/vip/entitlements/test_of_customer.py",
        "tests/vip/entitlements/test_ledger.py",
        "tests/vip/test_roles.py",
        "tests/concurrency/test_booking_races.py",
        "tests/concurrency/test_change_races.py",
        "tests/concurrency/test_ledger_races.py",
        "tests/concurrency/test_proposal_races.py",
    ),
)
