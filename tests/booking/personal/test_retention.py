"""What has grown older than it may is deleted, a batch a transaction, and nothing younger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, text, update

from booking.escort.models import EscortLetter, EscortWorker
from booking.notices.models import Notification, NotificationDelivery
from booking.personal import retention
from booking.personal.erase import erase
from booking.personal.register import Table
from booking.personal.retention import forget_old, forget_reports
from booking.personal.tables.every import TABLES
from booking.reconcile.models import ReconcileRun
from booking.states import BookingState
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lanes
from marketplace.core.config import Settings, settings
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.escort.staff import make_staff
from tests.people import NOON, SmsBox, make_customer, signed_in
from tests.reports import deliver, looks
from tests.world import World, go, make_world
from vip.signin import signin

DAY = timedelta(days=1)
AGED = {table.name: table.age for table in TABLES if table.age is not None}


@pytest.fixture
def periods(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set periods other than the usual ones."""

    def change(**given: int) -> None:
        changed: Settings = replace(settings(), **given)  # type: ignore[arg-type]
        monkeypatch.setattr(retention, "settings", lambda: changed)

    return change


def count(connection: Connection, table: str, where: str = "true") -> int:
    found: int = connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()
    return found


def test_every_limit_names_a_setting_and_a_reason() -> None:
    assert set(AGED) == {
        "sign_in_session",
        "sign_in_code",
        "notification_delivery",
        "notification",
        "provider_call_count",
        "reconcile_run",
        "escort_letter",
    }
    for age in AGED.values():
        assert isinstance(getattr(settings(), age.setting), int) and age.why


def test_sessions_are_deleted_long_after_their_end_and_no_sooner(db: Engine, owner_connection: Connection) -> None:
    make_customer()
    for day in range(5):
        signed_in(now=NOON + day * DAY)
    last = NOON + signin.LIFETIME + 400 * DAY
    assert forget_old(now=last)["sign_in_session"] == 0
    assert forget_old(now=last + 2 * DAY, batch=2)["sign_in_session"] == 2
    assert count(owner_connection, "sign_in_session") == 3
    assert forget_old(now=last + 9 * DAY, batch=2)["sign_in_session"] == 3


