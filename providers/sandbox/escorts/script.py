"""What an escort does in the course of a visit, in which order and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SAFE_WORDS = ("青山", "明月", "春风", "海豚", "星光", "蜂蜜", "熊猫", "彩虹", "核桃", "荷叶", "金鱼", "松树")


@dataclass(frozen=True)
class Step:
    """`part`: when, as a part of the window, 0 its beginning; `before`: or so many seconds before it begins."""

    kind: str
    part: float = 0.0
    before: float = 0.0


DAY: tuple[Step, ...] = (
    Step("on_the_way", before=45 * 60),
    Step("arrived", before=10 * 60),
    Step("met", 0.01),
    Step("registered", 0.1),
    Step("consulted", 0.3),
    Step("paper", 0.32),
    Step("examined", 0.5),
    Step("cost", 0.6),
    Step("medicines_fetched", 0.65),
    Step("note", 0.7),
    Step("handed_over", 0.9),
)
COMES = ("on_the_way", "arrived")
"""What is done before she meets the person."""
MOVES = {"met": "check_in", "registered": "start", "consulted": "start", "examined": "start", "handed_over": "fulfil"}
"""What a booking does by a line, where its state allows it."""

_CONTENTS: dict[str, dict[str, Any]] = {
    "arrived": {"position": "within", "accuracy_m": 18},
    "met": {"position": "within", "accuracy_m": 12},
    "note": {"words": "医生建议两周后复诊，药已按时间分好。"},
    "cost": {"cost": {"amount": 4_860, "currency": "CNY", "purpose": "药费（自费部分）"}},
    "handed_over": {"words": "已送到家门口，病历和药交给家人。"},
}


def content_of(kind: str) -> dict[str, Any]:
    """What the script's line of a kind says, but for its picture."""
    return dict(_CONTENTS.get(kind, {}))


def pictured(kind: str) -> bool:
    """Whether it has a picture."""
    return kind in ("paper", "cost")


def after(kind: str) -> int:
    """The place in DAY after a kind; 0 for what is not of it."""
    return next((number + 1 for number, step in enumerate(DAY) if step.kind == kind), 0)
