"""Rehearsals as the provider's own people and programs see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.faults.models import Rehearsal, RehearsalBooking, RehearsalStep
from booking.rehearsals.judge import NEVER_STRIKES
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text

Outcome = Literal["passed", "failed", "incomplete", "stopped"]


@dataclass(frozen=True)
class StepView:
    """A line of a timeline. `by`: us, partner or customer."""

    at: datetime
    by: str
    what: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class BookingView:
    """A test booking: its fault, what happened, and what it was judged. `state`: waiting, running, right, wrong or
    not_tried; `booking_id` is None before it is made."""

    number: int
    fault: str
    seconds: int
    booking_id: str | None
    state: str
    reason: str
    steps: Sequence[StepView]


@dataclass(frozen=True)
class RehearsalView:
    """A rehearsal. Of those `not_tried`, `missed` could have been. `results` are empty in a list."""

    id: str
    state: str
    reason: str
    seed: int
    faults: Sequence[str]
    bookings: int
    offer: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    right: int
    wrong: int
    not_tried: int
    missed: int
    results: Sequence[BookingView] = ()

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None while it goes on. `incomplete`: nothing was wrong, and something that can strike this
        provider was not tried, or nothing was tried at all."""
        if self.finished_at is None:
            return None
        if self.state != "done":
            return "stopped"
        if self.wrong:
            return "failed"
        return "incomplete" if self.missed or not self.right else "passed"

    @property
    def passed(self) -> bool | None:
        """Whether all was tried and right; None while it goes on."""
        return None if self.outcome is None else self.outcome == "passed"


@dataclass(frozen=True)
class OfferView:
    """An offer that test bookings can be of."""

    id: str
    name: Text


def offers(provider_id: int) -> list[OfferView]:
    """The provider's active offers, the oldest first."""
    query = select(Offer).where(Offer.provider_id == provider_id, Offer.active).order_by(Offer.id)
    with reading() as session:
        return [OfferView(each.public_id, Text(each.name_zh, each.name_en)) for each in session.scalars(query)]


def rehearsals(provider_id: int, *, limit: int = 20) -> list[RehearsalView]:
    """The provider's newest rehearsals, without what happened in each."""
    query = select(Rehearsal).where(Rehearsal.provider_id == provider_id).order_by(Rehearsal.id.desc()).limit(limit)
    with reading() as session:
        return [_seen(session, row, whole=False) for row in session.scalars(query).all()]


def rehearsal(provider_id: int, public_id: str) -> RehearsalView:
    """One rehearsal with all that happened. Raises NotFound, for another provider's as well."""
    mine = (Rehearsal.provider_id == provider_id, Rehearsal.public_id == public_id)
    with reading() as session:
        row = session.scalar(select(Rehearsal).where(*mine))
        if row is None:
            raise NotFound(field="rehearsal_id")
        return _seen(session, row, whole=True)


def _seen(session: Session, row: Rehearsal, *, whole: bool) -> RehearsalView:
    rows = session.scalars(
        select(RehearsalBooking).where(RehearsalBooking.rehearsal_id == row.id).order_by(RehearsalBooking.number)
    ).all()
    states = [each.state for each in rows]
    return RehearsalView(
        id=row.public_id,
        state=row.state,
        reason=row.reason,
        seed=row.seed,
        faults=list(row.kinds),
        bookings=row.bookings,
        offer=row.offer,
        asked_at=row.asked_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        right=states.count("right"),
        wrong=states.count("wrong"),
        not_tried=states.count("not_tried"),
        missed=sum(each.state == "not_tried" and each.reason != NEVER_STRIKES for each in rows),
        results=_results(session, rows) if whole else (),
    )


def _step(line: RehearsalStep) -> StepView:
    """A webhook that nobody answered was not delivered."""
    unanswered = line.what == "delivered" and line.facts.get("status") is None
    return StepView(line.at, line.by, "not_delivered" if unanswered else line.what, line.facts)


def _results(session: Session, rows: Sequence[RehearsalBooking]) -> list[BookingView]:
    query = (
        select(RehearsalStep)
        .where(RehearsalStep.rehearsal_booking_id.in_([row.id for row in rows]))
        .order_by(RehearsalStep.id)
    )
    steps: dict[int, list[StepView]] = {}
    for line in session.scalars(query):
        steps.setdefault(line.rehearsal_booking_id, []).append(_step(line))
    return [
        BookingView(
            row.number, row.kind, row.seconds, row.booking or None, row.state, row.reason, steps.get(row.id, [])
        )
        for row in rows
    ]
