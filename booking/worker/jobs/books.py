"""Jobs about the books: benefits, statements, imports, the chain of audit and ledger."""

from __future__ import annotations

from collections import Counter
from threading import Event

from booking.settlement.close_day import make_statements
from booking.worker.jobs.job import Job
from marketplace.chain.watch import Sealer, verify_nightly
from marketplace.core import clock
from marketplace.core.config import settings
from vip.entitlements.of_customer import expire_due
from vip.imports.work import work_imports

EXPIRE_AT_ONCE = 500
SEAL_SECONDS = 5


def jobs(stopping: Event) -> list[Job]:
    """The jobs. Long ones end early once `stopping` is set."""
    return [
        Job("statements", 300, lambda: {"made": make_statements(now=clock.now())}),
        Job("entitlements", 300, lambda: expire_entitlements(stopping)),
        Job("imports", 2, lambda: work_imports(clock.now)),
        Job("seal", SEAL_SECONDS, Sealer(settings().audit_heads_file, clock.now, stopping.is_set).run),
        Job("verify", 300, lambda: _verify(stopping)),
    ]


def expire_entitlements(stopping: Event) -> dict[str, int]:
    """Expire all entitlements that are due, in parts; locked ones are left for the next time. Returns counts."""
    counts = Counter[str]()
    more = True
    while more and not stopping.is_set():
        part = expire_due(clock.now(), EXPIRE_AT_ONCE)
        counts.update(entitlements=part.entitlements, units=part.units)
        counts["skipped"] = part.skipped
        more = part.more and part.entitlements > 0
    return dict(counts)


def _verify(stopping: Event) -> dict[str, int]:
    return verify_nightly(heads_file=settings().audit_heads_file, now=clock.now, stopping=stopping.is_set)
