"""Repairs by whoever runs the installation: of strays, which belong to no insurer where there are several."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.discrepancies import Discrepancy
from booking.reconcile.offered_repairs import STRAY, Action
from booking.reconcile.repair_actions import Work, carry_out, check_note
from booking.reconcile.strays import request_cancel
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from vip.accounts import COMMAND

BY_COMMAND = Actor("system", COMMAND)


def cancel_stray_by_command(case_id: str, *, now: datetime) -> bool:
    """Have a stray cancelled there, for who runs the installation. False if that is on its way. Audited. Raises
    NotFound, also for a case that is closed or about a booking of ours."""
    with transaction() as session:
        case = _lock_open_stray(session, case_id)
        queued = request_cancel(session, case, BY_COMMAND, now=now)
        if queued:
            _record_by_command(session, case, "cancel_there", now)
        return queued


def explain_stray_by_command(case_id: str, note: str, *, now: datetime) -> None:
    """Close the case of a stray with a note, for who runs the installation. Audited. Raises NotFound, also for a case
    that is closed or about a booking of ours, and Invalid(field="note")."""
    check_note(note)
    with transaction() as session:
        case = _lock_open_stray(session, case_id)
        carry_out("note", Work(session, case, None, [], BY_COMMAND, now, note))
        _record_by_command(session, case, "note", now)


def _lock_open_stray(session: Session, case_id: str) -> Discrepancy:
    case = session.scalar(
        select(Discrepancy)
        .where(
            Discrepancy.public_id == case_id,
            Discrepancy.kind == STRAY,
            Discrepancy.booking_id.is_(None),
            Discrepancy.closed_at.is_(None),
        )
        .with_for_update()
    )
    if case is None:
        raise NotFound(field="case_id")
    return case


def _record_by_command(session: Session, case: Discrepancy, action: Action, now: datetime) -> None:
    audit.record(
        session,
        "difference.repaired",
        at=now,
        actor_kind=BY_COMMAND.kind,
        actor=BY_COMMAND.id,
        subject=case.public_id,
        repair=action,
    )
