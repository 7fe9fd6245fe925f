"""Closing statements: the list, one day with one provider, its lines as a table."""

from __future__ import annotations

from flask import Response, make_response, url_for
from flask_babel import gettext as _

from booking.reconcile import runs
from booking.settlement import statements
from marketplace.web.answers import Views, asked
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.books import runs_page, statements_page
from marketplace.web.parts import Form

LINES_SHOWN = 200


def statement_list() -> Response:
    """Closing statements, the newest day first."""
    who, provider = session.operator(), asked("provider", 80)
    page = statements.statements(who, cursor=asked("after") or None, limit=SHOWN, provider=provider)
    return console_page(
        "statements",
        "statements",
        rows=tuple(map(statements_page.statement_row, page.items)),
        providers=(("", _("All providers")), *runs_page.providers(runs.provider_choices(who))),
        form=Form({"provider": provider} if provider else {}),
        more_url=url_for("console.statements", after=page.next, provider=provider or None) if page.next else "",
    )


def statement(statement: str) -> Response:
    """One day with one provider."""
    view = statements.statement(session.operator(), statement, most=LINES_SHOWN)
    return console_page("statement", "statements", page=statements_page.statement(view))


def statement_csv(statement: str) -> Response:
    """All its lines as a table."""
    name, content = statements.statement_csv(session.operator(), statement)
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


VIEWS: Views = {"statements": statement_list, "statement": statement, "statement_csv": statement_csv}
