"""What escorts do, as a provider lists it, for tests."""

from __future__ import annotations

from typing import Any

from tests.providers.open.said import OURS, THEIRS

WORKER = {"code": "E7", "name": "何静", "sex": "female"}
PICTURE = {"id": "p 1/2", "sha256": "ab" * 32}
COST = {"amount": 2_350, "currency": "CNY", "purpose": "挂号费"}


def deed(seq: Any = 1, kind: str = "met", **changes: Any) -> dict[str, Any]:
    """A line, with what its kind needs."""
    needed: dict[str, dict[str, Any]] = {
        "assigned": {"worker": WORKER, "safe_word": "青山"},
        "released": {"cause": "ill"},
        "note": {"words": f"第{seq}条"},
        "handed_over": {"words": "已送到家人手中"},
        "paper": {"picture": PICTURE},
        "cost": {"cost": COST},
    }
    return {
        "id": f"line-{seq}",
        "reference": THEIRS,
        "our_reference": OURS,
        "seq": seq,
        "kind": kind,
        "escort": "E7",
        "at": "2026-03-05T08:01:00+08:00",
        **needed.get(kind, {}),
        **changes,
    }
