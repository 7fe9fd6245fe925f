"""What is said in consultations: a message is taken once, lines keep their number and their words, events are early."""

from __future__ import annotations

from dataclasses import replace

from marketplace.core.text import Text
from providers.conformance.conversation import (
    answered,
    conversing,
    lines,
    message,
    opened,
    say,
    white_point,
)
from providers.conformance.kit import POSTED, Kit, said
from providers.conformance.listening import Received
from providers.conformance.step import Capability, Step, expect
from providers.conformance.steps.idempotency import NO_STATUS, STATUS_MEANS
from providers.conformance.steps.webhooks import event_of
from providers.conformance.words import phrase
from providers.conversing import Posted
from providers.port import Refused
from providers.reported import Event

POSTED_AGAIN = phrase("posted-again", "再次发送同一条消息也算收到", "the same message again, taken as well")
OTHER_BODY = phrase(
    "message-id-reused",
    "422 idempotency_key_reused（同一 id 换了内容）",
    "422 idempotency_key_reused, for another body under the id",
)
OF_THIS_ONE = phrase("line-of-this-one", "写明本次问诊的双方编号", "a line with both references of the consultation")
OF_ANOTHER = phrase("line-of-another", "另一个编号", "another reference")
OWN_ID = phrase("line-own-id", "每一句有自己的 id", "an id of its own for each line")
SAME_ID = phrase("line-same-id", "重复的 id", "one that was given before")
SAME_AGAIN = phrase("lines-same-again", "再读一次，内容完全相同", "the very same lines, read again")
CHANGED = phrase("lines-changed", "内容变了", "others")
ONLY_AFTER = phrase("lines-only-after", "只列出编号大于 after 的", "only lines with a number above `after`")
ALSO_EARLIER = phrase("lines-also-earlier", "也有更早的", "earlier ones as well")
ON_ROSTER = phrase("line-by-roster", "说话的医生在名册上", "a doctor who is on the roster")
NOT_ON_ROSTER = phrase("line-not-by-roster", "名册上没有的代码", "a code that is not on it")
KIND = phrase("line-of-kind", "类型为 {kind}", "a line that is a {kind}")
SAME_BYTES = phrase("picture-same-bytes", "同样的图片", "the same picture again")
OTHER_BYTES = phrase("picture-other-bytes", "另一张", "another one")
LINE_EVENT = phrase(
    "event-of-line", "这一句的 consultation.message 事件", "an event consultation.message about the line"
)
AS_LISTED = phrase("event-as-listed", "与列表中相同的一句", "the line as it is listed")
OTHERWISE = phrase("event-otherwise", "不同的内容", "another content")
GOES_ON = phrase(
    "taken-again-or-closed",
    "重新打开（收下消息），或以 closed 拒绝",
    "taken, which opens it again, or refused as closed",
)


def taken_once(kit: Kit) -> None:
    """A message that is sent again is taken, also after others; its id with another body is refused."""
    talk = opened(kit)
    first, picture = message(talk, 1), message(talk, 2, picture=white_point())
    for each, expected in ((first, POSTED), (first, POSTED_AGAIN), (picture, POSTED), (first, POSTED_AGAIN)):
        answer = conversing(kit.adapter).post(each)
        expect(isinstance(answer, Posted), expected(), said(answer))
    for other in (replace(first, text="另一句 other"), replace(picture, picture=None, text="另一句 other")):
        answer = conversing(kit.adapter).post(other)
        reply = kit.transcript.last
        refused = isinstance(answer, Refused) and reply is not None and reply.status == 422
        status = NO_STATUS() if reply is None else str(reply.status)
        expect(refused, OTHER_BODY(), STATUS_MEANS(status=status, answer=said(answer)))


