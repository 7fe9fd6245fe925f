"""A customer's answer to a provider's proposal of another time: accept or decline it.

Accepting requests the change as any other (`reschedule.ask_for`), but caused by the provider: it does not count as one
of the customer's changes and needs no change window. A booking that was not confirmed yet is confirmed at the new time
by the answer to that change. Declining leaves a confirmed booking at its date and notifies the provider; a booking that
was not confirmed is cancelled and its unit given back. A proposal that is not answered in time expires, as if declined.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import CLOCK, Actor, provider_actor
from booking.changes.cancel import begin_cancel
from booking.changes.reschedule import ask_for, check_changeable
from booking.deadlines import before_start
from booking.idempotency import Repeatable, first_time
from booking.models import Booking, ProviderTask, Slot
from booking.outbox import enqueue
from booking.ownership import own_booking_id
from booking.proposal import EXPIRED, PROPOSAL_ACCEPTED, End, Proposal, end_proposal
from booking.refusals import SlotClosed, SlotMoved
from booking.states import MOVABLE, BookingState
from booking.transition import lock_booking, write_history
from marketplace.catalog.models import Offer, Provider
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from vip.principal import Principal

log = get_logger(__name__)
_S = BookingState


class ProposalOver(Refusal):
    """The proposal can no longer be answered. Facts: `state`, whether it was answered, withdrawn or has expired."""

    code = "proposal_over"


def accept(
    principal: Principal, public_id: str, proposal_id: str, *, now: datetime, repeat: Repeatable | None = None
) -> None:
    """Accept the proposed time: take its place and ask the provider to move the booking there.

    With `repeat`, a request that was carried out before changes nothing. Accepting again changes nothing. Raises
    NotFound, ProposalOver, NotChangeable (something else is asked of the provider), IdempotencyKeyReused, SlotMoved
    and what `reschedule.ask_for` raises; after any of them booking and proposal are unchanged.
    """
    with transaction() as session:
        booking_id = own_booking_id(session, principal, public_id)
        if repeat is not None and not first_time(session, repeat, public_id, now=now):
            return
        booking, tasks = lock_booking(session, booking_id)
        proposal = _proposal(session, booking, proposal_id)
        if proposal.state == "accepted":
            return
        _check_open(proposal, now)
        check_changeable(session, booking, MOVABLE)
        slot = _slot(session, booking, proposal)
        end_proposal(session, booking, "accepted", now=now)
        actor = provider_actor(session, booking)
        # The provider chose that time for her: those who wait do not come first.
        ask_for(session, booking, tasks, slot, actor=actor, now=now, cause=PROPOSAL_ACCEPTED, in_line=True)
        _await_answer(session, booking, slot, now)
    log.info("booking.proposal_accepted", booking=public_id)


def decline(
    principal: Principal, public_id: str, proposal_id: str, *, now: datetime, repeat: Repeatable | None = None
) -> None:
    """Decline the proposed time. Declining again changes nothing.

    Raises NotFound, ProposalOver, IdempotencyKeyReused.
    """
    with transaction() as session:
        booking_id = own_booking_id(session, principal, public_id)
        if repeat is not None and not first_time(session, repeat, public_id, now=now):
            return
        booking, tasks = lock_booking(session, booking_id)
        proposal = _proposal(session, booking, proposal_id)
        if proposal.state == "declined":
            return
        _check_open(proposal, now)
        _decline(session, booking, tasks, proposal, "declined", Actor("customer", principal.public_id), now)
    log.info("booking.proposal_declined", booking=public_id)


def expire_proposals(*, now: datetime, limit: int = 100) -> int:
    """Expire the proposals that were not answered in time, one transaction each. Returns how many."""
    with reading() as session:
        due = session.execute(
            select(Proposal.id, Proposal.booking_id)
            .where(Proposal.state == "open", Proposal.expires_at <= now)
            .order_by(Proposal.expires_at)
            .limit(limit)
        ).all()
    return one_by_one("proposals", due, lambda row: _expire(row.id, row.booking_id, now))["expired"]


def _expire(proposal_id: int, booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        proposal = session.get_one(Proposal, proposal_id, populate_existing=True)
        if proposal.state != "open":
            return "moved_on"
        _decline(session, booking, tasks, proposal, EXPIRED, CLOCK, now)
    return "expired"


def _decline(
    session: Session,
    booking: Booking,
    tasks: list[ProviderTask],
    proposal: Proposal,
    how: End,
    actor: Actor,
    now: datetime,
) -> None:
    end_proposal(session, booking, how, now=now)
    write_history(session, booking, actor=actor, now=now, cause=f"proposal_{how}")
    if booking.state is _S.CONFIRMED:
        enqueue(session, booking, "decline", now=now, facts={"slot": proposal.slot_ref})
    else:
        begin_cancel(session, booking, tasks, actor=actor, cause=f"proposal_{how}", now=now)


def _proposal(session: Session, booking: Booking, public_id: str) -> Proposal:
    proposal = session.scalar(
        select(Proposal)
        .where(Proposal.public_id == public_id, Proposal.booking_id == booking.id)
        .execution_options(populate_existing=True)
    )
    if proposal is None:
        raise NotFound(field="proposal_id")
    return proposal


def _check_open(proposal: Proposal, now: datetime) -> None:
    if proposal.state != "open":
        raise ProposalOver(state=proposal.state)
    if now >= proposal.expires_at:
        raise ProposalOver(state=EXPIRED)


def _slot(session: Session, booking: Booking, proposal: Proposal) -> Slot:
    """The proposed slot in our books; it may have been pulled after the proposal. Raises SlotClosed, SlotMoved."""
    slot = session.scalar(
        select(Slot)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Offer.id == booking.offer_id, Slot.external_ref == proposal.slot_ref)
    )
    if slot is None:
        raise SlotClosed()
    if (slot.service_date, slot.starts_at) != (proposal.service_date, proposal.starts_at):
        raise SlotMoved()
    return slot


def _await_answer(session: Session, booking: Booking, slot: Slot, now: datetime) -> None:
    """Give the provider its full time to answer, if it has not confirmed the booking yet; it ends before the slot."""
    if booking.state is _S.AWAITING_PROVIDER:
        hours = session.scalar(select(Provider.answer_hours).where(Provider.id == booking.provider_id)) or 0
        due = now + timedelta(hours=hours)
        start = start_of(slot.service_date, slot.starts_at, booking.time_zone)
        booking.answer_due_at = before_start(max(booking.answer_due_at or due, due), start, now)
        session.flush()
