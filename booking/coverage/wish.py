"""Asking to be told when a place is covered, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, false, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from booking.coverage.models import CoverageWish
from booking.ownership import customer_of
from marketplace.catalog.kinds import is_dispatched, kind
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_id, place_is
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.strictjson import storable
from vip.models import Customer
from vip.principal import Principal

MOST_OPEN = 20
"""Places for which a customer may be waiting at once."""


class TooManyWishes(Refusal):
    """The customer waits to be told of as many places as are allowed. Facts: `most`, that number."""

    code = "too_many_wishes"


@dataclass(frozen=True)
class Wish:
    """A place that she waits for, by its public id."""

    site: str
    site_name: str
    city: str
    asked_at: datetime


def ask_to_be_told(principal: Principal, code: str, site: str, *, now: datetime) -> None:
    """Remember that the customer wants to be told once the place (public id, its own or that of an entry of it) is
    covered for a kind. Asking again changes nothing. Raises NotFound(field="venue_id" or "benefit"), TooManyWishes."""
    customer_id = customer_of(principal)
    if not is_dispatched(kind(code).code):
        raise NotFound(field="benefit")
    with transaction() as session:
        site_id = session.scalar(select(Site.id).where(_place(site), Site.closed_at.is_(None)))
        if site_id is None:
            raise NotFound(field="venue_id")
        session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
        open_ones = session.scalars(
            select(Site.place_id)
            .join(CoverageWish, CoverageWish.site_id == Site.id)
            .where(CoverageWish.customer_id == customer_id, CoverageWish.outcome == "open", CoverageWish.kind == code)
        ).all()
        if site_id in open_ones:
            return
        count = session.scalar(
            select(func.count()).where(CoverageWish.customer_id == customer_id, CoverageWish.outcome == "open")
        )
        if count is not None and count >= MOST_OPEN:
            raise TooManyWishes(most=MOST_OPEN)
        session.execute(
            insert(CoverageWish)
            .values(public_id=new_id("cvw"), customer_id=customer_id, kind=code, site_id=site_id, asked_at=now)
            .on_conflict_do_nothing()
        )


def take_back(principal: Principal, code: str, site: str, *, now: datetime) -> None:
    """End the customer's own wish for a place, at whichever of its sites it was asked; without one nothing changes."""
    customer_id = customer_of(principal)
    with transaction() as session:
        session.execute(
            update(CoverageWish)
            .where(
                CoverageWish.customer_id == customer_id,
                CoverageWish.kind == code,
                CoverageWish.outcome == "open",
                CoverageWish.site_id.in_(_entries(site)),
            )
            .values(outcome="withdrawn", ended_at=now)
        )


def wishes(principal: Principal, code: str) -> list[Wish]:
    """The places of a kind that she waits for, each once, the newest first."""
    customer_id = customer_of(principal)
    wanted = (
        select(Site.public_id, Site.name, Site.city, func.max(CoverageWish.asked_at))
        .join(CoverageWish, Site.id == place_id(CoverageWish.site_id))
        .where(CoverageWish.customer_id == customer_id, CoverageWish.kind == code, CoverageWish.outcome == "open")
        .group_by(Site.id)
        .order_by(func.max(CoverageWish.id).desc())
    )
    with reading() as session:
        return [Wish(*row) for row in session.execute(wanted)]


def _place(site: str) -> ColumnElement[bool]:
    """The condition of the place that the site with this public id stands for; what can't be stored names none."""
    return place_is(site) if storable(site) else false()


def _entries(site: str) -> Select[int]:
    """The ids of all entries of that place."""
    place = select(Site.id).where(_place(site)).scalar_subquery()
    entry = aliased(Site)
    return select(entry.id).where(entry.place_id == place)
