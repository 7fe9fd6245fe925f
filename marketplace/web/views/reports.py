"""The report box: the list, one report, and the provider's own document."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, url_for

from booking import report_box
from booking.view import bookings
from marketplace.core import clock
from marketplace.web import visitor
from marketplace.web.answers import asked, render, see_other
from marketplace.web.papers import not_yet, only_prefetched
from marketplace.web.presenters import reports as shown
from marketplace.web.presenters import shares
from marketplace.web.views import consent as consent_view
from vip.consent import ConsentMissing

SHOWN = 20


def reports() -> Response:
    """The family's reports, newest first; before them the ones that are still to come."""
    principal, cursor = visitor.principal(), asked("after") or None
    page = report_box.reports(principal, cursor=cursor, limit=SHOWN, now=clock.now())
    waiting = []
    if cursor is None:
        past = bookings(principal, cursor=None, limit=SHOWN, now=clock.now(), when="past").items
        waiting = [
            shown.awaited(card, url_for("web.booking", booking=card.id))
            for card in past
            if card.state == "fulfilled" and card.report_state in ("expected", "overdue")
        ]
    more = url_for("web.reports", after=page.next) if page.next else ""
    rows = (*waiting, *map(shown.row, page.items))
    asking = consent_view.to_ask(principal) if cursor is None else ()
    return render("reports.html", rows=rows, more_url=more, empty_text="", asking=asking)


def report(report: str) -> Response:
    """A report; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    try:
        view = report_box.report(visitor.principal(), report, now=clock.now())
    except ConsentMissing as missing:
        return see_other(url_for("web.consent", member=missing.facts["beneficiary_id"]))
    document = url_for("web.report_document", report=report)
    papers = shares.papers(list(view.papers), lambda at: url_for("web.report_paper", report=report, position=at))
    return render("report.html", page=replace(shown.page(view, document), papers=papers))


VIEWS = {"reports": reports, "report": report}
