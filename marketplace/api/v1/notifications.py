"""What the customer was told: `/notifications`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.messages import calendar, inbox
from booking.messages.settings import Choices, choose, parse_time, settings_of
from booking.notices.kinds import KINDS
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import NotFound
from marketplace.messages import compose
from marketplace.rest.fields import Answer, Listing, Request, Text, Truth, page_of
from marketplace.rest.views import reads_body, refuses
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


def _said(notice: inbox.Notice) -> compose.Said:
    return compose.say(notice.kind, notice.facts, reader_language(), as_of=notice.created_at)


_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_CLOCK = {"type": "string", "pattern": _TIME}


class Preferences(Answer):
    """How she is told besides the inbox. `email_masked` is blank without an address; one that isn't confirmed yet is
    not used. Quiet hours are on the insurer's clock; `calendar_feed` says whether her calendar has an address."""

    sms = out.Boolean(required=True)
    email = out.Boolean(required=True)
    phone_masked = out.String(required=True)
    email_masked = out.String(required=True)
    email_confirmed = out.Function(
        lambda it: bool(it.email_masked) and not it.email_open, required=True, metadata={"type": "boolean"}
    )
    quiet = out.Boolean(required=True)
    quiet_from = out.Function(lambda it: f"{it.quiet_from:%H:%M}", required=True, metadata=_CLOCK)
    quiet_until = out.Function(lambda it: f"{it.quiet_until:%H:%M}", required=True, metadata=_CLOCK)
    calendar_feed = out.Function(lambda it: it.feed_made_at is not None, required=True, metadata={"type": "boolean"})


class NewPreferences(Request):
    """What she chooses; where the two times are equal there are no quiet hours."""

    sms = Truth(required=True)
    email = Truth(required=True)
    quiet = Truth(required=True)
    quiet_from = Text(longest=5, pattern=_TIME, required=True, metadata={"examples": ["22:00"]})
    quiet_until = Text(longest=5, pattern=_TIME, required=True, metadata={"examples": ["08:00"]})


class FeedAddress(Answer):
    """The secret address, told this once."""

    url = out.String(required=True)


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
def read_notifications() -> Any:
    """Mark everything as read"""
    return {"read": inbox.mark_all_read(principal(), now=clock.now())}


@blueprint.route("/notifications/<id:notification_id>/read", methods=["POST"])
@refuses(NotFound)
@blueprint.response(200, Notification)
def read_notification(notification_id: str) -> Any:
    """Mark one as read

    Marking it again changes nothing and succeeds.
    """
    return inbox.mark_read(principal(), notification_id, now=clock.now())


@blueprint.route("/me/notifications")
@blueprint.response(200, Preferences)
def notification_preferences() -> Any:
    """How she is told"""
    return settings_of(principal())


@blueprint.route("/me/notifications", methods=["PUT"])
@reads_body
@blueprint.arguments(NewPreferences())
@blueprint.response(200, Preferences)
def choose_preferences(chosen: dict[str, Any]) -> Any:
    """Choose how she is told

    An e-mail address is given and confirmed on the pages.
    """
    times = {name: parse_time(chosen[name], name) for name in ("quiet_from", "quiet_until")}
    choose(principal(), Choices(**{**chosen, **times}), now=clock.now())
    return settings_of(principal())


@blueprint.route("/me/calendar-feed", methods=["POST"])
@blueprint.response(201, FeedAddress)
def make_calendar_feed() -> Any:
    """Make the calendar's secret address

    The one before ends at once.
    """
    token = calendar.new_feed(principal(), now=clock.now())
    return {"url": f"{settings().public_url}/calendar/{token}.ics"}


@blueprint.route("/me/calendar-feed", methods=["DELETE"])
@blueprint.response(204)
def end_calendar_feed() -> None:
    """Take the calendar's address back

    Doing it again succeeds.
    """
    calendar.end_feed(principal(), now=clock.now())
