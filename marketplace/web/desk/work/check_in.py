"""Check-in at the desk: the code on the customer's page is read by the camera, or the booking's number is typed."""

from __future__ import annotations

import hashlib

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.answering import shown
from booking.answering.check_in import check_in
from booking.attendance.check_in_code import LONGEST
from booking.idempotency import Repeatable
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.web import formats
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.session import member
from marketplace.web.parts import Form

CAMERA_HERE = "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
"""The one page that may ask for the camera; everywhere else nobody may."""


def check_in_page() -> Response:
    """The camera's picture and a field for what can't be read; checked in, it is ready for the next person."""
    if request.method != "POST":
        return _page(Form())
    who, read = member(), field("code", LONGEST)
    content = hashlib.sha256(read.encode())
    repeat = Repeatable(f"member:{who.public_id}", f"check_in:{content.hexdigest()}", content.digest())
    try:
        booking = check_in(who.provider_id, read, repeat, member=who.public_id, now=clock.now())
    except NotFound:
        return _page(Form({}, {"code": _("No booking of yours has this code or number.")}), 404)
    except Refusal as refusal:
        return _page(Form({}, {"code": wording.sentence(refusal)}), refusal.status)
    it = shown.booking(who.provider_id, booking)
    told = _("Checked in: %(person)s, %(number)s.", person=it.person_name, number=formats.reference(it.reference))
    flash(told, "ok")
    return see_other(url_for("desk.check_in"))


def _page(form: Form, status: int = 200) -> Response:
    answer = desk_page("check_in", "check_in", status, form=form, longest=LONGEST)
    answer.headers["Permissions-Policy"] = CAMERA_HERE
    return answer


VIEWS: Views = {"check_in": check_in_page}
