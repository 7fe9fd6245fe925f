"""Escorts: booked with all that she has to know, named in time and one at a time, and what she does is told once."""

from __future__ import annotations

from datetime import timedelta

from marketplace.core import clock
from marketplace.core.text import Text
from providers.conformance.errands import Errand, deeds, done, escorting, send, sent_for, windows_of, wish_of
from providers.conformance.kit import Kit, said
from providers.conformance.listening import Received
from providers.conformance.step import Capability, NotTried, Step, expect
from providers.conformance.steps import booking, change, idempotency
from providers.conformance.steps.said import (
    ALSO_EARLIER,
    AS_LISTED,
    CHANGED,
    OF_ANOTHER,
    OF_THIS_ONE,
    ONLY_AFTER,
    OTHER_BYTES,
    OTHERWISE,
    OWN_ID,
    SAME_AGAIN,
    SAME_BYTES,
    SAME_ID,
)
from providers.conformance.steps.webhooks import event_of
from providers.conformance.words import phrase
from providers.port import Accepted, Cancel, Change, Confirmed, Refused
from providers.reported import EscortLine, Event, RemoteBooking

SKEW = timedelta(minutes=5)

UNDER_KEY_AND_OURS = phrase(
    "escort-under-key-and-ours",
    "用幂等键和我方编号都能查到这一次预约",
    "the one booking, under its key and under our reference",
)
NOBODY_YET = phrase("escort-nobody-yet", "还没有派人时列表为空", "an empty list while nobody is named")
SOME_LINES = phrase("escort-some-lines", "{number} 条", "{number} lines")
NAMED = phrase("escort-named", "写明所派人员和接头暗语的 assigned", "a line assigned, with who comes and the safe word")
NOT_NAMED = phrase("escort-not-named", "类型为 {kind} 的一条", "a line that is {kind}")
SOMEBODY_ELSE = phrase("escort-somebody-else", "另一位人员，另一个暗语", "somebody else, with another safe word")
THE_SAME = phrase("escort-the-same", "同一位人员或同一个暗语", "the same person or the same safe word")
BY_WHO_COMES = phrase("escort-by-who-comes", "由所派人员完成的每一条", "each line by who was named last")
BY_ANOTHER = phrase("escort-by-another", "另一个代码", "another code")
IN_TIME = phrase("escort-in-time", "本次测试之内的时间", "times of this run, by a clock that is right")
AT_ANOTHER = phrase("escort-at-another-time", "另一个时间", "another time")
MET_BY = phrase("escort-met-proved", "带位置或代码的 met", "a line met, with a position or a code")
WITHOUT_PROOF = phrase("escort-met-unproved", "两样都没有", "neither of the two")
PICTURED = phrase("escort-pictured", "带图片的 {kind}", "a line {kind} with a picture")
UNPICTURED = phrase("escort-unpictured", "没有图片", "none")
LINE_EVENT = phrase("event-of-deed", "这一条的 escort.line 事件", "an event escort.line about the line")
STANDS = phrase("escort-stands", "仍为 confirmed 的预约", "the booking confirmed still")
TWO_PEOPLE = phrase(
    "escort-two-people", "同一时段的两个预约派两位不同的人", "two people for two bookings of one window"
)
ONE_FOR_BOTH = phrase("escort-one-for-both", "同一个人", "one for both")
SECOND = phrase(
    "escort-second-or-full", "确认、先受理，或以 sold_out 拒绝", "confirmed, accepted or refused as sold_out"
)
NOTHING_MORE = phrase("escort-nothing-more", "取消之后不再有新的一条", "no line after the cancel")
NUMBERS_GO_ON = phrase(
    "escort-numbers-go-on", "改期之后接着原来的编号", "the lines of before, and numbers that go on after the move"
)
OTHER_LINES = phrase("escort-other-lines", "不同的列表", "another list")


def booked(kit: Kit) -> None:
    """Booked with place and answers, twice under one key it is one; it is found, and its list is empty at first."""
    slot = windows_of(kit)[0]
    wish = wish_of(kit, slot)
    first, second = send(kit, wish), send(kit, wish)
    same = (
        isinstance(first, (Accepted, Confirmed))
        and type(first) is type(second)
        and getattr(second, "reference", None) == first.reference
    )
    expect(same, idempotency.FIRST_AGAIN(first=said(first)), idempotency.OTHER_ANSWER(second=said(second)))
    it = kit.confirmed(wish, first, slot)
    for key in (wish.key, ""):
        there = kit.look_up(wish, key)
        found = isinstance(there, RemoteBooking) and there.reference == it.reference
        expect(found, UNDER_KEY_AND_OURS(), said(there))
    known = deeds(kit, Errand(wish, it.reference, it.version, slot))
    expect(not known, NOBODY_YET(), SOME_LINES(number=len(known)))


