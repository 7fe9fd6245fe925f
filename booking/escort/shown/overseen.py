"""An escort as the insurer's operators see it: who was asked and what became of that, what was done by whose word, what
was paid besides, and what people were asked to look into. Nothing that was written or photographed: that is the
person's record, and hers to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.attendance.complained import COMPLAINT
from booking.discrepancies import Discrepancy
from booking.escort.after.awaited import Awaited
from booking.escort.after.confirm import awaited
from booking.escort.deeds import Deed, deeds_of
from booking.escort.evidence.doubt import Doubt
from booking.escort.evidence.kinds import PROGRESS
from booking.escort.evidence.position import Position
from booking.escort.models import EscortAssignment, EscortSearch
from booking.models import Booking
from booking.states import OVER, BookingState
from marketplace.catalog.kinds import is_dispatched

Source = Literal["desk", "clock", "provider", "worker"]
"""Whose doing it was: the provider's desk, our clock, the provider's own system, the worker with her phone."""


@dataclass(frozen=True)
class Asked:
    """Somebody who was asked to go, or whom the provider's own system named. `state` and `cause`: codes of an
    EscortAssignment; `ended_at`: when it ended, done or not."""

    name: str
    staff_number: str
    state: str
    cause: str
    by: Source
    asked_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Done:
    """A step, by `name`: when it was done by the clock of who says so, and how it is known (evidence.position, the
    customer's code)."""

    kind: str
    name: str
    by: Source
    at: datetime
    doubt: Doubt | None
    position: Position | None
    by_code: bool


@dataclass(frozen=True)
class Paid:
    """Money that was paid for the person besides, in minor units. What for is not told here."""

    at: datetime
    by: Source
    amount_minor: int
    currency: str
    receipt: bool
    doubt: Doubt | None


@dataclass(frozen=True)
class LookedInto:
    """A discrepancy about the booking, open while `closed_at` is None. `what`: of a complaint, a code of
    after.awaited.Wrong."""

    id: str
    kind: str
    what: str
    opened_at: datetime
    closed_at: datetime | None
    resolution: str


@dataclass(frozen=True)
class Overseen:
    """One escort. `asked` the newest first, `done` and `paid` in the order of the deeds, `cases` the newest first.
    `notes` and `papers`: how many there are. `erased`: what was paid could be read once, and can't any more.
    `nobody_since`: since when nobody can be found, while that is so."""

    asked: Sequence[Asked]
    done: Sequence[Done]
    paid: Sequence[Paid]
    notes: int
    papers: int
    erased: bool
    cases: Sequence[LookedInto]
    awaited: Awaited | None
    nobody_since: datetime | None


def overseen(session: Session, booking: Booking, *, now: datetime) -> Overseen | None:
    """Of a booking; None where nobody is sent. The caller has seen to it that it may be shown, and records the look."""
    if not is_dispatched(booking.kind) or booking.state is BookingState.HELD:
        return None
    sent = session.scalars(
        select(EscortAssignment).where(EscortAssignment.booking_id == booking.id).order_by(EscortAssignment.id.desc())
    ).all()
    told_by: dict[str, Source] = {one.public_id: "provider" if one.outside else "worker" for one in sent}
    deeds = deeds_of(session, booking.id)
    search = session.get(EscortSearch, booking.id)
    return Overseen(
        asked=[_asked(one) for one in sent],
        done=[_done(each, told_by[each.assignment]) for each in deeds if each.kind in PROGRESS],
        paid=[paid for each in deeds for paid in _paid(each, told_by[each.assignment])],
        notes=sum(1 for each in deeds if each.kind == "note" or (each.words and each.kind != "paper")),
        papers=sum(1 for each in deeds if each.kind == "paper"),
        erased=any(each.erased for each in deeds if each.kind == "cost"),
        cases=_cases(session, booking),
        awaited=awaited(session, booking, now=now),
        nobody_since=search.nobody_since if search is not None and booking.state not in OVER else None,
    )


def _asked(one: EscortAssignment) -> Asked:
    by: Source = "provider" if one.outside else "desk" if one.asked_by_kind == "provider" else "clock"
    return Asked(
        one.worker_then["name"],
        one.worker_then["staff_number"],
        one.state,
        one.cause or "",
        by,
        one.asked_at,
        one.answered_at,
        one.ended_at,
    )


def _done(deed: Deed, by: Source) -> Done:
    return Done(deed.kind, deed.worker, by, deed.at, deed.doubt, deed.position, deed.by_code)


def _paid(deed: Deed, by: Source) -> list[Paid]:
    it = deed.cost
    if it is None:
        return []
    return [Paid(deed.at, by, it.amount_minor, it.currency, bool(deed.picture), deed.doubt)]


def _cases(session: Session, booking: Booking) -> list[LookedInto]:
    rows = session.scalars(
        select(Discrepancy).where(Discrepancy.booking_id == booking.id).order_by(Discrepancy.id.desc())
    )
    return [
        LookedInto(
            row.public_id,
            row.kind,
            str(row.facts.get("what") or "") if row.kind == COMPLAINT else "",
            row.opened_at,
            row.closed_at,
            row.resolution,
        )
        for row in rows
    ]
