"""Hospitals and centres: `/sites`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.blueprint import Resource
from marketplace.catalog.search import SiteQuery, search_sites
from marketplace.rest.fields import Answer, Listing, Text, page_of

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
        metadata={"description": "Words: part of a name, an alias, an address, or pinyin initials."},
    )


class Site(Answer):
    """A place. `tier` is null when unknown; where it comes from stands beside it."""

    id = out.String(attribute="public_id", required=True)
    name = out.String(required=True)
    aliases = out.List(out.String(), required=True)
    province = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    tier = out.String(required=True, allow_none=True)
    tier_source = out.String(required=True)
    tier_date = out.String(required=True)
    kind = out.String(required=True)
    address = out.String(required=True)
    longitude = out.Float(required=True, allow_none=True)
    latitude = out.Float(required=True, allow_none=True)
    time_zone = out.String(required=True)


@blueprint.route("/sites")
@blueprint.arguments(SiteListing(), location="query")
@blueprint.response(200, page_of(Site))
def sites(query: dict[str, Any]) -> Any:
    """Find places

    Best match first when `q` is given, else by name.
    """
    cursor, limit = query.pop("cursor"), query.pop("limit")
    return search_sites(SiteQuery(**query), cursor=cursor, limit=limit)
