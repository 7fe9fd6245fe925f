"""What deeds say of the visit: the first meeting, that it is under way, that it is done. Said as every provider's word
about attendance is (booking.answering.answer), by the worker."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select

from booking.answering.answer import (
    AnsweredElsewhere,
    CancelUnderWay,
    NotPossibleNow,
    ProvidersAnswer,
    TooEarly,
    report,
)
from booking.attendance.complained import is_complained
from booking.changes.reschedule import OutOfDate
from booking.escort.after.lost import CAUSE, came_after_all
from booking.escort.evidence.counting import COUNTING, taken_back, too_early
from booking.escort.evidence.models import EscortDeed
from booking.escort.evidence.said import Came, said_by
from booking.escort.models import EscortAssignment
from booking.idempotency import Repeatable
from booking.models import Booking
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from vip.principal import Member

log = get_logger(__name__)

_MOST_STEPS = 5
"""Moves and tries until all is said: who did not come has come, is under way, is done."""


def follow(member: Member, assignment_id: int, booking: str, *, now: datetime) -> None:
    """Say of the booking (public id) what the deeds of this assignment say, if it is still the one that counts: those
    of a worker who was replaced are hers and move nothing. What can't be said now (it was cancelled, it is not its day)
    is left; the deeds stand. Where it was cancelled as nobody came, and they met, it is for a person."""
    _came_after_all(assignment_id, now)
    for _step in range(_MOST_STEPS):
        with reading() as session:
            row = session.get_one(EscortAssignment, assignment_id)
            if row.state not in COUNTING:
                return
            found = session.get_one(Booking, row.booking_id)
            complained = is_complained(session, found)
            deeds = session.execute(
                select(EscortDeed.kind, EscortDeed.by_code)
                .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
                .join(Booking, Booking.id == EscortDeed.booking_id)
                .where(EscortDeed.assignment_id == row.id, ~too_early(), ~taken_back())
            ).all()
        by_code = any(it.by_code for it in deeds) and not complained
        came = said_by({it.kind for it in deeds}, found.state, by_code=by_code)
        if came is None:
            return
        try:
            report(_answer(member, row, booking, came, found.version), came, now=now)
        except OutOfDate:  # it moved meanwhile
            continue
        except (NotPossibleNow, TooEarly, CancelUnderWay, AnsweredElsewhere) as refused:
            log.info("escort.visit_stays", booking=booking, came=came, code=refused.code)
            return


def _came_after_all(assignment_id: int, now: datetime) -> None:
    with reading() as session:
        row = session.get_one(EscortAssignment, assignment_id)
        lost = select(Booking.id).where(Booking.id == row.booking_id, Booking.cause == CAUSE)
        if row.cause == "moved" or session.scalar(lost) is None:  # she agreed to another time
            return
        kinds = set(session.scalars(select(EscortDeed.kind).where(EscortDeed.assignment_id == row.id)))
    with transaction() as session:
        locked, _ = lock_booking(session, row.booking_id)
        new = came_after_all(session, locked, kinds, now=now)
    if new:
        log.warning("escort.came_after_all", booking=locked.public_id, assignment=row.public_id)


def _answer(member: Member, row: EscortAssignment, booking: str, came: Came, version: int) -> ProvidersAnswer:
    key = f"escort:{row.public_id}:{came}:{version}"
    repeat = Repeatable(f"member:{member.public_id}", key, hashlib.sha256(key.encode()).digest())
    return ProvidersAnswer(member.provider_id, booking, repeat, version=version, member=member.public_id)
