"""What the console's first page and lists tell of providers, jobs, differences and the audit."""

from __future__ import annotations

import re
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from booking.actors import CLOCK
from booking.calls.breaker import Call
from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.feeds.cursors import done
from booking.reconcile.look_ups import look_up_due
from booking.reconcile.run import run_now
from booking.webhooks import endpoints, stopped
from booking.webhooks.models import WebhookEndpoint
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lanes
from booking.worker_models import JobRun
from marketplace.chain.heads import HeadsFile
from marketplace.chain.seal import seal_all
from marketplace.chain.watch import run_verification
from marketplace.core import clock
from marketplace.core.audit import record
from marketplace.core.database.db import transaction
from marketplace.web.console.job_names import NAMES
from providers.port import Confirmed, ProviderError
from providers.reported import RemoteBooking
from tests.booking.twins.stage import with_twin
from tests.books import Books
from tests.marketplace.web.console.entering import PAGES
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_insurer
from tests.world import DAY, FakeAdapter, World, connection_to, one_pass, set_breaker, set_provider


def test_when_all_is_well_it_says_so(operator: Visitor, world: World) -> None:
    told = main(operator.get("/operators"))
    assert "Our books and the providers' agree." in told and "Every job ran when it should." in told
    assert "Hexin" in told and "Never read" in told
    operator.language = "zh"
    assert "我们与各服务方的账目一致" in main(operator.get("/operators"))


def test_open_differences_are_told_in_words_and_closed_ones_are_gone(operator: Visitor, world: World) -> None:
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "report_unmatched", "RR-<b>", now=NOON)
        open_discrepancy(session, world.provider.id, "brand_new_kind", "S-2", now=NOON)
    page = operator.get("/operators/differences")
    assert "A report without a booking" in main(page) and "It is shown to nobody" in main(page)
    assert "RR-&lt;b&gt;" in page.text and "brand_new_kind" in main(page) and "Today, 12:00" in main(page)
    with transaction() as session:
        close_discrepancy(session, world.provider.id, "report_unmatched", "RR-<b>", "matched", now=NOON)
    assert "RR-" not in main(operator.get("/operators/differences"))  # elsewhere on the page stand random tokens


def counted(operator: Visitor) -> int:
    """How many open discrepancies the provider's line says that it has."""
    page = operator.get("/operators/providers").text
    [number] = re.findall(r'href="/operators/differences\?provider=[^"]+"[^>]*>\s*(\d+)', page) or ["0"]
    return int(number)


_HANDED_OVER = (
    "WITH hers AS (UPDATE customer SET insurer_id = {0} WHERE insurer_id = {1})"
    " UPDATE booking SET insurer_id = {0} WHERE insurer_id = {1}"
)


def test_differences_of_another_insurers_bookings_are_not_shown(
    operator: Visitor, world: World, owner_connection
) -> None:  # type: ignore[no-untyped-def]
    booking = world.submit()
    with transaction() as session:
        number = session.connection().exec_driver_sql("SELECT id FROM booking").scalar_one()
        open_discrepancy(session, world.provider.id, "state_differs", booking, now=NOON, booking_id=number)
    assert booking in operator.get("/operators/differences").text
    assert counted(operator) == 1
    insurer = make_insurer().id
    other = owner_connection.exec_driver_sql(
        "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone)"
        " VALUES ('ins_x', 'x', 'x', 'x', 'UTC') RETURNING id"
    ).scalar_one()
    owner_connection.exec_driver_sql(_HANDED_OVER.format(other, insurer))
    assert booking not in operator.get("/operators/differences").text
    assert counted(operator) == 0, "nor counted at the provider"


def test_differences_of_tests_are_nobodys_work(operator: Visitor, world: World) -> None:
    """They have no insurer's booking, as those of live providers that every insurer sees."""
    stage = with_twin(world)
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "REF-LIVE", now=NOON)
        open_discrepancy(session, stage.twin.id, "theirs_only", "REF-TEST", now=NOON)
        test = session.scalars(select(Discrepancy.public_id).where(Discrepancy.subject == "REF-TEST")).one()
    page = operator.get("/operators/differences").text
    assert "REF-LIVE" in page and "REF-TEST" not in page and stage.twin.code not in page
    assert operator.get(f"/operators/differences/{test}").status_code == 404


