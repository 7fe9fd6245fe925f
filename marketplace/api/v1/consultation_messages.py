"""What is said and shown in a consultation: `/consultations/{id}/messages` and `/consultations/{id}/pictures`."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import fields as out
from werkzeug.exceptions import UnsupportedMediaType

from booking.consultation import pictures, read
from booking.consultation.intake.bounds import LARGEST, MIB
from booking.consultation.say import (
    MESSAGE_ID,
    MOST_CHARACTERS,
    ConversationClosed,
    MessageIdReused,
    Said,
    customer_says,
)
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.consultations import Clinician
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Busy, Invalid, TooMany
from marketplace.rest.fields import Answer, Request, Text, Whole
from marketplace.rest.reading import large_body
from marketplace.rest.views import reads_body, refuses, takes_large_body
from vip.customers.consent import ConsentMissing

blueprint = Resource("consultation_messages", __name__, description="What is said in a consultation.")

BYTES = {"type": "string", "format": "binary"}
_SENT = ("image/jpeg", "image/png", "image/webp")
_ID = (
    "A value of your own for this message (a UUID, say), kept for every try. For ever: the same id with the same"
    " content is the same message, and with other content it is refused."
)


def _message_id() -> Text:
    return Text(
        shortest=8,
        longest=64,
        pattern=f"^{MESSAGE_ID}$",
        required=True,
        metadata={"description": _ID, "examples": ["0b6cf0a4-6f2e-4a3f-9d41-7a3c5e2b9c10"]},
    )


class NewMessage(Request):
    """What the customer says."""

    client_message_id = _message_id()
    text = Text(shortest=1, longest=MOST_CHARACTERS, required=True)


class WhichPicture(Request):
    """Under which id the picture is sent."""

    client_message_id = _message_id()


class Taken(Answer):
    """A message as it was taken. `seq` is its place: messages are ordered by it, without a gap."""

    id = out.String(required=True)
    seq = out.Integer(required=True)
    at = out.DateTime(required=True)


class NextService(Answer):
    """What the doctor suggests: a benefit by its code, and a department of it, blank for none."""

    benefit = out.String(required=True, attribute="kind")
    department = out.String(required=True)


class Summary(Answer):
    """With what the doctor closed the consultation."""

    summary = out.String(required=True)
    advice = out.String(required=True)
    next_service = out.Nested(NextService, required=True, allow_none=True)


class Picture(Answer):
    """A picture; sides in pixels, `size` in bytes."""

    id = out.String(required=True)
    width = out.Integer(required=True)
    height = out.Integer(required=True)
    size = out.Integer(required=True)


class Message(Answer):
    """One message. `author`: customer, clinician (then `clinician` says who) or automatic, which is nobody's word.

    `kind`: text, picture, summary, or of an automatic line what it is about (emergency, reopened, closed_idle,
    closed_there, line_unreadable, line_after_end; more may come). `text` is null for all but text; `signs` are the
    codes of the signs of an emergency that a line is about. `client_message_id` is the customer's own, blank for what
    others said, and so is `delivery`: sent (taken here, and on its way to the doctors), delivered, or not_delivered.
    """

    id = out.String(required=True)
    seq = out.Integer(required=True)
    client_message_id = out.String(required=True)
    author = out.String(required=True, metadata={"enum": ["customer", "clinician", "automatic"]})
    clinician = out.Nested(Clinician, required=True, allow_none=True)
    kind = out.String(required=True)
    text = out.String(required=True, allow_none=True)
    signs = out.List(out.String(), required=True)
    summary = out.Nested(Summary, required=True, allow_none=True)
    picture = out.Nested(Picture, required=True, allow_none=True)
    at = out.DateTime(required=True)
    delivery = out.String(required=True, metadata={"enum": ["", "sent", "delivered", "not_delivered"]})


class Messages(Answer):
    """Messages in their order. Ask again with `after` the last one's `seq`; none: there is nothing new."""

    items = out.List(out.Nested(Message), required=True)


