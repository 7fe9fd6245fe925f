"""The way to each service of a worker: from the one before it on that day, else from where she sets out.

It is written into `travel_seconds`, and into `padded`, which the database keeps apart: so two neighbours always have
the way between them. The caller holds the lock of the worker's row. Where two places turn out to lie further apart
than they were taken to, the padding reaches as far as there is time, and `travel_seconds` says how long it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, aliased

from booking.escort.matching.travel import Stop, travel_seconds
from booking.escort.models import DONE, LIVE, EscortAssignment, EscortWorker
from booking.models import Booking
from marketplace.catalog.models import Offer, Site
from marketplace.core.clock import today
from marketplace.core.sphere import Position

LATELY = timedelta(days=1)
"""What ended longer ago says nothing about where she sets out."""


@dataclass(frozen=True)
class Service:
    """A time for which a worker is asked or promised, from and until, with where; one that is done ended when it was
    done. `begun`: it had begun when she was asked, and this is what was left of it. `assignment`: its row, None for one
    that is about to be written."""

    start: datetime
    end: datetime
    stop: Stop
    zone: str
    begun: bool = False
    assignment: EscortAssignment | None = None


def lock_worker(session: Session, worker_id: int) -> EscortWorker:
    """Lock a worker's row (internal id): before anything is looked at that follows from what she does."""
    locked = select(EscortWorker).where(EscortWorker.id == worker_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def home_of(worker: EscortWorker) -> Stop:
    """Where she sets out from."""
    if worker.home_longitude is None or worker.home_latitude is None:
        return Stop()
    return Stop(position=Position(latitude=worker.home_latitude, longitude=worker.home_longitude))


def services(session: Session, worker: EscortWorker, *, now: datetime) -> list[Service]:
    """What a worker is asked for or promised to, with where she has been within LATELY, in the order of time."""
    where, place = aliased(Site), aliased(Site)
    rows = session.execute(
        select(EscortAssignment, Booking.time_zone, place.id.label("place"), place.longitude, place.latitude)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(where, where.id == func.coalesce(Booking.venue_id, Offer.site_id))
        .join(place, place.id == where.place_id)
        .where(
            EscortAssignment.worker_id == worker.id,
            EscortAssignment.state.in_((*LIVE, DONE)),
            func.upper(EscortAssignment.period) > now - LATELY,
        )
        .order_by(func.lower(EscortAssignment.period))
        .execution_options(populate_existing=True)
    )
    return [_service(row.EscortAssignment, row) for row in rows]


def way_to(worker: EscortWorker, there: Service, before: Service | None) -> int:
    """Seconds to a service from the one before it, if that is on the same day; else from home."""
    same_day = before is not None and today(there.zone, before.start) == today(there.zone, there.start)
    start = before.stop if before is not None and same_day else home_of(worker)
    return travel_seconds(start, there.stop, worker.city)


def padded(there: Service, before: Service | None, seconds: int) -> Range[datetime]:
    """The service and the way to it, as far as the one before leaves time for it; of one that has begun, what is
    left."""
    if there.begun:
        return Range(there.start, there.end, bounds="[)")
    start = there.start - timedelta(seconds=seconds)
    if before is not None:
        start = max(start, before.end)
    return Range(min(start, there.start), there.end, bounds="[)")


def write_ways(session: Session, worker: EscortWorker, planned: Sequence[Service]) -> None:
    """Write the way to each service that has a row, in an order of services in time."""
    before: Service | None = None
    for each in planned:
        if each.assignment is not None and each.assignment.state in LIVE:
            seconds = way_to(worker, each, before)
            wanted = padded(each, before, seconds)
            row = each.assignment
            if (row.travel_seconds, row.padded) != (seconds, wanted):
                row.travel_seconds, row.padded = seconds, wanted
        before = each
    session.flush()


def renew_ways(session: Session, worker: EscortWorker, *, now: datetime) -> None:
    """Write them anew after one of a locked worker's services came or went."""
    write_ways(session, worker, services(session, worker, now=now))


def _service(row: EscortAssignment, site: object) -> Service:
    place, longitude, latitude, zone = (getattr(site, name) for name in ("place", "longitude", "latitude", "time_zone"))
    known = None if longitude is None or latitude is None else Position(latitude=latitude, longitude=longitude)
    start, end = row.needed.lower, row.needed.upper
    if start is None or end is None:
        raise ValueError("a service without an end")
    begun = start != row.period.lower
    until = end if row.state != DONE or row.ended_at is None else max(start, min(end, row.ended_at))
    return Service(start, until, Stop(place, known), zone, begun, row)
