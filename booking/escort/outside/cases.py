"""What people are told of escorts whom a provider's own system sends: a discrepancy each, once while it is open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.escort.after.awaited import UNPROVED
from booking.feeds.unreadable import record_row
from booking.listening import ESCORTS
from booking.models import Booking
from providers.reported import EscortLine, UnreadableRow

STRANGER, DIFFERS, AFTER_END = "escort_not_named", "escort_line_differs", "escort_after_end"
WRONG_CODE, TWO_AT_ONCE = "escort_wrong_code", "escort_two_at_once"
MISSING, NOT_FETCHED, NOT_READ = "escort_line_missing", "escort_picture_not_fetched", "escort_list_not_read"
CALLED_OFF = "escort_called_off"
"""The kind of the case that a provider gave up an escort shortly before it was to begin."""


def stranger(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """Somebody whom the provider has not named for this time says that she did something: another one may be with the
    person."""
    _open(session, booking, STRANGER, booking.public_id, now, {"seq": seq})


def differs(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """Another line was taken under that number of theirs: the first one stands."""
    _open(session, booking, DIFFERS, _line(booking, seq), now, {"seq": seq})


def after_end(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """Something was said of a booking that is over, and changes nothing of it."""
    facts = {"seq": seq, "ours": booking.state.value}
    _open(session, booking, AFTER_END, booking.public_id, now, facts)


def wrong_code(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """Who says that she has met the person was not shown her code."""
    _open(session, booking, WRONG_CODE, booking.public_id, now, {"seq": seq})


def two_at_once(session: Session, booking: Booking, worker: str, *, now: datetime) -> None:
    """The provider sends one worker (public id) to two services at the same time."""
    _open(session, booking, TWO_AT_ONCE, booking.public_id, now, {"worker": worker})


def called_off(session: Session, booking: Booking, *, now: datetime) -> None:
    """The provider gave it up shortly before it was to begin."""
    _open(session, booking, CALLED_OFF, booking.public_id, now, {})


def unproved(session: Session, booking: Booking, theirs: str, version: int, *, now: datetime) -> None:
    """The provider says how the visit ended, and its lines say otherwise: once of each version of its booking. What a
    person has closed is not asked again each time that the lines are read."""
    known = select(Discrepancy.id).where(
        Discrepancy.provider_id == booking.provider_id,
        Discrepancy.kind == UNPROVED,
        Discrepancy.subject == booking.public_id,
        Discrepancy.facts.contains({"theirs": theirs, "version": version}),
    )
    if session.scalar(known.limit(1)) is None:
        facts = {"theirs": theirs, "ours": booking.state.value, "version": version}
        _open(session, booking, UNPROVED, booking.public_id, now, facts)


def proved(session: Session, booking: Booking, *, now: datetime) -> None:
    """Its lines say so too, now."""
    close_discrepancy(session, booking.provider_id, UNPROVED, booking.public_id, "told", now=now)


def missing(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """The list has later lines, and not this one."""
    _open(session, booking, MISSING, _line(booking, seq), now, {"seq": seq})


def not_fetched_since(session: Session, booking: Booking, seq: int, *, now: datetime) -> datetime:
    """The picture of a line does not come; since when."""
    _open(session, booking, NOT_FETCHED, _line(booking, seq), now, {"seq": seq})
    since = _since(session, booking, NOT_FETCHED, _line(booking, seq))
    return now if since is None else since


def not_read(session: Session, booking: Booking, *, now: datetime) -> None:
    """The lines of this booking can't be read, and those of others can."""
    _open(session, booking, NOT_READ, booking.public_id, now, {})


def not_read_since(session: Session, booking: Booking) -> datetime | None:
    """Since when that is so; None where it is not."""
    return _since(session, booking, NOT_READ, booking.public_id)


def is_read(session: Session, booking: Booking, *, now: datetime) -> None:
    """They could be read."""
    close_discrepancy(session, booking.provider_id, NOT_READ, booking.public_id, "read", now=now)


def came(session: Session, booking: Booking, seq: int, *, now: datetime) -> None:
    """The line was taken, whatever held it up before."""
    for kind in (MISSING, NOT_FETCHED):
        close_discrepancy(session, booking.provider_id, kind, _line(booking, seq), "taken", now=now)


def unreadable(session: Session, booking: Booking, line: EscortLine, reason: str, *, now: datetime) -> None:
    """A line that was delivered well, and may not be stored: what is delivered of it here are its names."""
    named = json.dumps({"id": line.id, "seq": line.seq, "escort": line.escort}, sort_keys=True)
    digest = hashlib.sha256(named.encode()).hexdigest()
    row = UnreadableRow(reason, named.encode(), digest, line.reference, booking.public_id, line.seq)
    record_row(session, booking.provider_id, ESCORTS, row, now=now)


def _open(session: Session, booking: Booking, kind: str, subject: str, now: datetime, facts: Mapping[str, Any]) -> bool:
    return open_discrepancy(session, booking.provider_id, kind, subject, now=now, booking_id=booking.id, facts=facts)


def _since(session: Session, booking: Booking, kind: str, subject: str) -> datetime | None:
    return session.scalar(
        select(Discrepancy.opened_at).where(
            Discrepancy.provider_id == booking.provider_id,
            Discrepancy.kind == kind,
            Discrepancy.subject == subject,
            Discrepancy.closed_at.is_(None),
        )
    )


def _line(booking: Booking, seq: int) -> str:
    return f"{booking.public_id}:{seq}"
