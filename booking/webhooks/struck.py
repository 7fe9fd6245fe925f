"""A webhook of a test booking that a fault strikes: posted twice, newest first, with a wrong time, or late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.faults import strike
from booking.faults.kinds import Kind
from booking.faults.models import RehearsalStep
from booking.faults.strike import Armed
from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from marketplace.core.database.db import reading

AGAIN = timedelta(seconds=1)
"""So long a webhook is put off whose later one is not there yet."""
MOST_WAITED = timedelta(seconds=30)
"""So long the later one is waited for; then this one goes as it is."""


class _Answered(Protocol):
    @property
    def status(self) -> int | None:
        """The receiver's answer, None where there was none."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""


A = TypeVar("A", bound=_Answered)


@dataclass(frozen=True)
class Struck:
    """A delivery that a fault strikes."""

    armed: Armed
    id: int
    endpoint_id: int
    type: str
    version: int
    tries: int


@dataclass(frozen=True)
class Means(Generic[A]):
    """How the sender posts. `post` makes the message of a delivery (its id), signed for a moment, and posts it; None if
    its event has gone. `answered` makes what it says of a status that is known already."""

    post: Callable[[int, datetime], A | None]
    answered: Callable[[int], A]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class PutOff:
    """Not to be sent before `until`."""

    until: datetime


def struck(delivery_id: int) -> Struck | None:
    """Whether a fault strikes this delivery. While no rehearsal is under way this asks nothing of the database."""
    if not strike.any_rehearsal():
        return None
    with reading() as session:
        row = session.get(WebhookDelivery, delivery_id)
        if row is None or not row.booking:
            return None
        provider_id = session.get_one(WebhookEndpoint, row.endpoint_id).provider_id
    armed = strike.fault_of(provider_id, row.booking)
    if armed is None:
        return None
    return Struck(armed, row.id, row.endpoint_id, row.event_type, row.version, row.tries)


def post_struck(it: Struck, means: Means[A]) -> A | PutOff | None:
    """Post it as its fault has it, and note what came; what the sender is to record, None if its event has gone."""
    match it.armed.kind:
        case Kind.DUPLICATE:
            first = _post(it, means, copy=1)
            second = _post(it, means, copy=2)
            return second if first is not None and first.taken else first
        case Kind.CLOCK_SKEW if it.tries == 1:
            now = means.clock()
            skewed = means.post(it.id, now + timedelta(seconds=it.armed.seconds))
            if skewed is not None:
                _note(it, means, "sent_skewed", skewed, seconds=it.armed.seconds)
            return _post(it, means)
        case Kind.LATE if it.tries == 1:
            until = it.armed.made_at + timedelta(seconds=it.armed.hold)
            if means.clock() < until:
                strike.note(it.armed, "us", "held", {"type": it.type, "seconds": it.armed.hold}, now=means.clock())
                return PutOff(until)
            return _post(it, means)
        case Kind.OUT_OF_ORDER:
            return _newest_first(it, means)
        case _:
            return _post(it, means)


def _newest_first(it: Struck, means: Means[A]) -> A | PutOff | None:
    """The later ones first, the newest of them first of all. One that went ahead is not posted again in its turn."""
    with reading() as session:
        status = _sent_ahead(session, it.armed, it.version)
        if status is not None:
            return means.answered(status)
        later = session.execute(
            select(WebhookDelivery.id, WebhookDelivery.event_type, WebhookDelivery.version)
            .where(
                WebhookDelivery.endpoint_id == it.endpoint_id,
                WebhookDelivery.booking == it.armed.booking,
                WebhookDelivery.version > it.version,
                WebhookDelivery.state == "queued",
            )
            .order_by(WebhookDelivery.version.desc())
        ).all()
        ahead = {each.id: _sent_ahead(session, it.armed, each.version) for each in later}
    if not later and it.tries == 1 and means.clock() - it.armed.made_at < MOST_WAITED:
        return PutOff(means.clock() + AGAIN)
    for each in later:
        if ahead[each.id] is None:
            newer = Struck(it.armed, each.id, it.endpoint_id, each.event_type, each.version, 1)
            answered = means.post(each.id, means.clock())
            if answered is not None:
                _note(newer, means, "sent_ahead", answered)
    return _post(it, means)


def _sent_ahead(session: Session, armed: Armed, version: int) -> int | None:
    """By which status the webhook of this version was taken before its turn."""
    found = session.scalars(
        select(RehearsalStep.facts)
        .where(RehearsalStep.rehearsal_booking_id == armed.id, RehearsalStep.what == "sent_ahead")
        .order_by(RehearsalStep.id)
    )
    taken = [int(each["status"]) for each in found if each["version"] == version and each["status"] in range(200, 300)]
    return taken[-1] if taken else None


def _post(it: Struck, means: Means[A], *, copy: int = 0) -> A | None:
    answered = means.post(it.id, means.clock())
    if answered is not None:
        _note(it, means, "delivered", answered, **({"copy": copy} if copy else {}))
    return answered


def _note(it: Struck, means: Means[A], what: str, answered: A, **facts: int) -> None:
    said = {"type": it.type, "version": it.version, "status": answered.status, **facts}
    strike.note(it.armed, "us", what, said, now=means.clock())
