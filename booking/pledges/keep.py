"""The clock of pledges: who is at risk, and who was not answered in time.

Any number of workers may run it at the same time: a row that another one has locked is left to it. If that one dies,
its lock ends with its connection, and the next pass of any other finds the row as it was.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.pledges.breach import breach
from booking.pledges.models import OPEN, Pledge
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one

_RISK = text("""
    UPDATE pledge SET state = 'at_risk', at_risk_at = :now
     WHERE id IN (SELECT id FROM pledge WHERE state = 'pending' AND risk_due_at <= :now
                   ORDER BY risk_due_at FOR UPDATE SKIP LOCKED LIMIT :most)
       AND state = 'pending'
""")


def keep_pledges(*, now: datetime, most: int = 200) -> Counter[str]:
    """One pass at `now`, which the database's clock said (core.database.moment): mark what is at risk, and write each
    breach, in a transaction of its own. Returns counts."""
    with reading() as session:
        due = session.scalars(
            select(Pledge.id).where(Pledge.state.in_(OPEN), Pledge.due_at <= now).order_by(Pledge.due_at).limit(most)
        ).all()
    counts = one_by_one("pledges", due, lambda pledge_id: _breach(pledge_id, now), seconds=RUN_SECONDS)
    with transaction() as session:
        counts["at_risk"] = session.execute(_RISK, {"now": now, "most": most}).rowcount  # type: ignore[attr-defined]
    return counts


def _breach(pledge_id: int, now: datetime) -> str:
    with transaction() as session:
        pledge = lock_due(session, pledge_id)
        if pledge is None:
            return "left"
        if pledge.state not in OPEN or pledge.due_at > now:
            return "moved_on"
        breach(session, pledge, now=now)
    return "breached"


def lock_due(session: Session, pledge_id: int) -> Pledge | None:
    """Lock a pledge and its booking before it; None where somebody else has one of them: an answer that is being
    written, or another worker's pass."""
    booking_id = session.scalar(select(Pledge.booking_id).where(Pledge.id == pledge_id))
    if booking_id is not None:
        locked = select(Booking.id).where(Booking.id == booking_id).with_for_update(skip_locked=True)
        if session.scalar(locked) is None:
            return None
    wanted = select(Pledge).where(Pledge.id == pledge_id).with_for_update(skip_locked=True)
    return session.scalar(wanted.execution_options(populate_existing=True))
