"""A clinician goes off, or on a break: nobody whom she has in hand is left behind.

What she has goes to the head of the queue first, in the same transaction; a constraint (nobody_left_behind) refuses a
shift that ends with somebody in hand. To hand one over to a colleague of her choice she uses `queue.hand_over` before.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.consultation.assigning.models import ConversationOffer
from booking.consultation.queue import give_back, in_hand
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.staff.models import Clinician, ClinicianShift
from providers.staff.shifts import NotOnShift, open_shift
from vip.models import Operator
from vip.principal import Member

log = get_logger(__name__)


def go_off(member: Member, *, now: datetime) -> int:
    """End her shift; returns how many conversations went back to the queue. Raises NotOnShift; Busy where one was
    accepted at the same moment: nothing has changed then."""
    return _leave(member.id, member.provider_id, now, ends=True)


def take_a_break(member: Member, *, now: datetime) -> int:
    """The same for a while: providers.staff.shifts.begin brings her back."""
    return _leave(member.id, member.provider_id, now, ends=False)


def release_gone(*, now: datetime) -> Counter[str]:
    """End the shifts of members who are not in service any more, or whose verification was taken back: they can't
    answer those whom they have in hand. Returns counts."""
    gone = (
        select(ClinicianShift.id, ClinicianShift.member_id, ClinicianShift.provider_id)
        .join(Operator, Operator.id == ClinicianShift.member_id)
        .join(Clinician, Clinician.member_id == ClinicianShift.member_id)
        .where(
            ClinicianShift.ended_at.is_(None),
            or_(Operator.disabled_at.is_not(None), Operator.role != "clinician", Clinician.verified_at.is_(None)),
        )
        .order_by(ClinicianShift.id)
    )
    with reading() as session:
        rows = session.execute(gone).all()

    def end(row: tuple[int, int, int]) -> str:
        try:
            _leave(row[1], row[2], now, ends=True)
        except NotOnShift:  # another worker's pass came first
            return "left"
        return "released"

    return one_by_one("shifts", [tuple(row) for row in rows], end)


def _leave(member_id: int, provider_id: int, now: datetime, *, ends: bool) -> int:
    with transaction() as session:
        held = in_hand(session, member_id, provider_id)
        for row in held:
            give_back(row, now=now)
        session.flush()
        shift = _lock(session, member_id, provider_id)
        if shift.in_hand:  # accepted between the look and the lock
            raise Busy()
        if ends:
            shift.ended_at, shift.break_since = now, None
        else:
            shift.break_since = shift.break_since or now
        offers = select(ConversationOffer).where(
            ConversationOffer.shift_id == shift.id, ConversationOffer.state == "offered"
        )
        # one that is being accepted is left to that: it is refused by the shift's state, and passed on when it runs out
        for offer in session.scalars(offers.with_for_update(skip_locked=True)):
            offer.state, offer.ended_at = "withdrawn", now
    log.info("consultation.clinician_left", handed_back=len(held), ends=ends)
    return len(held)


def _lock(session: Session, member_id: int, provider_id: int) -> ClinicianShift:
    found = session.scalar(
        open_shift(member_id, provider_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotOnShift()
    return found