def listed(kit: Kit) -> None:
    """Lines are numbered from 1 without a gap, by doctors of the roster, and are the same whenever they are read."""
    talk = opened(kit)
    say(kit, talk, 1)
    known = answered(kit, talk, "say", "say", "say")
    kit.until(talk.wish, ("in_service",))
    both = {(each.reference, each.our_reference) for each in known}
    expect(both == {(talk.reference, talk.wish.our_reference)}, OF_THIS_ONE(), OF_ANOTHER())
    expect(len({each.id for each in known}) == len(known), OWN_ID(), SAME_ID())
    expect(lines(kit, talk) == known, SAME_AGAIN(), CHANGED())
    lines(kit, talk, 1)
    reply = kit.transcript.last
    told = [] if reply is None else reply.json()["messages"]
    expect(all(each["seq"] > 1 for each in told), ONLY_AFTER(), ALSO_EARLIER())
    roster = {each.code for each in conversing(kit.adapter).clinicians()}
    expect({each.clinician for each in known} <= roster, ON_ROSTER(), NOT_ON_ROSTER())


def pictured(kit: Kit) -> None:
    """A picture is the one that its line announces, whenever it is fetched."""
    talk = opened(kit)
    line = answered(kit, talk, "picture")[-1]
    expect(line.kind == "picture", KIND(kind="picture"), KIND(kind=line.kind))
    first, second = conversing(kit.adapter).fetch_picture(line), conversing(kit.adapter).fetch_picture(line)
    expect(first == second, SAME_BYTES(), OTHER_BYTES())


def told(kit: Kit) -> None:
    """A signed event brings the line that is in the list."""
    listener = kit.listening()
    talk = opened(kit)
    line = answered(kit, talk, "say")[0]

    def early() -> Event | None:
        events = [_line_event(kit, each) for each in listener.about(talk.wish.our_reference.encode())]
        return next((each for each in events if each is not None and _seq(each) == line.seq), None)

    event = kit.wait(early, LINE_EVENT())
    expect(event.message == line, AS_LISTED(), OTHERWISE())


def ended(kit: Kit) -> None:
    """A summary ends it; what the customer says then opens it again, or is refused as closed."""
    talk = opened(kit)
    say(kit, talk, 1)
    known = answered(kit, talk, "say", "summarise")
    expect(known[-1].kind == "summary", KIND(kind="summary"), KIND(kind=known[-1].kind))
    kit.until(talk.wish, ("fulfilled",))
    answer = say(kit, talk, 2)
    if isinstance(answer, Refused) and answer.code == "closed":
        expect(lines(kit, talk) == known, SAME_AGAIN(), CHANGED())
        return
    expect(isinstance(answer, Posted), GOES_ON(), said(answer))
    kit.until(talk.wish, ("in_service",))
    more = answered(kit, talk, "say")
    expect(more[: len(known)] == known, SAME_AGAIN(), CHANGED())


def _line_event(kit: Kit, received: Received) -> Event | None:
    event = event_of(kit, received)
    return event if event.message is not None else None


def _seq(event: Event) -> int:
    return 0 if event.message is None else event.message.seq


STEPS = (
    Step(
        "consultations-message-once",
        Capability.CONSULTATIONS,
        Text(
            "重发的消息只收一次，同一 id 换内容会被拒绝",
            "A message sent again is taken once; its id with other words is refused",
        ),
        taken_once,
    ),
    Step(
        "consultations-lines",
        Capability.CONSULTATIONS,
        Text("医生的话从 1 起连续编号，不再改变", "Doctors' lines are numbered from 1 without a gap and never change"),
        listed,
    ),
    Step(
        "consultations-picture",
        Capability.CONSULTATIONS,
        Text("医生的图片与所告知的一致", "A doctor's picture is the one that was announced"),
        pictured,
    ),
    Step(
        "consultations-event",
        Capability.CONSULTATIONS,
        Text("带签名的事件提前送来列表中的同一句", "A signed event brings the line that is in the list"),
        told,
    ),
    Step(
        "consultations-end",
        Capability.CONSULTATIONS,
        Text(
            "小结结束问诊；之后的消息重新打开它，或被拒绝",
            "A summary ends it; a message after it opens it again or is refused",
        ),
        ended,
    ),
)
