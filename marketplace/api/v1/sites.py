"""Hospitals and centres: `/sites`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.finding.booked import booked_sites
from booking.finding.favourites import FavouritesFull, add_favourite, favourite_sites, remove_favourite
from marketplace.api.blueprint import Resource, principal
from marketplace.catalog.search import SiteQuery, search_sites, sites_named
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page
from marketplace.rest.fields import Answer, Listing, Text, page_of
from marketplace.rest.views import refuses

blueprint = Resource("sites", __name__, description="Hospitals and check-up centres.")


class SiteListing(Listing):
    """Which sites."""

    city = Text(longest=64, load_default=None, metadata={"examples": ["上海市"]})
    district = Text(longest=64, load_default=None)
    tier = Text(longest=32, load_default=None, metadata={"examples": ["三级甲等"]})
    kind = Text(longest=64, load_default=None)
    q = Text(
        longest=100,
        load_default=None,
        metadata={
            "description": "Words in Chinese, English or pinyin: part of a name, an alias, an address, initials, "
            "a city or province, a tier (三甲). A typing error is forgiven where nothing matches otherwise."
        },
    )


class Site(Answer):
    """A place. `tier` is null when unknown; where it comes from stands beside it."""

    id = out.String(attribute="public_id", required=True)
    name = out.String(required=True)
    name_en = out.String(required=True, metadata={"description": "The place's own English name, else made by rule."})
    aliases = out.List(out.String(), required=True)
    province = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    tier = out.String(required=True, allow_none=True)
    tier_source = out.String(required=True)
    tier_date = out.String(required=True)
    kind = out.String(required=True)
    address = out.String(required=True)
    where_en = out.String(required=True, metadata={"description": "District, city and province in English."})
    address_en = out.String(required=True, metadata={"description": "Street and district in English."})
    longitude = out.Float(required=True, allow_none=True)
    latitude = out.Float(required=True, allow_none=True)
    time_zone = out.String(required=True)


SITES = page_of(Site)


@blueprint.route("/sites")
@blueprint.arguments(SiteListing(), location="query")
@blueprint.response(200, SITES)
def sites(query: dict[str, Any]) -> Any:
    """Find places

    Best match first when `q` is given, else by name.
    """
    cursor, limit = query.pop("cursor"), query.pop("limit")
    return search_sites(SiteQuery(**query), cursor=cursor, limit=limit)


@blueprint.route("/sites/favourites")
@blueprint.response(200, SITES)
def favourites() -> Any:
    """The customer's favourite places

    On all her devices; the one marked last first. There are at most 100, all on one page.
    """
    return Page(sites_named(favourite_sites(principal().id)), None)


@blueprint.route("/sites/booked")
@blueprint.response(200, SITES)
def booked() -> Any:
    """Places that the customer has booked

    For herself or her family, the one booked last first; not those of bookings that were cancelled or refused. What was
    only looked at is not stored.
    """
    return Page(sites_named(booked_sites(principal().id)), None)


@blueprint.route("/sites/<id:site_id>/favourite", methods=["PUT"])
@refuses(NotFound, FavouritesFull)
@blueprint.response(204)
def mark(site_id: str) -> None:
    """Mark a place as a favourite

    The same again does nothing.
    """
    add_favourite(principal(), site_id, now=clock.now())


@blueprint.route("/sites/<id:site_id>/favourite", methods=["DELETE"])
@refuses(NotFound)
@blueprint.response(204)
def unmark(site_id: str) -> None:
    """Take the mark away

    A place that is not marked stays so.
    """
    remove_favourite(principal(), site_id)
