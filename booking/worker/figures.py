"""What Prometheus reads from a worker: how the business is, asked of the database when somebody reads.

Every worker tells the same, so that alerts take `max`. It is asked again after `FRESH_SECONDS` only. A database that
does not answer is itself a figure (`anxiang_figures_ok` 0), and the others are left out. Each query is answered
by an index over what is open or recent: none may grow with the years of bookings behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking.health.counts import Came
from booking.health.histogram import STEPS_TO_DOUBLE
from booking.states import LIVE, OVER, BookingState
from booking.worker_models import JobRun
from marketplace.chain.heads import HeadsFile
from marketplace.chain.watch import last_verification, unsealed_seconds
from marketplace.core import clock, release
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger

log = get_logger(__name__)

FRESH_SECONDS = 10

_AGE = "extract(epoch FROM CAST(:now AS timestamptz) - {})"
_LIVE = "p.twin_of IS NULL"
"""Of providers' tests nobody is alarmed."""
_LATELY = (
    "FROM provider_call_count c JOIN provider p ON p.id = c.provider_id"
    " AND c.at > CAST(:now AS timestamptz) - interval '10 minutes' AND c.at <= :now"
    f" AND {_LIVE}"
)
_OUTCOMES = ", ".join(f"('{came}', c.{came})" for came in Came)
_COUNT = (
    "SELECT '{0}', (SELECT count(*) FROM booking WHERE state = '{0}'{1})"
    " - (SELECT count(*) FROM booking WHERE market <> 0 AND state = '{0}'{1})"
)
"""All of a state less its tests, of which there is an index: a condition on those that are live would read each row."""
_OF_A_DAY = " AND updated_at > CAST(:now AS timestamptz) - interval '1 day'"
_QUERIES: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "anxiang_bookings": (
        "Bookings under way, by state.",
        ("state",),
        " UNION ALL ".join(_COUNT.format(state.value, "") for state in BookingState if state in LIVE),
    ),
    "anxiang_bookings_ended": (
        "Bookings that are over and were last changed within a day, by state.",
        ("state",),
        " UNION ALL ".join(_COUNT.format(state.value, _OF_A_DAY) for state in BookingState if state in OVER),
    ),
    "anxiang_commands_unknown_over_5m": (
        "Commands of which nobody has known for more than five minutes whether they were carried out.",
        ("provider",),
        "SELECT p.code, count(t.id) FROM provider p LEFT JOIN provider_task t ON t.provider_id = p.id"
        " AND t.state = 'unknown' AND t.unknown_since < CAST(:now AS timestamptz) - interval '5 minutes'"
        f" WHERE {_LIVE} GROUP BY p.code",
    ),
    "anxiang_command_oldest_waiting_seconds": (
        "Age of the oldest command that has not been sent.",
        ("provider",),
        f"SELECT p.code, coalesce(max({_AGE.format('t.created_at')}), 0) FROM provider p"
        f" LEFT JOIN provider_task t ON t.provider_id = p.id AND t.state = 'queued' WHERE {_LIVE} GROUP BY p.code",
    ),
    "anxiang_discrepancies_open": (
        "Open discrepancies between our books and a provider's.",
        ("provider",),
        "SELECT p.code, count(d.id) FROM provider p LEFT JOIN discrepancy d ON d.provider_id = p.id"
        f" AND d.closed_at IS NULL WHERE {_LIVE} GROUP BY p.code",
    ),
    "anxiang_breaker_open": (
        "1 while the provider's breaker for this kind of call lets nothing through but one probe.",
        ("provider", "call"),
        "SELECT p.code, b.call, CAST(b.open_until IS NOT NULL AS integer) FROM provider_breaker b"
        f" JOIN provider p ON p.id = b.provider_id WHERE {_LIVE}",
    ),
    "anxiang_provider_paused": (
        "1 while an operator's pause stops the provider's commands.",
        ("provider",),
        f"SELECT p.code, CAST(p.paused_at IS NOT NULL AS integer) FROM provider p WHERE {_LIVE}",
    ),
    "anxiang_provider_answers_slowly": (
        "1 while customers are told that the provider answers slowly.",
        ("provider",),
        f"SELECT p.code, CAST(p.answers_slowly_since IS NOT NULL AS integer) FROM provider p WHERE {_LIVE}",
    ),
    "anxiang_provider_calls": (
        "Calls to the provider in the last ten minutes, by kind and by what came of them.",
        ("provider", "call", "outcome"),
        f"SELECT p.code, c.call, came.outcome, sum(came.number) {_LATELY}"
        f" CROSS JOIN LATERAL (VALUES {_OUTCOMES}) AS came(outcome, number)"
        " GROUP BY p.code, c.call, came.outcome",
    ),
    "anxiang_provider_call_p95_seconds": (
        "What 95 of 100 of these calls took at the most, within 9 %.",
        ("provider", "call"),
        "SELECT code, call, min(seconds) FROM (SELECT code, call, seconds, number, sum(number) OVER"
        " (PARTITION BY code, call) AS whole, sum(number) OVER (PARTITION BY code, call ORDER BY seconds) AS until"
        f" FROM (SELECT p.code, c.call, 2 ^ ((place - 0.5) / {STEPS_TO_DOUBLE}) / 1000 AS seconds, sum(one) AS number"
        f" {_LATELY} CROSS JOIN LATERAL unnest(c.histogram) WITH ORDINALITY AS step(one, place)"
        " GROUP BY p.code, c.call, place) AS steps) AS sums WHERE until >= 0.95 * whole GROUP BY code, call",
    ),
    "anxiang_reports_overdue": (
        "Bookings whose report was promised and has not come.",
        (),
        "SELECT count(*) FROM booking WHERE report_state = 'overdue' AND market = 0",
    ),
    "anxiang_integrity_alarms": (
        "Records whose ciphertext did not open within the last day.",
        (),
        "SELECT count(*) FROM integrity_alarm WHERE last_at > CAST(:now AS timestamptz) - interval '1 day'",
    ),
    "anxiang_webhook_endpoints_recovered": (
        "Endpoints of webhooks that went on within the last week after a dump was restored.",
        ("provider",),
        "SELECT p.code, count(e.id) FROM provider p LEFT JOIN webhook_endpoint e ON e.provider_id = p.id"
        f" AND e.recovered_at > CAST(:now AS timestamptz) - interval '7 days' WHERE {_LIVE} GROUP BY p.code",
    ),
    "anxiang_webhook_endpoints_stopped": (
        "Endpoints of webhooks that stopped by themselves: they failed for days, or their receiver is gone.",
        ("provider",),
        "SELECT p.code, count(e.id) FROM provider p LEFT JOIN webhook_endpoint e ON e.provider_id = p.id"
        f" AND e.reason IN ('failing', 'gone') WHERE {_LIVE} GROUP BY p.code",
    ),
    "anxiang_job_seconds_since_success": (
        "Age of a job's last success; infinite for one that has been started and has never succeeded.",
        ("job",),
        f"SELECT name, coalesce({_AGE.format('succeeded_at')}, 'Infinity') FROM job_run",
    ),
    "anxiang_job_interval_seconds": ("How often a job is due.", ("job",), "SELECT name, every_seconds FROM job_run"),
    "anxiang_leader_seconds_since_beat": (
        "Age of the last sign of a worker that leads; absent without any.",
        (),
        f"SELECT {_AGE.format('max(at)')} FROM worker_beat WHERE leader HAVING max(at) IS NOT NULL",
    ),
}


