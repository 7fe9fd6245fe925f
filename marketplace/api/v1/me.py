"""The customer and her family: `/me`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.blueprint import Resource, principal
from marketplace.rest.fields import Answer, page_of
from vip.customers import customers, family

blueprint = Resource("me", __name__, description="The signed-in customer and the people she books for.")


class Me(Answer):
    """The customer. `language` is null until she chose one; `time_zone` is the insurer's."""

    id = out.String(attribute="public_id", required=True)
    name = out.String(required=True)
    tier = out.String(required=True)
    phone_masked = out.String(required=True)
    language = out.String(required=True, allow_none=True)
    time_zone = out.Function(lambda _profile: principal().time_zone, required=True, metadata={"type": "string"})


class Member(Answer):
    """A person benefits may be used for; its `id` is the `beneficiary_id` of a booking."""

    id = out.String(attribute="public_id", required=True)
    relation = out.String(required=True, metadata={"enum": ["self", *family.RELATIONS]})
    name = out.String(required=True)
    sex = out.String(required=True, metadata={"enum": ["male", "female"]})
    birth_date = out.Date(required=True)
    phone_masked = out.String(required=True, allow_none=True)
    id_number_masked = out.String(required=True, allow_none=True)


@blueprint.route("/me")
@blueprint.response(200, Me)
def me() -> Any:
    """The customer herself"""
    return customers.profile(principal().id)


@blueprint.route("/me/family")
@blueprint.response(200, page_of(Member))
def members() -> Any:
    """The people she may book for

    Herself first (`relation` is `self`), then in the order they were added.
    """
    return {"items": family.family(principal().id), "next": None}