def test_many_differences_page(operator: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.web.console.books.cases.SHOWN", 2)
    with transaction() as session:
        for number in range(3):
            open_discrepancy(session, world.provider.id, "theirs_only", f"R-{number}", now=NOON)
    first = operator.get("/operators/differences")
    assert [f"R-{n}" in first.text for n in range(3)] == [False, True, True]
    after = first.text.split('href="/operators/differences?after=')[-1].split('"')[0]
    assert "R-0" in operator.get(f"/operators/differences?after={after}").text
    assert operator.get("/operators/differences?after=%00").status_code in (200, 422)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "Nothing was asked"),
        ({"failures": 3}, "Failing: 3 in a row"),
        ({"failures": 5, "open_until": NOON + timedelta(minutes=2)}, "Not reached, left alone until Today, 12:02"),
        ({"failures": 5, "open_until": NOON - timedelta(minutes=2)}, "Not reached, tried one by one"),
        (
            {"call": Call.REPORTS, "failures": 7, "open_until": NOON},
            "Partly not reached Reports: failed 7 times in a row",
        ),
    ],
)
def test_a_providers_health_is_told(operator: Visitor, world: World, values: dict[str, Any], told: str) -> None:
    done(world.provider.id, "slots", None, now=NOON - timedelta(minutes=1))
    set_breaker(world.provider, **values)
    page = main(operator.get("/operators/providers"))
    assert told in page and "Today, 11:59" in page and "never" in page


def test_a_pause_is_told_before_a_breaker(operator: Visitor, world: World) -> None:
    set_provider(world.provider, paused_at=NOON)
    set_breaker(world.provider, failures=5, open_until=NOON + timedelta(minutes=2))
    page = main(operator.get("/operators/providers"))
    assert "Paused" in page and "left alone" not in page


def test_the_interval_that_look_ups_reach_is_told_where_the_list_is_not_read(operator: Visitor, world: World) -> None:
    two = [world.submit(0), world.submit(1)]
    one_pass(world, FakeAdapter(answers=[Confirmed("R-0"), Confirmed("R-1")]), now=NOON)
    assert "one by one" not in main(operator.get("/operators/providers"))
    books = Books(broken_page=0)
    with pytest.raises(ProviderError):
        run_now(connection_to(world.provider), books, CLOCK, clock=lambda: NOON)  # type: ignore[arg-type]
    unread = "Its list of bookings is not read: they are looked up one by one."
    told = main(operator.get("/operators/providers"))
    assert f"{unread} Later days: 2 bookings · 2 not answered for yet" in told
    for number, booking in enumerate(two):
        books.put(RemoteBooking(f"R-{number}", booking, "confirmed", 1, DAY, world.slots[number].starts_at))
    look_up_due(connection_to(world.provider), books, every=timedelta(minutes=4), clock=lambda: NOON)
    with clock.frozen(NOON + timedelta(minutes=9)):
        told = main(operator.get("/operators/providers"))
    assert f"{unread} Later days: 2 bookings · each within 9 min" in told and "not answered" not in told


def test_a_provider_that_answers_here_is_not_said_to_be_never_read(operator: Visitor, world: World) -> None:
    set_provider(world.provider, adapter="partner")
    page = main(operator.get("/operators/providers"))
    assert "Answers here; nothing is read from it" in page and "Nothing was asked" in page and "Never read" not in page


def test_every_job_of_the_worker_says_what_it_does(world: World) -> None:
    lanes = Lanes()
    lanes.refresh([connection_to(world.provider)], [])
    names = {job.name.partition(":")[0] for job in all_jobs(lanes, Event())}
    assert {"messages", "fetch"} <= names, "ours and those of a provider"
    assert names - set(NAMES) == set()