class Figures(Collector):
    """All figures, newly asked when the last answer is older than FRESH_SECONDS."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._found: list[GaugeMetricFamily] = []
        self._asked_at = float("-inf")

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: to register it must not ask the database."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What is exported."""
        with self._asking:
            if monotonic() - self._asked_at > FRESH_SECONDS:
                self._found = _ask(clock.now())
                self._asked_at = monotonic()
            return list(self._found)


def serve() -> None:
    """Answer Prometheus at METRICS_HOST and METRICS_PORT in threads of its own; without a port do nothing. A port that
    is taken is logged, and stops no work."""
    config = settings()
    if not config.metrics_port:
        return
    registry = CollectorRegistry()
    registry.register(Figures())
    try:
        start_http_server(config.metrics_port, addr=config.metrics_host, registry=registry)
    except OSError as failed:
        log.error("metrics.not_served", port=config.metrics_port, reason=failed.strerror)  # noqa: TRY400
    else:
        log.info("metrics.served", host=config.metrics_host, port=config.metrics_port)


def _ask(now: datetime) -> list[GaugeMetricFamily]:
    try:
        with reading() as session:
            found = [_gauge(session, name, now) for name in _QUERIES]
        found += [*_audit(now), _held()]
    except (SQLAlchemyError, Refusal) as failed:
        log.warning("metrics.no_figures", reason=type(failed).__name__)
        found = []
    return [*found, _single("anxiang_figures_ok", "1 when the database answered.", float(bool(found)))]


def _gauge(session: Session, name: str, now: datetime) -> GaugeMetricFamily:
    words, labels, query = _QUERIES[name]
    gauge = GaugeMetricFamily(name, words, labels=labels)
    values: dict[tuple[str, ...], Any] = {}
    for *of, value in session.execute(text(query), {"now": now} if ":now" in query else {}):
        values[tuple(map(str, of))] = value
    for each, value in values.items():
        gauge.add_metric(each, float(value))
    return gauge


def _audit(now: datetime) -> list[GaugeMetricFamily]:
    with reading() as session:
        sealing = session.get(JobRun, "seal")
    until = sealing.succeeded_at if sealing is not None else None
    file = sealing.outcome.get("heads_file", HeadsFile.WELL) if sealing is not None else HeadsFile.WELL
    verified = last_verification()
    found = [
        _single(
            "anxiang_audit_unsealed_seconds",
            "How long the oldest line of audit or ledger has waited for its seal.",
            unsealed_seconds(now=now, sealed_until=until),
        ),
        _single(
            "anxiang_audit_heads_file_trouble",
            "1 when the file of heads is not as it should be.",
            float(file != HeadsFile.WELL),
        ),
    ]
    if verified is not None:
        age = (now - verified.at).total_seconds()
        found += [
            _single("anxiang_audit_findings", "What the last verification found.", verified.found),
            _single("anxiang_audit_verified_seconds_ago", "Age of the last verification of the chain.", age),
        ]
    return found


def _held() -> GaugeMetricFamily:
    words = "1 while this database is a restored copy, or a promoted standby, that was not released."
    return _single("anxiang_held_back", words, float(release.look()))


def _single(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
