"""Consultations as bookings: begun once, cancelled before an answer, over once they are over; and who may answer."""

from __future__ import annotations

from dataclasses import replace

from marketplace.core.text import Text
from providers.conformance.conversation import answered, confirmed, conversing, opened, say, send, wish_of
from providers.conformance.kit import HASTY_SECONDS, POSTED, REFUSED, Kit, said
from providers.conformance.step import Capability, Step, expect
from providers.conformance.steps import booking, idempotency
from providers.conformance.words import phrase
from providers.conversing import CloseConversation, Posted
from providers.port import Accepted, Cancel, Confirmed, Refused, Unknown
from providers.reported import RemoteBooking

UNDER_KEY_AND_OURS = phrase(
    "consultation-under-key-and-ours",
    "用幂等键和我方编号都能查到这一次问诊",
    "the one consultation, under its key and under our reference",
)
WHOLE_ROSTER = phrase(
    "roster-readable",
    "名册上每位医生都能读取（执业证书编号为 15 位数字）",
    "a roster all of which can be read, licences of 15 digits",
)
LEFT_OUT = phrase("roster-left-out", "{number} 位不能", "{number} on it that cannot")
SOMEBODY = phrase("somebody-on-roster", "名册上至少有一位医生", "at least one doctor on the roster")
NOBODY = phrase("nobody-on-roster", "没有", "none")


def once(kit: Kit) -> None:
    """Opened twice under one key it is one; the key with another body is refused."""
    wish = wish_of(kit)
    first, second = send(kit, wish), send(kit, wish)
    same = (
        isinstance(first, (Accepted, Confirmed))
        and type(first) is type(second)
        and getattr(second, "reference", None) == first.reference
    )
    expect(same, idempotency.FIRST_AGAIN(first=said(first)), idempotency.OTHER_ANSWER(second=said(second)))
    talk = confirmed(kit, wish, first)
    for key in (wish.key, ""):
        there = kit.look_up(wish, key)
        found = isinstance(there, RemoteBooking) and there.reference == talk.reference
        expect(found, UNDER_KEY_AND_OURS(), said(there))
    other = replace(wish, our_reference=wish_of(kit).our_reference)
    answer, reply = send(kit, other), kit.transcript.last
    status = idempotency.NO_STATUS() if reply is None else str(reply.status)
    refused = isinstance(answer, Unknown) and reply is not None and reply.status == 422
    expect(refused, idempotency.KEY_REUSED(), idempotency.STATUS_MEANS(status=status, answer=said(answer)))
    kit.unsure.discard(other.our_reference)  # 422 is an answer
    there = kit.look_up(other)
    expect(not isinstance(there, RemoteBooking), idempotency.NOTHING_OF_OTHER(), said(there))


def time_out(kit: Kit) -> None:
    """One whose answer did not come in time is found by its key, and there once."""
    mode, wish = kit.mode, wish_of(kit)
    mode.next_reserve("hang", HASTY_SECONDS * 2, "open")
    answer = send(kit, wish, hasty=True)
    expect(isinstance(answer, Unknown), booking.NO_ANSWER(), said(answer))

    def there() -> RemoteBooking | None:
        found = kit.look_up(wish, wish.key)
        return found if isinstance(found, RemoteBooking) else None

    kit.wait(there, booking.THE_MADE())


def cancelled(kit: Kit) -> None:
    """Before an answer it is cancelled like every booking, and nothing more is taken in then."""
    talk = opened(kit)
    ours = talk.wish.our_reference
    for number in (1, 2):
        answer = kit.adapter.cancel(Cancel(f"{ours}-cancel-{number}", ours, talk.reference, "test"))
        expect(isinstance(answer, Confirmed), booking.CANCELLED(), said(answer))
    there = kit.look_up(talk.wish)
    gone = isinstance(there, RemoteBooking) and there.status == "cancelled"
    expect(gone, booking.IS_CANCELLED(), said(there))
    answer_now = say(kit, talk, 1)
    closed = isinstance(answer_now, Refused) and answer_now.code == "closed"
    expect(closed, REFUSED(code="closed"), said(answer_now))


def closed(kit: Kit) -> None:
    """Closed by us it is over, however often that is said: fulfilled after an answer, cancelled without one."""
    for orders, status in ((("say",), "fulfilled"), ((), "cancelled")):
        talk = opened(kit)
        answer = say(kit, talk, 1)
        expect(isinstance(answer, Posted), POSTED(), said(answer))
        answered(kit, talk, *orders)
        for number in (1, 2):
            key = f"{talk.wish.our_reference}-close-{number}"
            over = conversing(kit.adapter).close(
                CloseConversation(key, talk.reference, talk.wish.our_reference, "idle")
            )
            expect(isinstance(over, Posted), POSTED(), said(over))
        kit.until(talk.wish, (status,))


def roster(kit: Kit) -> None:
    """The roster can be read, all of it."""
    known = conversing(kit.adapter).clinicians()
    reply = kit.transcript.last
    told = 0 if reply is None else len(reply.json()["clinicians"])
    expect(len(known) == told, WHOLE_ROSTER(), LEFT_OUT(number=told - len(known)))
    expect(bool(known), SOMEBODY(), NOBODY())


STEPS = (
    Step(
        "consultations-once",
        Capability.CONSULTATIONS,
        Text("同一问诊发起两次，只有一个，能查到", "A consultation opened twice under one key is one, and is found"),
        once,
    ),
    Step(
        "consultations-time-out",
        Capability.CONSULTATIONS,
        Text("发起问诊超时之后能查到", "After a time-out the consultation is found"),
        time_out,
    ),
    Step(
        "consultations-cancel",
        Capability.CONSULTATIONS,
        Text("医生回复之前可以取消，之后不再收消息", "Before an answer it is cancelled, and takes nothing in then"),
        cancelled,
    ),
    Step(
        "consultations-close",
        Capability.CONSULTATIONS,
        Text("我方结束的问诊即告结束", "What we close is over"),
        closed,
    ),
    Step(
        "consultations-roster",
        Capability.CONSULTATIONS,
        Text("医生名册完整可读", "The roster of doctors can be read as a whole"),
        roster,
    ),
)