def test_endpoints_of_webhooks_that_stopped_are_told(operator: Visitor, world: World) -> None:
    assert "Webhooks" not in main(operator.get("/operators/providers"))
    by = endpoints.By("system", "test")
    made = endpoints.add(world.provider.id, "https://hooks.example/", ["booking.requested"], by=by, now=NOON)
    with transaction() as session:
        row = session.query(WebhookEndpoint).filter_by(public_id=made.id).one()
        stopped.stop(session, row, "failing", NOON)
    assert "Webhooks: 1 endpoint has stopped" in main(operator.get("/operators/providers"))


def test_endpoints_of_webhooks_that_went_on_after_a_restore_are_told(operator: Visitor, world: World) -> None:
    by = endpoints.By("system", "test")
    endpoints.add(world.provider.id, "https://hooks.example/", ["booking.requested"], by=by, now=NOON)
    with transaction() as session:
        session.query(WebhookEndpoint).one().recovered_at = clock.now()
    assert "Webhooks: 1 endpoint went on after a restore" in main(operator.get("/operators/providers"))


def test_commands_that_wait_are_counted(operator: Visitor, world: World) -> None:
    world.submit(0)
    world.submit(1)
    assert "2 commands · the oldest for 0 s" in main(operator.get("/operators/providers"))


def note_job(name: str, every: int, succeeded: object) -> None:
    values = {"name": name, "every_seconds": every, "started_at": NOON, "succeeded_at": succeeded}
    with transaction() as session:
        session.execute(insert(JobRun).values(**values))


def test_jobs_that_did_not_run_are_listed_and_the_others_are_not(operator: Visitor) -> None:
    note_job("entitlements", 300, NOON - timedelta(seconds=901))
    note_job("keys", 3600, NOON - timedelta(seconds=3600 * 3))
    note_job("holds", 1, NOON - timedelta(seconds=59))
    note_job("slots:hexin", 60, None)
    told = main(operator.get("/operators/jobs"))
    assert "Expire benefits 5 min" in told and "Read slots hexin 1 min" in told
    assert "Forget old" not in told and "Release holds" not in told


ASKED_ABOUT_SOMETHING = {"/operators/coverage/city"}
"""Pages about what their query names."""


@pytest.mark.parametrize("path", sorted({*PAGES} - ASKED_ABOUT_SOMETHING))
def test_every_page_is_there_in_both_languages(operator: Visitor, path: str) -> None:
    for operator.language in ("zh", "en"):
        answer = operator.get(path)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_lines_that_wait_for_their_seal_are_told(operator: Visitor) -> None:
    seal_all(now=lambda: NOON)
    assert "Every line is sealed. Last verified: never" in main(operator.get("/operators"))
    with transaction() as session:
        record(session, "x", at=NOON - timedelta(seconds=61), actor_kind="system", actor="test", subject="something")
    assert "Lines have waited 61 s for their seal" in main(operator.get("/operators"))
    note_job("seal", 5, NOON - timedelta(seconds=60))
    assert "Every line is sealed." in main(operator.get("/operators"))


def test_what_a_verification_found_is_told(operator: Visitor, owner_connection: Connection) -> None:
    run_verification(heads_file=None, at=NOON, stopping=lambda: False)
    assert "Every line is sealed. Last verified: Today, 12:00" in main(operator.get("/operators"))
    owner_connection.exec_driver_sql(
        "INSERT INTO audit_verification (at, seals, lines, found, findings)"
        " VALUES (now(), 3, 9, 1, '[\"changed: audit_line 7 (seal 2)\"]')"
    )
    told = main(operator.get("/operators"))
    assert "The last verification found 1" in told and "changed: audit_line 7 (seal 2)" in told


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (HeadsFile.NOT_SET, "No file of heads is set"),
        (HeadsFile.MISSING, "The file of heads had gone"),
        (HeadsFile.UNWRITABLE, "The file of heads cannot be written"),
        (HeadsFile.REWRITTEN, "The file of heads and the chain differ"),
    ],
)
def test_trouble_with_the_file_of_heads_is_told(operator: Visitor, state: HeadsFile, told: str) -> None:
    note_job("seal", 5, NOON)
    with transaction() as session:
        session.execute(update(JobRun).values(outcome={"lines": 0, "heads_file": state}))
    assert told in main(operator.get("/operators"))
