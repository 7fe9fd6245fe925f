"""The heart: places are taken once, refused with the right word, given back, and found again."""

from __future__ import annotations

import time
from datetime import timedelta

from marketplace.core import clock
from marketplace.core.text import Text
from providers.conformance.kit import HASTY_SECONDS, REFUSED, Booked, Kit, said
from providers.conformance.step import Capability, Failed, Step, expect
from providers.conformance.words import phrase
from providers.port import Answer, Confirmed, NotFound, Refused, Reserve, RetryAfter, Unknown
from providers.reported import RemoteBooking

CLEAN_BOOKINGS = 10
SETTLE_SECONDS = 60.0
SKEW = timedelta(minutes=5)
GONE = ("closed", "unknown_slot")

OWN_REFERENCE = phrase("own-reference", "每个预约有自己的编号", "a reference of its own for each booking")
SAME_REFERENCE = phrase("same-reference", "一个已经用过的编号", "one that was given before")
ON_THE_DAY = phrase("on-the-day", "预约在所约的那一天", "the booking on the day that was asked for")
ANOTHER_DAY = phrase("another-day", "另一天", "another day")
CANCELLED = phrase("cancelled", "已取消", "cancelled")
UNDER_OURS = phrase("found-under-ours", "用我方编号查到已确认的预约", "the confirmed booking under our reference")
NEVER_USED = phrase(
    "not-found-never-used", "从未用过的编号查不到预约", "not found, under a reference that was never used"
)
NO_ANSWER = phrase(
    "no-answer-as-asked", "按测试模式的要求不及时应答", "no answer in time, as the test mode was asked for"
)
THE_MADE = phrase("booking-that-was-made", "查到已做成的预约", "the booking that was made")
CANCELLED_AGAIN = phrase("cancelled-time", "第 {number} 次取消成功", "cancelled, time {number}")
IS_CANCELLED = phrase("booking-is-cancelled", "预约为已取消", "a booking that is cancelled")
TOO_MANY = phrase("429-with-retry-after", "429，带 Retry-After", "429 with Retry-After")
NOTHING_BOOKED = phrase(
    "nothing-of-a-command-not-taken", "未受理的命令没有产生预约", "nothing booked by a command that was not taken"
)
TIME_OF_CHANGE = phrase("time-of-last-change", "预约最后变更的时间", "the time of the booking's last change")
NONE = phrase("none", "没有", "none")
RIGHT_TIME = phrase("time-within-five-minutes", "与我方相差不超过五分钟的时间", "a time within five minutes of ours")
WRONG_TIME = phrase("time-off", "相差 {seconds} 秒", "one that is {seconds} s off")
REASON = phrase("the-reason", "原因为 {codes}", "the reason {codes}")
ANOTHER_REASON = phrase("another-reason", "另一个原因", "another reason")
NOTHING_HELD = phrase("nothing-held-after-refusal", "拒绝之后不再占用名额", "nothing held after a refusal")


def ten_bookings(kit: Kit) -> None:
    """Ten bookings are confirmed, each on its slot, and cancelled."""
    references = set()
    for number in range(1, CLEAN_BOOKINGS + 1):
        booked = kit.book()
        references.add(booked.reference)
        expect(len(references) == number, OWN_REFERENCE(), SAME_REFERENCE())
        there = kit.look_up(booked.wish)
        expect(
            isinstance(there, RemoteBooking) and there.service_date == booked.slot.service_date,
            ON_THE_DAY(),
            ANOTHER_DAY() if isinstance(there, RemoteBooking) else said(there),
        )
        answer = kit.cancel(booked)
        expect(isinstance(answer, Confirmed), CANCELLED(), said(answer))


def look_up(kit: Kit) -> None:
    """A booking is found by its reference and by ours; what was never made is not."""
    booked = kit.book()
    there = kit.look_up(booked.wish)
    found = isinstance(there, RemoteBooking) and there.reference == booked.reference and there.status == "confirmed"
    expect(found, UNDER_OURS(), said(there))
    nothing = kit.look_up(kit.wish())
    expect(isinstance(nothing, NotFound), NEVER_USED(), said(nothing))


def time_out(kit: Kit) -> None:
    """A booking whose answer did not come in time is found, and there once."""
    mode, wish = kit.mode, kit.wish()
    mode.next_reserve("hang", HASTY_SECONDS * 2)
    answer = kit.send(wish, hasty=True)
    expect(isinstance(answer, Unknown), NO_ANSWER(), said(answer))
    key = wish.key if kit.adapter.capabilities.idempotency_keys else ""
    over = time.monotonic() + min(kit.target.patience, SETTLE_SECONDS)
    there = kit.look_up(wish, key)
    while not isinstance(there, RemoteBooking) and time.monotonic() < over:
        time.sleep(0.2)
        there = kit.look_up(wish, key)
    expect(isinstance(there, RemoteBooking), THE_MADE(), said(there))


def cancel_twice(kit: Kit) -> None:
    """Cancelling what is cancelled is answered as the first time, under another key too."""
    booked = kit.book()
    for number in (1, 2):
        answer = kit.cancel(booked, number)
        expect(isinstance(answer, Confirmed), CANCELLED_AGAIN(number=number), said(answer))
    there = kit.look_up(booked.wish)
    expect(isinstance(there, RemoteBooking) and there.status == "cancelled", IS_CANCELLED(), said(there))


