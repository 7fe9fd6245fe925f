"""Applying what a provider says: the answer to a command, a look-up, a message and a poll all come through here.

What it reports by itself is applied only when it is newer than the last. Only what it reports of the provider booking
that is `current` moves ours.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange import replacement
from booking.exchange.answered import ANSWERED
from booking.exchange.evidence import UNSETTLED, Evidence, Outcome, Result, Source
from booking.exchange.follow import follow_kept_no_show, follow_state, follow_time
from booking.exchange.old_date import put_aside
from booking.exchange.proposed_times import follow_proposal
from booking.exchange.provider_bookings import ProviderBookings, find_booking
from booking.models import Booking
from booking.outbox import finish, lock_unfinished
from booking.references import named
from booking.states import DEAD, BookingState
from booking.transition import lock_booking
from providers.reported import RemoteBooking


def apply_remote(
    session: Session, provider_id: int, remote: RemoteBooking, *, now: datetime, source: Source = "message"
) -> Outcome:
    """Apply what a provider reports by itself of one of its bookings, in the caller's transaction. What we never asked
    it for (a hold, another customer's number) is a discrepancy while it lives."""
    booking_id = find_booking(session, provider_id, remote)
    booking = None if booking_id is None else lock_booking(session, booking_id)[0]
    ours = remote.our_reference
    asked = booking is not None and booking.state is not BookingState.HELD
    if booking is not None and asked and (ours in (None, booking.public_id) or named(ours)[0] == booking.public_id):
        return Outcome(apply_evidence(session, booking, Evidence(source, remote), now).value, booking.public_id)
    if remote.status not in DEAD:
        facts = {"status": remote.status, "our_reference": remote.our_reference or ""}
        open_discrepancy(session, provider_id, "theirs_only", remote.reference, now=now, facts=facts)
    return Outcome("unmatched", None if booking is None else booking.public_id)


def apply_evidence(session: Session, booking: Booking, evidence: Evidence, now: datetime) -> Result:
    """Apply one piece of evidence to the locked booking, in the caller's transaction: record what exists at the
    provider, end the command that is answered, and move the booking to the time and the state that are reported. Never
    CURRENT: what is was followed, and that is APPLIED."""
    theirs = ProviderBookings(session, booking)
    there, task = evidence.there, evidence.task
    known = None if there is None else theirs.known(there.reference)
    newest = 0 if known is None else known.version
    apply = reported if task is None else ANSWERED[task.command]
    result = apply(session, booking, theirs, evidence, now)
    if there is not None and result is Result.CURRENT:
        follow_time(session, booking, there, now)
        follow_state(session, booking, theirs, there, now)
        if evidence.source != "answer" and there.version >= newest:  # an answer carries no proposals
            follow_proposal(session, booking, there, now)
        result = Result.APPLIED
    if task is not None and result not in UNSETTLED:
        follow_kept_no_show(session, booking, theirs, task, now)
        no_longer_unknown(session, booking, booking.state.value, now)
    return result


def reported(session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime) -> Result:
    """What the provider reports by itself: CURRENT if it moves our booking, else what became of it."""
    there = evidence.there
    known = None if there is None else theirs.known(there.reference)
    if there is None or (known is not None and there.version <= known.version):
        return Result.UNCHANGED
    role = None
    if there.our_reference not in (None, booking.public_id):  # the number of a change
        role = replacement.role_of_new(session, booking, theirs, there)
    row = theirs.record(there, now, ours=there.our_reference, role=role)
    if row.role == "pending":
        replacement.reported(session, booking, theirs, there, now)
    if row.role == "current":
        for task in lock_unfinished(session, booking.id):
            if task.command == "reserve" and there.status != "requested":  # this is its answer, which is still missing
                finish(task, "refused" if there.status == "rejected" else "done", now=now)
                no_longer_unknown(session, booking, there.status, now)
        return Result.CURRENT
    if row.role != "pending":
        return put_aside(session, booking, theirs, there, now)
    return Result.APPLIED


def no_longer_unknown(session: Session, booking: Booking, resolution: str, now: datetime) -> None:
    """Close the discrepancy for an outcome that was unknown for too long, with what explained it."""
    close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, resolution, now=now)
