"""Where an escort worker usually sets out from: a manager's to know, and optional. The way to her first service of a
day is reckoned from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.escort.assigning.way import home_of, renew_ways
from booking.escort.models import EscortWorker
from booking.escort.workers.coordinates import read_position
from booking.escort.workers.keep import locked, record
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_is
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sphere import Position, metres
from providers.staff.duties import require
from vip.principal import Member

DECIMALS = 3
"""Of a degree: about a hundred metres. A way through a city needs no more, and nobody's door has to be stored."""
FARTHEST_METRES = 200_000
"""From the nearest place of her city: what is further away was copied wrongly, or the wrong way round."""


@dataclass(frozen=True)
class Near:
    """A place of a city, and how many metres away it is."""

    place: str
    city: str
    district: str
    metres: int


@dataclass(frozen=True)
class Home:
    """Where she sets out from, as it is stored. `near`: the nearest place of her city whose coordinates are known; None
    where there is none."""

    position: Position
    near: Near | None


def home(manager: Member, worker: str) -> Home | None:
    """Where she (public id) sets out from; None where that is not given. Raises NotFound, also without the duty."""
    require(manager, "team")
    with reading() as session:
        hers = EscortWorker.public_id == worker, EscortWorker.provider_id == manager.provider_id
        row = session.scalar(select(EscortWorker).where(*hers))
        if row is None:
            raise NotFound(field="worker")
        position = home_of(row).position
        return None if position is None else Home(position, _nearest(session, row, position))


def set_typed(manager: Member, worker: str, said: str, *, now: datetime) -> None:
    """Coordinates (WGS 84) as somebody typed or pasted them (`coordinates`). Raises NotFound, and
    Invalid(field="coordinates"), also for what is FARTHEST_METRES away from her city."""
    _set(manager, worker, read_position(said), now=now)


def set_near(manager: Member, worker: str, site: str, *, now: datetime) -> None:
    """Near the place that a site (public id) of her city stands for. Raises NotFound, Invalid(field="site") for what is
    none of them, or has no coordinates."""
    _set(manager, worker, site, now=now)


def forget(manager: Member, worker: str, *, now: datetime) -> None:
    """It is not given any more. Raises NotFound."""
    _set(manager, worker, None, now=now)


def _set(manager: Member, worker: str, wanted: Position | str | None, *, now: datetime) -> None:
    """What is so already changes nothing, and is no line of the audit."""
    require(manager, "team")
    with transaction() as session:
        row = locked(session, manager, worker)
        position = _place(session, row, wanted) if isinstance(wanted, str) else wanted
        if position is not None:
            _check_near(session, row, position)
        latitude = None if position is None else round(position.latitude, DECIMALS)
        longitude = None if position is None else round(position.longitude, DECIMALS)
        if (row.home_latitude, row.home_longitude) == (latitude, longitude):
            return
        row.home_latitude, row.home_longitude, row.updated_at = latitude, longitude, now
        session.flush()
        renew_ways(session, row, now=now)
        done = "escort_worker.home_forgotten" if position is None else "escort_worker.home_given"
        record(session, done, manager, worker, now)


def _place(session: Session, row: EscortWorker, site: str) -> Position:
    found = session.execute(
        select(Site.latitude, Site.longitude).where(
            place_is(site), Site.province == row.province, Site.city == row.city, Site.latitude.is_not(None)
        )
    ).first()
    if found is None or found.latitude is None or found.longitude is None:
        raise Invalid(field="site", reason="choice")
    return Position(found.latitude, found.longitude)


def _nearest(session: Session, row: EscortWorker, position: Position) -> Near | None:
    """The nearest place of her city of which is known where it lies."""
    found = session.execute(
        select(Site.name, Site.city, Site.district, Site.latitude, Site.longitude).where(
            Site.province == row.province, Site.city == row.city, Site.latitude.is_not(None), Site.closed_at.is_(None)
        )
    )
    away = [
        Near(name, city, district or "", metres(position, Position(latitude, longitude)))
        for name, city, district, latitude, longitude in found
        if latitude is not None and longitude is not None
    ]
    return min(away, key=lambda each: (each.metres, each.place), default=None)


def _check_near(session: Session, row: EscortWorker, position: Position) -> None:
    """Raise Invalid where that can't be meant."""
    near = _nearest(session, row, position)
    if near is not None and near.metres > FARTHEST_METRES:
        raise Invalid(field="coordinates", reason="far_from_city", kilometres=round(near.metres / 1000))
