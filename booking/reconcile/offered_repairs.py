"""Which repairs of a discrepancy are offered to an operator: by its kind, and by what is so of its booking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.attendance.early import DAY_OF_SERVICE, too_early
from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.reconcile.compare import KINDS, leads
from booking.states import CANCELLABLE, DEAD, LIVE, BookingState
from marketplace.catalog.models import Insurer
from marketplace.core.clock import start_of

Action = Literal[
    "look_up",
    "send_again",
    "cancel_here",
    "cancel_there",
    "take_their_time",
    "take_their_status",
    "took_place",
    "did_not_take_place",
    "note",
]

ACTIONS: tuple[Action, ...] = (
    "look_up",
    "send_again",
    "take_their_time",
    "take_their_status",
    "cancel_there",
    "cancel_here",
    "took_place",
    "did_not_take_place",
    "note",
)
STRAY = "theirs_only"
"""The kind of the discrepancy of a booking there that is nobody's of ours."""

_S = BookingState
_CANCELS_HERE = (
    "ours_only",
    "state_differs",
    "time_differs",
    "allotment_refused",
    "outcome_unknown",
    "closure_stands",
    "escort_complaint",
)
_GIVES_BACK = ("ours_only", "escort_complaint")
"""Kinds that are settled by giving the unit back although the service has begun, or is over."""
_CANCELS_THERE = ("theirs_only", "duplicate_there", "cancel_refused")
_TO_SETTLE = "escort_lost"
"""The kind of the case that nobody is known to have come: while its booking stands, a person says whether it took
place, and no note closes it."""
_FIRM = LIVE - {_S.HELD}


@dataclass(frozen=True)
class Case:
    """A discrepancy with its booking, as `offered` and the repairs need them. `for_the_house`: it is a booking that
    belongs to no insurer where there are several: none of their operators settles it."""

    kind: str
    facts: Mapping[str, object]
    closed: bool
    state: BookingState | None
    begins: datetime | None = None
    service_date: date | None = None
    starts_at: datetime | None = None
    time_zone: str = ""
    for_the_house: bool = False

    @property
    def theirs(self) -> str | None:
        """The provider's status; None if the provider has no booking, or gave no status."""
        status = self.facts.get("theirs") or self.facts.get("status")
        return status if isinstance(status, str) else None


def offered(case: Case, *, now: datetime) -> list[Action]:
    """The repairs that are possible, in the order in which they are shown; none of a closed one."""
    if case.closed:
        return []
    fits: dict[Action, bool] = {
        "look_up": case.kind in KINDS or case.kind == "outcome_unknown",
        "send_again": case.kind == "ours_only"
        and case.state is _S.CONFIRMED
        and case.begins is not None
        and case.begins > now,
        "take_their_time": case.kind == "time_differs"
        and case.state is _S.CONFIRMED
        and bool(case.facts.get("service_date")),
        "take_their_status": case.kind in ("state_differs", "too_early") and _was_there(case, now),
        "cancel_there": case.kind in _CANCELS_THERE
        and (case.state is not None or case.kind == "theirs_only")
        and (case.theirs is None or case.theirs in CANCELLABLE),
        "cancel_here": case.kind in _CANCELS_HERE and _can_end(case),
        "took_place": _to_settle(case, now),
        "did_not_take_place": _to_settle(case, now),
        # commands_waiting closes itself, and would only come again
        "note": case.kind != "commands_waiting" and not _to_settle(case, now),
    }
    if case.for_the_house:
        fits |= {"cancel_there": False, "note": False}
    return [action for action in ACTIONS if fits[action]]


def _to_settle(case: Case, now: datetime) -> bool:
    """Whether its booking stands though its time has come; one that is at another time now is not lost."""
    return case.kind == _TO_SETTLE and case.state is _S.CONFIRMED and (case.begins is not None and case.begins <= now)


def _can_end(case: Case) -> bool:
    """Whether the booking can be cancelled here: while it is open, or used but unknown to the provider,
    or not as its customer was promised."""
    if case.state in _FIRM:
        return case.state is not _S.IN_SERVICE or case.kind in _GIVES_BACK or case.theirs in DEAD
    used = case.state in (_S.FULFILLED, _S.NO_SHOW)
    return used and (case.kind in _GIVES_BACK or (case.kind == "state_differs" and case.theirs in DEAD))


def _was_there(case: Case, now: datetime) -> bool:
    """Whether the provider reports a visit, or that nobody came, which can be true by now and is our next state."""
    if case.state is None or case.theirs not in DAY_OF_SERVICE or case.service_date is None:
        return False
    possible = not too_early(case.theirs, case.service_date, case.starts_at, case.time_zone, now)
    return possible and leads(case.state, case.theirs)


def as_case(session: Session, case: Discrepancy, booking: Booking | None) -> Case:
    """The facts that decide which repairs are possible."""
    if booking is None:
        several = case.kind == STRAY and (session.scalar(select(func.count()).select_from(Insurer)) or 0) > 1
        return Case(case.kind, case.facts, case.closed_at is not None, None, for_the_house=several)
    begins = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    when = booking.service_date, booking.starts_at, booking.time_zone
    return Case(case.kind, case.facts, case.closed_at is not None, booking.state, begins, *when)
