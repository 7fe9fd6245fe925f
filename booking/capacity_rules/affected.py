"""Which bookings stand at places that are, or would be, off sale: of those somebody has to say what becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.answering.shown import ShownBooking, show
from booking.capacity_rules.models import CapacityChangeItem
from booking.capacity_rules.plan import PlannedSlot
from booking.models import Booking, ChangeRequest, Slot, SlotClaim
from booking.proposal import Proposal
from booking.states import BEGUN, SUBMITTED, BookingState


@dataclass(frozen=True)
class AtSlot:
    """A booking and the slot (internal id) whose place it holds."""

    slot_id: int
    booking: ShownBooking


@dataclass(frozen=True)
class Affected:
    """Bookings at slots that go off sale. `to_decide`: somebody says what becomes of them. `held`: places that
    customers are about to book; what they submit will be to decide. `begun`: visits that have begun, which stay.
    `asked`: customers who ask to move there, and get their answer with all other requests. `moving`: customers who ask
    to move away, or have been offered another time, and have no answer or gave none yet; if they stay after all they
    are to decide then."""

    to_decide: Sequence[AtSlot]
    held: int
    begun: int
    asked: int
    moving: int


def loses_places(slot: Slot, planned: PlannedSlot | None) -> bool:
    """Whether what is planned takes places off sale that are sold, and did not before: it has fewer than are taken, or
    is gone."""
    if slot.taken == 0 or slot.closed:
        return False
    return planned is None or planned.places < min(slot.taken, slot.offered)


def affected(session: Session, slots: Collection[int]) -> Affected:
    """The bookings that hold places in these slots (internal ids), by time."""
    rows = session.execute(
        select(Booking, Slot, _moving())
        .join(SlotClaim, SlotClaim.booking_id == Booking.id)
        .join(Slot, Slot.id == SlotClaim.slot_id)
        .where(SlotClaim.slot_id.in_(slots), SlotClaim.live)
        .order_by(Slot.service_date, Slot.starts_at, Booking.id)
    ).all()
    deciding, held, begun, asked, moving = list[tuple[int, Booking]](), 0, 0, 0, 0
    for booking, slot, moves in rows:
        if booking.state is BookingState.HELD:
            held += 1
        elif (booking.service_date, booking.starts_at) != (slot.service_date, slot.starts_at):
            asked += 1
        elif booking.state in BEGUN:
            begun += 1
        elif booking.state in SUBMITTED and moves:
            moving += 1
        elif booking.state in SUBMITTED:
            deciding.append((slot.id, booking))
    return Affected(_shown(session, deciding), held, begun, asked, moving)


def undecided(session: Session, pool_id: int, first: date) -> Sequence[AtSlot]:
    """The bookings of a pool from a day on that stand at closed or cut slots and nobody has said what becomes of them,
    or what was said came to nothing: the proposal was declined, or it could not be done."""
    return _shown(session, _undecided(session, pool_id, first))


def _undecided(session: Session, pool_id: int, first: date) -> list[tuple[int, Booking]]:
    item = and_(CapacityChangeItem.booking_id == Booking.id, CapacityChangeItem.slot_id == Slot.id)
    standing = or_(
        CapacityChangeItem.state == "waiting",
        and_(CapacityChangeItem.state == "done", CapacityChangeItem.action == "keep"),
    )
    rows = session.execute(
        select(Slot.id, Booking)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .join(Booking, Booking.id == SlotClaim.booking_id)
        .where(
            Slot.pool_id == pool_id,
            Slot.service_date >= first,
            off_sale(),
            SlotClaim.live,
            Booking.state.in_(SUBMITTED),
            Booking.service_date == Slot.service_date,
            Booking.starts_at.is_not_distinct_from(Slot.starts_at),
            ~exists().where(item, standing),
            ~_moving(),
        )
        .order_by(Slot.service_date, Slot.starts_at, Booking.id)
    )
    return [(row[0], row[1]) for row in rows]


def _moving() -> ColumnElement[bool]:
    """The condition that another time is asked for, or offered, and nobody has answered yet."""
    return exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open") | exists().where(
        ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open"
    )


def off_sale() -> ColumnElement[bool]:
    """The condition that a slot is closed, or has more sold than is offered."""
    return or_(Slot.closed, Slot.taken > Slot.offered)


def _shown(session: Session, found: Sequence[tuple[int, Booking]]) -> list[AtSlot]:
    shown = show(session, [booking for _, booking in found])
    return [AtSlot(slot_id, each) for (slot_id, _), each in zip(found, shown, strict=True)]


def by_time(wanted: Sequence[PlannedSlot]) -> Mapping[tuple[date, datetime | None], PlannedSlot]:
    """Planned slots by what tells one from another."""
    return {each.key: each for each in wanted}
