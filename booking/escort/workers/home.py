"""Where an escort worker usually sets out from: a manager's to know, and optional. The way to her first service of a
day is reckoned from there."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.escort.assigning.way import home_of, renew_ways
from booking.escort.models import EscortWorker
from booking.escort.workers.keep import locked, record
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_is
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sphere import Position
from providers.staff.duties import require
from vip.principal import Member

DECIMALS = 3
"""Of a degree: about a hundred metres. A way through a city needs no more, and nobody's door has to be stored."""
_DEGREES = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{1,12})?")


def home(manager: Member, worker: str) -> Position | None:
    """Where she (public id) sets out from; None where that is not given. Raises NotFound, also without the duty."""
    require(manager, "team")
    with reading() as session:
        hers = EscortWorker.public_id == worker, EscortWorker.provider_id == manager.provider_id
        row = session.scalar(select(EscortWorker).where(*hers))
    if row is None:
        raise NotFound(field="worker")
    return home_of(row).position


def set_typed(manager: Member, worker: str, latitude: str, longitude: str, *, now: datetime) -> None:
    """Degrees (WGS 84) as somebody typed them. Raises NotFound, Invalid(field="latitude" or "longitude")."""
    position = Position(_degrees("latitude", latitude, 90), _degrees("longitude", longitude, 180))
    _set(manager, worker, position, now=now)


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


def _degrees(name: str, said: str, most: int) -> float:
    said = said.strip()
    if not said:
        raise Invalid(field=name, reason="required")
    if not _DEGREES.fullmatch(said) or abs(float(said)) > most:
        raise Invalid(field=name, reason="out_of_range", minimum=-most, maximum=most)
    return float(said)
