"""What a provider sees of itself: its figures, what customers are told of it, and the faults that we found in what it
sent. Faults name bookings by number and rows by reference; what was delivered is not shown, nor anything of a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.discrepancies import UNREADABLE, Discrepancy
from booking.health.backlog import Backlog, backlogs
from booking.health.figures import Figures, Point, Window
from booking.health.view import figures_of
from booking.models import Booking
from booking.offers.answers_slowly import AnswersSlowly, answers_slowly
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from providers.registry import capabilities

OWN_FAULTS = (
    *("unreadable_row", "slot_oversold", "slot_moved", "too_early", "time_differs", "state_differs", "theirs_only"),
    *("duplicate_there", "report_unmatched", "report_incomplete", "report_not_fetched", "report_refused"),
    *(
        "report_not_confirmed",
        "report_overdue",
        "outcome_unknown",
        "commands_waiting",
        "cancel_refused",
        "allotment_refused",
    ),
    *("clinician_unknown", "clinician_not_verified", "message_refused", "line_differs", "line_after_end"),
    *("line_missing", "picture_not_fetched", "ended_without_answer", "messages_waiting", "list_not_read"),
    *("escort_nobody", "escort_late", "escort_away", "escort_lost", "escort_came_after_all", "escort_not_named"),
    *("escort_line_differs", "escort_after_end", "escort_wrong_code", "escort_two_at_once", "escort_line_missing"),
    *("escort_picture_not_fetched", "escort_list_not_read", "escort_end_unproved", "escort_called_off"),
)
"""The kinds of discrepancies that a provider can clear up at its side, and is shown."""


@dataclass(frozen=True)
class Fault:
    """Something that its system sent, or owes. `reference` is the provider's or the row's, blank where it has none;
    `booking` our number of the booking, None without one. Of a row that could not be used: the `feed` it came in, the
    code of what is wrong with it (such as `status.unknown`), and how often it came."""

    kind: str
    reference: str
    booking: str | None
    opened_at: datetime
    feed: str = ""
    wrong: str = ""
    times: int = 0


@dataclass(frozen=True)
class OwnHealth:
    """A provider's own figures within `window`. `answers_here`: no system of its own is called."""

    window: Window
    answers_here: bool
    figures: Mapping[str, Figures]
    calls: Sequence[Point]
    answers: Sequence[Point]
    backlog: Backlog
    slow: AnswersSlowly | None
    paused: bool


def own_health(provider_id: int, window: Window, *, now: datetime) -> OwnHealth:
    """The figures of one provider (internal id)."""
    with reading() as session:
        provider = session.get_one(Provider, provider_id)
        return OwnHealth(
            window,
            capabilities(provider.adapter).answers_here,
            *figures_of(session, provider_id, window, now=now),
            backlogs(session, now=now, provider_id=provider_id).get(provider_id, Backlog()),
            answers_slowly(provider.answers_slowly_since, provider.answers_slowly_reason),
            provider.paused_at is not None,
        )


def own_faults(provider_id: int, *, cursor: str | None = None, limit: int = 20) -> Page[Fault]:
    """What is open of a provider's own faults, the newest first. Raises Invalid for an unusable cursor or limit."""
    check_limit(limit)
    after = None if cursor is None else decode_cursor(cursor, (int,))[0]
    with reading() as session:
        found = _found(session, provider_id, after, limit + 1)
    following = encode_cursor([found[limit - 1][0]]) if len(found) > limit else None
    return Page([fault for _id, fault in found[:limit]], following)


def _found(session: Session, provider_id: int, after: int | None, limit: int) -> list[tuple[int, Fault]]:
    query = (
        select(Discrepancy, Booking.reference)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(
            Discrepancy.provider_id == provider_id,
            Discrepancy.closed_at.is_(None),
            Discrepancy.kind.in_(OWN_FAULTS),
        )
        .order_by(Discrepancy.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(Discrepancy.id < after)
    return [(row.Discrepancy.id, _fault(row.Discrepancy, row.reference)) for row in session.execute(query)]


def _fault(it: Discrepancy, booking: str | None) -> Fault:
    if it.kind == UNREADABLE:
        facts = it.facts
        return Fault(
            it.kind,
            str(facts.get("reference") or facts.get("our_reference") or ""),
            booking,
            it.opened_at,
            str(facts.get("feed", "")),
            str(facts.get("reason", "")),
            int(facts.get("times", 0)),
        )
    subject = "" if it.kind == "commands_waiting" else it.subject
    return Fault(it.kind, subject, booking, it.opened_at)
