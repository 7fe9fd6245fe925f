"""Whose a conversation is: its customer's, and the clinicians' of its provider. For everybody else it is absent."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from booking.consultation.models import Conversation
from booking.models import Booking
from booking.ownership import customer_of
from marketplace.core.errors import NotFound
from vip.customers.consent import ConsentMissing, not_withdrawn
from vip.models import Beneficiary
from vip.principal import Member, Somebody

FIELD = "conversation_id"


def visible(who: Somebody) -> ColumnElement[bool]:
    """The condition (on Conversation) that selects those that `who` may read and speak in. One about a person who was
    erased is nobody's: what stays of it is stored and not shown; one about an adult relative who has withdrawn her
    consent is not her family's, as her reports; and one that doctors of an outside provider answer in
    their own system is no member's. Raises NotFound for whoever has none: an operator, and a member of a provider who
    is no clinician."""
    if isinstance(who, Member):
        if who.role != "clinician":
            raise NotFound(field=FIELD)
        return and_(Conversation.provider_id == who.provider_id, ~Conversation.outside, _about_somebody())
    return visible_to(customer_of(who))


def visible_to(customer: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The same for a customer by her internal id."""
    mine = Conversation.booking_id.in_(
        select(Booking.id).where(Booking.customer_id == customer, not_withdrawn(Booking.beneficiary_id))
    )
    return and_(mine, _about_somebody())


def _about_somebody() -> ColumnElement[bool]:
    """That the person whom it is about was not erased."""
    about = (
        select(Beneficiary.id)
        .join(Booking, Booking.beneficiary_id == Beneficiary.id)
        .where(Booking.id == Conversation.booking_id, Beneficiary.erased_at.is_(None))
    )
    return about.exists()


def absent(session: Session, who: Somebody, conversation: str) -> NotFound | ConsentMissing:
    """Why one that isn't among the visible can't be shown: for its customer that consent was withdrawn, else that it is
    not there."""
    if not isinstance(who, Member):
        withdrawn = session.scalar(
            select(Beneficiary.public_id)
            .join(Booking, Booking.beneficiary_id == Beneficiary.id)
            .join(Conversation, Conversation.booking_id == Booking.id)
            .where(Conversation.public_id == conversation, Booking.customer_id == customer_of(who))
            .where(Beneficiary.erased_at.is_(None), ~not_withdrawn(Booking.beneficiary_id))
        )
        if withdrawn is not None:
            return ConsentMissing(beneficiary_id=withdrawn)
    return NotFound(field=FIELD)


def booking_of(session: Session, who: Somebody, conversation: str) -> int:
    """The booking (internal id) of a conversation. Raises NotFound, ConsentMissing."""
    found = session.scalar(select(Conversation.booking_id).where(Conversation.public_id == conversation, visible(who)))
    if found is None:
        raise absent(session, who, conversation)
    return found


def lock(session: Session, who: Somebody, conversation: str) -> Conversation:
    """The conversation, locked: whoever adds to it takes her turn here. Raises NotFound, ConsentMissing."""
    row = session.scalar(
        select(Conversation)
        .where(Conversation.public_id == conversation, visible(who))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise absent(session, who, conversation)
    return row
