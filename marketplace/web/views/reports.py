"""The report box: the list, one report, and the provider's own document."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, make_response, request, url_for
from flask_babel import gettext as _

from booking import report_box
from booking.view import bookings
from marketplace.core import clock
from marketplace.web import visitor
from marketplace.web.answers import asked, render
from marketplace.web.presenters import reports as shown

SHOWN = 20
_ENDINGS = {"application/pdf": "pdf"}
DOCUMENT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'"
"""A document is somebody else's file: should a browser read more than a paper in it, it runs nothing and reaches
nothing of ours."""


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
    return render("reports.html", rows=rows, more_url=more, empty_text="")


def report(report: str) -> Response:
    """A report; the look is recorded first."""
    if _only_prefetched():
        return _not_yet()
    view = report_box.report(visitor.principal(), report, now=clock.now())
    document = url_for("web.report_document", report=report)
    return render("report.html", page=shown.page(view, document))


def report_document(report: str) -> Response:
    """The provider's own document, to be read in the browser; the look is recorded first."""
    if _only_prefetched():
        return _not_yet()
    document = report_box.document(visitor.principal(), report, now=clock.now())
    answer = make_response(document.content)
    answer.content_type = document.media_type
    ending = _ENDINGS.get(document.media_type, "bin")
    plain = f"{document.service_date.isoformat()}-v{document.version}.{ending}"
    local = quote(f"{_('Health check report')}-{plain}", safe="")
    answer.headers["Content-Disposition"] = f"inline; filename=\"report-{plain}\"; filename*=UTF-8''{local}"
    answer.headers["Content-Security-Policy"] = DOCUMENT_POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _only_prefetched() -> bool:
    """Whether the browser asks ahead of its reader: nobody looks yet, and a look must be recorded."""
    asked_ahead = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in asked_ahead.lower()


def _not_yet() -> Response:
    return make_response("", 503, {"Cache-Control": "no-store"})


VIEWS = {"reports": reports, "report": report, "report_document": report_document}
