"""What is stored of pledges, and what a customer has of consultations."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from booking.actors import Actor, ActorKind
from booking.changes.cancel import begin_cancel
from booking.notices.models import Notification
from booking.pledges.breach import NOTICE
from booking.pledges.models import Pledge, PledgeCompensation
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import booking_row
from vip.models import Entitlement


def after(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def give_up(booking: str, *, now: datetime, by: ActorKind = "customer") -> None:
    """End a booking before it was answered, as somebody's own act."""
    with transaction() as session:
        row, tasks = lock_booking(session, booking_row(booking).id)
        begin_cancel(session, row, tasks, actor=Actor(by), cause="customer_asked", now=now)


def pledges() -> list[Pledge]:
    """All, the oldest first."""
    with reading() as session:
        return list(session.scalars(select(Pledge).order_by(Pledge.id)))


def the_pledge() -> Pledge:
    """The only one."""
    (found,) = pledges()
    return found


def compensations() -> list[PledgeCompensation]:
    """All."""
    with reading() as session:
        return list(session.scalars(select(PledgeCompensation).order_by(PledgeCompensation.pledge_id)))


def granted() -> list[tuple[int | None, int | None]]:
    """What each entitlement was granted and has available, the oldest first."""
    with reading() as session:
        rows = session.execute(select(Entitlement.granted, Entitlement.available).order_by(Entitlement.id))
        return [(row.granted, row.available) for row in rows]


def notices() -> list[dict[str, object]]:
    """The facts of what customers were told of broken pledges."""
    with reading() as session:
        return list(session.scalars(select(Notification.facts).where(Notification.kind == NOTICE)))
