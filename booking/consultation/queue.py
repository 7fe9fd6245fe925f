"""The queue of a provider's clinicians: what waits, who takes it, and who hands it on.

A conversation waits while no clinician has it in hand. It is offered to one who is free (`offering`), but whoever of
the same provider takes it first has it: for the customer the first is the best. Locks: conversation, offer, shift.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, object_session

from booking.consultation.assigning.models import ConversationHandover, ConversationOffer
from booking.consultation.assigning.offering import ORDER, WAITING, offer_waiting, pass_on
from booking.consultation.models import Conversation
from booking.models import Booking
from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.logging import get_logger
from providers.staff.clinicians import verified
from providers.staff.models import Clinician, ClinicianShift
from providers.staff.shifts import ClinicianNotVerified
from vip.models import Operator
from vip.principal import Member

log = get_logger(__name__)


class AlreadyTaken(Refusal):
    """Another clinician has it in hand, or it is closed."""

    code = "conversation_taken"


class ClinicianNotFree(Refusal):
    """She is not on shift, is on a break, or has as many in hand as she takes at once."""

    code = "clinician_not_free"


@dataclass(frozen=True)
class Waiting:
    """A conversation that waits, as clinicians see it. `offered_to`: the member (public id) to whom it is offered until
    `offered_until`; both None while it is offered to nobody. `call_back_at`: when the customer wants to be called back,
    None unless that is what she chose last. `absent`: the name of who had it in hand and was not seen any more, None
    where that is not why it waits."""

    conversation: str
    department: str
    language: str
    flagged: bool
    handed_back: bool
    first_message_at: datetime
    due_at: datetime | None
    pledge: str | None
    escalated: int
    offered_to: str | None
    offered_until: datetime | None
    call_back_at: datetime | None = None
    absent: str | None = None


_WAITING = text(f"""
    SELECT c.public_id, c.department, c.language, c.flagged_at IS NOT NULL AS flagged,
           c.handed_back_at IS NOT NULL AS handed_back, c.first_message_at, p.due_at, p.state,
           coalesce((SELECT max(e.step) FROM conversation_escalation e WHERE e.conversation_id = c.id), 0) AS escalated,
           m.public_id AS offered_to, o.expires_at,
           (SELECT h.call_back_at FROM conversation_choice h WHERE h.conversation_id = c.id ORDER BY h.id DESC LIMIT 1),
           (SELECT a.shown_name FROM clinician a WHERE a.member_id = c.absent_id)
      FROM conversation c
      LEFT JOIN pledge p ON p.subject_kind = 'conversation' AND p.subject = c.public_id AND p.promise = 'first_answer'
      LEFT JOIN conversation_offer o ON o.conversation_id = c.id AND o.state = 'offered'
      LEFT JOIN operator m ON m.id = o.member_id
     WHERE {WAITING} AND c.provider_id = :provider
       AND (CAST(:every AS boolean) OR c.language = ANY (:languages)
            AND (c.department = ANY (:departments) OR :general = ANY (:departments)))
     ORDER BY {ORDER} LIMIT :most
""")


def waiting(member: Member, most: int = 200) -> Sequence[Waiting]:
    """What waits, in the order of the queue: for a clinician that which she may take, for everybody else of the
    provider all of it. Nothing for a clinician who is not verified."""
    with reading() as session:
        clinician = session.get(Clinician, member.id) if member.role == "clinician" else None
        if member.role == "clinician" and (clinician is None or clinician.verified_at is None):
            return ()
        everything = member.role != "clinician" or (clinician is not None and clinician.lead)
        values = {
            "provider": member.provider_id,
            "every": everything,
            "languages": [] if clinician is None else clinician.languages,
            "departments": [] if clinician is None else clinician.departments,
            "general": GENERAL,
            "most": most,
        }
        rows = session.execute(_WAITING, values).all()
    return [Waiting(*row) for row in rows]


def offer_next(*, now: datetime) -> Counter[str]:
    """A pass of the queue at `now`, by the database's clock; any number of workers may run it. Returns counts."""
    passed = pass_on(now)
    counts = offer_waiting(now)
    counts["passed_on"] = passed
    return counts


def accept(member: Member, conversation: str, *, now: datetime) -> None:
    """Take a conversation in hand; taking her own again changes nothing. It answers nothing: only words do.

    Raises NotFound (another provider's looks absent), ClinicianNotVerified, AlreadyTaken, ClinicianNotFree.
    """
    with transaction() as session:
        row = _locked(session, member, conversation)
        live = session.scalar(select(Booking.live).where(Booking.id == row.booking_id))
        if row.closed_at is not None or not live:
            raise AlreadyTaken()
        if row.clinician_id == member.id:
            return
        if row.clinician_id is not None:
            raise AlreadyTaken()
        take(session, row, member, now=now)
    log.info("consultation.accepted", conversation=conversation)


def take(session: Session, row: Conversation, member: Member, *, now: datetime) -> None:
    """Give a locked conversation that waits to a clinician. Raises ClinicianNotVerified, ClinicianNotFree; after the
    latter the transaction may not go on."""
    if verified(session, member.id) is None:
        raise ClinicianNotVerified()
    _end_offers(session, row.id, member.id, now)
    _assign(session, row, member.id, now)


def decline(member: Member, conversation: str, *, now: datetime) -> None:
    """Pass on what is offered to her, at once instead of when it runs out; nothing where it is not offered to her any
    more. Raises NotFound."""
    with transaction() as session:
        row = _locked(session, member, conversation)
        offer = _open_offer(session, row.id)
        if offer is not None and offer.member_id == member.id:
            offer.state, offer.ended_at = "declined", now


