"""Links to reports, and a report as somebody with a link sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _

from booking.reports.box import ReportCard, ReportView
from booking.reports.papers import PaperLine
from booking.reports.share import Look, MadeShare, Share
from marketplace.web.formats import moment
from marketplace.web.language import by_language
from marketplace.web.parts import Pill
from marketplace.web.people import named
from marketplace.web.place_words import site_name
from marketplace.web.reports import reports_page
from marketplace.web.reports.reports_page import PaperRow, ReportPage


@dataclass(frozen=True)
class AboutReport:
    """Which report a page is about."""

    id: str
    title: str
    person: str
    place: str
    day: date
    kind: str = ""


@dataclass(frozen=True)
class ShareRow:
    """A link that shows a report. `looks`: who did what when, in words, the newest first."""

    id: str
    audience: str
    pill: Pill
    views: str
    expires_at: datetime
    looks: tuple[str, ...]
    open: bool
    with_code: bool


@dataclass(frozen=True)
class MadeLink:
    """A link just made: its address and access code (blank without one) are shown this once."""

    url: str
    access_code: str
    expires_at: datetime


@dataclass(frozen=True)
class SharedReport:
    """A report as somebody with a link sees it."""

    report: ReportPage
    pdf_url: str
    papers: tuple[PaperRow, ...]
    expires_at: datetime


def about(card: ReportCard) -> AboutReport:
    """Which report it is, in two lines."""
    title = by_language(card.offer_name)
    return AboutReport(
        card.id, title, named(card.beneficiary_name, card.relation), site_name(card.site), card.service_date, card.kind
    )


def papers(lines: list[PaperLine], address: Callable[[int], str]) -> tuple[PaperRow, ...]:
    """The papers, each by its number: names that strangers gave are not kept."""
    return tuple(
        PaperRow(
            _("Picture %(number)d", number=line.position + 1)
            if line.media_type == "image/png"
            else _("Document %(number)d (PDF)", number=line.position + 1),
            _size(line.size),
            address(line.position),
        )
        for line in lines
    )


def link(share: Share) -> ShareRow:
    """A link with what became of it."""
    return ShareRow(
        share.id,
        _("For a doctor") if share.audience == "doctor" else _("For the family"),
        _state(share),
        _views(share),
        share.expires_at,
        tuple(_look(look) for look in share.looks),
        share.state == "open",
        share.with_code,
    )


def made(new: MadeShare, address: Callable[[str], str]) -> MadeLink:
    """A new link, whose address and code are shown this once."""
    return MadeLink(address(new.token), new.access_code or "", new.share.expires_at)


def shared(view: ReportView, token: str, expires_at: datetime) -> SharedReport:
    """The report without any way to the customer's other pages."""
    page = reports_page.page(view, lambda _kind, _what: "")
    rows = papers(list(view.papers), lambda position: url_for("web.shared_paper", token=token, position=position))
    return SharedReport(page, url_for("web.shared_paper", token=token, position="pdf"), rows, expires_at)


def _state(share: Share) -> Pill:
    texts = {
        "open": (_("Open"), "ok", "check"),
        "expired": (_("Expired"), "off", "clock"),
        "revoked": (_("Taken back"), "off", "x"),
        "used_up": (_("Used up"), "off", "check"),
    }
    text, tone, icon = texts[share.state]
    return Pill(text, tone, icon=icon)


def _views(share: Share) -> str:
    if share.max_views is None:
        return _("Opened %(views)d times", views=share.views)
    return _("Opened %(views)d of %(most)d times", views=share.views, most=share.max_views)


def _look(look: Look) -> str:
    texts = {"viewed": _("Read"), "downloaded": _("Document opened"), "wrong_code": _("Wrong access code")}
    return f"{moment(look.at)} · {texts.get(look.what, look.what)}"


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024))} KB"
