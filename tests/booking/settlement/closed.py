"""Days that are closed, for tests: statements as rows, without the night that makes them."""

from __future__ import annotations

from datetime import date

from booking.settlement.models import ClosingStatement, StatementLine
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.people import NOON, make_insurer
from tests.world import DAY, World, booking_row


def stated(world: World, *bookings: str, day: date = DAY, correction: bool = False, minor: int = 128_000) -> str:
    """A statement of the world's provider and insurer, with a line for each of these bookings; its public id."""
    public_id, insurer = new_id("stm"), make_insurer().id
    rows = [booking_row(each).id for each in bookings]
    content = {"ours": {"money": {"CNY": minor * len(bookings)}, "units": len(bookings)}}
    with transaction() as session:
        made = ClosingStatement(
            public_id=public_id,
            provider_id=world.provider.id,
            insurer_id=insurer,
            day=day,
            time_zone="Asia/Shanghai",
            made_at=NOON,
            content=content,
        )
        session.add(made)
        session.flush()
        for row in rows:
            session.add(
                StatementLine(
                    statement_id=made.id,
                    booking_id=row,
                    state="fulfilled",
                    service_date=day,
                    units=1,
                    amount_minor=minor,
                    currency="CNY",
                    correction=correction,
                )
            )
    return public_id
