"""What operators are told of outside consultations: a discrepancy each, once while it is open."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.feeds.unreadable import record_row
from booking.models import Booking
from providers.reported import RemoteMessage, UnreadableRow
from providers.staff.models import OutsideClinician

CONSULTATIONS = "consultations"
"""What rows that can't be read are rows of."""
STRANGER, NOT_VERIFIED = "clinician_unknown", "clinician_not_verified"
DIFFERS, AFTER_END, MISSING = "line_differs", "line_after_end", "line_missing"
NOT_FETCHED, ENDED = "picture_not_fetched", "ended_without_answer"
NOT_READ = "list_not_read"


def stranger(session: Session, booking: Booking, code: str, *, now: datetime) -> None:
    """Somebody speaks whom the roster does not name; about the name that the provider gives her."""
    open_discrepancy(session, booking.provider_id, STRANGER, code, now=now, booking_id=booking.id)


def not_verified(session: Session, booking: Booking, who: OutsideClinician, *, now: datetime) -> None:
    """A doctor has answered a patient who may not read it before somebody has compared the doctor with the register."""
    provider, subject = booking.provider_id, who.public_id
    close_discrepancy(session, provider, STRANGER, who.code, "listed", now=now)
    facts = {"clinician": who.public_id}
    open_discrepancy(session, provider, NOT_VERIFIED, subject, now=now, booking_id=booking.id, facts=facts)


def speaks(session: Session, provider_id: int, who: OutsideClinician, *, now: datetime) -> None:
    """Her words are taken: whatever hindered them is over."""
    close_discrepancy(session, provider_id, STRANGER, who.code, "listed", now=now)
    close_discrepancy(session, provider_id, NOT_VERIFIED, who.public_id, "verified", now=now)


def differs(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """Another line was taken under that number of theirs: the first one stands."""
    _about(session, booking, DIFFERS, seq, now)


def after_end(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """A doctor wrote after the end."""
    _about(session, booking, AFTER_END, seq, now)


def missing(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """The list has later lines, and not this one."""
    _about(session, booking, MISSING, seq, now)


def ended_without_answer(session: Session, booking: Booking, *, now: datetime) -> None:
    """For the provider it is done, and nobody has answered the patient."""
    facts = {"theirs": "fulfilled", "ours": booking.state.value}
    open_discrepancy(
        session, booking.provider_id, ENDED, booking.public_id, now=now, booking_id=booking.id, facts=facts
    )


def not_fetched_since(session: Session, booking: Booking, seq: int, *, now: datetime) -> datetime:
    """The picture of a line does not come; since when."""
    _about(session, booking, NOT_FETCHED, seq, now)
    return session.scalars(
        select(Discrepancy.opened_at).where(
            Discrepancy.provider_id == booking.provider_id,
            Discrepancy.kind == NOT_FETCHED,
            Discrepancy.subject == _subject(booking, seq),
            Discrepancy.closed_at.is_(None),
        )
    ).one()


def not_read(session: Session, booking: Booking, *, now: datetime) -> None:
    """The list of this consultation can't be read, and those of others can."""
    open_discrepancy(session, booking.provider_id, NOT_READ, booking.public_id, now=now, booking_id=booking.id)


def not_read_since(session: Session, booking: Booking) -> datetime | None:
    """Since when that is so; None where it is not."""
    return session.scalars(
        select(Discrepancy.opened_at).where(
            Discrepancy.provider_id == booking.provider_id,
            Discrepancy.kind == NOT_READ,
            Discrepancy.subject == booking.public_id,
            Discrepancy.closed_at.is_(None),
        )
    ).one_or_none()


def is_read(session: Session, booking: Booking, *, now: datetime) -> None:
    """The list could be read."""
    close_discrepancy(session, booking.provider_id, NOT_READ, booking.public_id, "read", now=now)


def came(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """The line was taken, whatever was wrong with it before."""
    for kind in (AFTER_END, MISSING, NOT_FETCHED):
        close_discrepancy(session, booking.provider_id, kind, _subject(booking, seq), "taken", now=now)


def unreadable(session: Session, booking: Booking, line: RemoteMessage, reason: str, *, now: datetime) -> None:
    """A line that was delivered well, and may not be stored: what is delivered of it here are its names."""
    named = json.dumps({"id": line.id, "seq": line.seq, "clinician": line.clinician}, sort_keys=True)
    digest = hashlib.sha256(named.encode()).hexdigest()
    row = UnreadableRow(reason, named.encode(), digest, line.reference, booking.public_id)
    record_row(session, booking.provider_id, CONSULTATIONS, row, now=now)


def _about(session: Session, booking: Booking, kind: str, seq: int, now: datetime) -> None:
    subject, facts = _subject(booking, seq), {"seq": seq}
    open_discrepancy(session, booking.provider_id, kind, subject, now=now, booking_id=booking.id, facts=facts)


def _subject(booking: Booking, seq: int) -> str:
    return f"{booking.public_id}:{seq}"
