"""From a stored task to the command that is sent for it, or to the question that looks it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from booking.eligibility.told import may_be_told
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.replacement import replaces
from booking.models import Booking, ChangeRequest, ProviderTask, Slot, SlotClaim
from booking.outbox import Claimed
from booking.pledges.pledge import promised
from booking.proposal import PROPOSAL_ACCEPTED
from booking.references import own_reference
from booking.sealing import open_details
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import CapacityPool, Offer
from providers.conversing import OpenConversation
from providers.port import Cancel, Change, Decline, LookUp, Person, Reserve, Venue
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary

Command = Reserve | Cancel | Change | Decline | OpenConversation


def command_for(session: Session, claimed: Claimed) -> Command:
    """The command of a claimed task, as plain data. A consultation that doctors of the provider answer is opened there,
    all else is reserved."""
    booking = session.get_one(Booking, claimed.booking_id)
    task = session.get_one(ProviderTask, claimed.id)
    if claimed.command == "cancel":
        reference, ours, version = _order(session, booking, task)
        reason = str(task.facts.get("reason", "compensating"))
        return Cancel(key=claimed.key, our_reference=ours, reference=reference, reason=reason, version=version)
    if claimed.command == "decline":
        reference, ours, _ = _order(session, booking, task)
        return Decline(key=claimed.key, our_reference=ours, reference=reference or "", slot=str(task.facts["slot"]))
    if claimed.command == "change":
        change = _change(session, claimed, booking, task)
        if not replaces(session, booking):
            return change
        ours = own_reference(booking.public_id, task.seq)
        request = session.get_one(ChangeRequest, task.change_request_id)
        agreed = request.cause == PROPOSAL_ACCEPTED
        return _reserve(session, claimed, booking, _Place(ours, change.slot, *_times(change)), agreed=agreed)
    talk = session.execute(_OUTSIDE, {"booking": booking.id}).one_or_none()
    if talk is not None:
        return _open(session, claimed, booking, talk)
    return _reserve(session, claimed, booking, _Place(booking.public_id, _slot(session, booking), *_times(booking)))


_OUTSIDE = text(
    "SELECT department, language, flagged_at IS NOT NULL AS flagged FROM conversation"
    " WHERE booking_id = :booking AND outside"
)


@dataclass(frozen=True)
class _Place:
    """What is booked there, and what we call it."""

    ours: str
    slot: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None


def _times(of: Booking | Change) -> tuple[date, datetime | None, datetime | None]:
    return of.service_date, of.starts_at, of.ends_at


def _slot(session: Session, booking: Booking) -> str:
    """The provider's name of the booking's slot; blank for what has none."""
    if not has_times(booking.kind):
        return ""
    return session.execute(
        select(Slot.external_ref)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(SlotClaim.booking_id == booking.id)
        .order_by(SlotClaim.live.desc(), SlotClaim.id.desc())
        .limit(1)
    ).scalar_one()


def _open(session: Session, claimed: Claimed, booking: Booking, talk: Row[Any]) -> OpenConversation:
    offer, person = session.execute(
        select(Offer, Beneficiary)
        .join(Beneficiary, Beneficiary.id == booking.beneficiary_id)
        .where(Offer.id == booking.offer_id)
    ).one()
    promise = promised(booking)
    return OpenConversation(
        key=claimed.key,
        our_reference=booking.public_id,
        offer=offer.external_ref,
        department=talk.department,
        language=talk.language,
        person=_person(person),
        answers=open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id),
        flagged=talk.flagged,
        answer_seconds=None if promise is None else promise.seconds,
    )


def _person(person: Beneficiary) -> Person:
    sex: Literal["male", "female"] = "male" if person.sex == "male" else "female"
    return Person(name=person.name, sex=sex, birth_date=person.birth_date)


def _reserve(session: Session, claimed: Claimed, booking: Booking, place: _Place, *, agreed: bool = False) -> Reserve:
    offer, pool, person = session.execute(
        select(Offer, CapacityPool, Beneficiary)
        .join(CapacityPool, CapacityPool.id == Offer.pool_id)
        .join(Beneficiary, Beneficiary.id == booking.beneficiary_id)
        .where(Offer.id == booking.offer_id)
    ).one()
    return Reserve(
        key=claimed.key,
        our_reference=place.ours,
        offer=offer.external_ref,
        pool=pool.external_ref,
        slot=place.slot,
        service_date=place.service_date,
        starts_at=place.starts_at,
        ends_at=place.ends_at,
        person=_person(person),
        answers=_answers(session, booking, person),
        agreed=agreed,
        immediate=not has_times(booking.kind),
        venue=_venue(booking),
    )


def _answers(session: Session, booking: Booking, person: Beneficiary) -> dict[str, Any]:
    if not may_be_told(session, booking):
        return {}
    return open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)


def _venue(booking: Booking) -> Venue | None:
    """Where somebody is sent, as the booking keeps it."""
    if booking.venue_id is None:
        return None
    site = booking.snapshot["site"]
    return Venue(site["id"], site["name"], site["city"], site["district"], site["address"])


def _change(session: Session, claimed: Claimed, booking: Booking, task: ProviderTask) -> Change:
    current = ProviderBookings(session, booking).current
    reference = current.reference if current else ""
    if task.facts.get("back"):  # to the date that the booking has here
        old = session.scalars(select(Slot.external_ref).where(Slot.public_id == task.facts["slot"])).one()
        return Change(claimed.key, booking.public_id, reference, old, *_times(booking))
    request, slot = session.execute(
        select(ChangeRequest, Slot.external_ref)
        .join(Slot, Slot.id == ChangeRequest.new_slot_id)
        .where(ChangeRequest.id == task.change_request_id)
    ).one()
    if request.new_service_date is None:
        raise ValueError("a change without a time")
    return Change(
        key=claimed.key,
        our_reference=booking.public_id,
        reference=reference,
        slot=slot,
        service_date=request.new_service_date,
        starts_at=request.new_starts_at,
        ends_at=request.new_ends_at,
    )


def question_for(session: Session, claimed: Claimed) -> LookUp:
    """What to ask about a task that may have been sent. A reserve is asked by its key; a cancel by what it cancels; a
    change that is a new booking by the number of ours that this one has."""
    booking = session.get_one(Booking, claimed.booking_id)
    if claimed.command == "reserve":
        return LookUp(key=claimed.key, our_reference=booking.public_id)
    task = session.get_one(ProviderTask, claimed.id)
    if claimed.command == "change" and replaces(session, booking):
        return LookUp(key=claimed.key, our_reference=own_reference(booking.public_id, task.seq))
    reference, ours, _ = _order(session, booking, task)
    return LookUp(key=claimed.key, our_reference=ours, reference=reference)


def _order(session: Session, booking: Booking, task: ProviderTask) -> tuple[str | None, str, int]:
    """The provider's reference of what the task is about (the current one, unless it names another), ours, and the last
    version that we know of it."""
    reference: str | None = task.facts.get("reference")
    theirs = ProviderBookings(session, booking)
    known = theirs.current if reference is None else theirs.known(reference)
    if known is None:
        return reference, booking.public_id, 0
    return known.reference, known.our_reference or booking.public_id, known.version
