"""A command for a test booking that a fault strikes: its answer is thrown away, or it is sent twice under its key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from booking.calls.connections import ProviderConnection
from booking.faults import strike
from booking.faults.kinds import Kind
from booking.faults.strike import Armed
from booking.models import Booking
from booking.outbox import Claimed
from marketplace.core.database.db import reading
from providers.port import Accepted, Answer, Confirmed, Refused, Unknown
from providers.reported import RemoteBooking


def armed_for(provider: ProviderConnection, claimed: Claimed) -> Armed | None:
    """The fault that strikes this command, a reserve: there the booking begins. None where the provider answers in our
    own books: its program is struck as it calls us. While no rehearsal is under way this asks nothing of the
    database."""
    if provider.answers_here or claimed.command != "reserve" or not strike.rehearsing(provider.id):
        return None
    with reading() as session:
        booking = session.scalars(select(Booking.public_id).where(Booking.id == claimed.booking_id)).one()
    return strike.fault_of(provider.id, booking)


def send_struck(armed: Armed, send: Callable[[], Answer], clock: Callable[[], datetime]) -> Answer:
    """Send it as the fault has it; the answer that is to be settled."""
    answer = send()
    strike.note(armed, "partner", "command_answered", {"answer": _told(answer)}, now=clock())
    if armed.kind is Kind.DUPLICATE:
        answer = send()
        strike.note(armed, "partner", "command_answered", {"answer": _told(answer)}, now=clock())
    if armed.kind is Kind.LOST_ANSWER and isinstance(answer, Accepted | Confirmed) and strike.take(armed, now=clock()):
        strike.note(armed, "us", "answer_lost", {}, now=clock())
        return Unknown("rehearsal: the answer was thrown away")
    return answer


def note_look_up(armed: Armed, found: Answer | RemoteBooking, *, now: datetime) -> None:
    """Note what a look-up found."""
    strike.note(armed, "partner", "looked_up", {"found": isinstance(found, RemoteBooking)}, now=now)


def _told(answer: Answer) -> str:
    """What an answer comes to, to be compared: of a reference the beginning of its hash."""
    if isinstance(answer, Accepted | Confirmed):
        return hashlib.sha256(answer.reference.encode()).hexdigest()[:12]
    return f"refused: {answer.code}" if isinstance(answer, Refused) else type(answer).__name__
