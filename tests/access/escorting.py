"""What an escort worker has: one escort that she has accepted, and one that she is asked for."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from booking.escort.models import ASKED, EscortWorker
from booking.models import Booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.access.sessions import member_with
from tests.booking.escorting.stage import assign
from tests.people import NOON

SHORT = timedelta(minutes=30)


def go_along(token: str, word: str, bookings: tuple[str, str]) -> dict[str, str]:
    """The member whose session it is goes with the first of the bookings, and is asked for the second: by the names of
    the table. Her name there has her word."""
    member = member_with(token)
    with transaction() as session:
        worker = EscortWorker(
            public_id=new_id("esw"),
            provider_id=member.provider_id,
            member_id=member.id,
            shown_name=f"{word} 静",
            sex="female",
            languages=["mandarin"],
            province="浙江省",
            city="杭州市",
            active_from=NOON,
            created_at=NOON,
            updated_at=NOON,
        )
        session.add(worker)
        session.flush()
        worker_id = worker.id
    with reading() as session:
        found = dict(
            session.execute(select(Booking.public_id, Booking.id).where(Booking.public_id.in_(bookings))).all()
        )
    goes, asked = (found[each] for each in bookings)
    return {
        "assignment": assign(goes, worker_id, member.provider_id, lasts=SHORT)[0],
        "asked": assign(asked, worker_id, member.provider_id, state=ASKED, lasts=SHORT)[0],
    }
