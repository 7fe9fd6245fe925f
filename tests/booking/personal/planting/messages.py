"""What she is told."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import delete, insert, select

from booking.models import Booking
from booking.notices.models import NoticeSetting, Notification, NotificationDelivery
from marketplace.core import crypto
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.personal.planting.life import Life
from vip import phones
from vip.customers import email_address
from vip.models import SignInCode


def write_to(life: Life, phone: str, now: datetime) -> None:
    """A code that she signed in with, a message about her first booking, and how she wants to be written to."""
    world, mark = life.world, life.mark
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        session.add(
            SignInCode(
                insurer_id=world.customer.insurer_id,
                phone_index=phones.index(phones.normalise(phone)),
                purpose="sign_in",
                customer_id=world.customer.id,
                code_hash=b"hash",
                created_at=now,
                expires_at=now,
                used_at=now,
            )
        )
        notice = Notification(
            public_id=new_id("ntc"),
            customer_id=world.customer.id,
            booking_id=booking.id,
            kind="x",
            subject=mark,
            created_at=now,
            read_at=now,
        )
        session.add(notice)
        session.flush()
        session.add(
            NotificationDelivery(
                notification_id=notice.id,
                channel="sms",
                key=new_id("dlv"),
                state="sent",
                run_after=now,
                finished_at=now,
            )
        )
        session.execute(delete(NoticeSetting).where(NoticeSetting.customer_id == world.customer.id))
        session.execute(
            insert(NoticeSetting).values(
                customer_id=world.customer.id,
                email_sealed=email_address.seal(f"{mark}@example.com", world.customer.public_id),
                email_confirmed_at=now,
                quiet_from=time(21),
                feed_hash=crypto.token_hash(mark),
                feed_made_at=now,
                updated_at=now,
            )
        )
