"""How a visit ended by the status in the provider's own system, held against its lines.

The lines say what was done; a status alone ends nothing. One that goes further than they do is a case for a person, and
the customer is asked, as after every escort.
"""

from __future__ import annotations

from sqlalchemy import select

from booking.actors import provider_actor
from booking.attendance.complained import is_complained
from booking.attendance.early import too_early
from booking.attendance.given_up import given_up_in_time
from booking.changes.requests import open_cancel
from booking.escort.after.lost import stood_there
from booking.escort.evidence.counting import WITH_THE_PERSON
from booking.escort.outside import cases
from booking.escort.outside.visit import Proof, Visit, proof_of
from booking.exchange.follow import go_to
from booking.listening import has_gaps
from booking.models import Booking, ProviderBooking
from booking.states import BEGUN, BookingState
from marketplace.core.clock import start_of

_S = BookingState
_OPEN = (_S.CONFIRMED, *sorted(BEGUN))
HANDED_OVER = "handed_over"


def follow_status(visit: Visit) -> None:
    """Hold what the provider's system says of the end against the lines, which were just read to their end.

    Done: where a hand-over stands and the person had shown her code, that is the end, as a signature is of our own
    workers; with a hand-over alone the customer is asked. Without one, or where nobody met her, it is a case besides.
    Not come: that is so where somebody stood there and met nobody, and each line could be used; else it is a case, and
    the clock decides."""
    session, booking, now = visit.session, visit.booking, visit.at
    there = session.get_one(ProviderBooking, visit.row.provider_booking_id)
    if there.version <= visit.row.status_version or booking.state not in _OPEN:
        return
    if there.status != "fulfilled":
        visit.row.over_at = None  # it has taken that back
    if there.status not in ("fulfilled", "no_show") or open_cancel(session, booking) is not None:
        return
    if too_early(there.status, booking.service_date, booking.starts_at, booking.time_zone, now):
        return
    proof = proof_of(session, booking)
    if there.status == "fulfilled":
        _done(visit, proof, there.version)
    else:
        _not_come(visit, proof, there.version)


def _done(visit: Visit, proof: Proof, version: int) -> None:
    session, booking, now = visit.session, visit.booking, visit.at
    begins = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    if visit.row.over_at is None or visit.row.over_at < begins:
        visit.row.over_at = now
    session.flush()
    if HANDED_OVER not in proof.kinds or not proof.kinds & WITH_THE_PERSON:
        cases.unproved(session, booking, "fulfilled", version, now=now)
        return
    cases.proved(session, booking, now=now)
    if proof.by_code:
        visit.row.status_version = version
        go_to(session, booking, _S.FULFILLED, provider_actor(session, booking), "", now)


def _not_come(visit: Visit, proof: Proof, version: int) -> None:
    session, booking, now = visit.session, visit.booking, visit.at
    if given_up_in_time(session, booking, booking.service_date, booking.starts_at):
        return  # as every no-show there: it waits for the answer to the change
    arrived = session.scalar(select(stood_there().exists()).where(Booking.id == booking.id))
    met = proof.kinds & WITH_THE_PERSON
    if arrived and not met and not is_complained(session, booking) and not has_gaps(session, booking):
        visit.row.status_version = version
        cases.proved(session, booking, now=now)
        go_to(session, booking, _S.NO_SHOW, provider_actor(session, booking), "", now)
    else:
        cases.unproved(session, booking, "no_show", version, now=now)
