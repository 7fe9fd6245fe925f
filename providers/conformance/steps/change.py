"""A booking moves to another slot under its reference, and the old date stands until then."""

from __future__ import annotations

from marketplace.core.text import Text
from providers.conformance.kit import Booked, Kit, said
from providers.conformance.step import Capability, NotTried, Step, expect
from providers.conformance.words import phrase
from providers.port import Accepted, Answer, Change, Confirmed, Refused
from providers.reported import RemoteBooking, RemoteSlot

AT_NEW_TIME = phrase("booking-at-new-time", "预约改到新时间", "the booking at its new time")
MOVED = phrase("moved", "改期成功", "moved")
OLD_REFERENCE = phrase("old-reference", "预约仍用原编号", "the booking under its old reference")
ON_NEW_SLOT = phrase("booking-on-new-slot", "预约在新时段", "the booking on its new slot")
THE_OLD_ONE = phrase("the-old-one", "仍在原时段", "the old one")
HIGHER_VERSION = phrase("a-higher-version", "更高的版本号", "a higher version")
REFUSED_MOVE = phrase("move-refused", "拒绝改期", "refused")
AT_OLD_TIME = phrase("booking-at-old-time", "预约在原时间仍为已确认", "the booking confirmed at its old time")
ONE_SLOT = phrase("only-one-slot", "只有一个时段可约", "there is only one slot on sale")


def moved(kit: Kit) -> None:
    """Moved, with its reference and a new version; the old place is free."""
    booked = kit.book()
    kit.alter(booked.slot, 1)
    slot = _another(kit, booked)
    answer = _move(kit, booked, slot)
    if isinstance(answer, Accepted):
        kit.wait(lambda: _on(kit, booked, slot) or None, AT_NEW_TIME())
    else:
        expect(isinstance(answer, Confirmed), MOVED(), said(answer))
    there = kit.look_up(booked.wish)
    same = isinstance(there, RemoteBooking) and there.reference == booked.reference
    expect(same, OLD_REFERENCE(), said(there))
    expect(_on(kit, booked, slot), ON_NEW_SLOT(), THE_OLD_ONE())
    expect(isinstance(there, RemoteBooking) and there.version > booked.version, HIGHER_VERSION(), said(there))
    wish = kit.wish(booked.slot)
    kit.confirmed(wish, kit.send(wish), booked.slot)


def refused(kit: Kit) -> None:
    """A move to a closed slot is refused, and the old date stands."""
    booked = kit.book()
    slot = _another(kit, booked)
    kit.alter(slot, None, closed=True)
    answer = _move(kit, booked, slot)
    expect(isinstance(answer, Refused), REFUSED_MOVE(), said(answer))
    there = kit.look_up(booked.wish)
    stands = isinstance(there, RemoteBooking) and there.status == "confirmed" and _on(kit, booked, booked.slot)
    expect(stands, AT_OLD_TIME(), said(there))


def _another(kit: Kit, booked: Booked) -> RemoteSlot:
    for _number in range(20):
        slot = kit.slot()
        if slot.reference != booked.slot.reference:
            return slot
    raise NotTried(ONE_SLOT())


def _move(kit: Kit, booked: Booked, slot: RemoteSlot) -> Answer:
    ours = booked.wish.our_reference
    times = (slot.service_date, slot.starts_at, slot.ends_at)
    return kit.adapter.change(Change(f"{ours}-change", ours, booked.reference, slot.reference, *times))


def _on(kit: Kit, booked: Booked, slot: RemoteSlot) -> bool:
    there = kit.look_up(booked.wish)
    if not isinstance(there, RemoteBooking):
        return False
    return (there.service_date, there.starts_at) == (slot.service_date, slot.starts_at)


STEPS = (
    Step(
        "change-moves",
        Capability.CHANGE,
        Text("预约以原编号改期，原名额恢复可约", "A booking moves under its reference, and its old place is free"),
        moved,
    ),
    Step(
        "change-refused",
        Capability.CHANGE,
        Text("无法改期时原日期不变", "A move that cannot be made leaves the old date"),
        refused,
    ),
)
