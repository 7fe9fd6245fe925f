"""The console's pages that show what needs an operator's eye. They change nothing."""

from __future__ import annotations

from datetime import datetime

from flask import Response, url_for

from booking.certifying.view import certificates
from booking.closures.closed_by_others import closed_by_others
from booking.health import view
from booking.reconcile import cases
from booking.views import oversight
from booking.webhooks.health import recovered
from marketplace.core import clock
from marketplace.web import certificate_words
from marketplace.web.answers import Views
from marketplace.web.console import closures_page, overview_page, session
from marketplace.web.console.answers import console_page
from marketplace.web.console.providers import rows
from marketplace.web.console.providers.rows import ProviderRow
from providers.staff import first_manager

FEW = 8


def home() -> Response:
    """All three lists, the first lines of each, sites that others closed, the chain of the audit, and records that
    can't be opened."""
    who, now = session.operator(), clock.now()
    page = cases.discrepancies(who, cursor=None, limit=FEW)
    return console_page(
        "home",
        "home",
        discrepancies=tuple(map(overview_page.discrepancy, page.items)),
        more_url=url_for("console.discrepancies") if page.next else "",
        providers=_providers(now),
        jobs=tuple(map(overview_page.job, oversight.late_jobs(who, now=now))),
        audit=overview_page.audit(oversight.audit_health(who, now=now)),
        alarms=oversight.unreadable_records(who, now=now),
        others=tuple(map(closures_page.stands_there, closed_by_others(who, now=now, limit=FEW))),
    )


def providers() -> Response:
    """Providers and how they are, who works at their desks, and what they have proved."""
    return console_page(
        "providers",
        "providers",
        providers=_providers(clock.now()),
        desks=tuple(map(overview_page.desk, first_manager.providers_staffed(session.operator()))),
        certified=tuple(map(certificate_words.provider, certificates(session.operator()))),
    )


def jobs() -> Response:
    """Background jobs that did not run."""
    late = oversight.late_jobs(session.operator(), now=clock.now())
    return console_page("jobs", "jobs", jobs=tuple(map(overview_page.job, late)))


def _providers(now: datetime) -> tuple[ProviderRow, ...]:
    went_on = recovered(now=now)
    return tuple(rows.provider(it, now, went_on) for it in view.providers(session.operator(), now=now))


VIEWS: Views = {
    "home": home,
    "providers": providers,
    "jobs": jobs,
}
