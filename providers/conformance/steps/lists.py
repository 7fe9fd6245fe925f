"""The lists that our books are compared with leave nothing out."""

from __future__ import annotations

from marketplace.core.text import Text
from providers.conformance.kit import Booked, Kit
from providers.conformance.step import Capability, Failed, Step, expect
from providers.conformance.words import Said, phrase
from providers.port import Confirmed
from providers.reported import RemoteBooking

MOST_PAGES = 200

IN_DAYS_LIST = phrase("confirmed-in-days-list", "当天列表里有已确认的预约", "the confirmed booking in its day's list")
CANCELLED = phrase("list-cancelled", "已取消", "cancelled")
ANOTHER_ANSWER = phrase("another-answer", "另一种回复", "another answer")
CANCELLED_IN_LIST = phrase(
    "cancelled-in-days-list", "当天列表里该预约为已取消", "the cancelled booking in its day's list"
)
FROM_BEGINNING = phrase("in-pull-from-beginning", "从头拉取时有该预约", "the booking in a pull from the beginning")
NOT_TOLD = phrase("not-told", "没有给出", "not told")
CANCEL_TOLD = phrase("cancel-told-next", "下一次拉取给出取消", "the cancel told by the next pull")
HIGHER = phrase("higher-after-change", "变更后版本更高", "a higher version after a change")
DID_NOT_GROW = phrase("version-not-grown", "版本没有增长", "one that did not grow")
READABLE = phrase("rows-readable", "每一行都能读取", "rows that can all be read")
UNREADABLE = phrase("rows-unreadable", "有 {number} 行读不懂", "{number} that cannot")
ENDS = phrase("list-that-ends", "有尽头的列表", "a list that ends")
TOO_LONG = phrase("more-pages", "超过 {number} 页", "more than {number} pages")
NOT_IN_IT = phrase("not-in-it", "列表里没有", "not in it")
THERE_AS = phrase("there-as", "列表里为 {status}", "there as {status}")


def by_day(kit: Kit) -> None:
    """The list of a day has the booking, and has it as cancelled afterwards."""
    booked = kit.book()
    found = _on_day(kit, booked)
    expect(found is not None and found.status == "confirmed", IN_DAYS_LIST(), _how(found))
    answer = kit.cancel(booked)
    expect(isinstance(answer, Confirmed), CANCELLED(), ANOTHER_ANSWER())
    found = _on_day(kit, booked)
    expect(found is not None and found.status == "cancelled", CANCELLED_IN_LIST(), _how(found))


def changes(kit: Kit) -> None:
    """What changes after a pull is told by the next one, with a higher version."""
    booked = kit.book()
    cursor, first = _since(kit, None, booked.wish.our_reference)
    expect(first is not None, FROM_BEGINNING(), NOT_TOLD())
    kit.cancel(booked)
    _cursor, second = _since(kit, cursor, booked.wish.our_reference)
    expect(second is not None and second.status == "cancelled", CANCEL_TOLD(), _how(second))
    higher = first is not None and second is not None and second.version > first.version
    expect(higher, HIGHER(), DID_NOT_GROW())


def _on_day(kit: Kit, booked: Booked) -> RemoteBooking | None:
    page, found = None, None
    day, ours = booked.slot.service_date, booked.wish.our_reference
    for _number in range(MOST_PAGES):
        part = kit.adapter.bookings_in(day, day, page)
        expect(not part.unreadable, READABLE(), UNREADABLE(number=len(part.unreadable)))
        found = next((each for each in part.bookings if each.our_reference == ours), found)
        page = part.next
        if page is None:
            return found
    raise Failed(ENDS(), TOO_LONG(number=MOST_PAGES))


def _since(kit: Kit, cursor: str | None, ours: str) -> tuple[str | None, RemoteBooking | None]:
    page, found = None, None
    for _number in range(MOST_PAGES):
        part = kit.adapter.bookings_since(cursor, page)
        found = next((each for each in part.bookings if each.our_reference == ours), found)
        page = part.next
        if page is None:
            return part.cursor, found
    raise Failed(ENDS(), TOO_LONG(number=MOST_PAGES))


def _how(found: RemoteBooking | None) -> Said:
    return NOT_IN_IT() if found is None else THERE_AS(status=found.status)


STEPS = (
    Step(
        "lists-day",
        Capability.LISTS,
        Text("当天的列表包含每个预约，已取消的也在", "The list of a day has each booking, cancelled ones too"),
        by_day,
    ),
    Step(
        "lists-changes",
        Capability.LISTS,
        Text("两次拉取之间的变化由下一次给出", "What changed since a pull is told by the next one"),
        changes,
    ),
)
