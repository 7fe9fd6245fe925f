"""The heart: a program is told of bookings, answers them, and leaves alone what its customer cancelled."""

from __future__ import annotations

from booking.programs import watch
from booking.programs.free import FULL_SLOT, Days, Free, free_slots
from booking.programs.kit import DAYS_AHEAD, WEEKS, ProgramKit, quiet_or
from booking.programs.watch import Call
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.text import Text
from providers.conformance.step import Capability, Failed, NotTried, Step, expect
from providers.conformance.words import phrase

CLEAN_BOOKINGS = 5
PAUSE_SECONDS = 5
ON_ITS_WAY_SECONDS = 0.5
"""How long after the first refusal another call may come that was sent before it; and how inexact a clock may be."""

TOLD_WITHIN = phrase(
    "program-told-within",
    "程序在 {seconds} 秒内收到预约 {booking} 的事件 {kind}（接收地址返回 2xx，或读取事件）",
    "the program is told of {kind} of booking {booking} within {seconds} s (its endpoint answers 2xx, or it reads)",
)
LEFT_ALONE = phrase(
    "program-leaves-cancelled",
    "取消之后，程序不再对该预约作任何应答",
    "nothing is said of a booking once its customer cancelled it",
)
MARK_A_SLOT = phrase(
    "program-needs-full-slot",
    "需要服务方的人员配合：在测试模式中发布一个编号以 {prefix} 开头的时段（对外可约），由程序当作约满并拒绝",
    "somebody at the provider has to publish a slot in test mode whose reference begins with {prefix}: on sale with us "
    "full for the program",
)
REFUSED_WITH = phrase(
    "program-refuses-with-reason",
    "程序在 {seconds} 秒内以 sold_out 拒绝预约 {booking}",
    "the program rejects booking {booking} as sold_out within {seconds} s",
)
CAME_TO = phrase("program-booking-came-to", "预约为 {state}，原因 {cause}", "a booking that is {state}, cause {cause}")
OBEYS = phrase(
    "program-obeys-retry-after",
    "收到 429 后 {seconds} 秒内不再调用",
    "no call within the {seconds} s of Retry-After",
)
CALLED_AGAIN = phrase("program-called-again", "其间又调用了 {number} 次：{calls}", "{number} calls meanwhile: {calls}")
CANCELLED_WITHIN = phrase(
    "trial-cancelled-within",
    "预约 {booking} 在 {seconds} 秒内取消完成",
    "booking {booking} cancelled within {seconds} s",
)
CALLS_US = phrase(
    "program-calls-us",
    "程序在 {seconds} 秒内为预约 {booking} 调用接口",
    "a call for booking {booking} within {seconds} s",
)


def told(kit: ProgramKit) -> None:
    """The program is told of a booking: its webhook is acknowledged, or it reads by itself."""
    _until_told(kit, kit.book(), "booking.requested")


def confirms(kit: ProgramKit) -> None:
    """Test bookings are confirmed one after the other, each within the time that is given, and cancelled."""
    for _number in range(CLEAN_BOOKINGS):
        booking = kit.confirmed()
        kit.cancel(booking)
        _until_cancelled(kit, booking)


def cancelled(kit: ProgramKit) -> None:
    """The program is told that its customer cancelled, and says nothing of the booking afterwards."""
    booking = kit.confirmed()
    last = kit.last_call()
    kit.cancel(booking)
    _until_told(kit, booking, "booking.cancelled")
    quiet_or(kit.watch_quiet(lambda: kit.writes(booking, last)), LEFT_ALONE())


def sold_out(kit: ProgramKit) -> None:
    """What the program has no place for it rejects, with the reason, and doesn't leave it unanswered."""
    slot = _full_slot(kit)
    if slot is None:
        raise NotTried(MARK_A_SLOT(prefix=FULL_SLOT))
    booking = kit.book(slot.slot, slot.offer)
    expected = REFUSED_WITH(booking=booking, seconds=f"{kit.trial.patience:g}")
    state = kit.wait(lambda: _answered(kit, booking), expected)
    cause = kit.why(booking)
    right = state is BookingState.REJECTED and cause == "sold_out"
    expect(right, expected, CAME_TO(state=state.value, cause=cause[:60]))


