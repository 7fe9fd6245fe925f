"""The desk's pages about the connection: what there is of it, and the clients of the partner API."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.webhooks import contacts, endpoints
from marketplace import wording
from marketplace.clients.credentials import LONGEST_NAME, MOST, Credentials, MadeBefore, TooManyClients
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_token
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.setup import words
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form
from providers.staff import programs
from vip.signin.signin import SignInAgain

_FIELDS = ("name", "scopes")


def setup() -> Response:
    """What is connected: clients, endpoints, and who is written to when one stops."""
    who = session.member()
    hooks = tuple((it, words.endpoint_pill(it)) for it in endpoints.listed(who.provider_id))
    return desk_page(
        "setup/connection",
        "setup",
        programs=programs.programs_of(who),
        hooks=hooks,
        mails=contacts.contacts_of(who.provider_id),
        letters=dict(words.languages()),
    )


def program_new() -> Response:
    """Make a client; its first secret is shown in the answer, and nowhere else."""
    if request.method != "POST":
        return _new(Form({"key": new_token()}), ())
    name, chosen = request.form.get("name", "").strip(), tuple(request.form.getlist("scopes"))
    sent = field("key", 100)
    shown = Form({"name": name[:LONGEST_NAME], "key": sent or new_token()})
    try:
        made = programs.add_program(session.member(), name, chosen, now=clock.now(), request=sent)
    except (SignInAgain, TooManyClients, MadeBefore) as refusal:
        return _new(shown, chosen, refusal.status, problem_of(refusal))
    except Invalid as refusal:
        form = Form(shown.values, {refusal.at if refusal.at in _FIELDS else "name": wording.sentence(refusal)})
        return _new(form, chosen, refusal.status)
    return _one(made.client_id, made=made)


def program(client: str) -> Response:
    """One client; the form gives it a second secret, ends one, or ends it altogether."""
    programs.program_of(session.member(), client)
    if request.method != "POST":
        return _one(client)
    try:
        made = _act(field("act", 20), client)
    except NotFound:
        raise
    except Refusal as refusal:
        return _one(client, refusal.status, problem_of(refusal))
    return see_other(url_for("desk.program", client=client)) if made is None else _one(client, made=made)


def _act(what: str, client: str) -> Credentials | None:
    """Do it, and leave a message about it. Returns the new secret if there is one."""
    who, now = session.member(), clock.now()
    if what == "secret":
        return programs.add_secret(who, client, now=now, request=field("key", 100))
    if what == "end_secret":
        programs.end_secret(who, client, field("secret", 40), now=now)
        flash(_("The secret is ended, and every token that was given for it."), "ok")
    elif what == "end":
        programs.end_program(who, client, now=now)
        flash(_("The client is ended. Its tokens open nothing any more."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")
    return None


def _new(form: Form, chosen: tuple[str, ...], status: int = 200, problem: Problem | None = None) -> Response:
    return desk_page(
        "setup/program_new",
        "setup",
        status,
        form=form,
        chosen=chosen,
        scopes=words.scopes(),
        longest=LONGEST_NAME,
        most=MOST,
        problem=problem,
    )


def _one(client: str, status: int = 200, problem: Problem | None = None, made: Credentials | None = None) -> Response:
    page = programs.program_of(session.member(), client)
    scopes = tuple(text for code, text in words.scopes() if code in page.scopes)
    return desk_page(
        "setup/program",
        "setup",
        status,
        page=page,
        scopes=scopes,
        problem=problem,
        made=made,
        key=new_token(),
    )


VIEWS: Views = {"setup": setup, "program_new": program_new, "program": program}
