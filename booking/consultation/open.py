"""Open a consultation: the booking begins and its conversation with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.consultation.at_desk.agreed import agree
from booking.consultation.flags import signs_in, words_of
from booking.consultation.models import Conversation
from booking.consultation.outside.outgoing import QUIET
from booking.consultation.say import raise_flag
from booking.hold.begin import BeginRequest, begin
from booking.idempotency import Repeatable
from booking.models import Booking
from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.catalog.models import Provider
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from providers.registry import conversing
from vip.principal import Principal

log = get_logger(__name__)

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Opening:
    """What the customer chose. `department`: a code of the offer's package; blank for the general one, or for the first
    where there is none. `language`: the one she wants to be answered in. `show_reports`: the doctor may see earlier
    reports of every provider (at_desk.agreed)."""

    begin: BeginRequest
    department: str
    language: Language
    show_reports: bool = False


@dataclass(frozen=True)
class Opened:
    """Public ids of the booking and of its conversation. `replayed`: the key had opened it before."""

    booking: str
    conversation: str
    replayed: bool


def open_consultation(principal: Principal, wanted: Opening, repeat: Repeatable, *, now: datetime) -> Opened:
    """Raises what `begin` raises, Invalid(field="department" or "language") and NotHersToAgree. After any of them
    nothing is there."""
    with transaction() as session:
        begun = begin(session, principal, wanted.begin, repeat, now=now)
        if begun.booking is None:
            known = (
                select(Conversation.public_id)
                .join(Booking, Booking.id == Conversation.booking_id)
                .where(Booking.public_id == begun.public_id)
            )
            return Opened(begun.public_id, session.scalars(known).one(), replayed=True)
        conversation = Conversation(
            public_id=new_id("cnv"),
            booking_id=begun.booking.id,
            provider_id=begun.booking.provider_id,
            department=_department(begun.booking, wanted.department),
            language=_language(begun.booking, wanted.language),
            opened_at=now,
            outside=_outside(session, begun.booking),
        )
        if conversation.outside:
            conversation.listen_at = now + QUIET
        session.add(conversation)
        session.flush()
        if wanted.show_reports:
            agree(session, principal, conversation, begun.booking, now=now)
        signs = signs_in(session, begun.booking.id, words_of(begun.booking.kind, wanted.begin.details), now)
        raise_flag(session, conversation, signs, now=now)
    log.info("consultation.opened", booking=begun.public_id, department=conversation.department)
    return Opened(begun.public_id, conversation.public_id, replayed=False)


def _outside(session: Session, booking: Booking) -> bool:
    """Whether doctors of the provider answer in a system of their own. It is decided once: a conversation stays where
    it was begun."""
    adapter = session.scalars(select(Provider.adapter).where(Provider.id == booking.provider_id)).one()
    return adapter in conversing()


def _department(booking: Booking, wanted: str) -> str:
    codes = [each["code"] for each in booking.snapshot["package"]["departments"]]
    if not wanted:
        return GENERAL if GENERAL in codes else str(codes[0])
    if wanted not in codes:
        raise Invalid(field="department", reason="unknown_value")
    return wanted


def _language(booking: Booking, wanted: str) -> str:
    if wanted not in booking.snapshot["package"]["languages"]:
        raise Invalid(field="language", reason="unknown_value")
    return wanted
