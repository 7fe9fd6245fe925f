"""What can be booked is told, and what changes of it too."""

from __future__ import annotations

from datetime import timedelta

from marketplace.core.text import Text
from providers.conformance.kit import Kit
from providers.conformance.step import Capability, NotTried, Step, expect
from providers.conformance.words import phrase
from providers.port import ProviderError
from providers.reported import RemoteSlot

NONE_ON_SALE = phrase("no-slot-on-sale", "未来几周内没有可约时段", "no slot is on sale in the coming weeks")
EACH_ONCE = phrase("each-slot-once", "每个时段只列一次", "each slot once")
TOLD_TWICE = phrase("told-twice", "{number} 个列了两次", "{number} told twice")
OF_THE_DAY = phrase("slots-of-the-day", "只有所问那一天的时段", "slots of the day that was asked for alone")
OTHER_DAYS = phrase("of-other-days", "{number} 个属于别的日子", "{number} of other days")
WITH_OFFERED = phrase("slot-with-offered", "该时段 offered={number}", "the slot with offered={number}")
OFFERED = phrase("offered", "offered={number}", "offered={number}")
NOT_TOLD = phrase("slot-not-told", "没有给出", "not told")
AS_CLOSED = phrase("slot-as-closed", "该时段为已关闭", "the slot as closed")
ON_SALE = phrase("told-as-on-sale", "仍为可约", "told as on sale")


def listed(kit: Kit) -> None:
    """Slots are listed, each once, on the days that were asked for."""
    slots = kit.read_slots()
    if not slots:
        raise NotTried(NONE_ON_SALE())
    names = [slot.name for slot in slots]
    twice = len(names) - len(set(names))
    expect(not twice, EACH_ONCE(), TOLD_TWICE(number=twice))
    days = [slot.service_date for slot in slots]
    one = min(days)
    page = kit.adapter.slots(one, one, None, None)
    wrong = [slot for slot in page.slots if slot.service_date != one]
    expect(not wrong, OF_THE_DAY(), OTHER_DAYS(number=len(wrong)))


def changes_told(kit: Kit) -> None:
    """A slot that changed is told with the next pull, and one taken off sale as closed."""
    slot = kit.slot()
    cursor = _end(kit, slot)
    kit.alter(slot, slot.offered + 1)
    told = _find(kit, slot, cursor)
    came = NOT_TOLD() if told is None else OFFERED(number=told.offered)
    expect(told is not None and told.offered == slot.offered + 1, WITH_OFFERED(number=slot.offered + 1), came)
    kit.alter(slot, None, closed=True)
    told = _find(kit, slot, cursor)
    expect(told is not None and told.closed, AS_CLOSED(), NOT_TOLD() if told is None else ON_SALE())


def _end(kit: Kit, slot: RemoteSlot) -> str | None:
    """The cursor after a whole pull; None from a system that tells everything each time."""
    page, first, last = None, slot.service_date, slot.service_date + timedelta(days=1)
    while True:
        part = kit.adapter.slots(first, last, None, page)
        page = part.next
        if page is None:
            return part.cursor


def _find(kit: Kit, slot: RemoteSlot, cursor: str | None) -> RemoteSlot | None:
    page, first, last = None, slot.service_date, slot.service_date + timedelta(days=1)
    for _number in range(100):
        part = kit.adapter.slots(first, last, cursor, page)
        for found in part.slots:
            if found.name == slot.name:
                return found
        page = part.next
        if page is None:
            return None
    raise ProviderError("the list of slots does not end")


STEPS = (
    Step(
        "slots-listed",
        Capability.SLOTS,
        Text("列出所问日子的时段，每个只列一次", "The slots of the days asked for are listed, each once"),
        listed,
    ),
    Step(
        "slots-changed",
        Capability.SLOTS,
        Text("时段变化或关闭由下一次拉取给出", "A slot that changes or closes is told with the next pull"),
        changes_told,
    ),
)
