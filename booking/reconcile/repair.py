"""Repairing a discrepancy, one click each, by whoever may see it (`find_case`).

Every repair checks the booking again under its lock, is recorded in the audit and reaches the provider through the
outbox. Repeating a repair changes nothing. Which are offered is in offered_repairs.py, what each does in
repair_actions.py.
"""

from __future__ import annotations

from datetime import datetime

from booking.actors import actor_of
from booking.discrepancies import Discrepancy
from booking.reconcile.cases import find_case
from booking.reconcile.offered_repairs import ACTIONS, as_case, offered
from booking.reconcile.repair_actions import NO_MORE, NotThisRepair, Repairs, Work, carry_out, check_note
from booking.reconcile.strays import being_cancelled
from booking.transition import lock_booking
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger
from vip.principal import Principal

log = get_logger(__name__)


def repair(
    principal: Principal, case_id: str, action: str, *, note: str = "", now: datetime, more: Repairs = NO_MORE
) -> None:
    """Carry out one repair; `more`: those that rooms above this one bring. Nothing happens if the discrepancy is
    closed, or the same command is on its way, already.

    Raises NotFound, NotThisRepair, CaseMovedOn, NoSuchTime, Invalid(field="note"), and what a swap refuses.
    """
    if action not in ACTIONS:
        raise NotThisRepair()
    if action == "note":
        check_note(note)
    found = find_case(principal, case_id)
    with transaction() as session:
        booking, tasks = lock_booking(session, found.booking_id) if found.booking_id is not None else (None, [])
        case = session.get_one(Discrepancy, found.id, with_for_update=True, populate_existing=True)
        if case.closed_at is not None:
            return
        if action not in offered(as_case(session, case, booking), now=now):
            raise NotThisRepair()
        if action == "cancel_there" and booking is None and being_cancelled(session, case):
            return
        carry_out(action, Work(session, case, booking, tasks, actor_of(principal), now, note), more)
        audit.record(
            session,
            "difference.repaired",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=case.public_id,
            insurer_id=principal.insurer_id,
            repair=action,
            booking=booking.public_id if booking is not None else "",
        )
    log.info("difference.repaired", case=case_id, repair=action)
