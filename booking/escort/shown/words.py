"""The steps of an escort in words, for pages and for the record."""

from __future__ import annotations

from collections.abc import Mapping

from booking.escort.evidence.doubt import Doubt
from booking.escort.evidence.names import NAMES
from booking.escort.shown.steps import REPLACED
from marketplace.core.text import Text

DONE: Mapping[str, Text] = {
    **{str(kind): name for kind, name in NAMES.items()},
    REPLACED: Text("换了一位陪同人员", "Another escort took over"),
}
"""What was done."""

_CLOCK = Text("时间来自手机，可能不准", "by the phone's clock, which may be wrong")
DOUBTS: Mapping[Doubt, Text] = {
    "ahead": _CLOCK,
    "before": _CLOCK,
    "after": Text("所记时间在其不再负责本次陪同之后", "at a time when the escort was no longer hers"),
}
"""Why the time of a deed can't be quite true."""

AHEAD: Mapping[str, Text] = {
    "on_the_way": Text("出发", "Set out"),
    "arrived": Text("到达", "Arrive"),
    "met": Text("碰面", "Meet"),
    "registered": Text("取号", "Register"),
    "consulted": Text("看诊", "See the doctor"),
    "examined": Text("检查", "Examinations"),
    "medicines_fetched": Text("取药", "Fetch medicines"),
    "back_home": Text("送回", "Way back"),
    "handed_over": Text("交接小结", "Hand over"),
}
"""What is to come."""
