"""What becomes of the bookings whose places go off sale: said by a member, carried out one by one.

Each is carried out by what the provider's program would say too (`booking.answering.answer`), in a transaction of its
own and under a key of its own, so that a process that was killed in between does nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from booking.answering.answer import ProvidersAnswer, cancel, propose, reject
from booking.capacity_rules.affected import AtSlot, off_sale
from booking.capacity_rules.models import ACTIONS, CapacityChange, CapacityChangeItem, PoolCalendar
from booking.changes.reschedule import OutOfDate
from booking.idempotency import Repeatable, earlier
from booking.models import Booking, Slot, SlotClaim
from booking.offers.alternatives import Alternative, nearest
from booking.states import SUBMITTED, BookingState
from marketplace.core import audit
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy, Invalid, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one

log = get_logger(__name__)

Action = Literal["keep", "propose", "cancel"]

MOST_REASON = 200
"""Characters of what a customer is told."""
AT_ONCE = 200
_WAITING = text("state = 'waiting'")
MOST_CHOICES = 30
"""For how many bookings other times are looked up to choose from; all others are offered the next free one."""


class NoOtherTime(Refusal):
    """No other time of the same service is free for this customer."""

    code = "no_other_time"


@dataclass(frozen=True)
class Decision:
    """What becomes of a booking (public id): it is kept, another `slot` (public id; None: the next free one) is
    proposed, or it is cancelled. The customer reads the `reason`."""

    booking: str
    action: str
    slot: str | None = None
    reason: str = ""


def check_decisions(decisions: Collection[Decision]) -> None:
    """Raise Invalid(field="decisions.<booking>") for what is no decision; a cancel needs a reason."""
    for each in decisions:
        field = f"decisions.{each.booking}"
        if each.action not in ACTIONS:
            raise Invalid(field=field, reason="choice")
        if len(each.reason) > MOST_REASON:
            raise Invalid(field=f"{field}.reason", reason="too_long", maximum=MOST_REASON)
        if each.action == "cancel" and not each.reason.strip():
            raise Invalid(field=f"{field}.reason", reason="required")


def add_items(
    session: Session,
    change: CapacityChange,
    bookings: Sequence[AtSlot],
    decisions: Collection[Decision],
    *,
    actor: str,
    now: datetime,
) -> int:
    """Store the decisions about these bookings, in the caller's transaction, each audited; how many. Others are about
    bookings that have gone meanwhile. Of a booking about which one still waits the newest holds."""
    said = {each.booking: each for each in decisions}
    added = 0
    for at in bookings:
        decision = said.get(at.booking.id)
        if decision is None:
            continue
        booking_id, insurer_id = session.execute(
            select(Booking.id, Booking.insurer_id).where(Booking.public_id == at.booking.id)
        ).one()
        said_now = {
            "public_id": new_id("cci"),  # also the key under which it is carried out: another one's is not this one's
            "change_id": change.id,
            "slot_id": at.slot_id,
            "action": decision.action,
            "slot_ref": decision.slot or None,
            "reason": decision.reason.strip(),
            "actor": actor,
            "decided_at": now,
        }
        session.execute(
            insert(CapacityChangeItem)
            .values(booking_id=booking_id, **said_now)
            .on_conflict_do_update(index_elements=["booking_id"], index_where=_WAITING, set_=said_now)
        )
        added += 1
        audit.record(
            session,
            f"capacity.{decision.action}",
            at=now,
            actor_kind="provider",
            actor=actor,
            subject=at.booking.id,
            insurer_id=insurer_id,
            change=change.public_id,
        )
    return added


def carry_out_due(*, now: datetime, limit: int = AT_ONCE, change: str | None = None) -> dict[str, int]:
    """Carry out what was decided, as soon as the places are off sale in our books; of one `change` (public id) or of
    all. Returns counts of the outcomes."""
    of_change = () if change is None else (CapacityChange.public_id == change,)
    with reading() as session:
        found = session.scalars(_due().where(*of_change).order_by(CapacityChangeItem.id).limit(limit))
        due = [item.id for item in found]
    return dict(one_by_one("capacity_decisions", due, lambda item: _carry_out(item, now), seconds=RUN_SECONDS))


def _due() -> Select[CapacityChangeItem]:
    """Decisions that wait, of pools whose slots in the books are those of all changes that were made: where one was
    made since, it may have put the place back on sale."""
    return (
        select(CapacityChangeItem)
        .join(CapacityChange, CapacityChange.id == CapacityChangeItem.change_id)
        .join(PoolCalendar, PoolCalendar.pool_id == CapacityChange.pool_id)
        .where(CapacityChangeItem.state == "waiting", PoolCalendar.published_version >= _newest())
    )


def _newest() -> ColumnElement[int]:
    """The version of the newest change of the change's pool."""
    each = aliased(CapacityChange)
    newest = select(func.max(each.version)).where(each.pool_id == CapacityChange.pool_id)
    return newest.correlate(CapacityChange).scalar_subquery()


