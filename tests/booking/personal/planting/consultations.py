"""A consultation, and how her question found a clinician."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.consultation import pictures, say
from booking.consultation.assigning.models import (
    ConversationChoice,
    ConversationEscalation,
    ConversationHandover,
    ConversationOffer,
)
from booking.consultation.at_desk import notes
from booking.consultation.models import (
    Conversation,
    ConversationMessage,
    ConversationNote,
    ConversationPicture,
    ConversationRead,
)
from booking.consultation.outside import lines
from booking.consultation.outside.models import ConversationDelivery, ConversationLine
from booking.escort.following.links import name_record
from booking.escort.following.models import EscortLink
from booking.finding.models import FavouriteSite
from booking.models import Booking
from booking.pledges.models import Pledge, PledgeCompensation
from booking.ratings import rate
from booking.ratings.models import Rating
from booking.sealing import seal_words
from marketplace.core import crypto
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from providers.staff.models import ClinicianShift
from tests.booking.personal.planting.life import Life
from vip.customers.person_keys import MEDICAL, PROCESS, key_of
from vip.models import Beneficiary, Operator


def talk_with(life: Life, now: datetime) -> None:
    """A consultation about her first booking with a message and its picture, and what she said of the service."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        person = session.get_one(Beneficiary, booking.beneficiary_id)
        medical, process = (key_of(session, person, each) for each in (MEDICAL, PROCESS))
        talk = Conversation(
            public_id=new_id("cnv"),
            booking_id=booking.id,
            provider_id=life.world.provider.id,
            department="general",
            language="zh",
            last_seq=1,
            flagged_at=now,
            first_message_at=now,
            handed_back_at=now,
            reports_agreed_at=now,
            opened_at=now,
            closed_at=now,
        )
        rating = Rating(booking_id=booking.id, stars=5, at=now, changed_at=now)
        rating.words_sealed = seal_words(f"{life.mark}-rated", process, rate.record_of(booking.public_id))
        marked = FavouriteSite(customer_id=booking.customer_id, site_id=life.world.offer.site_id, created_at=now)
        follower = EscortLink(
            public_id=new_id("esl"),
            booking_id=booking.id,
            token_hash=crypto.token_hash(f"{life.mark}-follower"),
            with_notes=True,
            days_after=1,
            created_at=now,
            ended_at=now,
        )
        follower.name_sealed = seal_words(f"{life.mark}-follower", process, name_record(follower.public_id))
        session.add_all([talk, rating, marked, follower])
        session.flush()
        message, picture = new_id("msg"), new_id("pic")
        said = ConversationMessage(
            public_id=message,
            conversation_id=talk.id,
            seq=1,
            client_message_id="message-1",
            author="customer",
            kind="text",
            body_sealed=seal_words(f"{life.mark}-said", medical, say.record_of(message)),
            at=now,
        )
        session.add(said)
        session.add(ConversationRead(conversation_id=talk.id, seq=1, read_at=now, typing_at=now))
        session.flush()
        large, small = (
            crypto.seal(f"{life.mark}-{size}".encode(), key=medical.open(), record=pictures.record_of(picture, small))
            for size, small in (("large", False), ("small", True))
        )
        session.add(
            ConversationPicture(
                public_id=picture,
                message_id=said.id,
                width=1,
                height=1,
                size=1,
                sealed=large,
                thumbnail_sealed=small,
            )
        )


def promise(life: Life, now: datetime) -> None:
    """How her question found a clinician, and what was pledged, broken and made good."""
    with transaction() as session:
        talk = session.scalars(
            select(Conversation)
            .join(Booking, Booking.id == Conversation.booking_id)
            .where(Booking.public_id == life.bookings[0])
        ).one()
        doctor = Operator(
            public_id=new_id("mbr"),
            provider_id=life.world.provider.id,
            login=f"{life.mark}-doctor",
            name="何医生",
            role="clinician",
            password_hash="x",
        )
        ends = {"breached": ("breached_at", 90), "met": ("met_at", 60), "cancelled": ("cancelled_at", 60)}
        pledges = [
            Pledge(
                public_id=new_id("plg"),
                promise=state,
                subject_kind="conversation",
                subject=talk.public_id,
                insurer_id=life.world.customer.insurer_id,
                customer_id=life.customer,
                provider_id=life.world.provider.id,
                booking_id=talk.booking_id,
                seconds=90,
                units=1,
                state=state,
                begun_at=now,
                risk_due_at=now + timedelta(seconds=45),
                due_at=now + timedelta(seconds=90),
                at_risk_at=now + timedelta(seconds=45),
                **{moment: now + timedelta(seconds=seconds)},
            )
            for state, (moment, seconds) in ends.items()
        ]
        broken = pledges[0]
        session.add_all([doctor, *pledges])
        session.flush()
        booking = session.get_one(Booking, talk.booking_id)
        process = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
        noted = new_id("nte")
        sealed = seal_words(f"{life.mark}-noted", process, notes.record_of(noted))
        session.add(
            ConversationNote(public_id=noted, conversation_id=talk.id, member_id=doctor.id, body_sealed=sealed, at=now)
        )
        shift = ClinicianShift(
            member_id=doctor.id, provider_id=life.world.provider.id, capacity=1, began_at=now, ended_at=now
        )
        session.add(shift)
        session.flush()
        session.add_all(
            [
                PledgeCompensation(pledge_id=broken.id, entitlement_id=life.world.entitlement.id, units=1, at=now),
                ConversationOffer(
                    conversation_id=talk.id,
                    shift_id=shift.id,
                    member_id=doctor.id,
                    state="passed",
                    offered_at=now,
                    expires_at=now,
                    ended_at=now,
                ),
                ConversationEscalation(conversation_id=talk.id, step=1, at=now),
                ConversationHandover(conversation_id=talk.id, from_member_id=doctor.id, at=now),
                ConversationChoice(conversation_id=talk.id, choice="call_back", call_back_at=now, at=now),
            ]
        )
        _carried(session, life, talk, now)


def _carried(session: Session, life: Life, talk: Conversation, now: datetime) -> None:
    """What passes between us and an outside provider: a message that it did not take, that the consultation is over,
    and a line of its doctor's."""
    message = session.scalars(
        select(ConversationMessage).where(ConversationMessage.conversation_id == talk.id).limit(1)
    ).one()
    about: dict[str, Any] = {"conversation_id": talk.id, "provider_id": life.world.provider.id, "run_after": now}
    lost = {"state": "refused", "sent_at": now, "finished_at": now, "refusal": "closed"}
    person = session.get_one(Beneficiary, session.get_one(Booking, talk.booking_id).beneficiary_id)
    digest = seal_words(f"{life.mark}-digest", key_of(session, person, MEDICAL), lines.record_of(talk.id, 1))
    session.add_all(
        [
            ConversationDelivery(key=message.public_id, message_id=message.id, **about, **lost),
            ConversationDelivery(key=new_id("end"), reason="idle", **about),
            ConversationLine(
                conversation_id=talk.id, seq=1, their_id="m-1", message_id=message.id, digest_sealed=digest
            ),
        ]
    )
