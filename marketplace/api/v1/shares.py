"""Links that show one report to somebody without an account: `/reports/{id}/shares`."""

from __future__ import annotations

from typing import Any

from flask import url_for
from marshmallow import fields as out

from booking.reports import share
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.rest.fields import Answer, Choice, Number, Request, Truth
from marketplace.rest.views import reads_body, refuses
from vip.customers.consent import ConsentMissing

blueprint = Resource("shares", __name__, description="Showing a report by a link that expires; each look is recorded.")


class Wanted(Request):
    """What kind of link. With an access code, which is told separately, the link alone opens nothing."""

    audience = Choice(*share.AUDIENCES, required=True)
    days = Number(least=1, most=30, required=True, metadata={"enum": list(share.DAYS)})
    with_code = Truth(load_default=False)
    max_views = Number(least=1, most=share.MOST_VIEWS, load_default=None, allow_none=True)


class Look(Answer):
    """Somebody looked; `what` is viewed, downloaded or wrong_code."""

    at = out.DateTime(required=True)
    what = out.String(required=True)


class Share(Answer):
    """A link. `state`: open, expired, revoked or used_up."""

    id = out.String(required=True)
    audience = out.String(required=True)
    created_at = out.DateTime(required=True)
    expires_at = out.DateTime(required=True)
    with_code = out.Boolean(required=True)
    max_views = out.Integer(required=True, allow_none=True)
    views = out.Integer(required=True)
    state = out.String(required=True)
    looks = out.List(out.Nested(Look), required=True)


class MadeShare(Answer):
    """A new link. `url` and `access_code` are shown this once."""

    share = out.Nested(Share, required=True)
    url = out.String(required=True)
    access_code = out.String(required=True, allow_none=True)


class Shares(Answer):
    """The newest 50 links of a report, with the last 200 looks."""

    items = out.List(out.Nested(Share), required=True)


@blueprint.route("/reports/<id:report_id>/shares", methods=["POST"], endpoint="share")
@reads_body
@refuses(ConsentMissing, share.TooManyLinks)
@blueprint.arguments(Wanted())
@blueprint.response(201, MadeShare)
def share_report(body: dict[str, Any], report_id: str) -> Any:
    """Make a link to a report

    Who has it can read this one report until it expires or is taken back. At most ten at a time.
    """
    made = share.share_report(principal(), report_id, share.NewShare(**body), now=clock.now())
    address = settings().public_url + url_for("web.shared", token=made.token)
    return {"share": made.share, "url": address, "access_code": made.access_code}


@blueprint.route("/reports/<id:report_id>/shares")
@refuses(ConsentMissing)
@blueprint.response(200, Shares)
def shares(report_id: str) -> Any:
    """The links of a report, with each look"""
    return {"items": share.shares(principal(), report_id, now=clock.now())}


@blueprint.route("/reports/<id:report_id>/shares/<id:share_id>", methods=["DELETE"])
@refuses(ConsentMissing)
@blueprint.response(204)
def end(report_id: str, share_id: str) -> None:
    """Take a link back"""
    share.end_share(principal(), report_id, share_id, now=clock.now())