class After(Request):
    """Which messages."""

    after = Whole(
        least=0,
        most=2**53 - 1,
        load_default=0,
        metadata={"description": "The `seq` of the last message that you have; 0 for the beginning."},
    )
    before = Whole(
        least=1,
        most=2**53 - 1,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The last ones before this `seq` instead of the first ones; any large number for the newest."
            " They come in their order all the same.",
        },
    )
    limit = Whole(least=1, most=read.MOST_MESSAGES, load_default=100)


@blueprint.route("/consultations/<id:consultation_id>/messages")
@refuses(ConsentMissing)
@blueprint.arguments(After(), location="query")
@blueprint.response(200, Messages)
def messages(query: dict[str, Any], consultation_id: str) -> Any:
    """What was said

    From a number on, so that a device resumes with what it has; or backwards, so that a long consultation begins with
    its end.
    """
    me, after, before, limit = principal(), query["after"], query["before"], query["limit"]
    if before is None:
        return {"items": read.messages_after(me, consultation_id, after, limit, now=clock.now())}
    found = read.messages_before(me, consultation_id, before, limit, now=clock.now())
    return {"items": [it for it in found if it.seq > after]}


@blueprint.route("/consultations/<id:consultation_id>/messages", methods=["POST"])
@reads_body
@refuses(ConsentMissing, Invalid, ConversationClosed, MessageIdReused, Busy)
@blueprint.arguments(NewMessage())
@blueprint.response(201, Taken)
def say(body: dict[str, Any], consultation_id: str) -> Any:
    """Say something

    Sent again under its id it is the same message, and answered the same.
    """
    said = Said(body["client_message_id"], body["text"])
    return _taken(customer_says(principal(), consultation_id, said, now=by_database))


@blueprint.route("/consultations/<id:consultation_id>/pictures", methods=["POST"])
@reads_body
@takes_large_body
@refuses(ConsentMissing, Invalid, ConversationClosed, MessageIdReused, pictures.TooManyPictures, TooMany, Busy)
@blueprint.arguments(WhichPicture(), location="query")
@blueprint.response(201, Taken)
@blueprint.doc(requestBody={"required": True, "content": {media: {"schema": BYTES} for media in _SENT}})
def show(query: dict[str, Any], consultation_id: str) -> Any:
    """Show a picture

    JPEG, PNG or WebP, at most 10 MiB and 40 megapixels. It is written anew: where and when it was taken, and whatever
    else the file says, is left out.
    """
    if not request.mimetype.startswith("image/"):
        raise UnsupportedMediaType()
    sent = pictures.Sent(query["client_message_id"], large_body(LARGEST, _too_large))
    return _taken(pictures.customer_shows(principal(), consultation_id, sent, now=by_database))


@blueprint.route("/consultations/<id:consultation_id>/pictures/<id:picture_id>")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="image/jpeg")
def picture(consultation_id: str, picture_id: str) -> Response:
    """A picture"""
    return _file(consultation_id, picture_id, thumbnail=False)


@blueprint.route("/consultations/<id:consultation_id>/pictures/<id:picture_id>/thumbnail")
@refuses(ConsentMissing)
@blueprint.response(200, BYTES, content_type="image/jpeg")
def thumbnail(consultation_id: str, picture_id: str) -> Response:
    """A picture, small

    320 pixels at most.
    """
    return _file(consultation_id, picture_id, thumbnail=True)


def _file(consultation_id: str, picture_id: str, *, thumbnail: bool) -> Response:
    content = pictures.picture_of(principal(), consultation_id, picture_id, now=clock.now(), thumbnail=thumbnail)
    return Response(content, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


def _too_large() -> Invalid:
    return Invalid(field="picture", reason="picture_large", maximum=LARGEST // MIB)


def _taken(message: Any) -> dict[str, Any]:
    return {"id": message.public_id, "seq": message.seq, "at": message.at}
