"""An escort as it goes on, what its customer says of it, and links for the family: `/bookings/{id}/escort`."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import fields as out

from booking.escort.after.awaited import Wrong
from booking.escort.after.confirm import NothingToComplainOf, NothingToConfirm, something_wrong, went_well
from booking.escort.following import links
from booking.escort.shown.pictures import paper
from booking.escort.shown.view import escort
from booking.idempotency import Repeatable
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.bookings import BookedSite, Names
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.crypto import Unreadable
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Choice, Number, Request, Text, Truth
from marketplace.rest.views import reads_body, refuses
from vip.customers.consent import ConsentMissing

blueprint = Resource("escorts", __name__, description="Escorts: who comes, the steps with their times, and the end.")

BYTES = {"type": "string", "format": "binary"}


class Worker(Answer):
    """Who comes. `stars`: an average of customers' ratings, null while there are too few."""

    name = out.String(required=True)
    staff_number = out.String(required=True)
    qualification = out.Nested(Names, required=True)
    languages = out.List(out.String(), required=True)
    papers_checked_at = out.DateTime(required=True, allow_none=True)
    done = out.Integer(required=True)
    stars = out.Float(required=True, allow_none=True)
    ratings = out.Integer(required=True)


class Replaced(Answer):
    """Somebody who was to come and does not. `cause`: a code such as ill or late."""

    name = out.String(required=True)
    at = out.DateTime(required=True)
    cause = out.String(required=True)


class Step(Answer):
    """A step. `at`: when it was done, by the escort's phone; null for what is to come. `position`: within 300 m of the
    place, away, or not_checkable; null where it was not asked for. `by_code`: the customer's code was given. `doubt`,
    also of notes, papers and costs: why the time can't be quite true: ahead of ours, before she agreed to come, or
    after the escort was no longer hers; null where it can. `words`: what was written at it."""

    what = out.String(required=True)
    state = out.String(required=True, metadata={"enum": ["done", "now", "next"]})
    at = out.DateTime(required=True, allow_none=True)
    position = out.String(required=True, allow_none=True)
    by_code = out.Boolean(required=True)
    doubt = out.String(required=True, allow_none=True)
    words = out.String(required=True)


class Note(Answer):
    """What the escort wrote that belongs to no step."""

    at = out.DateTime(required=True)
    doubt = out.String(required=True, allow_none=True)
    words = out.String(required=True)


class EscortPaper(Answer):
    """A photographed paper: `/bookings/{id}/escort/papers/{paper_id}`."""

    id = out.String(required=True)
    at = out.DateTime(required=True)
    words = out.String(required=True)
    doubt = out.String(required=True, allow_none=True)


class Cost(Answer):
    """What was paid besides. `receipt`: a paper's id, null without one."""

    at = out.DateTime(required=True)
    amount_minor = out.Integer(required=True)
    currency = out.String(required=True)
    what = out.String(required=True)
    receipt = out.String(required=True, allow_none=True)
    doubt = out.String(required=True, allow_none=True)


class Awaited(Answer):
    """What is asked of the customer at the end. Null: that is not asked. `complained`: a person looks into it."""

    confirm_until = out.DateTime(required=True, allow_none=True)
    complain_until = out.DateTime(required=True, allow_none=True)
    complained = out.Boolean(required=True)