def too_many(kit: ProgramKit) -> None:
    """A program that is told 429 stays away for as long as Retry-After says, and does its work afterwards."""
    last = kit.last_call()
    watch.refuse_next(kit.trial.run_id, PAUSE_SECONDS)
    try:
        booking = kit.book()
        expected = CALLS_US(booking=booking, seconds=f"{kit.trial.patience:g}")
        first = kit.wait(lambda: _refused(kit, last), expected)
        more = kit.wait(lambda: _meanwhile(kit, first), OBEYS(seconds=PAUSE_SECONDS))
        if more:
            calls = ", ".join(f"{each.method} {each.route}" for each in more)[:200]
            raise Failed(OBEYS(seconds=PAUSE_SECONDS), CALLED_AGAIN(number=len(more), calls=calls))
    finally:
        watch.refuse_next(kit.trial.run_id, None)
    kit.until_confirmed(booking)


def _until_cancelled(kit: ProgramKit, booking: str) -> None:
    """Wait until the cancel is carried out: a customer is at one place at a time."""
    expected = CANCELLED_WITHIN(booking=booking, seconds=f"{kit.trial.patience:g}")
    kit.wait(lambda: kit.state(booking) is BookingState.CANCELLED or None, expected)


def _until_told(kit: ProgramKit, booking: str, kind: str) -> None:
    expected = TOLD_WITHIN(booking=booking, kind=kind, seconds=f"{kit.trial.patience:g}")
    kit.wait(lambda: kit.told(booking, kind) or None, expected)


def _full_slot(kit: ProgramKit) -> Free | None:
    """A slot that the program treats as full, and an offer that can be booked there."""
    today = clock.today(clock.HOME_ZONE, kit.trial.clock())
    days = Days(today, today + DAYS_AHEAD + WEEKS)
    return next(iter(free_slots(kit.trial.twin_id, days, kit.trial.clock(), full=True)), None)


def _answered(kit: ProgramKit, booking: str) -> BookingState | None:
    state = kit.state(booking)
    return None if state in (BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN) else state


def _refused(kit: ProgramKit, after: int) -> Call | None:
    return next((each for each in kit.calls(after=after) if each.status == 429), None)


def _meanwhile(kit: ProgramKit, first: Call) -> list[Call] | None:
    """What was called before the pause was over, once it is; what was on its way with the first call is none of it."""
    if (kit.trial.clock() - first.at).total_seconds() < PAUSE_SECONDS:
        return None
    return [
        each
        for each in kit.calls(after=first.id)
        if ON_ITS_WAY_SECONDS < (each.at - first.at).total_seconds() < PAUSE_SECONDS - ON_ITS_WAY_SECONDS
    ]


STEPS = (
    Step(
        "program-told",
        Capability.BOOKING,
        Text("程序能收到新预约", "The program is told of a booking"),
        told,
    ),
    Step(
        "program-confirms",
        Capability.BOOKING,
        Text("测试预约逐一按时确认", "Test bookings are confirmed in time, one after the other"),
        confirms,
    ),
    Step(
        "program-cancelled",
        Capability.BOOKING,
        Text("客户取消的预约不再被应答", "A booking that its customer cancelled is left alone"),
        cancelled,
    ),
    Step(
        "program-sold-out",
        Capability.BOOKING,
        Text(
            "没有名额时说明原因并拒绝，而不是不应答",
            "What is full is rejected with the reason, and not left unanswered",
        ),
        sold_out,
    ),
    Step(
        "program-429",
        Capability.BOOKING,
        Text("收到 429 后按 Retry-After 等待，之后继续", "429 is obeyed for as long as Retry-After says"),
        too_many,
    ),
)
