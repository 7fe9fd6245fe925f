"""Discrepancies between our books and a provider's: the list, one of them, its repairs."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.escort.after.settled import REPAIRS
from booking.reconcile import cases
from booking.reconcile.delivered import read_delivered
from booking.reconcile.repair import repair
from booking.reconcile.repair_actions import LONGEST_NOTE
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import overview_page, session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.books import cases_page
from marketplace.web.parts import Form


def discrepancies() -> Response:
    """Discrepancies, newest first, open or closed, narrowed to a kind or a provider."""
    who = session.operator()
    wanted = cases.Filter(asked("closed") == "1", asked("kind", 40), asked("provider", 80))
    page = cases.discrepancies(who, cursor=asked("after") or None, limit=SHOWN, wanted=wanted)
    states, kinds, providers = cases_page.choices(cases.counts(who), wanted)
    return console_page(
        "discrepancies",
        "discrepancies",
        discrepancies=tuple(map(overview_page.discrepancy, page.items)),
        closed=wanted.closed,
        narrowed=bool(wanted.kind or wanted.provider),
        states=states,
        kinds=kinds,
        providers=providers,
        more_url=cases_page.list_url(wanted, after=page.next) if page.next else "",
    )


def case(case: str) -> Response:
    """One discrepancy: both sides, what it means, what happened, what can be done."""
    view = cases.case(session.operator(), case, now=clock.now())
    return console_page("case", "discrepancies", page=cases_page.case(view))


def delivered(case: str) -> Response:
    """What the provider delivered of a row that could not be used."""
    text = read_delivered(session.operator(), case, now=clock.now())
    return console_page("delivered", "discrepancies", case=case, delivered=text)


def repair_case(case: str, action: str) -> Response:
    """What the repair does first, then the repair."""
    who, now = session.operator(), clock.now()
    form, status = Form(), 200
    if request.method == "POST":
        note = field("note", 10 * LONGEST_NOTE)
        try:
            repair(who, case, action, note=note, now=now, more=REPAIRS)
            flash(_("Done. The history below says what came of it."), "ok")
            return see_other(url_for("console.case", case=case))
        except NotFound:
            raise
        except Invalid as refusal:
            form, status = Form({"note": note}, {"note": wording.sentence(refusal)}), refusal.status
        except Refusal as refusal:
            form, status = Form({"note": note}, problem=wording.sentence(refusal)), refusal.status
    view = cases.case(who, case, now=now)
    if action not in view.actions and status == 200:
        return see_other(url_for("console.case", case=case))
    page = cases_page.case(view)
    return console_page("repair", "discrepancies", status, page=page, repair=cases_page.repair(case, action), form=form)


VIEWS: Views = {"discrepancies": discrepancies, "case": case, "delivered": delivered, "repair": repair_case}
