"""What exists at a provider for our bookings, and the steps that answers and messages share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import SYSTEM, Actor
from booking.changes import swap
from booking.changes.requests import close_request, open_request
from booking.discrepancies import Effect, close_discrepancy, open_discrepancy
from booking.models import Booking, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED, annul, enqueue, lock_unfinished, unsent
from booking.references import named
from booking.states import GIVEN_UP, BookingState, legal
from booking.transition import move
from providers.port import RemoteBooking

_S = BookingState


@dataclass(frozen=True)
class Outcome:
    """What settling did, for counts and logs: applied, stale, waiting, resend, stray, unmatched or unchanged."""

    what: str
    booking: str | None = None


def no_longer_unknown(session: Session, booking: Booking, resolution: str, now: datetime) -> None:
    """Close the case of an outcome that was open for too long, saying what explained it."""
    close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, resolution, now=now)


def newest_version(session: Session, booking: Booking, reference: str) -> int:
    """The newest version we know of a provider's booking; 0 for one never seen."""
    known = session.scalar(
        select(ProviderBooking.version).where(
            ProviderBooking.provider_id == booking.provider_id, ProviderBooking.reference == reference
        )
    )
    return known or 0


def cancel_locally(session: Session, booking: Booking, now: datetime) -> None:
    """Evidence shows that nothing is live at the provider: what was asked for happens here."""
    change = swap.open_change(session, booking)
    if change is not None and legal(booking.state, _S.CANCELLED):
        swap.close(session, booking, change, cause="cancelled", now=now)
    request = open_request(session, booking)
    if legal(booking.state, _S.CANCELLED):
        actor = Actor(request.actor_kind, request.actor) if request else SYSTEM  # type: ignore[arg-type]
        move(session, booking, _S.CANCELLED, actor=actor, now=now, cause=request.cause if request else "not_there")
    close_request(session, booking, "done", now)
    annul_followers(session, booking, now)


def cancel_stray(session: Session, booking: Booking, reference: str, now: datetime) -> None:
    """Something lives at the provider that our books do not want (a late yes to a booking that ended here, a second
    booking for the same): cancel it there, once."""
    asked = session.scalar(
        select(ProviderTask.id).where(
            ProviderTask.booking_id == booking.id,
            ProviderTask.command == "cancel",
            ProviderTask.state.in_(UNFINISHED),
            ProviderTask.facts["reference"].astext == reference,
        )
    )
    if asked is None:
        enqueue(session, booking, "cancel", now=now, facts={"reference": reference, "compensating": True})


def cancel_surplus(session: Session, booking: Booking, reference: str, status: str, now: datetime) -> None:
    """The booking lives twice at the provider (a late commit, most often): a difference until one is cancelled there.
    A booking that has ended here is not there twice, but once too often."""
    if booking.state not in GIVEN_UP:
        open_discrepancy(
            session,
            booking.provider_id,
            "duplicate_there",
            reference,
            now=now,
            booking_id=booking.id,
            facts={"ours": booking.state.value, "theirs": status, "reference": reference},
            effect=Effect(1, booking.price_minor, booking.currency),
        )
    cancel_stray(session, booking, reference, now)


def surplus_gone(session: Session, booking: Booking, reference: str, now: datetime) -> None:
    """Nothing lives under the reference any more: what it was a difference for is explained."""
    for kind in ("theirs_only", "duplicate_there"):
        close_discrepancy(session, booking.provider_id, kind, reference, "cancelled_there", now=now)


def annul_followers(session: Session, booking: Booking, now: datetime) -> None:
    """End the booking's commands that were never sent and that nobody needs any more. A compensating cancel is needed
    still: it ends something else than the booking."""
    for task in lock_unfinished(session, booking.id):
        if unsent(task) and not task.facts.get("compensating"):
            annul(task, now=now)


def remember(
    session: Session,
    booking: Booking,
    reference: str,
    status: str,
    version: int,
    now: datetime,
    *,
    ours: str | None = None,
    role: str | None = None,
) -> str:
    """Keep what exists at the provider and return its role. A version never goes back; a reference keeps its role.

    A new reference is `current`, unless the booking already has one or has ended: then it is a `stray`; or it has the
    role given. `ours`: what we call it there, if not by the booking's public id.
    """
    known = order_there(session, booking, reference)
    if known is not None:
        known.status, known.seen_at, known.version = status, now, max(known.version, version)
        return known.role
    if role is None:
        role = "stray" if order_there(session, booking) is not None or booking.state in GIVEN_UP else "current"
    session.add(
        ProviderBooking(
            provider_id=booking.provider_id,
            reference=reference,
            booking_id=booking.id,
            role=role,
            status=status,
            version=version,
            seen_at=now,
            our_reference=None if ours == booking.public_id else ours,
        )
    )
    session.flush()
    return role


def order_there(session: Session, booking: Booking, reference: str | None = None) -> ProviderBooking | None:
    """What exists at the booking's provider under the reference; without one, what is `current` there."""
    query = select(ProviderBooking).where(ProviderBooking.provider_id == booking.provider_id)
    if reference is None:
        return session.scalar(query.where(ProviderBooking.booking_id == booking.id, ProviderBooking.role == "current"))
    return session.scalar(query.where(ProviderBooking.reference == reference))


def role_of(session: Session, booking: Booking, reference: str) -> str | None:
    """The role of a reference of the booking's provider; None for one never seen."""
    return session.scalar(
        select(ProviderBooking.role).where(
            ProviderBooking.provider_id == booking.provider_id, ProviderBooking.reference == reference
        )
    )


def find_booking(session: Session, provider_id: int, remote: RemoteBooking) -> int | None:
    """Internal id of the booking a provider tells of: by its reference, else by ours; None if neither is known."""
    by_reference = session.scalar(
        select(ProviderBooking.booking_id).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.reference
        )
    )
    if by_reference is not None or remote.our_reference is None:
        return by_reference
    public_id, _ = named(remote.our_reference)
    return session.scalar(select(Booking.id).where(Booking.public_id == public_id, Booking.provider_id == provider_id))
