"""What a provider says of a booking in our books: at its desk, by the partner API, or by the yes of whom it sends.

It becomes what its system would have reported, and is applied as that is (`inbound`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.exchange.inbound import apply_remote
from booking.exchange.provider_bookings import ProviderBookings
from booking.models import Booking, ProviderTask, Slot
from marketplace.catalog.models import Provider
from providers.registry import ADAPTERS, capabilities
from providers.reported import BookingStatus, Proposed, RemoteBooking


def answers_here(session: Session, provider_id: int) -> bool:
    """Whether the provider answers in our books, rather than in a system of its own that we call."""
    adapter = session.scalar(select(Provider.adapter).where(Provider.id == provider_id))
    return adapter in ADAPTERS and capabilities(adapter).answers_here


@dataclass(frozen=True)
class SaidHere:
    """A provider's word about a booking that is locked with its unfinished commands."""

    session: Session
    booking: Booking
    tasks: list[ProviderTask]
    theirs: ProviderBookings
    now: datetime

    def as_reported(
        self, status: BookingStatus, *, slot: Slot | None = None, reason: str = "", proposal: Proposed | None = None
    ) -> RemoteBooking:
        """The booking as the provider sees it from now on; `slot`: it is at that one."""
        current = self.theirs.current
        reference = self.booking.public_id if current is None else current.reference
        return RemoteBooking(
            reference=reference,
            our_reference=self.booking.public_id if current is None else None,
            status=status,
            version=self.next_version(reference),
            service_date=None if slot is None else slot.service_date,
            starts_at=None if slot is None else slot.starts_at,
            ends_at=None if slot is None else slot.ends_at,
            reason=reason,
            proposal=proposal,
        )

    def next_version(self, reference: str) -> int:
        """What the provider says now of this one is newer than all before."""
        known = self.theirs.known(reference)
        return 2 if known is None else known.version + 1

    def tell(self, told: RemoteBooking) -> None:
        """Apply it as if a system had reported it."""
        apply_remote(self.session, self.booking.provider_id, told, now=self.now)
