"""What customers are told about benefits, and where they can be used."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "entitlement_expiring": Message(
        Text("权益即将到期", "A benefit is about to end"),
        Text("{benefit}：{until_day} 到期，还剩 {left}。", "{benefit}: it ends on {until_day}: {left} left."),
    ),
    "place_covered": Message(
        Text("您问的地方可以约了", "The place you asked about can be booked"),
        Text(
            "{where}：{benefit}{since}可以预约。{asked_first}",
            "{where}: {benefit} can be booked {since}. {asked_first}",
        ),
    ),
}