def _carry_out(item_id: int, now: datetime) -> str:
    with reading() as session:
        item = session.scalar(_due().where(CapacityChangeItem.id == item_id).execution_options(populate_existing=True))
        if item is None:  # the calendar has changed since this run began
            return "waiting"
        booking = session.get_one(Booking, item.booking_id, populate_existing=True)
        repeat = Repeatable("capacity", item.public_id, hashlib.sha256(item.public_id.encode()).digest())
        said_before = earlier(session, repeat) is not None
        stands = _stands(session, item, booking)
    if said_before:  # by a process that was killed before it noted so
        return _finish(item, "done", "", now)
    if not stands:
        return _finish(item, "moved_on", "", now)
    answer = ProvidersAnswer(booking.provider_id, booking.public_id, repeat, booking.version)
    outcome = ""
    try:
        if item.action == "propose":
            outcome = item.slot_ref or _next_free(booking, now)
            propose(answer, outcome, reason=item.reason, expires_at=None, now=now)
        elif item.action == "cancel":
            end = cancel if booking.state is BookingState.CONFIRMED else reject
            end(answer, item.reason, now=now)
    except Busy:
        raise
    except OutOfDate:  # she moved while this waited for her booking: the next run looks again
        return "waiting"
    except Refusal as refusal:
        log.info("capacity.decision_refused", booking=booking.public_id, code=refusal.code)
        return _finish(item, "refused", refusal.code, now)
    return _finish(item, "done", outcome, now)


def _stands(session: Session, item: CapacityChangeItem, booking: Booking) -> bool:
    """Whether the booking is still at the place that was taken off sale, and no later change put it back."""
    held = session.scalar(
        select(SlotClaim.id)
        .join(Slot, Slot.id == SlotClaim.slot_id)
        .join(CapacityChange, CapacityChange.id == item.change_id)
        .where(
            SlotClaim.booking_id == booking.id,
            SlotClaim.slot_id == item.slot_id,
            SlotClaim.live,
            # Of a slot that was cut some are cancelled and then the rest fits: the rest was decided all the same.
            or_(off_sale(), CapacityChange.version == _newest()),
        )
    )
    return held is not None and booking.state in SUBMITTED


def _next_free(booking: Booking, now: datetime) -> str:
    """The next time of the same service at which she could come, that nobody else is asked about; one before hers only
    where there is none after it. Raises NoOtherTime."""
    with reading() as session:
        found = nearest(session, booking, now=now, same_offer=True, unproposed=True)
    if not found:
        raise NoOtherTime()
    hers = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    starts = {each.slot_id: start_of(each.service_date, each.starts_at, each.time_zone) for each in found}
    return min(starts, key=lambda slot: (starts[slot] < hers, abs(starts[slot] - hers)))


def _finish(item: CapacityChangeItem, state: str, outcome: str, now: datetime) -> str:
    with transaction() as session:
        session.execute(
            update(CapacityChangeItem)
            .where(CapacityChangeItem.public_id == item.public_id, CapacityChangeItem.state == "waiting")
            .values(state=state, outcome=outcome, finished_at=now)
        )
    return state


def other_times(
    session: Session, at: Collection[AtSlot], *, now: datetime, without: Collection[str] = ()
) -> Mapping[str, Sequence[Alternative]]:
    """Up to three free times near that of each booking (by its public id), to propose; of many bookings only for the
    first ones. `without`: slots (public ids) that go off sale as well."""
    found: dict[str, Sequence[Alternative]] = {}
    for each in list(at)[:MOST_CHOICES]:
        booking = session.scalars(select(Booking).where(Booking.public_id == each.booking.id)).one()
        near = nearest(session, booking, now=now, same_offer=True, unproposed=True)
        found[each.booking.id] = [other for other in near if other.slot_id not in without]
    return found
