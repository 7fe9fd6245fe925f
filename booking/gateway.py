"""From a provider's row to an adapter that can be called, and from a stored task to the command it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask, Slot, SlotClaim
from booking.outbox import Claimed
from booking.sealing import open_details
from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.core.crypto import Unreadable, unseal_master
from marketplace.core.errors import NotFound
from providers.port import Cancel, Change, Connection, LookUp, Person, ProviderAdapter, Reserve
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


def command_for(session: Session, claimed: Claimed) -> Reserve | Cancel | Change:
    """The command a claimed task stands for, as plain data."""
    booking = session.get_one(Booking, claimed.booking_id)
    if claimed.command == "cancel":
        task = session.get_one(ProviderTask, claimed.id)
        return Cancel(
            key=claimed.key,
            our_reference=booking.public_id,
            reference=task.facts.get("reference") or _current_reference(session, booking.id),
            reason=str(task.facts.get("reason", "compensating")),
        )
    if claimed.command == "change":
        return _change(session, claimed, booking)
    offer, pool, person = session.execute(
        select(Offer, CapacityPool, Beneficiary)
        .join(CapacityPool, CapacityPool.id == Offer.pool_id)
        .join(Beneficiary, Beneficiary.id == booking.beneficiary_id)
        .where(Offer.id == booking.offer_id)
    ).one()
    slot = session.execute(
        select(Slot.external_ref)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(SlotClaim.booking_id == booking.id)
        .order_by(SlotClaim.live.desc(), SlotClaim.id.desc())
        .limit(1)
    ).scalar_one()
    return Reserve(
        key=claimed.key,
        our_reference=booking.public_id,
        offer=offer.external_ref,
        pool=pool.external_ref,
        slot=slot,
        service_date=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
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
    return Change(
        key=claimed.key,
        our_reference=booking.public_id,
        reference=_current_reference(session, booking.id) or "",
        slot=slot,
        service_date=request.new_service_date,
        starts_at=request.new_starts_at,
        ends_at=request.new_ends_at,
    )


def question_for(session: Session, claimed: Claimed) -> LookUp:
    """What to ask about a task that may have been sent. A reserve is asked by its key; a cancel by what it cancels."""
    booking = session.get_one(Booking, claimed.booking_id)
    reference = None
    if claimed.command != "reserve":
        task = session.get_one(ProviderTask, claimed.id)
        reference = task.facts.get("reference") or _current_reference(session, booking.id)
    return LookUp(key=claimed.key, our_reference=booking.public_id, reference=reference)


def _current_reference(session: Session, booking_id: int) -> str | None:
    return session.scalar(
        select(ProviderBooking.reference).where(
            ProviderBooking.booking_id == booking_id, ProviderBooking.role == "current"
        )
    )
