"""Close a consultation with a summary, which goes to the patient's reports."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.consultation import read
from booking.consultation.close import close
from booking.consultation.summary import MOST_CHARACTERS, NextService, Summary
from booking.consultation.views import ConversationView
from marketplace import wording
from marketplace.catalog.kinds import has_times, kinds
from marketplace.core.database.moment import by_database, now_by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.consulting import board
from marketplace.web.desk.consulting.present import present
from marketplace.web.formats import dotted
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Form

_LONGEST = 81  # a kind and a department


def consultation_close(conversation: str) -> Response:
    """The form, and closing by it. Raises NotFound, also where she has it not in hand."""
    if request.method != "POST":
        return _shown(conversation, Form())
    values = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("summary", "advice")}
    values["next_service"] = field("next_service", _LONGEST)
    offered = dict(_services(_require_mine(conversation)))
    if values["next_service"] not in offered:
        refusal = Invalid(field="next_service", reason="unknown_benefit")
        return _shown(conversation, Form(values, {"next_service": wording.sentence(refusal)}), refusal.status)
    kind, _slash, department = values["next_service"].partition("/")
    suggested = NextService(kind, department) if kind else None
    try:
        summary = Summary(values["summary"], values["advice"], suggested)
        closed = close(present(), conversation, summary, now=by_database)
    except NotFound:
        raise
    except Invalid as refusal:
        return _shown(conversation, Form(values, {refusal.at or "summary": wording.sentence(refusal)}), refusal.status)
    except Refusal as refusal:
        return _shown(conversation, Form(values, problem=wording.sentence(refusal)), refusal.status)
    flash(_("Closed. The summary is in the patient's reports.") if closed.report else _("Closed."), "ok")
    return see_other(url_for("desk.consultation", conversation=conversation))


def _services(view: ConversationView) -> list[tuple[str, str]]:
    """What may be suggested: each kind of benefit, and the departments of one that begins at once."""
    found = [("", _("None"))]
    for code in kinds():
        found.append((code, kind_name(code)))
        if not has_times(code):
            named = ((each, by_language(name)) for each, name in view.departments.items())
            found += [(f"{code}/{each}", dotted((kind_name(code), name))) for each, name in named]
    return found


def _require_mine(conversation: str) -> ConversationView:
    """A conversation that is the reader's or is over by her. Raises NotFound."""
    who = present()
    view = read.conversation_of(who, conversation, now_by_database())
    if view.clinician is None or view.clinician.id != who.public_id:
        raise NotFound()
    return view


def _shown(conversation: str, form: Form, status: int = 200) -> Response:
    view = _require_mine(conversation)
    return desk_page(
        "consulting/close",
        "consultations",
        status,
        conversation=conversation,
        name=view.beneficiary_name,
        form=form,
        services=_services(view),
        longest=MOST_CHARACTERS,
        **board.drawn(board.of(present()), conversation),
    )


VIEWS: Views = {"consultation_close": consultation_close}
