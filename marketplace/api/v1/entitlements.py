"""What the customer has: `/entitlements`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.rest.fields import Answer, page_of
from vip.entitlements import of_customer

blueprint = Resource("entitlements", __name__, description="Benefits granted, and what is left of them.")


class Entitlement(Answer):
    """A grant: granted = available + reserved + used + expired + revoked; the first two are null when unlimited.

    Validity is whole days in the insurer's zone, both ends included. `sharing` says for whom: self or family.
    """

    id = out.String(attribute="public_id", required=True)
    benefit = out.String(attribute="kind", required=True, metadata={"examples": ["health_check"]})
    state = out.String(required=True, metadata={"enum": ["active", "used_up", "expired", "not_yet_valid"]})
    sharing = out.String(required=True, metadata={"enum": ["self", "family"]})
    valid_from = out.Date(required=True)
    valid_until = out.Date(required=True)
    unlimited = out.Boolean(required=True)
    granted = out.Integer(required=True, allow_none=True)
    available = out.Integer(required=True, allow_none=True)
    reserved = out.Integer(required=True)
    used = out.Integer(required=True)
    expired = out.Integer(required=True)
    revoked = out.Integer(required=True)


@blueprint.route("/entitlements")
@blueprint.response(200, page_of(Entitlement))
def mine() -> Any:
    """The customer's benefits

    Those that can be used come first.
    """
    who = principal()
    return {"items": of_customer.entitlements(who.id, today=clock.today(who.time_zone)), "next": None}
