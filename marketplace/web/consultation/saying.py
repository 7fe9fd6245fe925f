"""What the customer does in a conversation: says something, shows a picture, reads, types, chooses, opens it again.

Forms lead back to the page. The page's script asks for JSON instead: `seq` of what was taken, or `error`, a sentence.
"""

from __future__ import annotations

from flask import Response, flash, jsonify, request, url_for

from booking.consultation import read
from booking.consultation.close import ReopeningOver, reopen
from booking.consultation.intake.bounds import LARGEST
from booking.consultation.pictures import Sent, customer_shows
from booking.consultation.place import choose
from booking.consultation.read import conversation_of
from booking.consultation.say import MOST_CHARACTERS, Message, MessageIdReused, Said, customer_says
from booking.ratings.rate import NotDone, RatingFixed
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import NotFound, Refusal
from marketplace.edge import LARGE_FORM
from marketplace.web import rating_form
from marketplace.web.answers import Views, field, retry_after, see_other
from marketplace.web.consultation import call_back
from marketplace.web.consultation.conversation import page
from marketplace.web.parts import Form
from marketplace.web.session import principal

_LONGEST_ID = 64
_MOST_DIGITS = 15
_FORM_BYTES = LARGEST + 64 * 1024
"""A picture, and what a form is besides."""


def say(conversation: str) -> Response:
    """Words, once however often they are sent."""
    words = _long(request.form.get("text", ""))
    named = field("client_message_id", _LONGEST_ID)
    try:
        message = customer_says(principal(), conversation, Said(named, words), now=by_database)
    except NotFound:
        raise
    except MessageIdReused as refusal:  # a page of before, with other words: sent again they are a new message
        return _refused(conversation, refusal, Form({"text": words}))
    except Refusal as refusal:
        return _refused(conversation, refusal, Form({"text": words, "client_message_id": named}))
    _has_seen(conversation)
    return _taken(conversation, message)


def show(conversation: str) -> Response:
    """A picture."""
    sent = request.files.get("picture")
    content = sent.stream.read() if sent else b""
    try:
        picture = Sent(field("client_message_id", _LONGEST_ID), content)
        message = customer_shows(principal(), conversation, picture, now=by_database)
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(conversation, refusal, Form())
    return _taken(conversation, message)


def has_read(conversation: str) -> Response:
    """How far she has read."""
    _has_seen(conversation)
    return Response(status=204) if _by_script() else see_other(_end(conversation))


def typing(conversation: str) -> Response:
    """That she is typing."""
    read.typing(principal(), conversation, clock.now())
    return Response(status=204)


def choice(conversation: str) -> Response:
    """What she does while nobody is there."""
    chosen = field("choice", 20)
    at = call_back.moment(field("call_back_at", 40)) if chosen == "call_back" else None
    try:
        choose(principal(), conversation, chosen, call_back_at=at, now=clock.now())  # type: ignore[arg-type]
    except NotFound:
        raise
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.consultation", conversation=conversation))


def open_again(conversation: str) -> Response:
    """Within a day of its end."""
    try:
        reopen(principal(), conversation, now=by_database)
    except ReopeningOver as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(_end(conversation))


def rate(conversation: str) -> Response:
    """How it was."""
    try:
        me = principal()
        wrong = rating_form.given(me, conversation_of(me, conversation, clock.now()).booking_id)
    except (NotDone, RatingFixed) as refusal:
        flash(wording.sentence(refusal), "bad")
        wrong = None
    if wrong is not None:
        return page(conversation, Form(), 422, stars=wrong)
    return see_other(_end(conversation))


def _has_seen(conversation: str) -> None:
    seen = field("seen", _MOST_DIGITS)
    if seen.isascii() and seen.isdecimal():
        read.mark_read(principal(), conversation, int(seen), clock.now())


def _by_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _taken(conversation: str, message: Message) -> Response:
    return jsonify(seq=message.seq) if _by_script() else see_other(_end(conversation))


def _refused(conversation: str, refusal: Refusal, form: Form) -> Response:
    sentence = wording.sentence(refusal)
    if _by_script():
        answer = jsonify(error=sentence)
        answer.status_code = refusal.status
        answer.headers["X-Code"] = refusal.code
        return retry_after(answer, refusal)
    at = "text" if form.values else "picture"
    return page(conversation, Form(form.values, {at: sentence}), refusal.status)


def _end(conversation: str) -> str:
    return f"{url_for('web.consultation', conversation=conversation)}#end"


def _long(text: str) -> str:
    """What was written, as a text area sends it (CR LF), whole: the use case says what is wrong with it."""
    return text.replace("\r\n", "\n") if len(text) <= 10 * MOST_CHARACTERS else "x" * (MOST_CHARACTERS + 1)


setattr(show, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {
    "consultation_say": say,
    "consultation_show": show,
    "consultation_read": has_read,
    "consultation_typing": typing,
    "consultation_choose": choice,
    "consultation_reopen": open_again,
    "consultation_rate": rate,
}
