"""What exists at a provider for one of our bookings: recorded, taken over, cancelled where it is surplus."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from booking.attendance.early import is_early_status
from booking.discrepancies import Discrepancy, Effect, close_discrepancy, open_discrepancy
from booking.exchange.models import GAVE_UP, StrayCancel
from booking.feeds.tries import MAY_BE_CANCELLED, PutOff
from booking.models import Booking, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED, annul, enqueue, lock_unfinished, unsent
from booking.references import named
from booking.states import DEAD, GIVEN_UP
from providers.reported import RemoteBooking

_OF_SURPLUS = ("theirs_only", "duplicate_there", "too_early", "old_date_used", "cancel_refused")
"""Discrepancies about a provider booking that ours doesn't stand for; all are over when it has ended there."""


class ProviderBookings:
    """All that the provider has for one booking of ours, loaded once; the caller holds the booking's lock."""

    def __init__(self, session: Session, booking: Booking) -> None:
        self._session, self._booking = session, booking
        rows = session.scalars(select(ProviderBooking).where(ProviderBooking.booking_id == booking.id))
        self._rows = {row.reference: row for row in rows}

    @property
    def current(self) -> ProviderBooking | None:
        """The one that our booking is: what the provider reports of it moves ours."""
        return next((row for row in self._rows.values() if row.role == "current"), None)

    @property
    def pending(self) -> Sequence[ProviderBooking]:
        """Those that an open change waits for: one, or more for a moment when a late commit appears."""
        return [row for row in self._rows.values() if row.role == "pending"]

    def known(self, reference: str) -> ProviderBooking | None:
        """What we know of one of this booking's references."""
        return self._rows.get(reference)

    def used_for_another(self, reference: str) -> bool:
        """Whether the provider has used this reference for another booking of ours: then nobody knows which of the two
        it means."""
        return (
            self._session.scalar(
                select(
                    exists().where(
                        ProviderBooking.provider_id == self._booking.provider_id,
                        ProviderBooking.reference == reference,
                        ProviderBooking.booking_id != self._booking.id,
                    )
                )
            )
            is True
        )

    def wanted(self, reference: str | None) -> bool:
        """Whether this is the current one of a booking that has not ended: nothing may cancel it there."""
        row = None if reference is None else self.known(reference)
        return row is not None and row.role == "current" and self._booking.state not in GIVEN_UP

    def missed(self, reference: str | None) -> bool:
        """Whether the provider says that nobody came to this one, which our booking doesn't stand for, when that could
        be known."""
        row = None if reference is None else self.known(reference)
        if row is None or row.role == "current" or row.status != "no_show":
            return False
        told = RemoteBooking(row.reference, None, "no_show", row.version)
        return not is_early_status(self._session, self._booking, told)

    def record(
        self, there: RemoteBooking, now: datetime, *, ours: str | None = None, role: str | None = None
    ) -> ProviderBooking:
        """Record what the provider reports. Neither version nor status goes back to an older report; a reference keeps
        its role.

        A new reference is `current`, unless the booking already has one or has ended: then it is a `stray`; or it has
        the role given. `ours`: what we call it there, if not by the booking's public id. Raises PutOff while it is, or
        may be, being cancelled there as nobody's.
        """
        row = self.known(there.reference)
        if row is None:
            surplus = self.current is not None or self._booking.state in GIVEN_UP
            row = self._nobodys(there) or ProviderBooking(
                provider_id=self._booking.provider_id, reference=there.reference
            )
            row.booking_id = self._booking.id
            row.role = role or ("stray" if surplus else "current")
            row.status, row.version, row.seen_at = there.status, there.version, now
            row.our_reference = None if ours == self._booking.public_id else ours
            self._session.add(row)
            self._session.flush()
            self._rows[row.reference] = row
        elif there.version >= row.version:
            row.status, row.version = there.status, there.version
        row.seen_at = now
        return row

    def _nobodys(self, there: RemoteBooking) -> ProviderBooking | None:
        """The row of a reference that was cancelled, or was to be, as nobody's. Raises PutOff while that goes on, or
        may still be carried out after it was given up: until the provider says that it has ended, or its case is
        closed."""
        row = self._session.scalar(
            select(ProviderBooking)
            .where(
                ProviderBooking.provider_id == self._booking.provider_id,
                ProviderBooking.reference == there.reference,
                ProviderBooking.booking_id.is_(None),
            )
            .with_for_update()
        )
        under_way = StrayCancel.finished_at.is_(None)
        cancelling = select(StrayCancel.id).where(
            StrayCancel.provider_id == self._booking.provider_id,
            StrayCancel.reference == there.reference,
            StrayCancel.sent_at.is_not(None),
            under_way if there.status in DEAD else or_(under_way, _given_up_open()),
        )
        if row is not None and self._session.scalar(cancelling.limit(1)) is not None:
            raise PutOff(MAY_BE_CANCELLED)
        return row

    def take_over(self, row: ProviderBooking, now: datetime) -> None:
        """Make this one the current one; the one before is superseded and, while it lives, cancelled there."""
        before = self.current
        if before is not None:
            before.role = "superseded"
            self._session.flush()  # there is at most one current one at any moment
        row.role = "current"
        self._session.flush()
        if before is not None and before.status not in DEAD:
            facts = {"reference": before.reference, "reason": "rescheduled", "compensating": True}
            enqueue(self._session, self._booking, "cancel", now=now, facts=facts)

    def drop_pending(self) -> None:
        """No change waits for a booking there any more."""
        for row in self.pending:
            row.role = "stray"
        self._session.flush()

    def cancel_surplus(self, row: ProviderBooking, now: datetime) -> None:
        """The booking lives twice at the provider (a late commit, most often): a discrepancy until one is cancelled
        there. A booking that has ended here is not there twice, but once too often."""
        if self._booking.state not in GIVEN_UP:
            open_discrepancy(
                self._session,
                self._booking.provider_id,
                "duplicate_there",
                row.reference,
                now=now,
                booking_id=self._booking.id,
                facts={"ours": self._booking.state.value, "theirs": row.status, "reference": row.reference},
                effect=Effect(1, self._booking.price_minor, self._booking.currency),
            )
        self.cancel_there(row.reference, now)

    def cancel_there(self, reference: str, now: datetime) -> None:
        """Something lives at the provider that our books do not want (a late yes to a booking that ended here, a second
        booking for the same): cancel it there, once."""
        asked = self._session.scalar(
            select(ProviderTask.id).where(
                ProviderTask.booking_id == self._booking.id,
                ProviderTask.command == "cancel",
                ProviderTask.state.in_(UNFINISHED),
                ProviderTask.facts["reference"].astext == reference,
            )
        )
        if asked is None:
            facts = {"reference": reference, "compensating": True}
            enqueue(self._session, self._booking, "cancel", now=now, facts=facts)

    def surplus_gone(self, reference: str, now: datetime) -> None:
        """Nothing lives under the reference any more: what it was a discrepancy for is explained."""
        self._close_surplus(reference, "cancelled_there", now)

    def surplus_missed(self, reference: str, now: datetime) -> None:
        """Nobody came to what our booking had left there, or never stood for: that is no use of anything, and needs no
        cancel any more."""
        for task in lock_unfinished(self._session, self._booking.id):
            if task.command == "cancel" and task.facts.get("reference") == reference and unsent(task):
                annul(task, now=now)
        self._close_surplus(reference, "given_up_in_time", now)

    def _close_surplus(self, reference: str, resolution: str, now: datetime) -> None:
        for kind in _OF_SURPLUS:
            close_discrepancy(self._session, self._booking.provider_id, kind, reference, resolution, now=now)


def _given_up_open() -> ColumnElement[bool]:
    """Whether nobody knows what became of a cancel that was given up: its case is open, and no later one was
    refused."""
    later = aliased(StrayCancel)
    return and_(
        StrayCancel.outcome == GAVE_UP,
        exists().where(Discrepancy.id == StrayCancel.discrepancy_id, Discrepancy.closed_at.is_(None)),
        ~exists().where(
            later.discrepancy_id == StrayCancel.discrepancy_id, later.id > StrayCancel.id, later.outcome == "refused"
        ),
    )


def find_booking(session: Session, provider_id: int, remote: RemoteBooking) -> int | None:
    """Internal id of the booking a provider reports: by its reference, else by ours; None if neither is known."""
    booking_id = session.scalar(
        select(ProviderBooking.booking_id).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.reference
        )
    )
    if booking_id is None and remote.our_reference is not None:
        public_id, _ = named(remote.our_reference)
        booking_id = session.scalar(
            select(Booking.id).where(Booking.public_id == public_id, Booking.provider_id == provider_id)
        )
    return booking_id
