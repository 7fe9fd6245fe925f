"""What customers are told about whoever is sent to be with a customer."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "escort_assigned": Message(
        Text("{who}会陪同您", "{who} will be with you"),
        Text(
            "{when}，{where}。{trade}见面时请先对见面口令，口令在预约页面。",
            "{when}, {where}. {trade} When you meet, ask for the safe word first: it is on the booking's page.",
        ),
    ),
    "escort_confirmed": Message(
        Text("预约已确认，{who}会陪同您", "Your booking is confirmed: {who} will be with you"),
        Text(
            "{what}，{when}，{where}。{trade}见面时请先对见面口令，口令在预约页面。{bring}",
            "{what}, {when}, {where}. {trade} When you meet, ask for the safe word first: it is on the booking's page. "
            "{bring}",
        ),
    ),
    "escort_replaced": Message(
        Text("换人了，{who}会陪同您", "Somebody else comes: {who}"),
        Text(
            "原来的陪同人员来不了，时间和地点不变：{when}，{where}。{trade}见面口令换了新的，请在预约页面查看。",
            "The person we named before can't come. Time and place stay: {when}, {where}. {trade} There is a new safe "
            "word: look at the booking's page.",
        ),
    ),
    "escort_word": Message(
        Text("请核对见面口令", "Check the safe word"),
        Text(
            "{when}，{where}，{who}会陪同您。见面前请再看一次预约页面上的口令。",
            "{when}, {where}, {who} will be with you. Look at the safe word on the booking's page before you meet.",
        ),
    ),
    "escort_late": Message(
        Text("陪同人员还没有到", "Your escort is not there yet"),
        Text(
            "{what}，{when}，{where}。陪同人员还没有报到达，我们和{place}正在联系。请先打开预约页面看她到哪里了。",
            "{what}, {when}, {where}. Your escort has not told us that she is there; we and {place} are asking. The "
            "booking's page says how far she is.",
        ),
    ),
    "escort_nobody": Message(
        Text("还没有找到陪同人员", "Nobody found yet to be with you"),
        Text(
            "{what}，{when}，{where}。我们和{place}还在找，找到就通知您，您的时间和权益都为您留着。{other_times}",
            "{what}, {when}, {where}. We and {place} go on looking and tell you who comes. Your time and your benefit "
            "are reserved. {other_times}",
        ),
    ),
    "escort_over": Message(
        Text("{what}结束了，一切顺利吗？", "{what} is over: did it go well?"),
        Text(
            "{when}，{where}。请在 {until} 前到预约页面告诉我们；没有异议就视为顺利完成。",
            "{when}, {where}. Tell us on the booking's page by {until}; if you say nothing, it counts as done.",
        ),
    ),
}
