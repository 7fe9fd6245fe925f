"""When an escort worker is away whatever her roster says, and what she had accepted for that time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.escort.assign import NobodyAssigned, replace
from booking.escort.models import ACCEPTED, EscortAbsence, EscortAssignment, EscortWorker, asked_here
from booking.escort.workers.keep import locked, record
from booking.models import Booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.ids import new_id
from providers.staff.duties import require
from vip.principal import Member

Cause = Literal["ill", "leave", "other"]
CAUSES: tuple[Cause, ...] = get_args(Cause)


@dataclass(frozen=True)
class Away:
    """A time in which she is away, by its public id; `until` None: until she is back."""

    id: str
    since: datetime
    until: datetime | None
    cause: str


@dataclass(frozen=True)
class Promised:
    """An escort that she was asked for (`accepted`: and said yes to), by its booking and its assignment (public
    ids)."""

    booking: str
    assignment: str
    reference: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    venue: str
    accepted: bool


def absences_of(session: Session, worker_id: int, since: datetime) -> list[Away]:
    """Those that are not over by `since`, the first one first."""
    rows = session.scalars(
        select(EscortAbsence)
        .where(EscortAbsence.worker_id == worker_id, func.coalesce(func.upper(EscortAbsence.period) > since, True))
        .order_by(func.lower(EscortAbsence.period), EscortAbsence.id)
    )
    return [_away(row) for row in rows]


def promised(session: Session, worker_id: int, since: datetime, until: datetime | None) -> list[Promised]:
    """What she is asked for, or has accepted, that touches the time from `since` to `until` (None: all after it)."""
    rows = session.execute(
        select(EscortAssignment, Booking)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .where(
            EscortAssignment.worker_id == worker_id,
            EscortAssignment.live,
            EscortAssignment.needed.overlaps(Range(since, until)),
        )
        .order_by(func.lower(EscortAssignment.period))
    )
    return [_promised(*row) for row in rows]


def hit(member: Member, worker: str, since: datetime, until: datetime | None) -> list[Promised]:
    """What of hers (public id) would be hit if she were away then. Raises NotFound."""
    require(member, "dispatch")
    with reading() as session:
        return promised(session, id_of(session, member, worker), since, until)


def go_away(
    member: Member, worker: str, since: datetime, until: datetime | None, cause: str, *, now: datetime
) -> list[str]:
    """She is away from `since` to `until` (None: until she is back) for one of CAUSES, and somebody else is looked for
    wherever she was to go. A time that is within one written for the same cause, as of a second click, is not written
    again. Returns the bookings (public ids) that are looked after. Audited.

    Raises NotFound, Invalid(field=since, until or cause).
    """
    require(member, "dispatch")
    if cause not in CAUSES:
        raise Invalid(field="cause", reason="choice")
    if until is not None and until <= max(since, now):
        raise Invalid(field="until", reason="ends_before_start")
    with transaction() as session:
        row = locked(session, member, worker)
        if not any(_within(each, since, until, cause) for each in absences_of(session, row.id, since)):
            session.add(
                EscortAbsence(
                    public_id=new_id("eab"),
                    worker_id=row.id,
                    period=Range(since, until),
                    cause=cause,
                    created_at=now,
                    by_kind=member.acts_as,
                    by=member.public_id,
                )
            )
            record(session, "escort_worker.away", member, worker, now)
        found = promised(session, row.id, max(since, now), until)
    return hand_on(member, found, "ill" if cause == "ill" else "desk", now=now)


def come_back(member: Member, worker: str, absence: str, *, now: datetime) -> None:
    """She is back, or does not go away: what of the absence (public id) is past stays. Again changes nothing. Raises
    NotFound for another worker."""
    require(member, "dispatch")
    with transaction() as session:
        row = locked(session, member, worker)
        found = session.scalar(
            select(EscortAbsence).where(EscortAbsence.public_id == absence, EscortAbsence.worker_id == row.id)
        )
        if found is None:
            return
        since, until = found.period.lower, found.period.upper
        if since is not None and since >= now:
            session.delete(found)
        elif until is None or until > now:
            found.period = Range(since, now)
        else:
            return
        record(session, "escort_worker.back", member, worker, now)


def hand_on(member: Member, hers: Iterable[Promised], cause: str, *, now: datetime) -> list[str]:
    """Let somebody else be looked for in her stead for each of these; returns the bookings (public ids) for which she
    was still the one. Each is done by itself: what another person did meanwhile is left as it is, and so is where she
    has met the person: how that goes on is for people."""
    done, by = [], Actor("provider", member.public_id)
    for each in hers:
        try:
            replace(
                member.provider_id,
                each.booking,
                cause,
                actor=by,
                now=now,
                assignment=each.assignment,
                unless_met=True,
            )
        except (NobodyAssigned, NotFound):
            continue
        done.append(each.booking)
    return done


def hand_on_all(member: Member, worker: str, *, now: datetime) -> list[str]:
    """The same for all that she is still to do. Raises NotFound."""
    return hand_on(member, hit(member, worker, now, None), "desk", now=now)


def id_of(session: Session, member: Member, worker: str) -> int:
    """The internal id of a worker (public id) of the member's provider. Raises NotFound."""
    found = session.scalar(
        select(EscortWorker.id).where(
            EscortWorker.public_id == worker, EscortWorker.provider_id == member.provider_id, asked_here()
        )
    )
    if found is None:
        raise NotFound(field="worker")
    return found


def _within(there: Away, since: datetime, until: datetime | None, cause: str) -> bool:
    if there.cause != cause or there.since > since:
        return False
    return there.until is None or (until is not None and until <= there.until)


def _away(row: EscortAbsence) -> Away:
    if row.period.lower is None:
        raise LookupError("an absence begins some time")
    return Away(row.public_id, row.period.lower, row.period.upper, row.cause)


def _promised(assignment: EscortAssignment, booking: Booking) -> Promised:
    since, until = assignment.period.lower, assignment.period.upper
    if since is None or until is None:
        raise LookupError("a service begins and ends some time")
    site = booking.snapshot["site"]
    return Promised(
        booking.public_id,
        assignment.public_id,
        booking.reference,
        since,
        until,
        booking.time_zone,
        site["name"],
        assignment.state == ACCEPTED,
    )
