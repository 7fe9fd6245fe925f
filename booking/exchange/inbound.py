"""What a provider tells of a booking by itself, by poll or by webhook.

Believed only when it is newer than the last and about the provider booking that is `current`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.actors import Actor, provider_actor
from booking.attendance.outcome import provider_gave_in
from booking.changes import swap
from booking.changes.requests import close_request, open_request
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange import replacement
from booking.exchange.proposed_times import follow_proposal
from booking.exchange.provider_bookings import (
    Outcome,
    annul_followers,
    cancel_locally,
    cancel_stray,
    cancel_surplus,
    find_booking,
    no_longer_unknown,
    remember,
    role_of,
    surplus_gone,
)
from booking.models import Booking, ProviderBooking
from booking.offers.alternatives import elsewhere
from booking.outbox import annul, finish, lock_unfinished, unsent
from booking.references import named
from booking.states import CANCELLABLE, DEAD, GIVEN_UP, LIVE, MOVABLE, STATE_OF, BookingState, legal
from booking.transition import lock_booking, move
from marketplace.core.db import violated
from providers.port import RemoteBooking
from vip.ledger import EntitlementExhausted

_S = BookingState


def apply_remote(session: Session, provider_id: int, remote: RemoteBooking, *, now: datetime) -> Outcome:
    """Apply a provider's message about one of its bookings, in the caller's transaction."""
    booking_id = find_booking(session, provider_id, remote)
    if booking_id is None:
        if remote.status in DEAD:
            return Outcome("unmatched")
        open_discrepancy(
            session,
            provider_id,
            "theirs_only",
            remote.reference,
            now=now,
            facts={"status": remote.status, "our_reference": remote.our_reference or ""},
        )
        return Outcome("unmatched")
    booking, tasks = lock_booking(session, booking_id)
    public_id, seq = named(remote.our_reference or booking.public_id)
    if booking.state is _S.HELD or public_id != booking.public_id:
        facts = {"status": remote.status, "our_reference": remote.our_reference or ""}
        open_discrepancy(session, provider_id, "theirs_only", remote.reference, now=now, facts=facts)
        return Outcome("unmatched", booking.public_id)
    known = session.scalar(
        select(ProviderBooking).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.reference
        )
    )
    if known is not None and remote.version <= known.version:
        return Outcome("unchanged", booking.public_id)
    role = remember(
        session,
        booking,
        remote.reference,
        remote.status,
        remote.version,
        now,
        ours=remote.our_reference,
        role=None if seq is None else replacement.role_of_new(session, booking, seq),
    )
    if role == "pending":
        replacement.told(session, booking, remote, now)
        role = role_of(session, booking, remote.reference) or role
        if role == "pending":
            return Outcome("applied", booking.public_id)
    if role != "current":
        _beside(session, booking, remote, role, now)
        return Outcome("stray", booking.public_id)
    follow_time(session, booking, remote, now)
    reserve = next((task for task in tasks if task.command == "reserve"), None)
    if reserve is not None and remote.status != "requested":
        finish(reserve, "refused" if remote.status == "rejected" else "done", now=now)
        no_longer_unknown(session, booking, remote.status, now)
    follow(session, booking, remote, now)
    follow_proposal(session, booking, remote, now)
    return Outcome("applied", booking.public_id)


def _beside(session: Session, booking: Booking, remote: RemoteBooking, role: str, now: datetime) -> None:
    """What is told of a booking there that is not ours any more, or never was, moves nothing here: it is cancelled
    there, and a person hears of it if somebody came on a date that was given up."""
    if remote.status in DEAD:
        surplus_gone(session, booking, remote.reference, now)
    elif role == "stray":
        cancel_surplus(session, booking, remote.reference, remote.status, now)
    elif remote.status in CANCELLABLE:
        cancel_stray(session, booking, remote.reference, now)
    else:
        facts = {"ours": booking.state.value, "theirs": remote.status, "role": role}
        open_discrepancy(
            session,
            booking.provider_id,
            "old_date_used",
            remote.reference,
            now=now,
            booking_id=booking.id,
            facts=facts,
        )


def follow(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """Move the booking to where the provider says it is, through `confirmed` where the table wants that step."""
    target = STATE_OF[remote.status] if remote.status != "requested" else None
    if target is None or target is booking.state:
        return
    actor = provider_actor(session, booking)
    if booking.state in GIVEN_UP:
        if target not in (_S.CANCELLED, _S.REJECTED):
            cancel_stray(session, booking, remote.reference, now)
        return
    if target is _S.REJECTED and not legal(booking.state, target):
        target = _S.CANCELLED
    if target is _S.CANCELLED and open_request(session, booking) is not None:
        cancel_locally(session, booking, now)  # its word for the cancel that was asked for, not one of its own
        return
    if not legal(booking.state, target) and legal(booking.state, _S.CONFIRMED):
        move(session, booking, _S.CONFIRMED, actor=actor, now=now)
    disputed = booking.state is _S.NO_SHOW
    if target is not _S.CONFIRMED:
        _end_change(session, booking, target, now)
    if legal(booking.state, target) and _moved(session, booking, target, actor, remote.reason or _cause(target), now):
        if disputed:
            provider_gave_in(session, booking, now)
        if target in (_S.CANCELLED, _S.REJECTED):
            close_request(session, booking, "done", now)
            annul_followers(session, booking, now)
    else:
        open_discrepancy(
            session,
            booking.provider_id,
            "state_differs",
            booking.public_id,
            now=now,
            booking_id=booking.id,
            facts={"ours": booking.state.value, "theirs": remote.status},
        )


def follow_time(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """Follow the time that the provider tells. The one that an open change asks for is its yes; another one is its
    word against our books, which goes to a person, since the customer was promised what our books say."""
    if remote.service_date is None or remote.status in DEAD or booking.state not in LIVE:
        return
    if (remote.service_date, remote.starts_at) == (booking.service_date, booking.starts_at):
        settle_time(session, booking, now)
        return
    request = swap.open_change(session, booking)
    if (
        request is not None
        and booking.state in MOVABLE
        and remote.status != "requested"
        and not replacement.replaces(session, booking)
        and swap.asks_for(request, remote.service_date, remote.starts_at)
    ):
        swap.switch(session, booking, request, actor=provider_actor(session, booking), now=now)
        for task in lock_unfinished(session, booking.id):
            if task.change_request_id == request.id and task.command == "change":
                finish(task, "done", now=now)
        settle_time(session, booking, now)
        return
    open_discrepancy(
        session,
        booking.provider_id,
        "time_differs",
        booking.public_id,
        now=now,
        booking_id=booking.id,
        facts={
            "service_date": remote.service_date.isoformat(),
            "starts_at": remote.starts_at.isoformat() if remote.starts_at else None,
        },
    )


def settle_time(session: Session, booking: Booking, now: datetime) -> None:
    """Both sides tell the same time: a difference about it is explained."""
    close_discrepancy(session, booking.provider_id, "time_differs", booking.public_id, "agrees_again", now=now)


def _end_change(session: Session, booking: Booking, target: BookingState, now: datetime) -> None:
    """The booking goes on at the time it has: a change that was not sent yet is overtaken by that, one that may have
    been sent waits for its answer. A booking that ends takes its change with it: all places go back together."""
    request = swap.open_change(session, booking)
    if request is None:
        return
    if target in GIVEN_UP:
        swap.close(session, booking, request, cause="overtaken", now=now)
        return
    task = next((each for each in lock_unfinished(session, booking.id) if each.change_request_id == request.id), None)
    if task is None or unsent(task):
        if task is not None:
            annul(task, now=now)
        swap.leave(session, booking, request, cause="overtaken", now=now)


def _moved(session: Session, booking: Booking, target: BookingState, actor: Actor, cause: str, now: datetime) -> bool:
    """Move it as told, unless our books no longer have what that takes: the unit that a no-show gave back is spent, or
    the person has been booked elsewhere since. That is a difference for a person; it must not stop the feed."""
    facts = elsewhere(session, booking, now=now) if target in (_S.CANCELLED, _S.REJECTED) else {}
    try:
        with session.begin_nested():
            move(session, booking, target, actor=actor, now=now, cause=cause, facts=facts)
    except EntitlementExhausted:
        return False
    except IntegrityError as refused:
        if violated(refused) != "ex_booking_one_place_at_a_time":
            raise
        return False
    return True


def _cause(target: BookingState) -> str:
    return "cancelled_by_provider" if target is _S.CANCELLED else ""