def named(kit: Kit) -> None:
    """Who comes is named with her safe word; who comes instead is somebody else, by another word."""
    errand = sent_for(kit)
    first = done(kit, errand, "assigned")[-1]
    expect(first.worker is not None, NAMED(), NOT_NAMED(kind=first.kind))
    second = done(kit, errand, "assigned")[-1]
    other = (second.escort, second.safe_word)
    expect(first.escort != other[0] and first.safe_word != other[1], SOMEBODY_ELSE(), THE_SAME())


def listed(kit: Kit) -> None:
    """Lines are numbered from 1 without a gap, by who was named, at times of now, and are the same whenever they are
    read; the booking goes with them."""
    errand = sent_for(kit)
    known = done(kit, errand, "assigned", "on_the_way", "arrived", "met")
    kit.until(errand.wish, ("checked_in",))
    expect(known[-1].position is not None or known[-1].code != "", MET_BY(), WITHOUT_PROOF())
    known = done(kit, errand, "registered")
    kit.until(errand.wish, ("in_service",))
    known = done(kit, errand, "note", "cost", "handed_over")
    kit.until(errand.wish, ("fulfilled",))
    both = {(each.reference, each.our_reference) for each in known}
    expect(both == {(errand.reference, errand.wish.our_reference)}, OF_THIS_ONE(), OF_ANOTHER())
    expect(len({each.id for each in known}) == len(known), OWN_ID(), SAME_ID())
    expect({each.escort for each in known} == {known[0].escort}, BY_WHO_COMES(), BY_ANOTHER())
    now = clock.now()
    expect(all(abs(now - each.at) < SKEW + _run_time(kit) for each in known), IN_TIME(), AT_ANOTHER())
    expect(deeds(kit, errand) == known, SAME_AGAIN(), CHANGED())
    deeds(kit, errand, 1)
    reply = kit.transcript.last
    told = [] if reply is None else reply.json()["lines"]
    expect(all(each["seq"] > 1 for each in told), ONLY_AFTER(), ALSO_EARLIER())


def _run_time(kit: Kit) -> timedelta:
    """How long ago the first line may have been told: each of them was waited for."""
    return timedelta(seconds=9 * kit.target.patience)


def pictured(kit: Kit) -> None:
    """A paper's picture is the one that its line announces, whenever it is fetched."""
    errand = sent_for(kit)
    line = done(kit, errand, "assigned", "met", "paper")[-1]
    expect(line.picture != "", PICTURED(kind="paper"), UNPICTURED())
    adapter = escorting(kit.adapter)
    first, second = adapter.fetch_paper(line), adapter.fetch_paper(line)
    expect(first == second, SAME_BYTES(), OTHER_BYTES())


def told(kit: Kit) -> None:
    """A signed event brings the line that is in the list."""
    listener = kit.listening()
    errand = sent_for(kit)
    line = done(kit, errand, "assigned")[-1]

    def early() -> Event | None:
        events = [_of_deed(kit, each) for each in listener.about(errand.wish.our_reference.encode())]
        return next((each for each in events if each is not None and _seq(each.escort) == line.seq), None)

    event = kit.wait(early, LINE_EVENT())
    expect(event.escort == line, AS_LISTED(), OTHERWISE())


def released(kit: Kit) -> None:
    """Who does not come is told by a line of its own, and the booking stands for somebody else."""
    errand = sent_for(kit)
    known = done(kit, errand, "assigned", "released")
    expect(known[-1].escort == known[0].escort, BY_WHO_COMES(), BY_ANOTHER())
    there = kit.look_up(errand.wish)
    expect(isinstance(there, RemoteBooking) and there.status == "confirmed", STANDS(), said(there))
    again = done(kit, errand, "assigned")[-1]
    expect(again.worker is not None, NAMED(), NOT_NAMED(kind=again.kind))


