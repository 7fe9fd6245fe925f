"""What a customer's page of a conversation depends on, read in one statement: pages ask every few seconds whether
anything moved, and nearly always nothing has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, Select, and_, bindparam, case, column, func, select, text

from booking.consultation.access import absent, visible_to
from booking.consultation.assigning.models import ConversationChoice
from booking.consultation.models import Conversation, ConversationMessage, ConversationRead
from booking.consultation.outside.models import ConversationDelivery
from booking.consultation.place import ON_SHIFT_OF, POSITION_OF
from booking.consultation.read import TYPING_SHOWN
from booking.models import Booking
from booking.ownership import customer_of
from booking.pledges.models import Pledge, PledgeCompensation
from booking.pledges.pledge import FIRST_ANSWER
from marketplace.core.database.db import reading
from marketplace.core.once import once
from vip.principal import Principal

Mark = tuple[Any, ...]
"""Values that differ when a page would; the first is the number of the newest message."""


def mark(principal: Principal, conversation: str, *, now: datetime) -> Mark:
    """The mark of a conversation that the customer may see. Raises NotFound and ConsentMissing.

    Seconds that run down are the page's own, so only that a moment has passed is part of it.
    """
    values = {
        "conversation": conversation,
        "customer": customer_of(principal),
        "now": now,
        "typing": now - TYPING_SHOWN,
    }
    with reading() as session:
        found = session.execute(_asked(), values).one_or_none()
        if found is None:
            raise absent(session, principal, conversation)
    return tuple(found)


def _number(sql: str) -> ScalarSelect[int]:
    return text(sql).columns(column("number", BigInteger)).scalar_subquery()


@once
def _asked() -> Select[Any]:
    now = bindparam("now", type_=Conversation.opened_at.type)
    here = ConversationRead.conversation_id == Conversation.id
    others = select(func.coalesce(func.max(ConversationRead.seq), 0)).where(
        here, ConversationRead.member_id.is_not(None)
    )
    typing = select(func.max(ConversationRead.typing_at)).where(here, ConversationRead.member_id.is_not(None))
    waits = and_(
        Conversation.clinician_id.is_(None),
        Conversation.closed_at.is_(None),
        ~Conversation.outside,
        Conversation.first_message_at.is_not(None),
    )
    carried = (
        select(func.string_agg(func.concat(ConversationMessage.seq, ConversationDelivery.state), " "))
        .join(ConversationDelivery, ConversationDelivery.message_id == ConversationMessage.id)
        .where(ConversationMessage.conversation_id == Conversation.id, ConversationDelivery.state != "delivered")
    )
    chosen = (
        select(ConversationChoice.id)
        .where(ConversationChoice.conversation_id == Conversation.id)
        .order_by(ConversationChoice.id.desc())
        .limit(1)
    )
    newest = (
        select(Pledge.id)
        .where(Pledge.booking_id == Booking.id, Pledge.promise == FIRST_ANSWER)
        .order_by(Pledge.id.desc())
        .limit(1)
        .correlate(Booking)
        .scalar_subquery()
    )
    given = select(PledgeCompensation.units).where(PledgeCompensation.pledge_id == Pledge.id)
    return (
        select(
            Conversation.last_seq,
            Conversation.closed_at,
            Conversation.clinician_id,
            Conversation.first_answer_at,
            Conversation.flagged_at,
            Booking.state,
            others.correlate(Conversation).scalar_subquery(),
            and_(
                Conversation.closed_at.is_(None),
                typing.correlate(Conversation).scalar_subquery() > bindparam("typing", type_=now.type),
            ),
            case((Conversation.outside, carried.correlate(Conversation).scalar_subquery())),
            Pledge.state,
            Pledge.due_at <= now,
            given.correlate(Pledge).scalar_subquery(),
            case((waits, _number(POSITION_OF))),
            case((waits, _number(ON_SHIFT_OF))),
            case((waits, chosen.correlate(Conversation).scalar_subquery())),
        )
        .join(Booking, Booking.id == Conversation.booking_id)
        .outerjoin(Pledge, Pledge.id == newest)
        .where(
            Conversation.public_id == bindparam("conversation"),
            visible_to(bindparam("customer", type_=Booking.id.type)),
        )
    )
