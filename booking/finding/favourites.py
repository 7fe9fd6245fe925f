"""Favourite places: marked by a customer, for all her devices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from booking.finding.models import FavouriteSite
from marketplace.catalog.models import Site
from marketplace.core import ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from vip.models import Customer
from vip.principal import Principal

MOST = 100

_MARKED = aliased(Site)
"""What was marked; shown is the place that it stands for, so that undoing a merge gives each its mark back."""


class FavouritesFull(Refusal):
    """A customer has at most `most` favourite places."""

    code = "favourites_full"


def favourite_sites(customer_id: int) -> list[str]:
    """The public ids of her favourite places that are open, the one marked last first."""
    wanted = (
        select(Site.public_id)
        .join(_MARKED, _MARKED.place_id == Site.id)
        .join(FavouriteSite, FavouriteSite.site_id == _MARKED.id)
        .where(FavouriteSite.customer_id == customer_id, Site.closed_at.is_(None))
        .order_by(FavouriteSite.created_at.desc(), FavouriteSite.id.desc())
    )
    with reading() as session:
        return list(dict.fromkeys(session.scalars(wanted)))


def add_favourite(principal: Principal, site: str, *, now: datetime) -> None:
    """Mark a place, by its public id; one that is marked stays as it is. Raises NotFound(field="site") for one that is
    not there or closed, FavouritesFull."""
    with transaction() as session:
        customer = session.get_one(Customer, principal.id, with_for_update={"key_share": True})
        site_id = _site(session, site, closed=False)
        theirs = FavouriteSite.customer_id == customer.id
        if session.scalars(select(FavouriteSite.id).where(theirs, _at_place(site_id))).first() is not None:
            return
        if session.scalars(select(func.count()).where(theirs)).one() >= MOST:
            raise FavouritesFull(most=MOST)
        row = insert(FavouriteSite).values(customer_id=customer.id, site_id=site_id, created_at=now)
        session.execute(row.on_conflict_do_nothing())


def remove_favourite(principal: Principal, site: str) -> None:
    """Take the mark away, if there is one. Raises NotFound(field="site") for a place that never was."""
    with transaction() as session:
        site_id = _site(session, site, closed=True)
        session.execute(delete(FavouriteSite).where(FavouriteSite.customer_id == principal.id, _at_place(site_id)))


def _site(session: Session, public_id: str, *, closed: bool) -> int:
    if not ids.well_formed(public_id):
        raise NotFound(field="site")
    wanted = select(Site.id).where(Site.public_id == public_id)
    found = session.scalar(wanted if closed else wanted.where(Site.closed_at.is_(None)))
    if found is None:
        raise NotFound(field="site")
    return found


def _at_place(site_id: int) -> ColumnElement[bool]:
    """Whether a mark is one of the place that a site stands for."""
    place = select(Site.place_id).where(Site.id == site_id).scalar_subquery()
    return FavouriteSite.site_id.in_(select(Site.id).where(Site.place_id == place))
