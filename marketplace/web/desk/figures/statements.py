"""The desk's pages about settlement: own figures, the days that are closed, one of them and its lines as a table."""

from __future__ import annotations

from flask import Response, make_response, url_for

from booking.settlement import statements
from booking.settlement.figures import PERIODS, figures
from marketplace.core import clock
from marketplace.web.answers import Views, asked
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.figures import statements_page

_SHOWN, _LINES = 30, 200


def statement_list() -> Response:
    """Own figures of the last days, and closing statements, the newest day first."""
    who = session.member()
    days = next((days for days in PERIODS if str(days) == asked("days", 3)), PERIODS[0])
    found = statements.own_statements(who.provider_id, cursor=asked("cursor", 500) or None, limit=_SHOWN)
    return desk_page(
        "figures/statements",
        "statements",
        days=days,
        periods=PERIODS,
        tiles=statements_page.tiles(figures(who.provider_id, days, now=clock.now())),
        rows=tuple(map(statements_page.row, found.items)),
        more_url=url_for("desk.statements", days=days, cursor=found.next) if found.next else "",
    )


def statement(statement: str) -> Response:
    """One day with one insurer."""
    view = statements.own_statement(session.member().provider_id, statement, most=_LINES)
    return desk_page("figures/statement", "statements", page=statements_page.statement(view))


def statement_csv(statement: str) -> Response:
    """All its lines as a table."""
    name, content = statements.own_statement_csv(session.member().provider_id, statement)
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


VIEWS: Views = {"statements": statement_list, "statement": statement, "statement_csv": statement_csv}
