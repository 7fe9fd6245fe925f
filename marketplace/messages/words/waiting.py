"""What customers are told about waiting for a free place."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "waitlist_offer": Message(
        Text("候补有位了", "A place has come free"),
        Text("{when}，{where}。为您保留到 {until}，请尽快确认。", "{when}, {where}. It is held for you until {until}."),
    ),
    "waitlist_booked": Message(
        Text("候补成功，已为您预约", "Booked from the waiting list"),
        Text("{what}，{when}，{where}。", "{what}, {when}, {where}."),
    ),
    "waitlist_ended": Message(
        Text("候补已结束", "The waiting list is over"),
        Text("{why}候补没有动用您的权益。", "{why}Waiting has not touched your benefit."),
    ),
}
