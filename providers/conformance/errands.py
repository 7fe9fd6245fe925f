"""Test escorts: booked and written down like every test booking, and what is done in them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.core import clock
from providers.conformance.conversation import (
    LIST_ENDS,
    MOST_PAGES,
    NUMBERS,
    READABLE_LINES,
    TOO_LONG,
    UNREADABLE_LINES,
    WITHOUT_GAP,
)
from providers.conformance.journal import Made
from providers.conformance.kit import ERRAND, FREE_PLACE, TEN_SLOTS, VENUE, Kit, said
from providers.conformance.step import Failed, NoSuchMode, NotTried, expect
from providers.conformance.words import phrase
from providers.escorting import Escorts
from providers.port import Answer, ProviderAdapter, Refused, Reserve, Unknown
from providers.reported import TEST_PREFIX, EscortLine, RemoteSlot

NO_ESCORT = phrase(
    "no-escort-known",
    "没有可预约的测试陪同：请指定一个，或由测试模式给出",
    "no escort is known to book: give one, or let the test mode say it",
)
NOT_ESCORTING = phrase(
    "kind-without-escorts", "这类系统不报告派人服务", "systems of this kind tell of nobody whom they send"
)
WINDOWS = phrase("escort-windows", "带起止时间的时段", "slots with a beginning and an end")
WHOLE_DAYS = phrase("escort-whole-days", "没有时间的时段", "slots without times")
NEXT_DEED = phrase("next-deed-listed", "{kind}（第 {seq} 条）在列表里", "the line {kind}, number {seq}, in the list")


@dataclass(frozen=True)
class Errand:
    """A test escort that the provider has confirmed."""

    wish: Reserve
    reference: str
    version: int
    slot: RemoteSlot


def escorting(adapter: ProviderAdapter) -> Escorts:
    """The adapter, as one whose provider's system sends escorts. Raises NotTried."""
    if not isinstance(adapter, Escorts):
        raise NoSuchMode(NOT_ESCORTING())
    return adapter


def windows_of(kit: Kit) -> list[RemoteSlot]:
    """The windows on sale of the tests' pool, by time. Raises NotTried, Failed."""
    offer, pool = kit.escort
    if not offer:
        raise NotTried(NO_ESCORT())
    found = kit.on_sale(pool)
    expect(all(slot.starts_at and slot.ends_at for slot in found), WINDOWS(), WHOLE_DAYS())
    return found


def wish_of(kit: Kit, slot: RemoteSlot) -> Reserve:
    """A command for a test escort of its own."""
    ours = f"{TEST_PREFIX}{secrets.token_hex(10)}"
    at = (slot.service_date, slot.starts_at, slot.ends_at)
    return Reserve(
        *(f"{ours}-key", ours, kit.escort[0], slot.pool, slot.reference, *at, kit.target.person),
        answers=ERRAND,
        venue=VENUE,
    )


def send(kit: Kit, wish: Reserve) -> Answer:
    """Ask for it, once that is written down."""
    day = wish.service_date.isoformat()
    kit.journal.add(Made("booking", wish.our_reference, clock.now().isoformat(), wish.pool, day))
    kit.unsure.add(wish.our_reference)
    answer = kit.adapter.reserve(wish)
    if not isinstance(answer, Unknown):
        kit.unsure.discard(wish.our_reference)
    return answer


def sent_for(kit: Kit, windows: Sequence[RemoteSlot] = ()) -> Errand:
    """A test escort that is confirmed, in the first of ten windows (or of `windows`) that has a place. Raises Failed,
    NotTried."""
    answer: Answer = Refused("other")
    for slot in (windows or windows_of(kit))[:10]:
        wish = wish_of(kit, slot)
        answer = send(kit, wish)
        if not isinstance(answer, Refused) or answer.code != "sold_out":
            booked = kit.confirmed(wish, answer, slot)
            return Errand(wish, booked.reference, booked.version, slot)
    raise Failed(FREE_PLACE(), TEN_SLOTS(came=said(answer)))


def deeds(kit: Kit, errand: Errand, after: int = 0) -> list[EscortLine]:
    """All that was done after a number. Raises Failed for what cannot be read and for gaps."""
    found: list[EscortLine] = []
    goes_on: int | None = after
    for _number in range(MOST_PAGES):
        page = escorting(kit.adapter).escort_lines_after(errand.reference, goes_on or 0)
        reasons = sorted({row.reason for row in page.unreadable})
        expect(not reasons, READABLE_LINES(), UNREADABLE_LINES(reasons=", ".join(reasons)[:200]))
        found += page.lines
        goes_on = page.next
        if goes_on is None:
            break
    expect(goes_on is None, LIST_ENDS(), TOO_LONG(number=MOST_PAGES))
    numbers = [each.seq for each in found]
    gapless = numbers == list(range(after + 1, after + 1 + len(found)))
    expect(gapless, WITHOUT_GAP(first=after + 1), NUMBERS(numbers=", ".join(map(str, numbers))[:100]))
    return found


def done(kit: Kit, errand: Errand, *orders: str) -> list[EscortLine]:
    """All lines, once what is ordered of the test mode, by its kind, is the newest of them. Raises NotTried, Failed."""
    known = deeds(kit, errand)
    for order in orders:
        kit.mode.move(errand.reference, order)
        before = len(known)

        def more(order: str = order, before: int = before) -> list[EscortLine] | None:
            found = deeds(kit, errand)
            return found if len(found) > before and found[-1].kind == order else None

        known = kit.wait(more, NEXT_DEED(kind=order, seq=before + 1))
    return known
