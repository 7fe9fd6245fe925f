"""The console's books: one difference and its repairs, comparisons, closing statements, sites that close."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, flash, make_response, request, url_for
from flask_babel import gettext as _

from booking.closures import close
from booking.closures import view as site_closure_view
from booking.reconcile import cases, runs
from booking.reconcile.repair import LONGEST_NOTE
from booking.reconcile.repair import repair as carry_out
from booking.settlement import statements
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import asked, field, render, see_other
from marketplace.web.console import books_page as shown
from marketplace.web.console import overview_page as console_shown
from marketplace.web.console import session
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from vip.operators import operator

SHOWN = 50
LINES_SHOWN = 200


def differences() -> Response:
    """Differences, newest first, open or closed, narrowed to a kind or a provider."""
    who = session.operator()
    wanted = cases.Filter(asked("closed") == "1", asked("kind", 40), asked("provider", 80))
    page = cases.differences(who, cursor=asked("after") or None, limit=SHOWN, wanted=wanted)
    states, kinds, providers = shown.choices(cases.counts(who), wanted)
    filters = {"closed": "1" if wanted.closed else None, "kind": wanted.kind, "provider": wanted.provider}
    kept = {name: value for name, value in filters.items() if value}
    return _page(
        "differences",
        "differences",
        differences=tuple(map(console_shown.difference, page.items)),
        closed=wanted.closed,
        narrowed=bool(wanted.kind or wanted.provider),
        states=states,
        kinds=kinds,
        providers=providers,
        more_url=url_for("console.differences", after=page.next, **kept) if page.next else "",
    )


def case(case: str) -> Response:
    """One difference: both sides, what it means, what happened, what can be done."""
    view = cases.case(session.operator(), case, now=clock.now())
    return _page("case", "differences", page=shown.case(view))


def repair(case: str, action: str) -> Response:
    """What the repair does first, then the repair."""
    who, now = session.operator(), clock.now()
    form, status = Form(), 200
    if request.method == "POST":
        note = field("note", 10 * LONGEST_NOTE)
        try:
            carry_out(who, case, action, note=note, now=now)
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
    page = shown.case(view)
    return _page("repair", "differences", status, page=page, repair=shown.repair(case, action), form=form)


def run_list() -> Response:
    """Comparisons, newest first; the form asks for one."""
    who = session.operator()
    if request.method == "POST":
        if runs.request_run(who, field("provider", 80), now=clock.now()):
            flash(_("Asked for. The worker begins within seconds."), "ok")
        else:
            flash(_("It was asked for already and begins in a moment."), "ok")
        return see_other(url_for("console.runs"))
    page = runs.runs(who, cursor=asked("after") or None, limit=SHOWN)
    return _page(
        "runs",
        "runs",
        rows=tuple(map(shown.run, page.items)),
        providers=_providers(),
        form=Form(),
        more_url=url_for("console.runs", after=page.next) if page.next else "",
    )


def statement_list() -> Response:
    """Closing statements, the newest day first."""
    provider = asked("provider", 80)
    page = statements.statements(session.operator(), cursor=asked("after") or None, limit=SHOWN, provider=provider)
    kept = {"provider": provider} if provider else {}
    return _page(
        "statements",
        "statements",
        rows=tuple(map(shown.statement_row, page.items)),
        providers=(("", _("All providers")), *_providers()),
        form=Form(kept),
        more_url=url_for("console.statements", after=page.next, **kept) if page.next else "",
    )


def statement(statement: str) -> Response:
    """One day with one provider."""
    view = statements.statement(session.operator(), statement, most=LINES_SHOWN)
    return _page("statement", "statements", page=shown.statement(view))


def statement_csv(statement: str) -> Response:
    """All its lines as a table."""
    name, content = statements.statement_csv(session.operator(), statement)
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def closures() -> Response:
    """Sites that close, newest first."""
    found = site_closure_view.closures(session.operator())
    return _page("closures", "closures", rows=tuple(map(shown.closure, found)))


def closure_new() -> Response:
    """Find the site, say when, see what it means, close it."""
    who, now = session.operator(), clock.now()
    take = field if request.method == "POST" else asked
    values = {name: take(name, 80) for name in ("wanted", "site", "from_day", "to_day", "mode")}
    form, status, affected = Form(values), 200, None
    try:
        if values["site"] and values["from_day"]:
            first, last = _day(values, "from_day"), _day(values, "to_day") if values["to_day"] else None
            if request.method == "POST":
                closing = close.close_site(who, values["site"], first, last, values["mode"], now=now)
                return see_other(url_for("console.closure", closure=closing))
            affected = site_closure_view.preview(who, values["site"], first, last, now=now)
        elif values["site"] and request.method == "POST":
            raise Invalid(field="from_day", reason="required")
    except NotFound:
        raise
    except Invalid as refusal:
        form, status = Form(values, {refusal.at or "from_day": wording.sentence(refusal)}), refusal.status
    except Refusal as refusal:
        form, status = Form(values, problem=wording.sentence(refusal)), refusal.status
    sites = site_closure_view.find_sites(who, values["wanted"]) if values["wanted"] else None
    return _page(
        "closure_new",
        "closures",
        status,
        form=form,
        sites=sites,
        affected=affected,
        offers=[(by_language(name), number) for name, number in affected.offers] if affected else [],
        modes=shown.modes(),
    )


def closure(closure: str) -> Response:
    """How far a closure is; the form takes it back."""
    who = session.operator()
    if request.method == "POST":
        close.reopen_site(who, closure, now=clock.now())
        flash(_("Taken back. The times come back with the provider's next full list."), "ok")
        return see_other(url_for("console.closure", closure=closure))
    return _page("closure", "closures", page=shown.closure(site_closure_view.closure(who, closure)))


def _day(values: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(values[name])
    except ValueError as wrong:
        raise Invalid(field=name, reason="date") from wrong


def _providers() -> tuple[tuple[str, str], ...]:
    return tuple((code, by_language(name)) for code, name in runs.provider_choices(session.operator()))


def _page(name: str, here: str, status: int = 200, **context: Any) -> Response:
    me = operator(session.operator().id)
    return render(f"console/{name}.html", status, me=me, here=here, **context)


VIEWS = {
    "differences": differences,
    "case": case,
    "repair": repair,
    "runs": run_list,
    "statements": statement_list,
    "statement": statement,
    "statement_csv": statement_csv,
    "closures": closures,
    "closure_new": closure_new,
    "closure": closure,
}
