"""What needs an operator's eye."""

from __future__ import annotations

from datetime import timedelta

from booking.views.oversight import AuditHealth, LateJob
from marketplace.chain.heads import HeadsFile
from marketplace.chain.watch import LastVerification
from marketplace.core.integrity import Alarm
from marketplace.web.console import overview_page
from tests.marketplace.web.samples.console.books import discrepancies
from tests.marketplace.web.samples.console.closures import closed_by_others
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.console.providers import providers
from tests.marketplace.web.samples.everyday import NOW, Context


def _jobs() -> tuple[overview_page.JobRow, ...]:
    return (
        overview_page.job(LateJob("slots:kangyue", 60, NOW - timedelta(minutes=9), NOW - timedelta(minutes=12))),
        overview_page.job(LateJob("entitlements", 300, None, None)),
    )


def console() -> Context:
    found = ("changed: audit_line 4711 (seal 88)", "missing: entitlement_entry 12 (seal 3)")
    verified = LastVerification(NOW - timedelta(hours=6), 48_213, 2, found)
    audit = overview_page.audit(AuditHealth(312.0, HeadsFile.UNWRITABLE, verified))
    alarms = (
        Alarm("customer:cus_7tq2m9x4kd8p3w5z1rnb:phone", 3, NOW - timedelta(hours=2), NOW - timedelta(minutes=4)),
        Alarm("key:rpt_dd83vt3jkdsnv1mn4mjd:1", 1, NOW - timedelta(days=1), NOW - timedelta(days=1)),
    )
    shown = {
        "discrepancies": discrepancies(),
        "providers": providers(),
        "jobs": _jobs(),
        "audit": audit,
        "alarms": alarms,
        "others": closed_by_others(),
    }
    return console_page("home", more_url="/gallery/console_differences", **shown)


def console_quiet() -> Context:
    audit = overview_page.audit(
        AuditHealth(0.0, HeadsFile.WELL, LastVerification(NOW - timedelta(hours=6), 48_213, 0, ()))
    )
    return console_page("home", discrepancies=(), providers=(), jobs=(), more_url="", audit=audit, alarms=(), others=())


def console_jobs() -> Context:
    return console_page("jobs", jobs=_jobs())
