"""What the customer was told: `/notifications`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking import inbox
from booking.notice_kinds import KINDS
from marketplace import notice_words
from marketplace.api.blueprint import Resource, principal, refuses
from marketplace.api.fields import Answer, Listing, page_of
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.wording import reader_language

blueprint = Resource("notifications", __name__, description="What the customer was told, and what she has read.")


class Notification(Answer):
    """Something she was told, once. `title` and `text` are in the language of the request; a kind that you don't know
    is still told by them. `booking_id`, `report_id` and `entitlement_id` say what it is about."""

    id = out.String(required=True)
    kind = out.String(required=True, metadata={"examples": sorted(KINDS)})
    title = out.Function(lambda notice: _said(notice).title, required=True, metadata={"type": "string"})
    text = out.Function(lambda notice: _said(notice).text, required=True, metadata={"type": "string"})
    created_at = out.DateTime(required=True)
    read_at = out.DateTime(required=True, allow_none=True)
    booking_id = out.String(required=True, allow_none=True)
    report_id = out.String(required=True, allow_none=True)
    entitlement_id = out.String(required=True, allow_none=True)


def _said(notice: inbox.Notice) -> notice_words.Said:
    return notice_words.say(notice.kind, notice.facts, reader_language(), told_at=notice.created_at)


class Read(Answer):
    """How many were new."""

    read = out.Integer(required=True)


@blueprint.route("/notifications")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Notification))
def notifications(query: dict[str, Any]) -> Any:
    """What she was told

    Newest first, with what was read.
    """
    return inbox.notices(principal(), **query)


@blueprint.route("/notifications/read", methods=["POST"])
@blueprint.response(200, Read)
def read_all() -> Any:
    """Mark everything as read"""
    return {"read": inbox.mark_all_read(principal(), now=clock.now())}


@blueprint.route("/notifications/<id:notification_id>/read", methods=["POST"])
@refuses(NotFound)
@blueprint.response(200, Notification)
def read_one(notification_id: str) -> Any:
    """Mark one as read

    Marking it again changes nothing and succeeds.
    """
    return inbox.mark_read(principal(), notification_id, now=clock.now())
