"""What customers are told about consultations, and the promise to answer in time."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "pledge_breached": Message(
        Text("没有按时回复您，抱歉", "We did not answer you in time"),
        Text(
            "我们承诺{within}回复，没有做到。{given}{waits}",
            "We promised an answer {within} and did not keep it. {given} {waits}",
        ),
    ),
    "doctor_answered": Message(
        Text("医生已回复您", "A doctor has answered you"),
        Text(
            "请打开问诊查看，也可以继续补充；对话会一直保留在那里。",
            "Open the consultation to read it and to go on. It stays there for you.",
        ),
    ),
    "call_back_due": Message(
        Text("您选的回复时间到了", "The time that you chose has come"),
        Text(
            "请打开问诊，医生会在那里回复您。您的问题一直排着队，不用重新提问。",
            "Open the consultation: a doctor answers you there. Your question kept its place, you need not ask again.",
        ),
    ),
    "nobody_on_shift": Message(
        Text("现在没有医生在线", "No doctor is on shift just now"),
        Text(
            "您的问题已保存。请打开问诊选择：继续等、约一个回复时间，或马上就医。情况紧急请拨打 120。",
            "Your question is safe with us. Open the consultation and choose: wait, be called back, or seek help now. "
            "If it is urgent, dial 120.",
        ),
    ),
}
