"""The console's pages that show what needs an operator's eye. They change nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, url_for

from booking.reconcile import cases
from booking.views import oversight
from booking.webhooks import endpoints
from marketplace.core import clock
from marketplace.web.answers import Views, render
from marketplace.web.console import overview_page, session
from vip.operators.operators import operator

FEW = 8


def home() -> Response:
    """All three lists, the first lines of each, the chain of the audit, and records that can't be opened."""
    who, now = session.operator(), clock.now()
    page = cases.discrepancies(who, cursor=None, limit=FEW)
    return _page(
        "home",
        discrepancies=tuple(map(overview_page.discrepancy, page.items)),
        more_url=url_for("console.discrepancies") if page.next else "",
        providers=_providers(now),
        jobs=tuple(map(overview_page.job, oversight.late_jobs(who, now=now))),
        audit=overview_page.audit(oversight.audit_health(who, now=now)),
        alarms=oversight.unreadable_records(who, now=now),
    )


def providers() -> Response:
    """Providers and how they are."""
    return _page("providers", providers=_providers(clock.now()))


def jobs() -> Response:
    """Background jobs that did not run."""
    late = oversight.late_jobs(session.operator(), now=clock.now())
    return _page("jobs", jobs=tuple(map(overview_page.job, late)))


def _providers(now: datetime) -> tuple[overview_page.ProviderRow, ...]:
    found, stopped = oversight.providers(session.operator(), now=now), endpoints.stopped()
    return tuple(overview_page.provider(it, now, stopped) for it in found)


def _page(name: str, **context: Any) -> Response:
    me = operator(session.operator().id)
    return render(f"console/{name}.html", me=me, here=name, feeds=overview_page.feeds(), **context)


VIEWS: Views = {
    "home": home,
    "providers": providers,
    "jobs": jobs,
}
