"""What the deeds of an escort tell, sorted: one reading for customer, family and record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking.escort.deeds import Deed, deeds_of
from booking.escort.evidence.doubt import Doubt
from booking.escort.models import ACCEPTED, DONE, REPLACED, EscortAssignment
from booking.escort.shown.steps import SIGNED_OFF, SPEAKS, Sent, StepDeed


@dataclass(frozen=True)
class Note:
    """What an escort wrote, and when; of this and what follows, `doubt` says why the time can't be quite true
    (evidence.doubt)."""

    at: datetime
    words: str = field(repr=False)
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Paper:
    """A photographed paper, by its picture (public id). `words` may be blank."""

    id: str
    at: datetime
    words: str = field(repr=False)
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Spent:
    """What was paid for the person besides, in minor units. `receipt`: the picture (public id), None without one."""

    at: datetime
    amount_minor: int
    currency: str
    what: str = field(repr=False)
    receipt: str | None
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Told:
    """All of an escort, each list in the order of the deeds. `handed_over`: the note at the end, blank before. `notes`
    are those that belong to no step. What was said is left out once its key was destroyed; steps and times stay."""

    sent: tuple[Sent, ...]
    notes: tuple[Note, ...]
    papers: tuple[Paper, ...]
    costs: tuple[Spent, ...]
    handed_over: str = field(repr=False)


def told_of(session: Session, booking_id: int) -> Told:
    """What is told of a booking (internal id) by those who had agreed to come to its date. The caller has seen to it
    that it may be shown."""
    theirs = select(EscortAssignment.public_id).where(EscortAssignment.booking_id == booking_id, was_sent())
    who = set(session.scalars(theirs))
    deeds = [deed for deed in deeds_of(session, booking_id) if deed.assignment in who]
    notes, papers, costs, over = [], [], [], []
    for deed in deeds:
        if deed.kind == "paper" and deed.picture:
            papers.append(Paper(deed.picture, deed.at, deed.words, deed.doubt))
        elif deed.cost is not None:
            cost = deed.cost
            costs.append(Spent(deed.at, cost.amount_minor, cost.currency, cost.what, deed.picture or None, deed.doubt))
        elif deed.words and deed.kind in SIGNED_OFF:
            over.append(deed.words)
        elif deed.words and deed.kind not in SPEAKS:
            notes.append(Note(deed.at, deed.words, deed.doubt))
    return Told(_sent(session, booking_id, deeds), tuple(notes), tuple(papers), tuple(costs), "\n".join(over))


def without_words(told: Told) -> Told:
    """The same without what the escort wrote: for whom it may not be shown to."""
    papers = tuple(replace(it, words="") for it in told.papers)
    costs = tuple(replace(it, what="") for it in told.costs)
    sent = tuple(replace(one, deeds=tuple(replace(it, words="") for it in one.deeds)) for one in told.sent)
    return replace(told, sent=sent, notes=(), papers=papers, costs=costs, handed_over="")


def was_sent() -> ColumnElement[bool]:
    """Whether (SQL, of an EscortAssignment) she had agreed to come to this date: who was only asked, or before the
    booking was moved, is nobody's news."""
    return and_(
        EscortAssignment.answered_at.is_not(None),
        or_(EscortAssignment.state.in_((ACCEPTED, DONE, REPLACED)), EscortAssignment.cause == "cancelled"),
    )


def _sent(session: Session, booking_id: int, deeds: list[Deed]) -> tuple[Sent, ...]:
    people = session.scalars(
        select(EscortAssignment)
        .where(EscortAssignment.booking_id == booking_id, was_sent())
        .order_by(EscortAssignment.asked_at, EscortAssignment.id)
    )
    return tuple(
        Sent(
            one.worker_then["name"],
            tuple(_step(it, one) for it in deeds if it.assignment == one.public_id),
            one.ended_at if one.state == REPLACED else None,
        )
        for one in people
    )


def _step(deed: Deed, one: EscortAssignment) -> StepDeed:
    begins = one.period.lower
    early = deed.kind in SIGNED_OFF and begins is not None and deed.received_at < begins
    words = deed.words if deed.kind in SPEAKS else ""
    return StepDeed(deed.kind, deed.at, deed.position, deed.by_code, deed.doubt, early, words)
