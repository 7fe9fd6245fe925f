"""An item over the years, and two reports side by side. Each report that is shown of is recorded as looked at."""

from __future__ import annotations

from flask import Response, url_for
from flask_babel import gettext as _

from booking.reports import box
from booking.reports.comparison import compare
from booking.reports.trend import trend
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.web import formats, session
from marketplace.web.answers import Views, asked, render
from marketplace.web.parts import Link
from marketplace.web.people import relation_word
from marketplace.web.place_words import site_name
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.reports import trends_page
from marketplace.web.reports.trends_page import ChooseTwo

CHOICES = 100


def report_trend(item: str) -> Response:
    """One item of one person over the years."""
    if only_prefetched():
        return not_yet()
    found = trend(session.principal(), item, asked("person", 64), now=clock.now())
    page = trends_page.trend_page(found, lambda report: url_for("web.report", report=report))
    return render("report_trend.html", page=page)


def report_compare() -> Response:
    """Two reports side by side once they are chosen, before that the choice."""
    if only_prefetched():
        return not_yet()
    a, b = asked("a", 64), asked("b", 64)
    if not (a and b):
        return _choose(a, b)
    try:
        found = compare(session.principal(), a, b, now=clock.now())
    except Invalid as wrong:
        messages = {"same_report": _("These are the same report. Choose another one.")}
        other = _("These reports are of two people. Choose two of one person.")
        return _choose(a, b, messages.get(str(wrong.facts.get("reason")), other))
    person = found.later.beneficiary_id
    page = trends_page.compare_page(
        found,
        lambda item: url_for("web.report_trend", item=item, person=person),
        lambda report: url_for("web.report", report=report),
    )
    choose = url_for("web.report_compare", person=person)
    return render("report_compare.html", page=page, choose_url=choose)


def _choose(a: str, b: str, problem: str = "") -> Response:
    principal = session.principal()
    contents = box.box(principal, now=clock.now())
    wanted = asked("person", 64)
    known = {public_id for public_id, _name, _relation in contents.people}
    person = wanted if wanted in known else next(iter(contents.people), ("",))[0]
    cards = box.reports(principal, cursor=None, limit=CHOICES, now=clock.now(), beneficiary_id=person or None).items
    options = tuple(
        (card.id, formats.dotted((formats.full_date(card.service_date), site_name(card.site))))
        for card in cards
        if card.items  # there is nothing to compare in a record in words
    )
    ids = [value for value, _label in options]
    people = tuple(
        Link(
            name if relation == "self" else relation_word(relation),
            url_for("web.report_compare", person=public_id),
            public_id == person,
        )
        for public_id, name, relation in contents.people
    )
    later = b if b in ids else next(iter(ids), "")
    earlier = a if a in ids else next((value for value in ids if value != later), "")
    page = ChooseTwo(people if len(people) > 1 else (), options, earlier, later, problem)
    return render("report_choose.html", status=422 if problem else 200, page=page)


VIEWS: Views = {"report_trend": report_trend, "report_compare": report_compare}
