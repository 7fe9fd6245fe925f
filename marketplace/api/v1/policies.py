"""The customer's policies: `/policies`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.rest.fields import Answer, page_of
from vip.policies import of_customer
from vip.policies.facts import RELATIONS
from vip.policies.standing import STANDINGS

blueprint = Resource("policies", __name__, description="Insurance policies, whom they insure and what they give.")


class InsuredPerson(Answer):
    """Somebody whom the policy insures. `beneficiary_id` is null once the customer took her off her family list;
    `relation` is what she is to the customer."""

    beneficiary_id = out.String(required=True, allow_none=True)
    name = out.String(required=True)
    relation = out.String(required=True, metadata={"enum": list(RELATIONS)})


class PolicyName(Answer):
    """What the product is called; a language may be blank."""

    zh = out.String(required=True)
    en = out.String(required=True)


class Policy(Answer):
    """A policy. In force from and until are whole days in the insurer's zone, both included; `in_force_until` is null
    for one that is for life.

    `state` is of today: `ended` when its last day is over or the insurer ended it. `benefits` are the kinds of benefit
    that it gives while it is in force. `number_masked` is blank if the number can't be read.
    """

    id = out.String(attribute="public_id", required=True)
    number_masked = out.String(required=True, metadata={"examples": ["****6789"]})
    product = out.String(required=True)
    product_name = out.Nested(PolicyName, required=True)
    long_term = out.Boolean(required=True)
    state = out.String(attribute="standing", required=True, metadata={"enum": list(STANDINGS)})
    in_force_from = out.Date(required=True)
    in_force_until = out.Date(required=True, allow_none=True)
    insured = out.List(out.Nested(InsuredPerson), required=True)
    benefits = out.List(out.String(), required=True, metadata={"examples": [["health_check"]]})


@blueprint.route("/policies")
@blueprint.response(200, page_of(Policy))
def policies() -> Any:
    """The customer's policies

    Those in force come first, then by their last day.
    """
    who = principal()
    return {"items": of_customer.policies(who.id, today=clock.today(who.time_zone)), "next": None}
