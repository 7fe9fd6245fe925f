"""Somebody who was to go with her."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.escort import known_by
from booking.escort.models import EscortAssignment, EscortSearch, EscortWorker
from booking.escort.outside.lines import record_of
from booking.listening import EscortLineTaken, EscortListening
from booking.models import Booking, ProviderBooking
from booking.sealing import seal_words
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.personal.planting.life import Life
from vip.customers.person_keys import MEDICAL, PROCESS, key_of
from vip.models import Beneficiary


def escort(life: Life, now: datetime) -> None:
    """A worker who was asked to go with her and said no, and the search for another one."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        worker = EscortWorker(
            public_id=new_id("esw"),
            provider_id=booking.provider_id,
            shown_name="王护理",
            sex="female",
            languages=["mandarin"],
            province="浙江省",
            city="杭州市",
            active_from=now,
            created_at=now,
            updated_at=now,
        )
        session.add(worker)
        session.flush()
        asked = new_id("esa")
        key = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
        words = known_by.new_words(key, asked)
        period = Range(now, now + timedelta(hours=4), bounds="[)")
        session.add_all(
            [
                EscortAssignment(
                    public_id=asked,
                    booking_id=booking.id,
                    worker_id=worker.id,
                    provider_id=booking.provider_id,
                    state="declined",
                    period=period,
                    padded=period,
                    travel_seconds=0,
                    asked_at=now,
                    answer_due_at=now + timedelta(minutes=15),
                    answered_at=now,
                    ended_at=now,
                    cause="declined",
                    asked_by_kind="provider",
                    asked_by="mbr_1",
                    safe_word_sealed=words.safe_word,
                    code_sealed=words.code,
                ),
                EscortSearch(booking_id=booking.id, begun_at=now, look_at=now, nobody_since=now),
            ]
        )
        _listened(session, life, booking, now)


def _listened(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    """A line of a provider's own system about it, of somebody whom that had not named."""
    there = session.scalar(select(ProviderBooking).where(ProviderBooking.booking_id == booking.id))
    if there is None:
        there = ProviderBooking(
            provider_id=booking.provider_id,
            reference=f"R-{booking.public_id}",
            booking_id=booking.id,
            role="stray",
            status="confirmed",
            seen_at=now,
        )
        session.add(there)
        session.flush()
    lines = EscortListening(
        booking_id=booking.id,
        provider_booking_id=there.id,
        their_seq=1,
        read_at=now,
        over_at=now,
    )
    session.add(lines)
    session.flush()
    key = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), MEDICAL)
    digest = seal_words(f"{life.mark}-line", key, record_of(lines.id, 1))
    session.add(
        EscortLineTaken(
            listening_id=lines.id, seq=1, their_id="l-1", came="kept_out", digest_sealed=digest, received_at=now
        )
    )