def hand_over(member: Member, conversation: str, to: str | None, *, now: datetime) -> None:
    """Give what she has in hand to a colleague (public id) who is free; with None to the head of the queue.

    Raises NotFound (of `conversation_id`, or of `member_id` for a colleague), AlreadyTaken where she has it not in
    hand, ClinicianNotVerified, ClinicianNotFree.
    """
    with transaction() as session:
        row = _locked(session, member, conversation)
        if row.clinician_id != member.id or row.closed_at is not None:
            raise AlreadyTaken()
        if to is None:
            give_back(row, now=now)
            return
        colleague = _colleague(session, member, to)
        _lock_shifts(session, member.provider_id, member.id, colleague.id)
        _assign(session, row, colleague.id, now)
    log.info("consultation.handed_over", conversation=conversation)


def assign(lead: Member, conversation: str, to: str, *, now: datetime) -> None:
    """A lead gives what waits, or what a clinician has in hand, to one (public id) who is free; she may be that one.

    Raises NotFound (of `conversation_id`, also for who leads no shift, or of `member_id`), AlreadyTaken where it is
    over, ClinicianNotVerified, ClinicianNotFree.
    """
    with transaction() as session:
        row = _locked(session, lead, conversation)
        clinician = verified(session, lead.id)
        if clinician is None or not clinician.lead:
            raise NotFound(field="conversation_id")
        live = session.scalar(select(Booking.live).where(Booking.id == row.booking_id))
        if row.closed_at is not None or not live:
            raise AlreadyTaken()
        colleague = _colleague(session, lead, to)
        if row.clinician_id == colleague.id:
            return
        before = row.clinician_id
        _end_offers(session, row.id, colleague.id, now)
        _lock_shifts(session, lead.provider_id, colleague.id, *(() if before is None else (before,)))
        _assign(session, row, colleague.id, now)
    log.info("consultation.assigned", conversation=conversation)


def give_back(row: Conversation, *, now: datetime) -> None:
    """A locked conversation waits again, before all who were never answered."""
    _note_handover(row, None, now)
    row.clinician_id = None
    row.handed_back_at = now


def in_hand(session: Session, member_id: int, provider_id: int) -> Sequence[Conversation]:
    """What a member (internal id) has in hand at a provider, locked in the order of ids."""
    return session.scalars(
        select(Conversation)
        .where(
            Conversation.clinician_id == member_id,
            Conversation.provider_id == provider_id,
            Conversation.closed_at.is_(None),
        )
        .order_by(Conversation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _colleague(session: Session, member: Member, to: str) -> Operator:
    """A verified clinician of the same employer. Raises NotFound(field="member_id"), ClinicianNotVerified."""
    colleague = session.scalar(
        select(Operator).where(
            Operator.public_id == to,
            Operator.provider_id == _employer(session, member),
            Operator.disabled_at.is_(None),
        )
    )
    if colleague is None or colleague.role != "clinician":
        raise NotFound(field="member_id")
    if verified(session, colleague.id) is None:
        raise ClinicianNotVerified()
    return colleague


def _employer(session: Session, member: Member) -> int | None:
    """Who employs her: in test mode that is the live provider, and not the one that she works on."""
    return session.scalar(select(Operator.provider_id).where(Operator.id == member.id))


def _locked(session: Session, member: Member, conversation: str) -> Conversation:
    row = session.scalar(
        select(Conversation)
        .where(
            Conversation.public_id == conversation,
            Conversation.provider_id == member.provider_id,
            ~Conversation.outside,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or member.role != "clinician":
        raise NotFound(field="conversation_id")
    return row


def _lock_shifts(session: Session, provider_id: int, *members: int) -> None:
    """In the order of their ids: two who hand over to each other at the same moment must not wait for each other."""
    shifts = select(ClinicianShift.id).where(
        ClinicianShift.member_id.in_(members),
        ClinicianShift.provider_id == provider_id,
        ClinicianShift.ended_at.is_(None),
    )
    session.execute(shifts.order_by(ClinicianShift.id).with_for_update(key_share=True))


def _open_offer(session: Session, conversation_id: int) -> ConversationOffer | None:
    return session.scalar(
        select(ConversationOffer)
        .where(ConversationOffer.conversation_id == conversation_id, ConversationOffer.state == "offered")
        .with_for_update()
    )


def _end_offers(session: Session, conversation_id: int, taker: int, now: datetime) -> None:
    offer = _open_offer(session, conversation_id)
    if offer is not None:
        offer.state, offer.ended_at = ("accepted" if offer.member_id == taker else "withdrawn"), now


def _assign(session: Session, row: Conversation, member_id: int, now: datetime) -> None:
    _note_handover(row, member_id, now)
    try:
        row.clinician_id, row.absent_id = member_id, None
        session.flush()
    except DBAPIError as refused:
        if violated(refused) in ("clinician_not_free", "ck_clinician_shift_in_hand"):
            raise ClinicianNotFree() from refused
        raise


def _note_handover(row: Conversation, to: int | None, now: datetime) -> None:
    """Write down that whoever has it in hand gives it away; nothing where nobody has, or it stays hers."""
    if row.clinician_id is not None and row.clinician_id != to:
        line = ConversationHandover(conversation_id=row.id, from_member_id=row.clinician_id, to_member_id=to, at=now)
        cast(Session, object_session(row)).add(line)