def cancel_frees(kit: Kit) -> None:
    """The place of a cancelled booking can be booked again."""
    first = kit.book()
    _leave_none(kit, first)
    answer = kit.cancel(first)
    expect(isinstance(answer, Confirmed), CANCELLED(), said(answer))
    wish = kit.wish(first.slot)
    kit.confirmed(wish, kit.send(wish), first.slot)


def sold_out(kit: Kit) -> None:
    """Of a slot that is full none is booked: `sold_out`, at once or by the decision that follows."""
    first = kit.book()
    _leave_none(kit, first)
    refused(kit, kit.wish(first.slot), ("sold_out",))


def slot_gone(kit: Kit) -> None:
    """A slot that is closed, and one that is unknown, are refused by a word of their own, not as full."""
    slot = kit.slot()
    kit.alter(slot, None, closed=True)
    refused(kit, kit.wish(slot), GONE)


def rate_limited(kit: Kit) -> None:
    """Who is told to come back later was not booked, and is booked by the same command afterwards."""
    mode, wish = kit.mode, kit.wish()
    mode.next_reserve("rate_limited", 1)
    answer = kit.send(wish)
    expect(isinstance(answer, RetryAfter) and answer.reached, TOO_MANY(), said(answer))
    there = kit.look_up(wish)
    expect(isinstance(there, NotFound), NOTHING_BOOKED(), said(there))
    time.sleep(min(answer.seconds, 10.0) if isinstance(answer, RetryAfter) else 0)
    kit.confirmed(wish, kit.send(wish), kit.slot())


def clock_skew(kit: Kit) -> None:
    """The provider's clock is right within five minutes, by the times that it gives."""
    booked = kit.book()
    there = kit.look_up(booked.wish)
    if not isinstance(there, RemoteBooking) or there.updated_at is None:
        raise Failed(TIME_OF_CHANGE(), NONE())
    off = abs(there.updated_at - clock.now())
    expect(off <= SKEW, RIGHT_TIME(), WRONG_TIME(seconds=int(off.total_seconds())))


def _leave_none(kit: Kit, booked: Booked) -> None:
    """Shrink its slot to as many places as are taken: of one it is known that it is taken. A slot that never had more
    is full."""
    if booked.slot.offered != 1:
        kit.alter(booked.slot, 1)


def refused(kit: Kit, wish: Reserve, codes: tuple[str, ...]) -> None:
    """Ask for it and be refused with one of the codes, at once or later; nothing lives there then."""
    answer: Answer = kit.send(wish)
    words = " / ".join(codes)
    if not isinstance(answer, (Refused, Confirmed, Unknown, RetryAfter, NotFound)):  # accepted: a decision follows
        there = kit.until(wish, ("confirmed", "rejected"))
        expect(there.status == "rejected", REFUSED(code=words), said(there))
        expect(there.reason in codes, REASON(codes=words), ANOTHER_REASON())
        return
    expect(isinstance(answer, Refused) and answer.code in codes, REFUSED(code=words), said(answer))
    there_now = kit.look_up(wish)
    alive = isinstance(there_now, RemoteBooking) and there_now.status not in ("rejected", "cancelled")
    expect(not alive, NOTHING_HELD(), said(there_now))


STEPS = (
    Step(
        "booking-ten",
        Capability.BOOKING,
        Text("十个预约都被确认，又被取消", "Ten bookings are confirmed and cancelled"),
        ten_bookings,
    ),
    Step(
        "booking-look-up",
        Capability.BOOKING,
        Text("用我方编号能查到预约，且只查到它", "A booking is found by our reference, and nothing else is"),
        look_up,
    ),
    Step(
        "booking-time-out",
        Capability.BOOKING,
        Text("超时之后能查到预约", "After a time-out the booking is found"),
        time_out,
    ),
    Step(
        "booking-cancel-twice",
        Capability.BOOKING,
        Text("重复取消得到同样的回复", "A second cancel is answered like the first"),
        cancel_twice,
    ),
    Step(
        "booking-cancel-frees",
        Capability.BOOKING,
        Text("取消后名额恢复可约", "A cancelled booking's place is free again"),
        cancel_frees,
    ),
    Step(
        "booking-sold-out",
        Capability.BOOKING,
        Text("约满的时段以 sold_out 拒绝", "A full slot is refused as sold_out"),
        sold_out,
    ),
    Step(
        "booking-slot-gone",
        Capability.BOOKING,
        Text("已关闭或不存在的时段另有专门的拒绝原因", "A slot that is gone is refused by a word of its own"),
        slot_gone,
    ),
    Step(
        "booking-429",
        Capability.BOOKING,
        Text("429 时不做任何事，稍后同一命令可以成功", "429 takes nothing, and the same command is taken later"),
        rate_limited,
    ),
    Step(
        "booking-clock",
        Capability.BOOKING,
        Text("服务方的时钟误差不超过五分钟", "The provider's clock is right within five minutes"),
        clock_skew,
    ),
)
