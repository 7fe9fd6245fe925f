"""What Prometheus reads: each figure is what the database says, and every alert speaks of one that there is."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text, update

from booking.calls.breaker import Call
from booking.discrepancies import open_discrepancy
from booking.health import histogram
from booking.health.counts import Came, Counts
from booking.states import BookingState
from booking.twins.book import book_for_test
from booking.worker import figures
from booking.worker.figures import Figures
from booking.worker_models import JobRun, WorkerBeat
from marketplace import metrics
from marketplace.chain.seal import seal_all
from marketplace.chain.watch import run_verification
from marketplace.core import clock, integrity
from marketplace.core.audit import record
from marketplace.core.config import ROOT, settings
from marketplace.core.database import released
from marketplace.core.database.db import transaction
from marketplace.development.embedded.postgres import free_port
from marketplace.live.figures import LiveFigures
from marketplace.live.hub import Hub
from tests.booking.twins.stage import with_twin
from tests.booking.webhooks.hooks import add
from tests.people import NOON
from tests.world import World, go, make_world, set_breaker, set_provider

pytestmark = pytest.mark.usefixtures("db")
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """The clock stands."""
    with clock.frozen(NOON):
        yield


@pytest.fixture
def world() -> World:
    """A customer, and a provider `kangyue`."""
    return make_world()


def read() -> dict[str, float]:
    """All figures by name and labels, as Prometheus has them."""
    registry = CollectorRegistry()
    registry.register(Figures())
    return parsed(generate_latest(registry).decode())


def parsed(exported: str) -> dict[str, float]:
    return {
        sample.name + (str(sorted(sample.labels.items())) if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(exported)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> str:
    return name + (str(sorted(labels.items())) if labels else "")


def change(statement: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(text(statement), values)


def test_bookings_are_counted_by_state_and_a_state_of_nobody_is_zero(world: World) -> None:
    world.submit(0)
    found = read()
    assert found[of("anxiang_bookings", state="awaiting_provider")] == 1
    assert found[of("anxiang_bookings", state="confirmed")] == 0
    assert found[of("anxiang_bookings_ended", state="no_show")] == 0
    assert len([name for name in found if name.startswith("anxiang_bookings")]) == len(BookingState)


def test_endpoints_of_webhooks_that_stopped_or_went_on_after_a_restore_are_counted(world: World) -> None:
    code = world.provider.code
    add(world, "https://hooks.example/")
    for name, change_of in (
        ("stopped", "state = 'paused', reason = 'failing'"),
        ("recovered", "recovered_at = :at"),
    ):
        figure = of(f"anxiang_webhook_endpoints_{name}", provider=code)
        assert read()[figure] == 0
        change(f"UPDATE webhook_endpoint SET {change_of} WHERE CAST(:at AS timestamptz) IS NOT NULL", at=NOON)
        assert read()[figure] == 1


def test_what_ended_is_counted_for_a_day(world: World) -> None:
    go(world.submit(0), BookingState.CONFIRMED, BookingState.NO_SHOW)
    for hours, count in ((23, 1), (25, 0)):
        change("UPDATE booking SET updated_at = :at", at=NOON - timedelta(hours=hours))
        assert read()[of("anxiang_bookings_ended", state="no_show")] == count


def test_tests_are_in_no_figure(world: World) -> None:
    """Of none of the queries, whichever tables they read."""
    stage = with_twin(world, slots=5)
    go(world.submit(), BookingState.CONFIRMED)
    before = {name: value for name, value in read().items() if "seconds" not in name}
    for number, state in enumerate((None, BookingState.CONFIRMED, BookingState.REJECTED), 1):
        made = book_for_test(stage.twin.id, stage.offer.public_id, None, number, NOON)
        if state is not None:
            go(made, state)
        with transaction() as session:
            open_discrepancy(session, stage.twin.id, "theirs_only", made, now=NOON)
    after = {name: value for name, value in read().items() if "seconds" not in name}
    assert after == before


SMALL = {"provider", "provider_breaker", "webhook_endpoint", "job_run", "worker_beat"}
"""A row for each provider (or ten), job or process: read whole."""
OF_WHAT_IS_OPEN = {
    "ix_booking_hold",
    "ix_booking_answer_due",
    "ix_booking_confirmed",
    "ix_booking_begun_or_over",
    "ix_booking_report_due",
    "ix_booking_report_owed",
    "ix_booking_to_answer",
    "ix_booking_tests",
    "ix_provider_task_ready",
    "uq_discrepancy_open",
    "ix_integrity_alarm_last_at",  # of the last day
    "ix_provider_call_count_at",  # of the last minutes
    "uq_provider_call_count_provider_id_call_at",  # the same, of each provider: as statistics of few rows have it
}


@pytest.mark.parametrize("name", figures._QUERIES)
def test_no_figure_reads_a_whole_table(name: str) -> None:
    """With sequential scans priced out, a plan that still has one, or that walks an index over everything, has no other
    way: on a large table that would be every scrape."""
    query = figures._QUERIES[name][2]
    with transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        (plan,) = session.execute(
            text(f"EXPLAIN (FORMAT JSON) {query}"), {"now": NOON} if ":now" in query else {}
        ).one()
    read = {(node["Relation Name"], node.get("Index Name")) for node in scans(plan[0]["Plan"])}
    assert {(table, index) for table, index in read if table not in SMALL and index not in OF_WHAT_IS_OPEN} == set()


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in node:
        indexes = [each["Index Name"] for each in node.get("Plans", []) if "Index Name" in each]
        yield {**node, "Index Name": node.get("Index Name") or next(iter(indexes), None)}
    for below in node.get("Plans", []):
        yield from scans(below)


def test_commands_that_wait_and_that_nobody_knows_of(world: World) -> None:
    code = world.provider.code
    world.submit(0)
    world.submit(1)
    change("UPDATE provider_task SET created_at = :at", at=NOON - timedelta(seconds=90))
    assert read()[of("anxiang_command_oldest_waiting_seconds", provider=code)] == 90
    for seconds, count in ((299, 0), (301, 2)):
        change("UPDATE provider_task SET state = 'unknown', unknown_since = :at", at=NOON - timedelta(seconds=seconds))
        assert read()[of("anxiang_commands_unknown_over_5m", provider=code)] == count
    assert read()[of("anxiang_command_oldest_waiting_seconds", provider=code)] == 0


def test_discrepancies_breakers_and_pauses(world: World) -> None:
    code = world.provider.code
    assert read()[of("anxiang_discrepancies_open", provider=code)] == 0
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "R-1", now=NOON)
    set_breaker(world.provider, call=Call.REPORTS, failures=5, open_until=NOON)
    set_breaker(world.provider, failures=1)
    set_provider(world.provider, paused_at=NOON)
    found = read()
    assert found[of("anxiang_discrepancies_open", provider=code)] == 1
    assert found[of("anxiang_breaker_open", provider=code, call="reports")] == 1
    assert found[of("anxiang_breaker_open", provider=code, call="commands")] == 0
    assert found[of("anxiang_provider_paused", provider=code)] == 1


def test_calls_of_the_last_minutes_by_what_came_of_them_and_how_long_they_took(world: World) -> None:
    code, counts = world.provider.code, Counts()
    for minutes, came, took in ((1, Came.SUCCEEDED, 100), (4, Came.TIMED_OUT, 8_000), (30, Came.SUCCEEDED, 5)):
        counts.add(world.provider.id, Call.COMMANDS, came, took, at=NOON - timedelta(minutes=minutes))
    counts.write()
    found = read()
    for came, number in ((Came.SUCCEEDED, 1), (Came.TIMED_OUT, 1), (Came.UNREADABLE, 0)):
        assert found[of("anxiang_provider_calls", provider=code, call="commands", outcome=came.value)] == number
    exact = histogram.percentile(histogram.counted((100, 8_000)), 0.95)
    assert found[of("anxiang_provider_call_p95_seconds", provider=code, call="commands")] * 1000 == pytest.approx(exact)


def test_who_answers_slowly(world: World) -> None:
    name = of("anxiang_provider_answers_slowly", provider=world.provider.code)
    assert read()[name] == 0
    set_provider(world.provider, answers_slowly_since=NOON, answers_slowly_reason="slower")
    assert read()[name] == 1


def test_reports_that_are_late(world: World) -> None:
    world.submit(0)
    assert read()["anxiang_reports_overdue"] == 0
    change("UPDATE booking SET report_state = 'overdue'")
    assert read()["anxiang_reports_overdue"] == 1


def test_records_that_do_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read()["anxiang_integrity_alarms"] == 0
    integrity.forget_raised()
    with clock.frozen(NOON - timedelta(hours=25)):
        integrity.alarm("customer:cus_a:phone")
    assert read()["anxiang_integrity_alarms"] == 0
    with clock.frozen(NOON):
        integrity.alarm("customer:cus_b:phone")
    assert read()["anxiang_integrity_alarms"] == 1


def test_jobs_and_the_leader() -> None:
    assert "anxiang_leader_seconds_since_beat" not in read()
    with transaction() as session:
        ran = {"name": "holds", "every_seconds": 1, "succeeded_at": NOON - timedelta(seconds=7)}
        session.execute(insert(JobRun).values(**ran))
        for worker, leader, ago in (("a", True, 3), ("b", False, 1)):
            session.execute(insert(WorkerBeat).values(worker=worker, leader=leader, at=NOON - timedelta(seconds=ago)))
    found = read()
    assert found[of("anxiang_job_seconds_since_success", job="holds")] == 7
    assert found[of("anxiang_job_interval_seconds", job="holds")] == 1
    assert found["anxiang_leader_seconds_since_beat"] == 3


def test_a_job_that_has_never_succeeded_is_later_than_any_limit() -> None:
    with transaction() as session:
        session.execute(insert(JobRun).values(name="seal", every_seconds=5, started_at=NOON))
    assert read()[of("anxiang_job_seconds_since_success", job="seal")] == math.inf


def test_the_audits_chain() -> None:
    seal_all(now=clock.now)
    with transaction() as session:
        record(session, "x", at=NOON - timedelta(seconds=61), actor_kind="system", actor="test", subject="y")
        session.execute(insert(JobRun).values(name="seal", every_seconds=5, outcome={"heads_file": "unwritable"}))
    found = read()
    assert (found["anxiang_audit_unsealed_seconds"], found["anxiang_audit_heads_file_trouble"]) == (61, 1)
    assert "anxiang_audit_findings" not in found
    run_verification(heads_file=None, at=NOON - timedelta(hours=1), stopping=lambda: False)
    with transaction() as session:
        session.execute(update(JobRun).values(outcome={"heads_file": "well"}))
    found = read()
    assert (found["anxiang_audit_findings"], found["anxiang_audit_verified_seconds_ago"]) == (0, 3600)
    assert found["anxiang_audit_heads_file_trouble"] == 0


def test_a_copy_that_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read()["anxiang_held_back"] == 0
    change("INSERT INTO installation_release (at, cluster, timeline) VALUES (now(), '1', '1')")
    assert read()["anxiang_held_back"] == 1
    released.note(held_back=False)


def test_a_database_that_does_not_answer_is_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read()["anxiang_figures_ok"] == 1
    monkeypatch.setitem(figures._QUERIES, "anxiang_bookings", ("", (), "SELECT 1 / 0"))
    assert read() == {"anxiang_figures_ok": 0}


def test_the_database_is_not_asked_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Figures()
    asked: list[object] = []
    monkeypatch.setattr(figures, "_ask", lambda now: asked.append(now) or [])
    list(kept.collect())
    list(kept.collect())
    assert len(asked) == 1


def test_a_worker_answers_on_its_own_port_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    log = SimpleNamespace(error=lambda event, **_: said.append(event), info=lambda event, **_: said.append(event))
    monkeypatch.setattr(figures, "log", log)
    port = free_port()
    monkeypatch.setenv("METRICS_PORT", str(port))
    settings.cache_clear()
    figures.serve()
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=20)
    assert parsed(answer.text)["anxiang_figures_ok"] == 1
    figures.serve()  # another worker of the same machine
    assert said == ["metrics.served", "metrics.not_served"]
    settings.cache_clear()


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_every_figure_that_an_alert_names_is_exported(world: World, owner_connection: Any) -> None:
    """With a provider, a job, a leader and a verification there is each of them."""
    set_breaker(world.provider, failures=1)
    with transaction() as session:
        session.execute(insert(JobRun).values(name="holds", every_seconds=1, succeeded_at=NOON))
        session.execute(insert(WorkerBeat).values(worker="a", leader=True, at=NOON))
    run_verification(heads_file=None, at=NOON, stopping=lambda: False)
    counts = Counts()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON)
    counts.write()
    metrics._SECONDS.labels("/", "GET", "200").observe(0.1)
    exported = {name.partition("[")[0] for name in read()}
    exported |= {name.partition("[")[0] for name in parsed(generate_latest(metrics._counted).decode())}
    streams = CollectorRegistry()
    streams.register(LiveFigures(Hub()))
    exported |= {name.partition("[")[0] for name in parsed(generate_latest(streams).decode())}
    named = {name for rule in rules() for name in re.findall(r"\banxiang_\w+", rule["expr"])}
    assert named - exported == set()
    told = {name for name in exported if not name.startswith("anxiang_http")}
    informs_only = {
        "anxiang_bookings",
        "anxiang_bookings_ended",
        "anxiang_discrepancies_open",
        "anxiang_provider_call_p95_seconds",
        "anxiang_provider_paused",
    }
    assert told - named == informs_only, "a figure without an alert"


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}, rule
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 10


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool")
def test_promtool_reads_the_alerts() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
