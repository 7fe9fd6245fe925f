"""Whether the doctor of a consultation may see the person's earlier reports of every provider, as the customer chose.

What a person's own consent covers is that her reports are kept and shown to the customer. So the customer decides this
for herself and for the children whose guardian she is; for an adult of her family nobody here can.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.consultation.access import FIELD, lock
from booking.consultation.models import Conversation
from booking.models import Booking
from marketplace.core import audit
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from vip.customers.consent import is_adult
from vip.models import Beneficiary
from vip.principal import Principal

AGREED = "consultation.reports_agreed"
TAKEN_BACK = "consultation.reports_taken_back"
"""The audit's actions; their subject is the booking."""


class NotHersToAgree(Refusal):
    """It is about an adult of the family, who has agreed that her reports are shown to the customer and to nobody
    else."""

    code = "reports_not_hers_to_agree"
    status = 422
    field = "show_reports"


def may_agree(person: Beneficiary, zone: str, now: datetime) -> bool:
    """Whether the customer decides it for this person: she is it herself, or it is a child."""
    return person.relation == "self" or not is_adult(person.birth_date, today(zone, now))


def agree(session: Session, principal: Principal, row: Conversation, booking: Booking, *, now: datetime) -> None:
    """Write that the doctor may, for a locked conversation or a new one; nothing where it is so already, or where the
    doctors answer in their provider's own system, which is shown no report. Raises NotHersToAgree."""
    if not may_agree(session.get_one(Beneficiary, booking.beneficiary_id), booking.time_zone, now):
        raise NotHersToAgree()
    if row.reports_agreed_at is None and not row.outside:
        row.reports_agreed_at = now
        _record(session, AGREED, principal, booking, now)


def choose_reports(principal: Principal, conversation: str, *, show: bool, now: datetime) -> None:
    """Let the doctor see them from now on, or no more. Choosing the same again changes nothing. Raises NotFound,
    NotHersToAgree."""
    with transaction() as session:
        row = lock(session, principal, conversation)
        booking = session.get_one(Booking, row.booking_id)
        if show:
            agree(session, principal, row, booking, now=now)
        elif row.reports_agreed_at is not None:
            row.reports_agreed_at = None
            _record(session, TAKEN_BACK, principal, booking, now)


def agreed_to(principal: Principal, conversation: str, *, now: datetime) -> bool | None:
    """Whether the doctor may see them; None where that is not the customer's to say, or nobody here could see them.
    Raises NotFound."""
    with reading() as session:
        found = session.execute(
            select(Conversation, Booking, Beneficiary)
            .join(Booking, Booking.id == Conversation.booking_id)
            .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
            .where(Conversation.public_id == conversation, Booking.customer_id == principal.id)
        ).one_or_none()
        if found is None or principal.kind != "customer":
            raise NotFound(field=FIELD)
        if found.Conversation.outside or not may_agree(found.Beneficiary, found.Booking.time_zone, now):
            return None
        return found.Conversation.reports_agreed_at is not None


def _record(session: Session, action: str, principal: Principal, booking: Booking, now: datetime) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=booking.public_id,
        insurer_id=booking.insurer_id,
    )
