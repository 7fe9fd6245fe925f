"""Papers and receipts of an escort, opened one by one. The audit records each look."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from booking.escort.evidence.pictures import picture_of
from booking.escort.shown.own import own_escort
from booking.models import Booking
from marketplace.core import audit
from marketplace.core.database.db import transaction
from vip.customers.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal

VIEWED = "escort.paper_viewed"


def paper(principal: Principal, booking: str, picture: str, *, now: datetime) -> bytes:
    """A paper or a receipt (public id of its picture) of the customer's own escort: JPEG. It may be a result: of an
    adult it is shown once she has agreed to that, as her reports are. Raises NotFound, ConsentMissing, and Unreadable
    once its key was destroyed."""
    with transaction() as session:
        row = own_escort(session, principal, booking)
        if not session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == row.id)):
            raise ConsentMissing(beneficiary_id=session.get_one(Beneficiary, row.beneficiary_id).public_id)
        content = picture_of(session, row.id, picture)
        audit.record(
            session,
            VIEWED,
            at=now,
            actor_kind=principal.kind,
            actor=principal.public_id,
            subject=row.public_id,
            insurer_id=row.insurer_id,
            picture=picture,
        )
    return content
