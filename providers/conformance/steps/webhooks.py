"""Events are signed, told again under their id until they are taken, and in an order that their versions give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from marketplace.core import clock
from marketplace.core.text import Text
from providers.conformance.kit import Booked, Kit
from providers.conformance.listening import Listener, Received
from providers.conformance.step import Capability, Failed, Step, expect
from providers.conformance.words import phrase
from providers.port import BadSignature, ProviderError
from providers.reported import Event

WHOLE_BOOKING = phrase("event-with-whole-booking", "带有完整预约的事件", "an event with the whole booking")
WITHOUT_ONE = phrase("event-without-booking", "事件 {kind} 没有带预约", "an event {kind} without one")
REFERENCE_IN_EVENT = phrase("reference-in-event", "事件里是该预约的编号", "the booking's reference in the event")
OTHER_REFERENCE = phrase("another-reference", "另一个编号", "another reference")
ONCE_MORE = phrase("refused-event-again", "未被接收的事件再来一次", "the refused event once more")
SAME_ID = phrase(
    "same-webhook-id", "同一事件每次都用同一个 webhook-id", "the same webhook-id for every try of an event"
)
OTHER_ID = phrase("another-id", "另一个 id", "another id")
BOTH = phrase(
    "confirmed-and-cancelled", "booking.confirmed 和 booking.cancelled", "booking.confirmed and booking.cancelled"
)
HIGHER_LATER = phrase("higher-in-later-event", "后来的事件版本更高", "a higher version in the later event")
AFTER = phrase("after", "{first} 之后是 {second}", "{second} after {first}")
OVER_BODY = phrase("signature-over-body", "签名覆盖正文", "a signature over the body")
BODY_TOO = phrase("altered-body-passes", "改过的正文也能通过", "one that an altered body has too")
OVER_ID = phrase("signature-over-id", "签名覆盖 id", "a signature over the id")
ID_TOO = phrase("other-id-passes", "换了 id 也能通过", "one that another id has too")
OVER_TIME = phrase("signature-over-time", "签名覆盖时间", "a signature over its time")
FOR_EVER = phrase("good-for-ever", "永远有效的签名", "one that is good for ever")
ABOUT_BOOKING = phrase("event-about-booking", "关于该预约的事件", "an event about the booking")
SIGNED_NOW = phrase("event-signed-now", "用共享密钥在此刻签名的事件", "an event signed with the shared secret, now")
SIGNED_HOW = phrase("event-signed-how", "签名不对：{how}", "one that is {how}")


def signed(kit: Kit) -> None:
    """A booking is told by a signed event that carries it whole."""
    listener = kit.listening()
    booked = kit.book()
    event = event_of(kit, _first(kit, listener, booked))
    told = event.booking
    expect(told is not None, WHOLE_BOOKING(), WITHOUT_ONE(kind=event.kind[:40]))
    same = told is not None and told.reference == booked.reference
    expect(same, REFERENCE_IN_EVENT(), OTHER_REFERENCE())


def told_again(kit: Kit) -> None:
    """What was answered with 500 comes again with the same id, signed anew."""
    listener = kit.listening()
    slot = kit.slot()
    wish = kit.wish(slot)
    listener.refuse_next(wish.our_reference.encode())
    kit.confirmed(wish, kit.send(wish), slot)

    def twice() -> tuple[Received, Received] | None:
        about = listener.about(wish.our_reference.encode())
        refused = next((each for each in about if each.refused), None)
        again = next((each for each in about if not each.refused and refused and each.body == refused.body), None)
        return (refused, again) if refused and again else None

    first, second = kit.wait(twice, ONCE_MORE())
    same = event_of(kit, first).id == event_of(kit, second).id
    expect(same, SAME_ID(), OTHER_ID())


def ordered(kit: Kit) -> None:
    """Versions grow with each event of a booking, so that it does not matter in which order they arrive."""
    listener = kit.listening()
    booked = kit.book()
    _first(kit, listener, booked)
    kit.cancel(booked)

    def both() -> dict[str, int] | None:
        events = [event_of(kit, each) for each in listener.about(booked.wish.our_reference.encode())]
        versions = {each.kind: each.booking.version for each in events if each.booking is not None}
        return versions if "booking.cancelled" in versions and "booking.confirmed" in versions else None

    versions = kit.wait(both, BOTH())
    confirmed, cancelled = versions["booking.confirmed"], versions["booking.cancelled"]
    expect(cancelled > confirmed, HIGHER_LATER(), AFTER(first=confirmed, second=cancelled))


def forged(kit: Kit) -> None:
    """The signature is over the whole event: one that was altered, or kept for later, does not pass."""
    listener = kit.listening()
    booked = kit.book()
    message = _first(kit, listener, booked)
    event_of(kit, message)
    altered = replace(message, body=message.body.replace(booked.reference.encode(), b"FORGED"))
    expect(not _taken(kit, altered), OVER_BODY(), BODY_TOO())
    name = next((each for each in message.headers if each.lower() == "webhook-id"), "webhook-id")
    other = replace(message, headers={**message.headers, name: "msg_forged"})
    expect(not _taken(kit, other), OVER_ID(), ID_TOO())
    expect(not _taken(kit, message, timedelta(minutes=6)), OVER_TIME(), FOR_EVER())


def _first(kit: Kit, listener: Listener, booked: Booked) -> Received:
    text = booked.wish.our_reference.encode()
    return kit.wait(lambda: next(iter(listener.about(text)), None), ABOUT_BOOKING())


def event_of(kit: Kit, message: Received) -> Event:
    """What it is about. Raises Failed where it is not signed now, ProviderError where it cannot be read."""
    try:
        event = kit.adapter.read_event(message.headers, message.body, clock.now())
    except BadSignature as error:
        raise Failed(SIGNED_NOW(), SIGNED_HOW(how=str(error)[:120])) from error
    if event.unreadable is not None:
        raise ProviderError(f"an event that cannot be read ({event.unreadable.reason})")
    kit.transcript.note(f"< event {event.kind[:60]} id={event.id[:60]}")
    return event


def _taken(kit: Kit, message: Received, later: timedelta = timedelta()) -> bool:
    try:
        kit.adapter.read_event(message.headers, message.body, clock.now() + later)
    except BadSignature:
        return False
    return True


STEPS = (
    Step(
        "webhooks-signed",
        Capability.WEBHOOKS,
        Text("预约由带签名、内容完整的事件通知", "A booking is told by a signed event that carries it whole"),
        signed,
    ),
    Step(
        "webhooks-again",
        Capability.WEBHOOKS,
        Text("未被接收的事件以同一 id 再来", "An event that was not taken comes again under its id"),
        told_again,
    ),
    Step(
        "webhooks-order",
        Capability.WEBHOOKS,
        Text("同一预约后来的事件版本更高", "Later events of a booking have higher versions"),
        ordered,
    ),
    Step(
        "webhooks-forged",
        Capability.WEBHOOKS,
        Text("改过、改名或过期的事件不能通过签名校验", "An altered, renamed or old event does not pass for signed"),
        forged,
    ),
)
