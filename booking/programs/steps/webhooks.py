"""Messages that come twice, late or from a stranger change nothing."""

from __future__ import annotations

from datetime import timedelta

from booking.programs.kit import ProgramKit, quiet_or
from booking.programs.messages import Endpoint, Told, delivery, forged, hold_back, message_of, of_long_ago, send_message
from booking.states import BookingState
from booking.webhooks.send import Answered, Message
from marketplace.core.text import Text
from providers.conformance.step import Capability, NotTried, Step, expect
from providers.conformance.words import PLAIN, Said, phrase

HELD_BACK = timedelta(seconds=30)

DELIVERED = phrase(
    "program-message-taken",
    "接收地址在 {seconds} 秒内以 2xx 接收 {kind}（预约 {booking}）",
    "its endpoint takes {kind} of booking {booking} with 2xx within {seconds} s",
)
TAKEN_AGAIN = phrase("program-takes-again", "再次收到同一消息仍返回 2xx", "2xx for the same message once more")
ANSWERED = phrase("program-answered", "应答：{answer}（{which}）", "{answer} ({which})")
STATUS = phrase("program-status", "返回 {status}", "status {status}")
NO_ANSWER = phrase("program-no-answer", "没有应答：{reason}", "no answer: {reason}")
NOTHING_TWICE = phrase(
    "program-does-nothing-twice",
    "重复的消息不引起任何应答",
    "nothing is said of the booking because of a message that came twice",
)
NOT_TAKEN = phrase(
    "program-refuses-forged", "伪造或过期的消息不返回 2xx", "no 2xx for a message that is forged or too old"
)
NO_CALL = phrase(
    "program-no-call-for-forged",
    "伪造或过期的消息不引起对该预约的任何调用",
    "no call about the booking because of a message that is forged or too old",
)
NOT_CONFIRMED = phrase(
    "program-follows-newest",
    "先收到取消、后收到新预约时，不再确认该预约",
    "a booking that is told as requested after it was told as cancelled is not answered",
)
STATE = phrase("program-booking-state", "预约为 {state}", "a booking that is {state}")
EVENT_GONE = phrase("program-event-gone", "事件已不存在", "the event is not there any more")
WAYS = {
    "signature": phrase("forged-signature", "签名不对", "signed by a stranger"),
    "unsigned": phrase("forged-unsigned", "没有签名", "unsigned"),
    "altered": phrase("forged-altered", "正文被改过", "altered"),
    "old": phrase("forged-old", "十分钟前签名", "signed ten minutes ago"),
    "again": phrase("message-again", "第二次", "the second time"),
    "cancelled": phrase("message-cancelled", "取消事件", "the cancel"),
}
POSTED = phrase("program-posted", "> 发送 webhook（{which}）< {answer}", "> webhook {which} < {answer}")


def twice(kit: ProgramKit) -> None:
    """The same message once more is taken, and nothing follows from it."""
    endpoint = kit.endpoint()
    booking = kit.confirmed()
    told = _taken(kit, endpoint, booking, "booking.requested")
    last = kit.last_call()
    answered = _post(kit, _message(kit, endpoint, told), "again")
    expect(answered.taken, TAKEN_AGAIN(), _words(answered, "again"))
    quiet_or(kit.watch_quiet(lambda: kit.writes(booking, last)), NOTHING_TWICE())
    expect(kit.state(booking) is BookingState.CONFIRMED, NOTHING_TWICE(), STATE(state=kit.state(booking).value))


def stranger(kit: ProgramKit) -> None:
    """What is not signed by us, was altered or is too old is refused, and leads to no call."""
    endpoint = kit.endpoint()
    booking = kit.confirmed()
    told = _taken(kit, endpoint, booking, "booking.requested")
    now = kit.trial.clock()
    messages = forged(_message(kit, endpoint, told), now)
    old = of_long_ago(endpoint, told, now)
    last = kit.last_call()
    for which, message in (*messages.items(), *((("old", old),) if old is not None else ())):
        answered = _post(kit, message, which)
        expect(answered.status is not None and not answered.taken, NOT_TAKEN(), _words(answered, which))
    quiet_or(kit.watch_quiet(lambda: _called(kit, booking, last)), NO_CALL())


def late(kit: ProgramKit) -> None:
    """Of events that come in the wrong order the newer one counts."""
    endpoint = kit.endpoint()
    hold_back(endpoint, kit.trial.clock() + HELD_BACK)
    try:
        booking = kit.book()
        kit.cancel(booking)
        first = kit.wait(
            lambda: delivery(endpoint, booking, "booking.cancelled"), _expected(kit, booking, "booking.cancelled")
        )
        last = kit.last_call()
        answered = _post(kit, _message(kit, endpoint, first), "cancelled")
        expect(answered.taken, _expected(kit, booking, "booking.cancelled"), _words(answered, "cancelled"))
    finally:
        hold_back(endpoint, None)
    _taken(kit, endpoint, booking, "booking.requested")
    quiet_or(kit.watch_quiet(lambda: kit.writes(booking, last)), NOT_CONFIRMED())


def _expected(kit: ProgramKit, booking: str, kind: str) -> Said:
    return DELIVERED(booking=booking, kind=kind, seconds=f"{kit.trial.patience:g}")


def _taken(kit: ProgramKit, endpoint: Endpoint, booking: str, kind: str) -> Told:
    """The delivery of an event, once its receiver has it. Raises Failed."""

    def look() -> Told | None:
        found = delivery(endpoint, booking, kind)
        return found if found is not None and found.state == "done" else None

    return kit.wait(look, _expected(kit, booking, kind))


def _message(kit: ProgramKit, endpoint: Endpoint, told: Told) -> Message:
    message = message_of(endpoint, told, kit.trial.clock())
    if message is None:
        raise NotTried(EVENT_GONE())
    return message


def _post(kit: ProgramKit, message: Message, which: str) -> Answered:
    answered = send_message(message, kit.trial.clock)
    kit.transcript.note(POSTED(which=WAYS[which](), answer=_answer(answered)))
    return answered


def _answer(answered: Answered) -> Said:
    return NO_ANSWER(reason=answered.error[:120]) if answered.status is None else STATUS(status=answered.status)


def _words(answered: Answered, which: str) -> Said:
    return ANSWERED(answer=_answer(answered), which=WAYS[which]())


def _called(kit: ProgramKit, booking: str, after: int) -> Said | None:
    calls = ", ".join(f"{each.method} {each.route} ({each.status})" for each in kit.calls(booking, after))
    return PLAIN(detail=calls[:200]) if calls else None


STEPS = (
    Step(
        "program-twice",
        Capability.WEBHOOKS,
        Text("重复收到同一消息不产生任何影响", "The same message once more changes nothing"),
        twice,
    ),
    Step(
        "program-forged",
        Capability.WEBHOOKS,
        Text("拒绝伪造、改动或过期的消息", "A message that is forged, altered or too old is refused"),
        stranger,
    ),
    Step(
        "program-order",
        Capability.WEBHOOKS,
        Text("事件先后颠倒时以较新的为准", "Of events in the wrong order the newer one counts"),
        late,
    ),
)
