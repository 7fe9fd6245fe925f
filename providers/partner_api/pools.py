"""Pools of places, each at a site of the list: `/pools`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.offers.maintain import PlaceOfPool, PoolAtAnotherSite, pools_of, put_pool
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.problems import FieldError, InvalidRequest
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Id, Listing, Request, Text, page_of
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.door import Resource, caller, needs
from providers.partner_api.maintained import PATH, checked, repeatable, writer

blueprint = Resource("pools", __name__, description="Pools of places that offers draw on, and their sites.")

_NATURAL_KEY = ("province", "city", "name")


class PoolSite(Request):
    """Which site of the list: its `site_id`, or `province`, `city` and `name` as the list has them."""

    site_id = Id("sit_7c1x9d4t6b3n0v8m5r2k", load_default=None)
    province = Text(shortest=1, longest=50, load_default=None, metadata={"examples": ["浙江省"]})
    city = Text(shortest=1, longest=50, load_default=None, metadata={"examples": ["杭州市"]})
    name = Text(shortest=1, longest=200, load_default=None)


class Pool(Answer):
    """A pool and its site."""

    reference = out.String(required=True)
    site_id = out.String(required=True)
    province = out.String(required=True)
    city = out.String(required=True)
    name = out.String(required=True)


@blueprint.route("/pools", endpoint="list")
@needs("offers")
@refuses(Invalid)
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Pool))
def listed(query: dict[str, Any]) -> Any:
    """Your pools

    By reference.
    """
    return pools_of(caller().provider_id, cursor=query["cursor"], limit=query["limit"])


@blueprint.route(f"/pools/{PATH}", methods=["PUT"], endpoint="put")
@needs("offers")
@reads_body
@refuses(NotFound, Invalid, PoolAtAnotherSite, Busy)
@blueprint.arguments(PoolSite())
@blueprint.response(200, Pool)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def put(body: dict[str, Any], reference: str) -> Any:
    """Make a pool at a site

    A new one is answered by 201. A pool stays at its site.
    """
    _one_way(body)
    place = PlaceOfPool(**body)
    pool, new = put_pool(writer(), checked(reference), place, repeat=repeatable(), now=clock.now())
    return pool, 201 if new else 200


def _one_way(body: dict[str, Any]) -> None:
    """Refuse two ways of naming a site, and half of one. Raises InvalidRequest."""
    given = [name for name in _NATURAL_KEY if body[name] is not None]
    if body["site_id"] is not None:
        wrong = [FieldError(name, "body", "unknown_field") for name in given]
    elif not given:
        wrong = [FieldError("site_id", "body", "required")]
    else:
        wrong = [FieldError(name, "body", "required") for name in _NATURAL_KEY if name not in given]
    if wrong:
        raise InvalidRequest(wrong)
