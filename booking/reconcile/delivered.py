"""Reading what a provider delivered of a row that could not be used."""

from __future__ import annotations

from datetime import datetime

from booking.discrepancies import Discrepancy
from booking.feeds.unreadable import open_delivered
from booking.reconcile.cases import find_case
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from vip.principal import Principal

READ = "difference.delivered_read"


def read_delivered(principal: Principal, case_id: str, *, now: datetime) -> str:
    """The row as it was delivered, at most 16 KiB of it; the audit records that it was read. It may hold anything, a
    person's data too. Raises NotFound, also when it is not stored any more."""
    found = find_case(principal, case_id)
    with transaction() as session:
        delivered = open_delivered(session, session.get_one(Discrepancy, found.id))
        if delivered is None:
            raise NotFound()
        audit.record(
            session,
            READ,
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=found.public_id,
            insurer_id=principal.insurer_id,
        )
    return delivered
