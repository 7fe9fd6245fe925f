"""What a provider tells of other times: a proposal comes, changes, or is taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.models import Booking, Slot
from booking.notices.notify import notify
from booking.proposal import Proposal, end_proposal, open_proposal
from booking.states import CANCELLABLE, SUBMITTED, BookingState
from booking.transition import note
from marketplace.catalog.models import Offer
from marketplace.core.ids import new_id
from providers.port import Proposed, RemoteBooking


def follow_proposal(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """Follow the proposal of a message about the locked booking that is newer than the last: note a new one and tell
    the customer, or end the known one that it no longer carries. One that was answered is not opened again."""
    told, known = remote.proposal, open_proposal(session, booking)
    if known is not None and told is not None and _same(known, told):
        return
    wanted = told is not None and _can_be_answered(booking, remote, told, now) and not _answered(session, booking, told)
    if known is not None:
        end_proposal(session, booking, "withdrawn", now=now)
        if not wanted:
            actor = provider_actor(session, booking)
            note(session, booking, actor=actor, now=now, cause="proposal_withdrawn", facts={})
    if told is not None and wanted:
        _open(session, booking, told, now)


def _open(session: Session, booking: Booking, told: Proposed, now: datetime) -> None:
    slot_id = session.scalar(
        select(Slot.id)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Offer.id == booking.offer_id, Slot.external_ref == told.slot)
    )
    proposal = Proposal(
        public_id=new_id("prp"),
        booking_id=booking.id,
        slot_id=slot_id,
        slot_ref=told.slot,
        service_date=told.service_date,
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        expires_at=told.expires_at,
        reason=told.reason,
        made_at=now,
    )
    session.add(proposal)
    session.flush()
    if booking.state is BookingState.AWAITING_PROVIDER:  # the provider has answered; now it is the customer's turn
        booking.answer_due_at = max(booking.answer_due_at or told.expires_at, told.expires_at)
    starts_at = told.starts_at.isoformat() if told.starts_at else None
    facts = {"new_day": told.service_date.isoformat(), "new_starts_at": starts_at}
    note(session, booking, actor=provider_actor(session, booking), now=now, cause="time_proposed", facts=facts)
    facts["until"] = told.expires_at.isoformat()
    notify(
        session, booking.customer_id, "time_proposed", proposal.public_id, now=now, booking_id=booking.id, facts=facts
    )


def _can_be_answered(booking: Booking, remote: RemoteBooking, told: Proposed, now: datetime) -> bool:
    return (
        booking.state in SUBMITTED
        and remote.status in CANCELLABLE
        and told.expires_at > now
        and (told.service_date, told.starts_at) != (booking.service_date, booking.starts_at)
    )


def _same(proposal: Proposal, told: Proposed) -> bool:
    ours = (proposal.slot_ref, proposal.service_date, proposal.starts_at, proposal.expires_at)
    return ours == (told.slot, told.service_date, told.starts_at, told.expires_at)


def _answered(session: Session, booking: Booking, told: Proposed) -> bool:
    """Whether this very proposal was answered before: the provider may not have heard of it yet."""
    ended = session.scalars(
        select(Proposal).where(
            Proposal.booking_id == booking.id, Proposal.state.in_(("accepted", "declined", "lapsed"))
        )
    )
    return any(_same(each, told) for each in ended)
