"""Jobs about what is over: deleted, forgotten, or handed out and deleted."""

from __future__ import annotations

from booking.feeds.unreadable import forget_rows
from booking.idempotency import forget_keys
from booking.joining.carry_out import forget_tests
from booking.live.forget import forget_live
from booking.personal.erase import finish_erasures
from booking.personal.export import forget_copies, make_copies
from booking.personal.retention import forget_consultations, forget_escorts, forget_old, forget_reports
from booking.rehearsals.carry_out import forget_rehearsals
from booking.sync.webhooks import forget_events
from booking.webhooks.deliveries import forget_deliveries
from booking.webhooks.stopped import forget_messages
from booking.worker.jobs.job import Job
from marketplace.clients.tokens import forget_tokens
from marketplace.core import clock
from marketplace.core.integrity import forget_alarms
from providers.applying.forget import forget_applications
from providers.staff.post import forget_over
from vip.imports.work import forget_contents
from vip.insurers.assertions import forget_assertions
from vip.insurers.bring import forget_links
from vip.insurers.snapshots import expire
from vip.signin.limits import forget_buckets


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("applications-over", 3600, lambda: forget_applications(now=clock.now())),
        Job("invitations-over", 3600, lambda: {"forgotten": forget_over(now=clock.now())}),
        Job("keys", 3600, lambda: {"forgotten": forget_keys(now=clock.now())}),
        Job("events", 3600, lambda: {"forgotten": forget_events(now=clock.now())}),
        Job("live_events", 300, lambda: {"forgotten": forget_live(now=clock.now())}),
        Job("rows", 3600, lambda: {"forgotten": forget_rows(now=clock.now())}),
        Job("retention", 3600, lambda: forget_old(now=clock.now())),
        Job("reports-over", 3600, lambda: forget_reports(now=clock.now())),
        Job("consultations-over", 3600, lambda: forget_consultations(now=clock.now())),
        Job("escort-records-over", 3600, lambda: forget_escorts(now=clock.now())),
        Job("copies", 5, lambda: make_copies(now=clock.now())),
        Job("erasures", 60, lambda: finish_erasures(now=clock.now())),
        Job("copies-over", 3600, lambda: {"forgotten": forget_copies(now=clock.now())}),
        Job("alarms-over", 3600, lambda: {"forgotten": forget_alarms(now=clock.now())}),
        Job("tokens-over", 3600, _programs_over),
        Job("webhooks-over", 3600, _forget_webhooks),
        Job("system_tests-over", 60, lambda: forget_tests(now=clock.now())),
        Job("rehearsals-over", 3600, lambda: {"forgotten": forget_rehearsals(now=clock.now())}),
        Job("imports-over", 3600, lambda: forget_contents(now=clock.now())),
        Job("limits", 3600, lambda: {"forgotten": forget_buckets(now=clock.now())}),
    ]


def _programs_over() -> dict[str, int]:
    """Forget programs' tokens and what insurers' apps brought customers by, and end snapshots that ran out of time."""
    now = clock.now()
    return {
        "forgotten": forget_tokens(now=now),
        "links": forget_links(now=now),
        "assertions": forget_assertions(now=now),
        "snapshots": expire(now=now),
    }


def _forget_webhooks() -> dict[str, int]:
    """Forget old deliveries, and old messages about endpoints."""
    now = clock.now()
    return {"forgotten": forget_deliveries(now=now), "messages": forget_messages(now=now)}
