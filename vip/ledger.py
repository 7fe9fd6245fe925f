"""Lines of the entitlement ledger. Adding one moves the counters (by trigger); nothing else does.

Every function adds lines in the caller's transaction. A booking reserves once per attempt and then either uses or
gives back, never both: the table's unique indexes stand behind that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.core import audit, clock
from vip.models import Entitlement, EntitlementEntry

Standing = Literal["none", "reserved", "used", "released"]


@dataclass(frozen=True)
class Line:
    """What a ledger line says besides its kind. `attempt` numbers the reservations of one booking."""

    entitlement_id: int
    booking_id: int | None
    attempt: int
    at: datetime
    actor_kind: str
    actor: str
    reason: str = ""
    quantity: int = 1

    def next_attempt(self) -> Line:
        """The same, for the booking's next reservation."""
        return replace(self, attempt=self.attempt + 1)


def write(session: Session, entry: str, line: Line) -> None:
    """Add one line. The trigger refuses (SQLSTATE AX001) what the counters do not allow."""
    session.add(
        EntitlementEntry(
            entitlement_id=line.entitlement_id,
            booking_id=line.booking_id,
            entry=entry,
            quantity=line.quantity,
            attempt=line.attempt,
            at=line.at,
            actor_kind=line.actor_kind,
            actor=line.actor,
            reason=line.reason,
        )
    )
    session.flush()


def standing(session: Session, booking_id: int, attempt: int) -> Standing:
    """Where the booking's reservation stands. `none` before it and after a reversed use."""
    entries = set(
        session.scalars(
            select(EntitlementEntry.entry).where(
                EntitlementEntry.booking_id == booking_id, EntitlementEntry.attempt == attempt
            )
        )
    )
    if "reverse" in entries:
        return "none"
    if "use" in entries:
        return "used"
    if "release" in entries:
        return "released"
    return "reserved" if "reserve" in entries else "none"


def reserve(session: Session, line: Line) -> None:
    """available -> reserved."""
    write(session, "reserve", line)


def use(session: Session, line: Line) -> None:
    """reserved -> used."""
    write(session, "use", line)


def reverse(session: Session, line: Line) -> None:
    """used -> available: a use that was entered in error."""
    write(session, "reverse", line)


def give_back(session: Session, line: Line, *, by: Literal["customer", "provider", "platform"]) -> None:
    """reserved -> available. When validity is over: by the customer, the unit expires; by provider or platform,
    validity grows by the plan's grace, counted from today, and the unit can be used (DESIGN 5.2)."""
    write(session, "release", line)
    found = session.execute(
        select(Entitlement.valid_until, Entitlement.grace_days, Entitlement.public_id, Insurer.id, Insurer.time_zone)
        .join(Insurer, Insurer.id == Entitlement.insurer_id)
        .where(Entitlement.id == line.entitlement_id)
    ).one()
    today = clock.today(found.time_zone, line.at)
    if found.valid_until >= today:
        return
    if by == "customer":
        limited = session.scalar(select(Entitlement.granted).where(Entitlement.id == line.entitlement_id)) is not None
        if limited:
            write(session, "expire", replace(line, booking_id=None, reason="released_after_expiry"))
        return
    until = today + timedelta(days=found.grace_days)
    session.execute(update(Entitlement).where(Entitlement.id == line.entitlement_id).values(valid_until=until))
    audit.record(
        session,
        "entitlement.extended",
        at=line.at,
        actor_kind=line.actor_kind,
        actor=line.actor,
        subject=found.public_id,
        insurer_id=found.id,
        valid_until=until.isoformat(),
        reason=line.reason,
    )
