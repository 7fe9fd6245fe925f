"""What a provider says of other times: a proposal comes, changes, or is withdrawn."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.eligibility.entitled import is_open
from booking.models import Booking, Slot
from booking.notices.notify import notify
from booking.pledges.request import end_request
from booking.proposal import EXPIRED, Proposal, end_proposal, open_proposal
from booking.states import CANCELLABLE, SUBMITTED, BookingState
from booking.transition import write_history
from marketplace.catalog.models import Offer
from marketplace.core.ids import new_id
from providers.reported import Proposed, RemoteBooking


def follow_proposal(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """Follow the proposal of a message about the locked booking that is newer than the last: record a new one and
    notify the customer, or end the known one if the message no longer carries it. One that was answered is not opened
    again, nor is one of a day on which its venue is closed opened at all."""
    proposed, known = remote.proposal, open_proposal(session, booking)
    unchanged = known is not None and proposed is not None and _same(known, proposed)
    new = (
        proposed is not None
        and not unchanged
        and _can_be_answered(booking, remote, proposed, now)
        and is_open(session, booking.venue_id, proposed.service_date)
        and not _answered(session, booking, proposed)
    )
    if known is not None and not unchanged:
        end_proposal(session, booking, "withdrawn", now=now)
        if not new:
            actor = provider_actor(session, booking)
            write_history(session, booking, actor=actor, now=now, cause="proposal_withdrawn")
    if proposed is not None and new:
        _open(session, booking, proposed, now)


def _open(session: Session, booking: Booking, proposed: Proposed, now: datetime) -> None:
    slot_id = session.scalar(
        select(Slot.id)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Offer.id == booking.offer_id, Slot.external_ref == proposed.slot)
    )
    proposal = Proposal(
        public_id=new_id("prp"),
        booking_id=booking.id,
        slot_id=slot_id,
        slot_ref=proposed.slot,
        service_date=proposed.service_date,
        starts_at=proposed.starts_at,
        ends_at=proposed.ends_at,
        expires_at=proposed.expires_at,
        reason=proposed.reason,
        made_at=now,
    )
    session.add(proposal)
    session.flush()
    if booking.state is BookingState.AWAITING_PROVIDER:  # the provider has answered; now the customer is asked
        booking.answer_due_at = max(booking.answer_due_at or proposed.expires_at, proposed.expires_at)
        end_request(session, booking, actor=provider_actor(session, booking), now=now)
    starts_at = proposed.starts_at.isoformat() if proposed.starts_at else None
    facts = {"new_day": proposed.service_date.isoformat(), "new_starts_at": starts_at}
    actor = provider_actor(session, booking)
    write_history(session, booking, actor=actor, now=now, cause="time_proposed", facts=facts)
    facts["until"] = proposed.expires_at.isoformat()
    notify(
        session, booking.customer_id, "time_proposed", proposal.public_id, now=now, booking_id=booking.id, facts=facts
    )


def _can_be_answered(booking: Booking, remote: RemoteBooking, proposed: Proposed, now: datetime) -> bool:
    return (
        booking.state in SUBMITTED
        and remote.status in CANCELLABLE
        and proposed.expires_at > now
        and (proposed.service_date, proposed.starts_at) != (booking.service_date, booking.starts_at)
    )


def _same(proposal: Proposal, proposed: Proposed) -> bool:
    ours = (proposal.slot_ref, proposal.service_date, proposal.starts_at, proposal.expires_at)
    return ours == (proposed.slot, proposed.service_date, proposed.starts_at, proposed.expires_at)


def _answered(session: Session, booking: Booking, proposed: Proposed) -> bool:
    """Whether this very proposal was answered before: the provider may not have heard of it yet."""
    ended = session.scalars(
        select(Proposal).where(Proposal.booking_id == booking.id, Proposal.state.in_(("accepted", "declined", EXPIRED)))
    )
    return any(_same(each, proposed) for each in ended)
