"""One command, one effect, however often it is sent."""

from __future__ import annotations

from dataclasses import replace

from marketplace.core.text import Text
from providers.conformance.kit import Kit, said
from providers.conformance.step import Capability, Step, expect
from providers.conformance.words import phrase
from providers.port import Accepted, Confirmed, Unknown
from providers.reported import RemoteBooking

FIRST_AGAIN = phrase(
    "first-answer-again",
    "再次得到首次的回复（{first}）及同一编号",
    "the first answer again: {first}, with its reference",
)
OTHER_ANSWER = phrase("answer-or-other-reference", "{second}，或另一个编号", "{second}, or another reference")
ONE_UNDER_KEY = phrase("one-booking-under-key", "该幂等键下只有这一个预约", "the one booking under the key")
NOTHING_LIVE = phrase(
    "nothing-live-once-cancelled", "取消之后不再有有效预约", "nothing live once that booking is cancelled"
)
KEY_REUSED = phrase("422-key-reused", "422 idempotency_key_reused", "422 idempotency_key_reused")
STATUS_MEANS = phrase("status-which-means", "状态 {status}，即：{answer}", "status {status}, which means: {answer}")
NOTHING_OF_OTHER = phrase("nothing-of-other-body", "另一份内容没有产生预约", "nothing made of the other body")
NO_STATUS = phrase("status-no-answer", "没有应答", "no answer")


def repeated(kit: Kit) -> None:
    """The same key and body get the first answer again."""
    slot = kit.slot()
    wish = kit.wish(slot)
    first = kit.send(wish)
    second = kit.send(wish)
    same = (
        isinstance(first, (Accepted, Confirmed))
        and type(first) is type(second)
        and getattr(second, "reference", None) == first.reference
    )
    expect(same, FIRST_AGAIN(first=said(first)), OTHER_ANSWER(second=said(second)))
    booked = kit.confirmed(wish, first, slot)
    there = kit.look_up(wish, wish.key)
    found = isinstance(there, RemoteBooking) and there.reference == booked.reference
    expect(found, ONE_UNDER_KEY(), said(there))
    kit.cancel(booked)
    after = kit.look_up(wish)
    dead = isinstance(after, RemoteBooking) and after.status == "cancelled"
    expect(dead, NOTHING_LIVE(), said(after))


def other_body(kit: Kit) -> None:
    """The same key with another body is refused with 422 `idempotency_key_reused`."""
    slot = kit.slot()
    wish = kit.wish(slot)
    kit.confirmed(wish, kit.send(wish), slot)
    other = replace(wish, our_reference=kit.wish(slot).our_reference)
    answer = kit.send(other)
    reply = kit.transcript.last
    status = NO_STATUS() if reply is None else str(reply.status)
    expect(
        isinstance(answer, Unknown) and reply is not None and reply.status == 422,
        KEY_REUSED(),
        STATUS_MEANS(status=status, answer=said(answer)),
    )
    kit.unsure.discard(other.our_reference)  # 422 is an answer
    there = kit.look_up(other)
    expect(not isinstance(there, RemoteBooking), NOTHING_OF_OTHER(), said(there))


STEPS = (
    Step(
        "idempotency-repeat",
        Capability.IDEMPOTENCY,
        Text("同一命令发送两次，只生效一次，回复相同", "A command sent twice has one effect and one answer"),
        repeated,
    ),
    Step(
        "idempotency-other-body",
        Capability.IDEMPOTENCY,
        Text("同一幂等键配另一份内容会被拒绝", "A key used again with another body is refused"),
        other_body,
    ),
)
