"""What tiers mean, and where they are from: said here, once."""

from __future__ import annotations

from flask import Response, url_for

from marketplace.catalog.search import tier_sources
from marketplace.web import session
from marketplace.web.answers import Views, asked, render


def levels() -> Response:
    """About tiers; back to the page that led here."""
    back = session.safe_path(asked("next")) or url_for("web.places")
    return render("levels.html", sources=tier_sources(), back_url=back)


VIEWS: Views = {"levels": levels}
