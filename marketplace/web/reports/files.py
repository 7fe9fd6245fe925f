"""A report's papers, taking it along, showing it to others by a link, deleting it."""

from __future__ import annotations

import json

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.reports import box
from booking.reports.box import Document
from booking.reports.delete import delete_report
from booking.reports.output import export, fhir
from booking.reports.share import DAYS, NewShare, TooManyLinks, end_share, share_report, shares
from marketplace import wording
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import Invalid
from marketplace.web import session
from marketplace.web.answers import Views, field, render, see_other
from marketplace.web.parts import Form
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.reports import shares_page
from marketplace.web.reports.papers import paper_answer, position_of


def report_paper(report: str, position: str) -> Response:
    """One paper as the provider issued it; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    place = position_of(position)
    return paper_answer(box.document(session.principal(), report, place, now=clock.now()), f"-{place + 1}")


def report_document(report: str) -> Response:
    """The report as a PDF, the provider's own if there is one; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    return paper_answer(export.report_as_pdf(session.principal(), report, now=clock.now()))


def report_fhir_file(report: str) -> Response:
    """The report as a FHIR Bundle, to be kept; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    principal, now = session.principal(), clock.now()
    bundle = export.report_as_fhir(principal, report, now=now)
    card = box.report_card(principal, report, now=now)
    content = json.dumps(bundle, ensure_ascii=False).encode()
    return paper_answer(Document(content, fhir.MEDIA_TYPE, card.version, card.service_date, card.kind), save=True)


def delete(report: str) -> Response:
    """Delete a report for good, after saying what that means."""
    principal, now = session.principal(), clock.now()
    card = box.report_card(principal, report, now=now)
    if request.method == "POST":
        delete_report(principal, report, now=now)
        flash(_("The report is deleted. Nobody can read it again."), "ok")
        return see_other(url_for("web.reports"))
    return render("report_delete.html", report=shares_page.about(card))


def share(report: str) -> Response:
    """Make a link, and see what became of the earlier ones."""
    principal, now = session.principal(), clock.now()
    card = box.report_card(principal, report, now=now)
    form, made, status = Form({"audience": "doctor", "days": "7"}), None, 200
    if request.method == "POST":
        given = {name: field(name, 20) for name in ("audience", "days", "max_views", "with_code")}
        try:
            made = shares_page.made(share_report(principal, report, _wanted(given), now=now), _address)
        except (Invalid, TooManyLinks) as refusal:
            message, at = wording.sentence(refusal), str(refusal.at or "")
            form, status = Form(given, {at: message}) if at in given else Form(given, problem=message), refusal.status
    links = tuple(shares_page.link(it) for it in shares(principal, report, now=now))
    return render("report_share.html", status, report=shares_page.about(card), form=form, made=made, links=links)


def share_end(report: str, share: str) -> Response:
    """Take a link back."""
    end_share(session.principal(), report, share, now=clock.now())
    flash(_("The link opens nothing any more."), "ok")
    return see_other(url_for("web.report_share", report=report))


def _wanted(given: dict[str, str]) -> NewShare:
    """What the form says. Raises Invalid."""
    views = given["max_views"]
    if views and not (views.isascii() and views.isdigit() and len(views) <= 4):
        raise Invalid(field="max_views", reason="integer")
    days = int(given["days"]) if given["days"] in {str(each) for each in DAYS} else 0
    return NewShare(given["audience"], days, given["with_code"] == "1", int(views) if views else None)


def _address(token: str) -> str:
    return settings().public_url + url_for("web.shared", token=token)


VIEWS: Views = {
    "report_paper": report_paper,
    "report_document": report_document,
    "report_fhir": report_fhir_file,
    "report_delete": delete,
    "report_share": share,
    "report_share_end": share_end,
}
