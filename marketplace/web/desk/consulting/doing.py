"""What a clinician does with a conversation: takes it or passes it on, says something, shows a picture, hands it over.

Each form leads back to a page by GET. Words keep the id that their form was drawn with, so that they are said once
however often they are sent.
"""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.consultation import queue, read
from booking.consultation.at_desk.notes import note
from booking.consultation.intake.bounds import LARGEST
from booking.consultation.pictures import Sent, clinician_shows
from booking.consultation.say import MOST_CHARACTERS, MessageIdReused, Said, clinician_says
from marketplace import wording
from marketplace.core.database.moment import by_database, now_by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.edge import LARGE_FORM
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk.consulting.present import present
from marketplace.web.desk.consulting.talk import page, with_phrase
from marketplace.web.parts import Form
from providers.staff.shifts import ClinicianNotVerified

_LONGEST_ID = 64
_FORM_BYTES = LARGEST + 64 * 1024
"""A picture, and what a form is besides."""


def consultation_say(conversation: str) -> Response:
    """Words."""
    words = _long(request.form.get("text", ""))
    named = field("client_message_id", _LONGEST_ID)
    try:
        clinician_says(present(), conversation, Said(named, words), now=by_database)
    except NotFound:
        raise
    except MessageIdReused as refusal:  # a page of before, with other words: sent again they are a new message
        return page(conversation, Form({"text": words}, {"text": wording.sentence(refusal)}), refusal.status)
    except Refusal as refusal:
        values = {"text": words, "client_message_id": named}
        return page(conversation, Form(values, {"text": wording.sentence(refusal)}), refusal.status)
    return see_other(_end(conversation))


def consultation_show(conversation: str) -> Response:
    """A picture."""
    sent = request.files.get("picture")
    content = sent.stream.read(LARGEST + 1) if sent else b""
    try:
        picture = Sent(field("client_message_id", _LONGEST_ID), content)
        clinician_shows(present(), conversation, picture, now=by_database)
    except NotFound:
        raise
    except Refusal as refusal:
        return page(conversation, Form({}, {"picture": wording.sentence(refusal)}), refusal.status)
    return see_other(_end(conversation))


def consultation_do(conversation: str, act: str) -> Response:
    """Accept, decline, say that she is typing, note something, or hand over: to a colleague who is free, or back to the
    head of the queue; a lead assigns."""
    who, now = present(), now_by_database()
    try:
        if act == "accept":
            queue.accept(who, conversation, now=now)
            return see_other(_end(conversation))
        if act == "decline":
            queue.decline(who, conversation, now=now)
        elif act == "note":
            note(who, conversation, _long(request.form.get("note", "")), now=now)
            flash(_("Noted."), "ok")
            return see_other(url_for("desk.consultation", conversation=conversation))
        elif act == "phrase":  # behind what is written: it is not sent
            written, named = _long(request.form.get("text", "")), field("client_message_id", _LONGEST_ID)
            return with_phrase(conversation, field("phrase", _LONGEST_ID), written, named)
        elif act == "assign":
            queue.assign(who, conversation, field("to", 80), now=now)
            flash(_("Assigned."), "ok")
        elif act == "typing":
            read.typing(who, conversation, now)
            return Response(status=204)
        elif act == "hand-over":
            to = field("to", 80)
            words = _long(request.form.get("note", ""))
            if words.strip():  # before it is somebody else's
                note(who, conversation, words, now=now)
            queue.hand_over(who, conversation, to or None, now=now)
            flash(
                _("Your colleague has the patient now.") if to else _("The patient waits at the head of the queue."),
                "ok",
            )
        else:
            raise NotFound()
    except NotFound:
        raise
    except ClinicianNotVerified as refusal:
        flash(wording.sentence(refusal), "bad")
        return see_other(url_for("desk.shift"))
    except Invalid as refusal:
        values = {"note": request.form.get("note", "")}
        return page(conversation, Form(values, {"note": wording.sentence(refusal)}), refusal.status)
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("desk.consultations"))


def _end(conversation: str) -> str:
    return f"{url_for('desk.consultation', conversation=conversation)}#say"


def _long(text: str) -> str:
    """What was written, as a text area sends it (CR LF), whole: the use case says what is wrong with it."""
    return text.replace("\r\n", "\n") if len(text) <= 10 * MOST_CHARACTERS else "x" * (MOST_CHARACTERS + 1)


setattr(consultation_show, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {
    "consultation_say": consultation_say,
    "consultation_show": consultation_show,
    "consultation_do": consultation_do,
}
