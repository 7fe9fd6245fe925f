"""Entries of the entitlements' ledger. The counters change only when one is added.

A reservation is used, released or reversed here; the first one of a booking is made when its place is taken. The caller
has locked the booking (order of locks: booking, entitlement, slot).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, cast

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.database.db import violated
from marketplace.core.errors import NotFound, Refusal

Entry = Literal["grant", "reserve", "release", "use", "reverse", "expire", "revoke"]
By = Literal["customer", "provider", "platform"]
ReservationStatus = Literal["none", "reserved", "used", "released"]


class EntitlementExhausted(Refusal):
    """The entitlement has no unit left (SQLSTATE AX001)."""

    code = "entitlement_exhausted"
    field = "entitlement_id"


@dataclass(frozen=True)
class Stamp:
    """When, by whom and why an entry was added; `actor` is a public id or a job's name."""

    at: datetime
    actor_kind: str
    actor: str
    reason: str = ""


@dataclass(frozen=True)
class Reservation:
    """The unit that a booking has reserved: entitlement and booking (internal ids), and the number of its attempt."""

    entitlement_id: int
    booking_id: int
    attempt: int


def write(
    session: Session,
    entitlement_id: int,
    entry: Entry,
    *,
    booking_id: int | None = None,
    attempt: int = 1,
    quantity: int = 1,
    at: datetime,
    actor_kind: str,
    actor: str,
    reason: str = "",
) -> None:
    """Add one entry in the caller's transaction. Raises EntitlementExhausted if the counters do not allow it; then the
    transaction cannot continue.

    Raises sqlalchemy.exc.IntegrityError if the booking has the same entry for this attempt already.
    """
    try:
        session.execute(
            text(
                "INSERT INTO entitlement_entry"
                " (entitlement_id, booking_id, entry, quantity, attempt, at, actor_kind, actor, reason) VALUES"
                " (:entitlement, :booking, :entry, :quantity, :attempt, :at, :actor_kind, :actor, :reason)"
            ),
            {
                "entitlement": entitlement_id,
                "booking": booking_id,
                "entry": entry,
                "quantity": quantity,
                "attempt": attempt,
                "at": at,
                "actor_kind": actor_kind,
                "actor": actor,
                "reason": reason,
            },
        )
    except DBAPIError as refused:
        if violated(refused) == "entitlement_exhausted":
            raise EntitlementExhausted() from refused
        raise


def reservation_status(session: Session, taken: Reservation) -> ReservationStatus:
    """The status of the reservation; `none` before it, and after a use that was reversed."""
    entries = set(
        session.scalars(
            text("SELECT entry FROM entitlement_entry WHERE booking_id = :booking AND attempt = :attempt"),
            {"booking": taken.booking_id, "attempt": taken.attempt},
        )
    )
    for entry, status in (("reverse", "none"), ("use", "used"), ("release", "released"), ("reserve", "reserved")):
        if entry in entries:
            return cast(ReservationStatus, status)
    return "none"


def reserve(session: Session, taken: Reservation, stamp: Stamp) -> None:
    """Reserve a unit: for a booking that has no slot, or for another attempt of the same booking. Where a place is held
    the SQL function hold_booking reserves the first."""
    _line(session, taken, "reserve", stamp)


def use(session: Session, taken: Reservation, stamp: Stamp) -> None:
    """The service was delivered: the reserved unit becomes used."""
    _line(session, taken, "use", stamp)


def give_back(session: Session, taken: Reservation, stamp: Stamp, *, by: By) -> None:
    """Release a reserved unit. `by` says who caused it.

    If the validity has ended, a unit released by the customer expires at once. One released by provider or platform
    stays usable: the validity is extended to `grace_days` after today. That is audited.
    """
    _return(session, taken, "release", stamp, by)


def reverse(session: Session, taken: Reservation, stamp: Stamp, *, by: By) -> None:
    """Reverse a use (a dispute, an error). If the validity has ended, as give_back() does."""
    _return(session, taken, "reverse", stamp, by)


def expire_rest(session: Session, entitlement_id: int, available: int, stamp: Stamp) -> None:
    """Expire the `available` units of an entitlement that the caller has locked; does nothing for 0."""
    if available > 0:
        _quantity(session, entitlement_id, "expire", available, stamp)


def revoke(session: Session, entitlement_id: int, quantity: int, stamp: Stamp) -> None:
    """Revoke available units; reserved and used ones stay. Audited. Raises EntitlementExhausted, NotFound."""
    locked = _lock(session, entitlement_id)
    _quantity(session, entitlement_id, "revoke", quantity, stamp)
    audit.record(
        session,
        "entitlement.revoked",
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        subject=locked.public_id,
        insurer_id=locked.insurer_id,
        quantity=quantity,
    )


@dataclass(frozen=True)
class _Locked:
    public_id: str
    insurer_id: int
    available: int | None
    valid_until: date
    grace_days: int
    time_zone: str


def _return(session: Session, taken: Reservation, entry: Literal["release", "reverse"], stamp: Stamp, by: By) -> None:
    locked = _lock(session, taken.entitlement_id)
    today = clock.today(locked.time_zone, stamp.at)
    over = today > locked.valid_until
    if over:  # what was left expired with the last day, even if the clock has not come round to it yet
        expire_rest(session, taken.entitlement_id, locked.available or 0, stamp)
    _line(session, taken, entry, stamp)
    if not over:
        return
    if by == "customer":
        expire_rest(session, taken.entitlement_id, 0 if locked.available is None else 1, stamp)
    else:
        _lengthen(session, taken.entitlement_id, locked, today + timedelta(days=locked.grace_days), stamp, by)


def _lengthen(session: Session, entitlement_id: int, locked: _Locked, until: date, stamp: Stamp, by: By) -> None:
    session.execute(
        text("UPDATE entitlement SET valid_until = :until WHERE id = :id"), {"until": until, "id": entitlement_id}
    )
    audit.record(
        session,
        "entitlement.lengthened",
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        subject=locked.public_id,
        insurer_id=locked.insurer_id,
        by=by,
        before=locked.valid_until.isoformat(),
        after=until.isoformat(),
    )


def _lock(session: Session, entitlement_id: int) -> _Locked:
    row = session.execute(
        text(
            "SELECT e.public_id, e.insurer_id, e.available, e.valid_until, e.grace_days, i.time_zone"
            " FROM entitlement e JOIN insurer i ON i.id = e.insurer_id WHERE e.id = :id FOR NO KEY UPDATE OF e"
        ),
        {"id": entitlement_id},
    ).one_or_none()
    if row is None:
        raise NotFound(field="entitlement_id")
    return _Locked(row.public_id, row.insurer_id, row.available, row.valid_until, row.grace_days, row.time_zone)


def _line(session: Session, taken: Reservation, entry: Entry, stamp: Stamp) -> None:
    write(
        session,
        taken.entitlement_id,
        entry,
        booking_id=taken.booking_id,
        attempt=taken.attempt,
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        reason=stamp.reason,
    )


def _quantity(session: Session, entitlement_id: int, entry: Entry, quantity: int, stamp: Stamp) -> None:
    write(
        session,
        entitlement_id,
        entry,
        quantity=quantity,
        at=stamp.at,
        actor_kind=stamp.actor_kind,
        actor=stamp.actor,
        reason=stamp.reason,
    )
