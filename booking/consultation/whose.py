"""Whose conversation it is."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from booking.consultation.models import Conversation
from booking.models import Booking
from booking.ownership import customer_of
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from vip.principal import Principal


def own_conversation(principal: Principal, public_id: str) -> ColumnElement[bool]:
    """The condition, of a conversation joined with its booking, that it is the principal's own."""
    return (Conversation.public_id == public_id) & (Booking.customer_id == customer_of(principal))


def booking_of(principal: Principal, conversation: str) -> str:
    """The booking (public id) that the customer's conversation belongs to. Raises NotFound."""
    query = (
        select(Booking.public_id)
        .join(Conversation, Conversation.booking_id == Booking.id)
        .where(own_conversation(principal, conversation))
    )
    with reading() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(field="conversation_id")
    return found
