"""Applying what a provider says: the answer to a command, a look-up, a message and a poll all come through here.

What it reports by itself is applied only when it is newer than the last. Only what it reports of the provider booking
that is `current` moves ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange import replacement
from booking.exchange.answered import ANSWERED
from booking.exchange.evidence import UNSETTLED, Evidence, Outcome, Result
from booking.exchange.follow import follow_kept_no_show, follow_state, follow_time
from booking.exchange.old_date import put_aside
from booking.exchange.proposed_times import follow_proposal
from booking.exchange.provider_bookings import ProviderBookings, find_booking
from booking.models import Booking, ProviderTask
from booking.outbox import finish
from booking.references import named
from booking.states import DEAD, BookingState
from booking.transition import lock_booking
from providers.reported import RemoteBooking


def apply_remote(session: Session, provider_id: int, remote: RemoteBooking, *, now: datetime) -> Outcome:
    """Apply what a provider reports by itself of one of its bookings, in the caller's transaction. What we never asked
    it for (a hold, another customer's number) is a discrepancy while it lives."""
    booking_id = find_booking(session, provider_id, remote)
    booking, unfinished = (None, []) if booking_id is None else lock_booking(session, booking_id)
    ours = remote.our_reference
    asked = booking is not None and booking.state is not BookingState.HELD
    if booking is not None and asked and (ours in (None, booking.public_id) or named(ours)[0] == booking.public_id):
        return Outcome(_apply_report(session, booking, unfinished, remote, now).value, booking.public_id)
    if remote.status not in DEAD and not remote.for_test:
        facts = {"status": remote.status, "our_reference": remote.our_reference or ""}
        open_discrepancy(session, provider_id, "theirs_only", remote.reference, now=now, facts=facts)
    return Outcome("unmatched", None if booking is None else booking.public_id)


def apply_evidence(session: Session, booking: Booking, evidence: Evidence, now: datetime) -> Result:
    """Apply what the provider says of a command to the locked booking, in the caller's transaction: record what exists
    there, end the command, and move the booking to the time and the state that are reported. Never CURRENT: what is was
    followed, and that is APPLIED."""
    theirs = ProviderBookings(session, booking)
    there, task = evidence.there, evidence.task
    known = None if there is None else theirs.known(there.reference)
    newest = 0 if known is None else known.version
    result = ANSWERED[task.command](session, booking, theirs, evidence, now)
    if there is not None and result is Result.CURRENT:
        follow_time(session, booking, there, now)
        follow_state(session, booking, theirs, there, now)
        if evidence.source == "look_up" and there.version >= newest:  # an answer carries no proposal
            follow_proposal(session, booking, there, now)
        result = Result.APPLIED
    if result not in UNSETTLED:
        follow_kept_no_show(session, booking, theirs, task, now)
        no_longer_unknown(session, booking, booking.state.value, now)
    return result


def _apply_report(
    session: Session, booking: Booking, unfinished: Sequence[ProviderTask], there: RemoteBooking, now: datetime
) -> Result:
    """Apply what the provider reports by itself, if it is newer than the last, to the locked booking with its
    unfinished commands."""
    theirs = ProviderBookings(session, booking)
    known = theirs.known(there.reference)
    if known is not None and there.version <= known.version:
        return Result.UNCHANGED
    role = None
    if there.our_reference not in (None, booking.public_id):  # the number of a change
        role = replacement.role_of_new(session, booking, theirs, there)
    row = theirs.record(there, now, ours=there.our_reference, role=role)
    if row.role == "pending":
        replacement.reported(session, booking, theirs, there, now)
    if row.role == "current":
        result = Result.CURRENT
        for task in unfinished:
            if task.command == "reserve" and there.status != "requested":  # this is the answer to it
                finish(task, "refused" if there.status == "rejected" else "done", now=now)
                no_longer_unknown(session, booking, there.status, now)
    elif row.role == "pending":  # it still waits
        result = Result.APPLIED
    else:
        result = put_aside(session, booking, theirs, there, now)
    if result is Result.CURRENT:
        follow_time(session, booking, there, now)
        follow_state(session, booking, theirs, there, now)
        follow_proposal(session, booking, there, now)
        result = Result.APPLIED
    return result


def no_longer_unknown(session: Session, booking: Booking, resolution: str, now: datetime) -> None:
    """Close the discrepancy for an outcome that was unknown for too long, with what explained it."""
    close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, resolution, now=now)
