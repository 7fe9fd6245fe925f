"""The desk's page about who is written to when an endpoint stops by itself."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.webhooks import contacts
from booking.webhooks.contacts import Contact
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.core.text import Language
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.setup import words
from marketplace.web.desk.setup.acting import by, changing
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form
from vip.customers import email_address
from vip.signin.signin import SignInAgain


def contact_list() -> Response:
    """The mail boxes; the form replaces them all, and a blank line is nobody."""
    if request.method != "POST":
        known = contacts.contacts_of(session.member().provider_id)
        values = {f"email{at}": it.email for at, it in enumerate(known)}
        return _page(Form(values | {f"language{at}": it.language for at, it in enumerate(known)}))
    values = {f"{name}{at}": field(f"{name}{at}", 254) for name in ("email", "language") for at in range(contacts.MOST)}
    try:
        who = changing()
        lines = (at for at in range(contacts.MOST) if request.form.get(f"email{at}", "").strip())
        given = [_contact(at) for at in lines]
        contacts.set_contacts(who.provider_id, given, by=by(who), now=clock.now())
    except SignInAgain as refusal:
        return _page(Form(values), refusal.status, problem_of(refusal))
    except Invalid as refusal:
        return _page(Form(values, {refusal.at or "email0": wording.sentence(refusal)}), refusal.status)
    flash(_("From now on these are written to, and nobody besides."), "ok")
    return see_other(url_for("desk.setup"))


def _contact(at: int) -> Contact:
    """What stands in this line. Raises Invalid, with the name of its field."""
    name = f"email{at}"
    language: Language = "en" if field(f"language{at}", 2) == "en" else "zh"
    return Contact(email_address.normalise(field(name, 254), field=name), language)


def _page(form: Form, status: int = 200, problem: Problem | None = None) -> Response:
    return desk_page(
        "setup/contacts", "setup", status, form=form, most=contacts.MOST, letters=words.languages(), problem=problem
    )


VIEWS: Views = {"contacts": contact_list}
