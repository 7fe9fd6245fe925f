"""What happens to a booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.attendance.models import Dispute
from booking.coverage.models import CoverageWish
from booking.discrepancies import Discrepancy
from booking.feeds.models import DeliveredRow
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask
from booking.proposal import Proposal
from booking.reconcile.models import BookingLookUp
from booking.sealing import seal_details, seal_words
from booking.waiting.models import WaitingEntry, WaitingOffer, WaitingPlace
from marketplace.core import crypto
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.personal.planting.life import Life
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary


def book(life: Life, now: datetime) -> None:
    """What is said of her first booking, and with its provider; and her wait for another one."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        process = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
        booking.details_sealed = seal_details({"note": f"{life.mark}-answers"}, process, booking.public_id)
        session.add(_dispute(life, booking, process, now))
        session.add_all(_changes(life, booking, now))
        session.add_all(_there(life, booking, now))
        _read_there(session, life, booking, now)
        _wait(session, life, booking, now)


def _dispute(life: Life, booking: Booking, key: WrappedKey, now: datetime) -> Dispute:
    dispute = new_id("dsp")

    def words(what: str) -> bytes:
        said = f"{life.mark}-{'words' if what == 'words' else 'answer'}"
        return seal_words(said, key, f"dispute:{dispute}:{what}")

    return Dispute(
        public_id=dispute,
        booking_id=booking.id,
        state="accepted",
        words_sealed=words("words"),
        answer_sealed=words("answer"),
        opened_at=now,
        closed_at=now,
    )


def _changes(life: Life, booking: Booking, now: datetime) -> Iterator[object]:
    """A change that was made, and another time that was declined."""
    world, slot = life.world, life.world.slots[2]
    yield ChangeRequest(
        public_id=new_id("chg"),
        booking_id=booking.id,
        kind="reschedule",
        state="done",
        actor_kind="customer",
        actor=world.principal.public_id,
        new_slot_id=slot.id,
        new_service_date=slot.service_date,
        new_starts_at=slot.starts_at,
        new_ends_at=slot.ends_at,
        asked_at=now,
        answer_due_at=now,
        closed_at=now,
    )
    yield Proposal(
        public_id=new_id("prp"),
        booking_id=booking.id,
        slot_ref="s",
        service_date=slot.service_date,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        expires_at=now,
        state="declined",
        made_at=now,
        closed_at=now,
    )


def _there(life: Life, booking: Booking, now: datetime) -> Iterator[object]:
    """What is known of it at the provider."""
    world, mark = life.world, life.mark
    yield BookingLookUp(
        booking_id=booking.id,
        provider_id=world.provider.id,
        asked_at=now,
        answered_at=now,
        calls=1,
    )
    yield ProviderBooking(
        provider_id=world.provider.id,
        reference=f"{mark}-ref",
        booking_id=booking.id,
        role="superseded",
        status="x",
        seen_at=now,
        our_reference="x",
    )


def _read_there(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    """Its command was carried out; a row of it could not be read."""
    case = new_id("dis")
    opened = Discrepancy(
        public_id=case,
        provider_id=life.world.provider.id,
        kind="x",
        subject=life.mark,
        booking_id=booking.id,
        opened_at=now,
        closed_at=now,
    )
    session.add(opened)
    session.execute(
        update(ProviderTask)
        .where(ProviderTask.booking_id == booking.id)
        .values(first_sent_at=now, finished_at=now, state="done")
    )
    session.flush()
    wrapped = crypto.new_wrapped_key(f"{case}:delivered")
    key = crypto.unwrap_key(wrapped, f"{case}:delivered")
    sealed = crypto.seal(f"{life.mark}-delivered".encode(), key=key, record=f"{case}:delivered")
    session.add(DeliveredRow(discrepancy_id=opened.id, stored_at=now, wrapped_key=wrapped, sealed=sealed))


def _wait(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    """She waited for a place, which was offered, and asked to be told of another."""
    world, slot = life.world, life.world.slots[2]
    entry = WaitingEntry(
        public_id=new_id("wtg"),
        insurer_id=world.customer.insurer_id,
        customer_id=world.customer.id,
        beneficiary_id=booking.beneficiary_id,
        entitlement_id=world.entitlement.id,
        kind="health_check",
        number=1,
        first_day=slot.service_date,
        last_day=slot.service_date,
        weekdays=1,
        from_hour=0,
        until_hour=24,
        hours_before=1,
        auto_book=False,
        state="ended",
        closes_at=now,
        created_at=now,
        updated_at=now,
    )
    session.add(entry)
    session.flush()
    session.add_all(
        [
            WaitingPlace(
                entry_id=entry.id,
                offer_id=world.offer.id,
                pool_id=world.offer.pool_id,
                beneficiary_id=booking.beneficiary_id,
                open=False,
            ),
            WaitingOffer(
                entry_id=entry.id,
                slot_id=slot.id,
                booking_id=booking.id,
                until=now,
                outcome="booked",
                made_at=now,
                closed_at=now,
            ),
            CoverageWish(
                public_id=new_id("cvw"),
                customer_id=world.customer.id,
                kind="x",
                site_id=world.offer.site_id,
                asked_at=now,
                ended_at=now,
                outcome="told",
            ),
        ]
    )