class Escort(Answer):
    """An escort. `stage`: looking (for somebody, until `looking_until`), coming, under_way, handed_over, done or
    given_up. `safe_word` and `code` are blank while nobody comes and once it is over. `consent_of`: the member of the
    family who has to agree before words and papers are shown; blank where nothing is withheld."""

    id = out.String(required=True)
    version = out.Integer(required=True)
    state = out.String(required=True)
    stage = out.String(
        required=True, metadata={"enum": ["looking", "coming", "under_way", "handed_over", "done", "given_up"]}
    )
    benefit = out.String(attribute="kind", required=True)
    site = out.Nested(BookedSite, required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    time_zone = out.String(required=True)
    worker = out.Nested(Worker, required=True, allow_none=True)
    replaced = out.List(out.Nested(Replaced), required=True)
    looking_until = out.DateTime(required=True, allow_none=True)
    nobody_since = out.DateTime(required=True, allow_none=True)
    safe_word = out.String(required=True)
    code = out.String(required=True)
    steps = out.List(out.Nested(Step), required=True)
    notes = out.List(out.Nested(Note), required=True)
    papers = out.List(out.Nested(EscortPaper), required=True)
    costs = out.List(out.Nested(Cost), required=True)
    handed_over = out.String(required=True)
    consent_of = out.String(required=True)
    awaited = out.Nested(Awaited, required=True, allow_none=True)


class Said(Request):
    """How it went. `what` is wrong where it did not go well."""

    well = Truth(required=True)
    what = Choice(*Wrong, load_default=None, allow_none=True)


class NewEscortLink(Request):
    """For whom a link is, until the end of that day or of the day after, and whether the escort's notes are shown."""

    name = Text(longest=links.LONGEST_NAME, required=True)
    days_after = Number(least=0, most=1, load_default=0)
    with_notes = Truth(load_default=False)


class Link(Answer):
    """A link. `state`: open, expired or ended. `looks`: when it was looked at, the newest first."""

    id = out.String(required=True)
    name = out.String(required=True)
    with_notes = out.Boolean(required=True)
    created_at = out.DateTime(required=True)
    expires_at = out.DateTime(required=True)
    state = out.String(required=True)
    looks = out.List(out.DateTime(), required=True)


class MadeLink(Answer):
    """A new link. `url` is shown this once."""

    link = out.Nested(Link, required=True)
    url = out.String(required=True)


class Links(Answer):
    """The newest 20 links of an escort, with the last 100 looks."""

    items = out.List(out.Nested(Link), required=True)


@blueprint.route("/bookings/<id:booking_id>/escort")
@blueprint.response(200, Escort)
def escort_of(booking_id: str) -> Any:
    """An escort as it goes on

    Each look is recorded. 404 for a booking to which nobody is sent.
    """
    return escort(principal(), booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/escort/papers/<id:paper_id>")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="image/jpeg")
def escort_paper(booking_id: str, paper_id: str) -> Response:
    """A paper or a receipt

    Each look is recorded.
    """
    try:
        content = paper(principal(), booking_id, paper_id, now=clock.now())
    except Unreadable as erased:
        raise NotFound(field="paper_id") from erased
    return Response(content, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


@blueprint.route("/bookings/<id:booking_id>/escort/outcome", methods=["PUT"])
@reads_body
@refuses(Invalid, NothingToConfirm, NothingToComplainOf, Busy)
@blueprint.arguments(Said())
@blueprint.response(200, Escort)
def say_how_it_went(body: dict[str, Any], booking_id: str) -> Any:
    """Say how it went

    Well: it is done. Not well: a person looks into it, and nothing is completed until then. Who says nothing for a day
    after the end has said that it went well. The same again does nothing.
    """
    now = clock.now()
    if body["well"]:
        went_well(principal(), booking_id, now=now)
    else:
        something_wrong(principal(), booking_id, body["what"] or "", now=now)
    return escort(principal(), booking_id, now=now)


@blueprint.route("/bookings/<id:booking_id>/escort/links", methods=["POST"])
@reads_body
@refuses(Invalid, links.TooManyFollowers, links.NothingToFollow, Busy)
@blueprint.arguments(NewEscortLink())
@blueprint.response(201, MadeLink)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def make_link(body: dict[str, Any], booking_id: str) -> Any:
    """Make a link for the family

    Who has it sees the place, the steps and their times, without an account, until it expires or is ended. At most
    five at a time.
    """
    me = principal()
    repeat = Repeatable(me.public_id, idempotency.key(), idempotency.fingerprint(body))
    made = links.make_link(me, booking_id, links.NewLink(**body), repeat, now=clock.now())
    return {"link": made.link, "url": settings().public_url + url_for("web.followed", token=made.token)}


@blueprint.route("/bookings/<id:booking_id>/escort/links")
@blueprint.response(200, Links)
def links_of(booking_id: str) -> Any:
    """The links of an escort, with each look"""
    return {"items": links.links_of(principal(), booking_id, now=clock.now())}


@blueprint.route("/bookings/<id:booking_id>/escort/links/<id:link_id>", methods=["DELETE"])
@blueprint.response(204)
def end_link(booking_id: str, link_id: str) -> None:
    """End a link at once"""
    links.end_link(principal(), booking_id, link_id, now=clock.now())
