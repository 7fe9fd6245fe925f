"""The place of an offer, in SQL: the one home of how a site leads to the hospital that it stands for.

Offers, pools and bookings keep the site they were made at. What customers and operators are shown is the place: the
site that this one was merged into, else itself. So a merge moves nothing, and undoing it leaves nothing behind.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from marketplace.catalog.models import Site

LISTED = "s.merged_into IS NULL"
"""Whether site `s` is listed by itself."""


def at_place(offer: str, alias: str, *, outer: bool = False) -> str:
    """The joins from a table with a `site_id` (offer, pool) to the site `alias` that is its place, and to `alias`_own,
    the site it was made at. Both are in one city and one time zone."""
    return placed(f"{offer}.site_id", alias, outer=outer)


def placed(site_id: str, alias: str, *, outer: bool = False) -> str:
    """The same from an expression of a site's id, such as that of a booking's venue."""
    join = "LEFT JOIN" if outer else "JOIN"
    own = f"{alias}_own"
    return f"{join} site {own} ON {own}.id = {site_id} {join} site {alias} ON {alias}.id = {own}.place_id"


def offers_at(site: str, offer: str) -> str:
    """The joins from a place `site` to its offers, wherever of it they were made."""
    return (
        f"JOIN site {site}_own ON {site}_own.place_id = {site}.id JOIN offer {offer} ON {offer}.site_id = {site}_own.id"
    )


def has_offer(site: str, condition: str) -> str:
    """Whether a place has an offer `o` for which the condition holds, as SQL."""
    return (
        f"EXISTS (SELECT FROM site {site}_own JOIN offer o ON o.site_id = {site}_own.id"
        f" WHERE {site}_own.place_id = {site}.id AND {condition})"
    )


def place_named(parameter: str) -> str:
    """The id of the place that the site with this public id (an expression) stands for, as SQL."""
    return f"(SELECT named.place_id FROM site named WHERE named.public_id = {parameter})"


def covers(closing: str, site: str) -> str:
    """Whether what was said of site `closing` (an expression of its id) is said of site `site` (an alias): of itself,
    or of the place that it is part of. What is said of one that was merged holds for that one alone."""
    return f"{closing} IN ({site}.id, {site}.place_id)"


def said_of(named: str, site: str) -> str:
    """Whether `named` (an expression of a site's id, not NULL) is site `site` (an alias), or an entry of its place:
    what was said of an entry goes on to hold for the place that it was made part of."""
    return f"({named} = {site}.id OR {named} IN (SELECT part.id FROM site part WHERE part.place_id = {site}.place_id))"


def place_id(site_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """The id of the place of a site (an expression of its id), for queries of the ORM:
    `Site.id == place_id(Offer.site_id)` joins an offer with its place."""
    own = aliased(Site)
    return select(own.place_id).where(own.id == site_id).correlate_except(own).scalar_subquery()


def place_is(public_id: str) -> ColumnElement[bool]:
    """The condition that a Site is the place that the site with this public id stands for."""
    named = aliased(Site)
    return Site.id == select(named.place_id).where(named.public_id == public_id).scalar_subquery()


def sites_covered(place: InstrumentedAttribute[int] | int) -> Select[int]:
    """The ids of the sites that what was said of a site (its id) holds for, as `covers` has it."""
    own = aliased(Site)
    return select(own.id).where(or_(own.id == place, own.place_id == place)).correlate_except(own)


def entries_with(site: InstrumentedAttribute[int] | int) -> Select[int]:
    """The ids of a site (its id) and of all other entries of its place, as `said_of` has it."""
    own, part = aliased(Site), aliased(Site)
    place = select(own.place_id).where(own.id == site).correlate_except(own).scalar_subquery()
    return select(part.id).where(part.place_id == place).correlate_except(part)
