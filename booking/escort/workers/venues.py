"""The venues in which an escort worker knows her way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from booking.escort.models import EscortKnows
from booking.escort.workers.keep import locked, record
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_id, place_is
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, Refusal
from providers.staff.duties import require
from vip.principal import Member

MOST_KNOWN = 200


class TooManyVenues(Refusal):
    """She knows as many as can be written down; `most` says how many."""

    code = "escort_venues_full"


def knows(manager: Member, worker: str, site: str, *, now: datetime) -> None:
    """She knows her way in the venue that a site (public id) of her city stands for. Again changes nothing. Raises
    NotFound, TooManyVenues, Invalid(field="site")."""
    require(manager, "dispatch")
    with transaction() as session:
        row = locked(session, manager, worker)
        place = session.scalar(
            select(Site.id).where(place_is(site), Site.province == row.province, Site.city == row.city)
        )
        if place is None:
            raise Invalid(field="site", reason="choice")
        known = session.scalar(select(func.count()).select_from(EscortKnows).where(EscortKnows.worker_id == row.id))
        if (known or 0) >= MOST_KNOWN:
            raise TooManyVenues(most=MOST_KNOWN)
        added = session.execute(
            insert(EscortKnows)
            .values(worker_id=row.id, site_id=place)
            .on_conflict_do_nothing()
            .returning(EscortKnows.site_id)
        )
        if added.scalar() is not None:
            record(session, "escort_worker.knows", manager, worker, now)


def knows_no_more(manager: Member, worker: str, site: str, *, now: datetime) -> None:
    """The venue that a site (public id) stands for is taken off her list, with each entry of it that she knew before
    they became one. Again changes nothing. Raises NotFound for another worker."""
    require(manager, "dispatch")
    with transaction() as session:
        row = locked(session, manager, worker)
        gone = session.execute(
            delete(EscortKnows)
            .where(
                EscortKnows.worker_id == row.id,
                place_id(EscortKnows.site_id) == select(Site.id).where(place_is(site)).scalar_subquery(),
            )
            .returning(EscortKnows.site_id)
        )
        if gone.first() is not None:
            record(session, "escort_worker.knows_no_more", manager, worker, now)