def test_a_table_that_fails_stops_no_other(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer()
    signed_in(now=NOON)
    whole = retention._forget

    def broken(table: Table, *given: Any) -> int:
        if table.name == "sign_in_session":
            raise ValueError("no")
        return whole(table, *given)

    monkeypatch.setattr(retention, "_forget", broken)
    done = forget_old(now=NOON + DAY + timedelta(minutes=10))
    assert (done["broken"], "sign_in_code" in done, "sign_in_session" in done) == (1, True, False)


def test_codes_are_deleted_after_a_day(db: Engine) -> None:
    make_customer()
    for minute in range(5):
        signin.send_code("13800000011", now=NOON + minute * timedelta(minutes=1), gateway=SmsBox())
    assert forget_old(now=NOON + DAY)["sign_in_code"] == 0
    assert forget_old(now=NOON + DAY + timedelta(minutes=10), batch=2)["sign_in_code"] == 5


def test_deliveries_go_before_their_messages_and_waiting_ones_not_at_all(
    db: Engine, owner_connection: Connection
) -> None:
    customer = make_customer()
    with transaction() as session:
        for number in range(3):
            notice = Notification(
                public_id=new_id("ntc"), customer_id=customer.id, kind="x", subject=str(number), created_at=NOON
            )
            session.add(notice)
            session.flush()
            sent: dict[str, Any] = {"state": "sent", "finished_at": NOON + number * DAY} if number else {}
            session.execute(
                insert(NotificationDelivery).values(
                    notification_id=notice.id, channel="sms", key=new_id("dlv"), run_after=NOON, **sent
                )
            )
    assert forget_old(now=NOON + 91 * DAY)["notification_delivery"] == 0
    done = forget_old(now=NOON + 92 * DAY + timedelta(seconds=1), batch=1)
    assert (done["notification_delivery"], done["notification"]) == (2, 0)
    done = forget_old(now=NOON + 401 * DAY, batch=1)
    assert done["notification"] == 2, "the one that still waits to be delivered stays"
    assert count(owner_connection, "notification_delivery", "state = 'queued'") == 1


def test_messages_to_escort_workers_go_as_others_do_and_waiting_ones_not_at_all(
    db: Engine, owner_connection: Connection
) -> None:
    staff = make_staff(3)
    with transaction() as session:
        session.execute(update(EscortWorker).values(phone_sealed=b"sealed"))
    for slot, worker in enumerate(staff.workers):
        staff.ask(staff.book(slot), worker)
    with transaction() as session:
        first, second, _third = session.scalars(select(EscortLetter).order_by(EscortLetter.id))
        first.sent_at = second.given_up_at = NOON
    assert forget_old(now=NOON + 90 * DAY)["escort_letter"] == 0
    assert forget_old(now=NOON + 90 * DAY + timedelta(seconds=1))["escort_letter"] == 2
    assert count(owner_connection, "escort_letter", "sent_at IS NULL AND given_up_at IS NULL") == 1


def test_a_providers_list_is_emptied_and_its_run_stays(db: Engine, owner_connection: Connection) -> None:
    world = make_world(slots=0)
    with transaction() as session:
        for number in range(3):
            session.add(
                ReconcileRun(
                    public_id=new_id("run"),
                    provider_id=world.provider.id,
                    state="done",
                    actor_kind="system",
                    asked_at=NOON,
                    finished_at=NOON + number * DAY,
                    theirs={"2026-03-02": [{"count": 1}]},
                )
            )
    assert forget_old(now=NOON + 31 * DAY + timedelta(seconds=1), batch=1)["reconcile_run"] == 2
    assert count(owner_connection, "reconcile_run") == 3
    assert count(owner_connection, "reconcile_run", "theirs <> '{}'") == 1
    assert forget_old(now=NOON + 31 * DAY + timedelta(seconds=1), batch=1)["reconcile_run"] == 0


def test_a_period_of_0_days_deletes_nothing(db: Engine, periods: Callable[..., None]) -> None:
    make_customer()
    signed_in()
    periods(session_days=0)
    assert forget_old(now=NOON + 9999 * DAY)["sign_in_session"] == 0


def test_each_batch_is_a_transaction_of_its_own(
    db: Engine, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails takes nothing back of those before it."""
    make_customer()
    for _session in range(4):
        signed_in()
    done = 0

    def failing() -> Any:
        nonlocal done
        done += 1
        if done == 3:
            raise RuntimeError("killed")
        return transaction()

    monkeypatch.setattr(retention, "transaction", failing)
    assert forget_old(now=NOON + 999 * DAY, batch=1)["broken"] == 1
    assert count(owner_connection, "sign_in_session") < 4


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(db: Engine) -> tuple[World, str]:
    world = make_world()
    booking = world.submit()
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    return world, deliver(world, booking)


def years(number: int) -> datetime:
    """The day after the visit's, so many years later."""
    return NOON.replace(year=NOON.year + number, day=11)


def test_results_are_destroyed_when_they_are_older_than_they_may_be(
    report: tuple[World, str], owner_connection: Connection
) -> None:
    _world, report_id = report
    assert forget_reports(now=years(30) - DAY) == {}
    assert forget_reports(now=years(30)) == {"expired": 1}
    left = "wrapped_key IS NOT NULL OR content_sealed <> '' OR document_sealed <> ''"
    assert count(owner_connection, "report_version", left) == 0
    assert count(owner_connection, "report_document", "sealed <> ''") == 0
    assert looks(report_id) == ["report.expired"]
    assert forget_reports(now=years(30)) == {}


def test_results_of_who_was_erased_go_each_in_its_own_time(report: tuple[World, str]) -> None:
    world, report_id = report
    erase(world.principal, now=NOON + timedelta(minutes=1))
    assert forget_reports(now=years(15) - DAY) == {}
    assert forget_reports(now=years(15)) == {"expired": 1}
    assert looks(report_id) == ["report.expired"]


def test_without_a_limit_a_customer_keeps_her_results(report: tuple[World, str], periods: Callable[..., None]) -> None:
    periods(report_years=0)
    assert forget_reports(now=years(99)) == {}


def test_the_worker_does_it(db: Engine) -> None:
    names = {job.name for job in all_jobs(Lanes(), Event())}
    over = {"reports-over", "consultations-over", "escort-records-over", "copies-over"}
    assert {"retention", "erasures", "copies", *over} <= names
