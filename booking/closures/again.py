"""Closures that stand while their place becomes another one: what they hold for now is closed and worked through too.

A closure that was done says so by `finished_at`. Without it, a done closure waits for its turn to be worked again: an
insurer has one open closure of a site at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Date, cast, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from booking.closures.models import SiteClosure
from booking.closures.slots import SLOTS, close_slots
from booking.feeds.cursors import done
from booking.sync.slots import SIGHT
from marketplace.catalog.models import CapacityPool, Site
from marketplace.core.database.db import reading, transaction, violated

ONE_OPEN = "uq_site_closure_open"
"""The index by which an insurer has one open closure of a site. Other insurers may have theirs beside it."""


def work_again(session: Session, places: Collection[int], *, now: datetime) -> list[int]:
    """Let the closures that stand at these places (internal ids), or at an entry of one, be worked again, in the
    transaction that changed what belongs to the places. Returns their ids, for `close_again` after it."""
    standing = session.scalars(
        select(SiteClosure)
        .join(Site, Site.id == SiteClosure.site_id)
        .where(Site.place_id.in_(places), SiteClosure.state != "withdrawn", _not_over(now))
        .order_by(SiteClosure.id)
        .with_for_update(of=SiteClosure)
    ).all()
    for closure in standing:
        closure.finished_at = None
    return [closure.id for closure in standing]


def _not_over(now: datetime) -> ColumnElement[bool]:
    today = cast(func.timezone(Site.time_zone, now), Date)
    return or_(SiteClosure.to_day.is_(None), SiteClosure.to_day >= today)


def close_again(closures: Collection[int]) -> None:
    """Close the slots that these closures hold for now; the worker does the same again."""
    for closure_id in closures:
        while close_slots(closure_id) == SLOTS:
            pass


def read_again(places: Collection[int], *, now: datetime) -> None:
    """Let all slots at these places be pulled afresh, so that those open again which nothing keeps closed any more."""
    with reading() as session:
        providers = session.scalars(
            select(CapacityPool.provider_id)
            .join(Site, Site.id == CapacityPool.site_id)
            .where(Site.place_id.in_(places))
            .distinct()
        ).all()
    for provider_id in providers:
        done(provider_id, SIGHT, None, now=now)


def take_up() -> None:
    """Open what waits for its turn; of several closures of a site by one insurer the earliest."""
    other = aliased(SiteClosure)
    open_one = exists().where(
        other.site_id == SiteClosure.site_id, other.insurer_id == SiteClosure.insurer_id, other.state == "open"
    )
    waits = (SiteClosure.state == "done", SiteClosure.finished_at.is_(None))
    with reading() as session:
        waiting = session.scalars(select(SiteClosure.id).where(*waits, ~open_one).order_by(SiteClosure.id)).all()
    for closure_id in waiting:
        try:
            with transaction() as session:
                session.execute(update(SiteClosure).where(SiteClosure.id == closure_id, *waits).values(state="open"))
        except IntegrityError as refused:
            if violated(refused) != ONE_OPEN:
                raise