def apart(kit: Kit) -> None:
    """Nobody is sent to two places at once."""
    first = sent_for(kit, [each for each in windows_of(kit) if each.offered > 1] or windows_of(kit))
    one = done(kit, first, "assigned")[-1]
    wish = wish_of(kit, first.slot)
    answer = send(kit, wish)
    if isinstance(answer, Refused):
        expect(answer.code == "sold_out", SECOND(), said(answer))
        return
    it = kit.confirmed(wish, answer, first.slot)
    other = done(kit, Errand(wish, it.reference, it.version, first.slot), "assigned")[-1]
    expect(one.escort != other.escort, TWO_PEOPLE(), ONE_FOR_BOTH())


def moved(kit: Kit) -> None:
    """After a move the lines are those of before, and numbers go on."""
    windows = windows_of(kit)
    errand = sent_for(kit, windows)
    before = done(kit, errand, "assigned")
    slot = next((each for each in windows if each.reference != errand.slot.reference), None)
    if slot is None:
        raise NotTried(change.ONE_SLOT())
    ours, at = errand.wish.our_reference, (slot.service_date, slot.starts_at, slot.ends_at)
    answer = kit.adapter.change(Change(f"{ours}-change", ours, errand.reference, slot.reference, *at))
    expect(isinstance(answer, (Accepted, Confirmed)), change.MOVED(), said(answer))

    def there() -> bool | None:
        found = kit.look_up(errand.wish)
        return (isinstance(found, RemoteBooking) and found.starts_at == slot.starts_at) or None

    kit.wait(there, change.AT_NEW_TIME())
    after = done(kit, errand, "assigned")
    expect(after[: len(before)] == before, NUMBERS_GO_ON(), OTHER_LINES())


def cancelled(kit: Kit) -> None:
    """What was done stays in the list of a booking that was cancelled, and nothing more comes."""
    errand = sent_for(kit)
    before = done(kit, errand, "assigned", "on_the_way")
    ours = errand.wish.our_reference
    answer = kit.adapter.cancel(Cancel(f"{ours}-cancel", ours, errand.reference, "test", errand.version))
    expect(isinstance(answer, (Accepted, Confirmed)), booking.CANCELLED(), said(answer))
    kit.until(errand.wish, ("cancelled",))
    after = deeds(kit, errand)
    expect(after[: len(before)] == before, SAME_AGAIN(), CHANGED())
    expect(len(after) == len(before), NOTHING_MORE(), SOME_LINES(number=len(after)))


def _of_deed(kit: Kit, received: Received) -> Event | None:
    event = event_of(kit, received)
    return event if event.escort is not None else None


def _seq(line: EscortLine | None) -> int:
    return 0 if line is None else line.seq


STEPS = (
    Step(
        "escorts-booked",
        Capability.ESCORTS,
        Text(
            "带地点和填写内容的预约发起两次，只有一个，能查到；派人之前列表为空",
            "Booked twice with its place and answers it is one, and found; its list is empty before anybody is named",
        ),
        booked,
    ),
    Step(
        "escorts-named",
        Capability.ESCORTS,
        Text(
            "写明谁来和接头暗语；换人时另有其人、另有暗语",
            "Who comes is named with a safe word, and who comes instead with another",
        ),
        named,
    ),
    Step(
        "escorts-lines",
        Capability.ESCORTS,
        Text(
            "每一条从 1 起连续编号，由所派人员完成，不再改变，预约状态随之变化",
            "Lines are numbered from 1 without a gap, by who was named, never change, and the booking goes with them",
        ),
        listed,
    ),
    Step(
        "escorts-picture",
        Capability.ESCORTS,
        Text("单据图片与所告知的一致", "A paper's picture is the one that was announced"),
        pictured,
    ),
    Step(
        "escorts-event",
        Capability.ESCORTS,
        Text("带签名的事件提前送来列表中的同一条", "A signed event brings the line that is in the list"),
        told,
    ),
    Step(
        "escorts-released",
        Capability.ESCORTS,
        Text(
            "不能来的人由单独一条告知，预约不变",
            "Who does not come is told by a line of its own, and the booking stands",
        ),
        released,
    ),
    Step(
        "escorts-apart",
        Capability.ESCORTS,
        Text("同一个人不会同时派往两处", "Nobody is sent to two places at once"),
        apart,
    ),
    Step(
        "escorts-moved",
        Capability.ESCORTS,
        Text("改期之后列表仍在，编号接续", "After a move the list is there still, and its numbers go on"),
        moved,
    ),
    Step(
        "escorts-cancelled",
        Capability.ESCORTS,
        Text("取消之后列表仍在，不再有新的一条", "After a cancel the list is there still, and nothing more is done"),
        cancelled,
    ),
)
