"""From a provider's row to an adapter that can be called, and from a stored task to the command it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest, ProviderTask, Slot, SlotClaim
from booking.outbox import Claimed
from booking.provider_side import order_there
from booking.references import own_reference
from booking.replacement import replaces
from booking.sealing import open_details
from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.core.crypto import Unreadable, unseal_master
from marketplace.core.errors import NotFound
from providers.port import Cancel, Change, Connection, Decline, LookUp, Person, ProviderAdapter, Reserve
from providers.registry import connect
from vip.models import Beneficiary


@dataclass(frozen=True)
class Line:
    """What a worker needs to know of a provider, free of the database."""

    id: int
    code: str
    adapter: str
    connection: Connection
    max_in_flight: int
    paused: bool
    open_until: datetime | None
    poll_seconds: int
    slots_seconds: int

    def open(self) -> ProviderAdapter:
        """A new adapter for one thread's use."""
        return connect(self.adapter, self.connection)


@dataclass(frozen=True)
class Unusable:
    """A provider that cannot be spoken to until somebody changes its row. `reason`: the class of the error."""

    id: int
    code: str
    reason: str


def lines(session: Session) -> tuple[list[Line], list[Unusable]]:
    """All providers by id: those that can be spoken to, and those whose secrets do not open or whose adapter nobody
    knows. One that is wrong is its own trouble and nobody else's."""
    usable: list[Line] = []
    unusable: list[Unusable] = []
    for provider in session.scalars(select(Provider).order_by(Provider.id)):
        try:
            known = line(provider)
            known.open()
        except (Unreadable, KeyError, ValueError) as wrong:
            unusable.append(Unusable(provider.id, provider.code, type(wrong).__name__))
        else:
            usable.append(known)
    return usable, unusable


def line_of(session: Session, code: str) -> Line:
    """The provider with this code. Raises NotFound(field="provider"), and what line() raises."""
    provider = session.scalar(select(Provider).where(Provider.code == code))
    if provider is None:
        raise NotFound(field="provider")
    return line(provider)


def line(provider: Provider) -> Line:
    """A provider's row as plain data, its secrets opened (records `provider:<code>:secret` and `…:webhook`)."""
    secret = b"" if provider.secret_sealed is None else provider.secret_sealed
    return Line(
        id=provider.id,
        code=provider.code,
        adapter=provider.adapter,
        connection=Connection(
            provider=provider.code,
            base_url=provider.base_url,
            secret=unseal_master(secret, f"provider:{provider.code}:secret") if secret else "",
            webhook_secrets=tuple(
                unseal_master(sealed, f"provider:{provider.code}:webhook") for sealed in provider.webhook_secrets_sealed
            ),
            time_zone=provider.time_zone,
            deadline_seconds=float(min(provider.deadline_seconds, 10)),
            settings=provider.settings,
        ),
        max_in_flight=provider.max_in_flight,
        paused=provider.paused_at is not None,
        open_until=provider.open_until,
        poll_seconds=provider.poll_seconds,
        slots_seconds=provider.slots_seconds,
    )


def command_for(session: Session, claimed: Claimed) -> Reserve | Cancel | Change | Decline:
    """The command a claimed task stands for, as plain data."""
    booking = session.get_one(Booking, claimed.booking_id)
    task = session.get_one(ProviderTask, claimed.id)
    if claimed.command == "cancel":
        reference, ours = _order(session, booking, task)
        reason = str(task.facts.get("reason", "compensating"))
        return Cancel(key=claimed.key, our_reference=ours, reference=reference, reason=reason)
    if claimed.command == "decline":
        reference, ours = _order(session, booking, task)
        return Decline(key=claimed.key, our_reference=ours, reference=reference or "", slot=str(task.facts["slot"]))
    if claimed.command == "change":
        change = _change(session, claimed, booking)
        if not replaces(session, booking):
            return change
        ours = own_reference(booking.public_id, task.seq)
        return _reserve(session, claimed, booking, _Place(ours, change.slot, *_times(change)))
    return _reserve(session, claimed, booking, _Place(booking.public_id, _slot(session, booking), *_times(booking)))


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
    return session.execute(
        select(Slot.external_ref)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(SlotClaim.booking_id == booking.id)
        .order_by(SlotClaim.live.desc(), SlotClaim.id.desc())
        .limit(1)
    ).scalar_one()


def _reserve(session: Session, claimed: Claimed, booking: Booking, place: _Place) -> Reserve:
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
        person=Person(
            name=person.name,
            sex="male" if person.sex == "male" else "female",
            birth_date=person.birth_date,
        ),
        answers=open_details(booking.details_sealed, person.wrapped_key, person.public_id, booking.public_id),
    )


def _change(session: Session, claimed: Claimed, booking: Booking) -> Change:
    request, slot = session.execute(
        select(ChangeRequest, Slot.external_ref)
        .join(ProviderTask, ProviderTask.change_request_id == ChangeRequest.id)
        .join(Slot, Slot.id == ChangeRequest.new_slot_id)
        .where(ProviderTask.id == claimed.id)
    ).one()
    if request.new_service_date is None:
        raise ValueError("a change without a time")
    current = order_there(session, booking)
    return Change(
        key=claimed.key,
        our_reference=booking.public_id,
        reference=current.reference if current else "",
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
    reference, ours = _order(session, booking, task)
    return LookUp(key=claimed.key, our_reference=ours, reference=reference)


def _order(session: Session, booking: Booking, task: ProviderTask) -> tuple[str | None, str]:
    """The provider's reference of what the task is about (the current one, unless it names another), and ours."""
    reference: str | None = task.facts.get("reference")
    known = order_there(session, booking, reference)
    if known is None:
        return reference, booking.public_id
    return known.reference, known.our_reference or booking.public_id
