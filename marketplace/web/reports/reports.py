"""The report box: the list, one report in any of its versions, and the provider's own document."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from booking.reports import box
from booking.views.lists import bookings
from marketplace.core import clock
from marketplace.web import session
from marketplace.web.answers import Views, asked, render, see_other
from marketplace.web.parts import Link
from marketplace.web.people import relation_word, to_ask
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.reports import reports_page, shares_page
from vip.customers.consent import ConsentMissing

SHOWN = 20


def reports() -> Response:
    """The family's reports, the latest check first; before them the ones that are still to come."""
    principal, cursor = session.principal(), asked("after") or None
    person, year = asked("person", 64) or None, _year(asked("year", 4))
    page = box.reports(principal, cursor=cursor, limit=SHOWN, now=clock.now(), beneficiary_id=person, year=year)
    waiting = []
    if cursor is None:
        past = bookings(principal, cursor=None, limit=SHOWN, now=clock.now(), when="past").items
        waiting = [
            reports_page.awaited(card, url_for("web.booking", booking=card.id))
            for card in past
            if card.state == "fulfilled"
            and card.report_state in ("expected", "overdue")
            and person in (None, card.beneficiary_id)
            and year in (None, card.service_date.year)
        ]
    more = url_for("web.reports", after=page.next, person=person, year=year) if page.next else ""
    rows = (*waiting, *map(reports_page.row, page.items))
    contents = box.box(principal, now=clock.now())
    return render(
        "reports.html",
        rows=rows,
        more_url=more,
        empty_text=_("There is none for this choice.") if person or year else "",
        people=_people(contents, person, year),
        years=_years(contents, person, year),
        compare_url=url_for("web.report_compare", person=person) if sum(1 for it in page.items if it.items) > 1 else "",
        all_url=url_for("web.reports") if person or year else "",
        asking=to_ask(principal) if cursor is None else (),
    )


def _people(contents: box.Box, person: str | None, year: int | None) -> tuple[Link, ...]:
    if len(contents.people) < 2:
        return ()
    everybody = Link(_("All"), url_for("web.reports", year=year), person is None)
    return everybody, *(
        Link(
            name if relation == "self" else relation_word(relation),
            url_for("web.reports", person=public_id, year=year),
            public_id == person,
        )
        for public_id, name, relation in contents.people
    )


def _years(contents: box.Box, person: str | None, year: int | None) -> tuple[Link, ...]:
    if len(contents.years) < 2:
        return ()
    every = Link(_("All years"), url_for("web.reports", person=person), year is None)
    return every, *(Link(str(it), url_for("web.reports", person=person, year=it), it == year) for it in contents.years)


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isascii() and text.isdecimal() else None


def report(report: str) -> Response:
    """A report; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    version = _version(asked("version", 10))
    try:
        view = box.report(session.principal(), report, now=clock.now(), version=version)
    except ConsentMissing as missing:
        return see_other(url_for("web.consent", member=missing.facts["beneficiary_id"]))

    def links(kind: str, what: str) -> str:
        if kind == "trend":
            return url_for("web.report_trend", item=what, person=view.beneficiary_id)
        if kind == "version":
            return url_for("web.report", report=report, version=what)
        if kind == "compare":
            return url_for("web.report_compare", person=view.beneficiary_id, b=report) if view.items else ""
        return url_for("web.report_document", report=report)

    page = reports_page.page(view, links)
    if not page.older:
        lines = list(view.papers)
        papers = shares_page.papers(lines, lambda at: url_for("web.report_paper", report=report, position=at))
        page = replace(page, papers=papers)
    return render("report.html", page=page)


def _version(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound()
    return int(text)


VIEWS: Views = {"reports": reports, "report": report}
