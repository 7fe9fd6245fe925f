"""What the kinds of deeds are called once they are done."""

from __future__ import annotations

from collections.abc import Mapping

from booking.escort.evidence.kinds import Kind
from marketplace.core.text import Text

NAMES: Mapping[Kind, Text] = {
    "on_the_way": Text("已出发", "On the way"),
    "arrived": Text("已到医院", "Arrived at the hospital"),
    "met": Text("已碰面", "Met"),
    "registered": Text("取号完成", "Registered"),
    "consulted": Text("已看诊", "Seen by the doctor"),
    "examined": Text("检查完成", "Examinations done"),
    "medicines_fetched": Text("已取药", "Medicines fetched"),
    "back_home": Text("已送达", "Brought back"),
    "handed_over": Text("交接完成", "Handed over"),
    "signed": Text("已签字确认", "Signed"),
    "note": Text("记录", "Note"),
    "paper": Text("单据照片", "Photo of a paper"),
    "cost": Text("额外费用", "Extra cost"),
}
