"""How providers are: figures of an hour, a day and a week, the state at a glance, and what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from booking.calls.breaker import Call
from booking.discrepancies import open_discrepancy
from booking.feeds.cursors import done
from booking.feeds.unreadable import record_rows
from booking.health.counts import Came, Counts
from booking.health.figures import ENOUGH, NONE, Figures, Window
from booking.health.own import own_faults, own_health
from booking.health.syncs import STATEMENT_LATE
from booking.health.view import Status, provider, providers, status_of
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from booking.reconcile.models import ReconcileRun
from booking.settlement.close_day import WITHOUT_THEIRS, end_of_day, make_statements
from booking.states import BookingState
from booking.views.oversight import BreakerView, ProviderHealth, patience
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.text import Text
from providers.reported import UnreadableRow
from tests.people import NOON, TODAY
from tests.world import World, add_offer, go, make_world, set_provider
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


@pytest.fixture
def world() -> World:
    """A provider."""
    return make_world(quantity=3)


@pytest.fixture
def admin(world: World) -> Principal:
    """An administrator."""
    return Principal("operator", 1, "opr_1", world.principal.insurer_id, 1, "Asia/Shanghai", "admin")


def count(world: World, call: Call, came: Came, number: int, *, minutes_ago: int = 1, took: float = 100) -> None:
    counts = Counts()
    for _ in range(number):
        counts.add(world.provider.id, call, came, took, at=NOON - timedelta(minutes=minutes_ago))
    counts.write()


def test_figures_are_of_their_window_alone(world: World, admin: Principal) -> None:
    for minutes_ago in (1, 50, 70, 23 * 60, 25 * 60, 6 * 24 * 60, 8 * 24 * 60):
        count(world, Call.SLOTS, Came.SUCCEEDED, 1, minutes_ago=minutes_ago)
    code = world.provider.code
    found = {each: provider(admin, code, each, now=NOON).figures["slots"].calls for each in Window}
    assert found == {Window.HOUR: 2, Window.DAY: 4, Window.WEEK: 6}


@pytest.mark.parametrize("window", Window)
def test_the_line_has_every_step_and_adds_up(world: World, admin: Principal, window: Window) -> None:
    count(world, Call.SLOTS, Came.SUCCEEDED, 2, minutes_ago=0)
    count(world, Call.COMMANDS, Came.TIMED_OUT, 1, minutes_ago=40)
    found = provider(admin, world.provider.code, window, now=NOON)
    assert len(found.calls) == window.length // window.step
    assert sum(it.figures.calls for it in found.calls) == 3
    assert found.calls[-1].figures.calls >= 2, "what happened last stands at the end"
    assert sum(it.figures.calls for it in found.answers) == 0


def test_who_only_asks_to_come_later_has_not_failed() -> None:
    busy = Figures({Came.SUCCEEDED: 3, Came.RATE_LIMITED: 7})
    assert (busy.calls, busy.failed, busy.success) == (10, 0, 1.0)
    assert Figures({Came.RATE_LIMITED: 1}).success is None
    assert NONE.success is None and NONE.percentile(0.95) is None


HEALTH = ProviderHealth("a", Text("a", "a"), {"slots": NOON, "bookings": None, "reports": None}, {}, None, 0, 0, 0)
OPEN = BreakerView(5, NOON)
SLOWLY = AnswersSlowly(NOON, SlowReason.SLOWER)


def figures(succeeded: int, failed: int = 0, step: int = 20) -> Figures:
    return Figures({Came.SUCCEEDED: succeeded, Came.TIMED_OUT: failed}, (*([0] * step), succeeded + failed))


@pytest.mark.parametrize(
    ("changes", "calls", "slow", "status"),
    [
        ({"pulled": {}, "answers_here": True}, NONE, None, Status.QUIET),
        ({}, NONE, None, Status.QUIET),
        ({}, figures(1), None, Status.FINE),
        ({}, Figures({Came.RATE_LIMITED: 4}), None, Status.QUIET),
        ({"paused_at": NOON}, NONE, None, Status.PAUSED),
        ({}, figures(100), None, Status.FINE),
        ({"paused_at": NOON, "breakers": {Call.COMMANDS: OPEN}}, figures(0, 100), SLOWLY, Status.PAUSED),
        ({"breakers": {Call.COMMANDS: OPEN}}, figures(0, 100), None, Status.STOPPED),
        ({}, figures(89, 11), SLOWLY, Status.FAILING),
        ({}, figures(91, 9), None, Status.FINE),
        ({}, figures(0, ENOUGH - 1), None, Status.FINE),
        ({"breakers": {Call.REPORTS: OPEN}}, figures(100), None, Status.PARTLY),
        ({"breakers": {Call.REPORTS: BreakerView(3)}}, figures(100), None, Status.FINE),
        ({"pulled": {"slots": None}}, NONE, None, Status.NEVER_READ),
        ({}, figures(100), SLOWLY, Status.SLOW),
        ({}, figures(100, step=48), None, Status.SLOW),
        ({}, figures(ENOUGH - 1, step=48), None, Status.FINE),
    ],
)
def test_the_gravest_state_is_told(changes: dict, calls: Figures, slow: AnswersSlowly | None, status: Status) -> None:  # type: ignore[type-arg]
    values = {**HEALTH.__dict__, **changes}
    assert status_of(ProviderHealth(**values), calls, slow, 8, answers=False) is status
    known = status_of(ProviderHealth(**values), calls, slow, 8, answers=True)
    assert known is (Status.FINE if status is Status.QUIET else status)


def test_what_waits_is_counted_with_what_is_late(world: World, admin: Principal) -> None:
    world.submit(0)
    reported = world.submit(1)
    go(reported, BookingState.CONFIRMED, BookingState.FULFILLED)
    with transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE booking SET report_state = 'expected', report_due_at = %(due)s WHERE state = 'fulfilled'",
            {"due": NOON - timedelta(days=1)},
        )
        session.connection().exec_driver_sql(
            "UPDATE booking SET answer_due_at = %(due)s WHERE state = 'awaiting_provider'", {"due": NOON}
        )
    found = providers(admin, now=NOON + timedelta(minutes=5))[0].backlog
    assert (found.commands, found.oldest) == (2, NOON)
    assert (found.requests, found.past_pledge) == (1, 1)
    assert (found.reports, found.reports_late) == (1, 1)


def test_a_feed_that_was_not_read_for_three_intervals_is_late(world: World, admin: Principal) -> None:
    set_provider(world.provider, slots_seconds=60, poll_seconds=300)
    for feed in ("slots", "bookings"):
        done(world.provider.id, feed, None, now=NOON - timedelta(minutes=4))
    assert providers(admin, now=NOON)[0].late == {"slots"}
    assert provider(admin, world.provider.code, Window.DAY, now=NOON + timedelta(minutes=12)).state.late == {
        "slots",
        "bookings",
    }


def kinds(admin: Principal, now: datetime) -> dict[str, tuple[datetime | None, bool]]:
    (state,) = providers(admin, now=now)
    return {each.kind: (each.at, each.late) for each in state.syncs}


def test_the_comparison_of_the_books_is_told_with_its_last_success_and_is_late_after_three_intervals(
    world: World, admin: Principal
) -> None:
    assert kinds(admin, NOON)["reconciliation"] == (None, False)
    with transaction() as session:
        for number, (state, ago) in enumerate((("done", 9), ("failed", 1))):
            at = NOON - timedelta(minutes=ago)
            session.add(
                ReconcileRun(
                    public_id=f"rec_{number}", provider_id=world.provider.id, state=state, actor_kind="clock",
                    asked_at=at, started_at=at, finished_at=at,
                )
            )  # fmt: skip
    done_at, patient = NOON - timedelta(minutes=9), patience(settings().reconcile_seconds)
    assert kinds(admin, done_at + patient)["reconciliation"] == (done_at, False)
    assert kinds(admin, done_at + patient + timedelta(seconds=1))["reconciliation"] == (done_at, True)


def test_the_statement_of_ones_own_insurer_is_late_once_it_must_have_been_made(world: World, admin: Principal) -> None:
    assert kinds(admin, NOON)["statement"] == (None, False), "nothing was booked, so nothing is to be stated"
    world.submit(0)
    over = end_of_day(TODAY, world.provider.time_zone)
    assert kinds(admin, over + STATEMENT_LATE - timedelta(seconds=1))["statement"] == (None, False)
    assert kinds(admin, over + STATEMENT_LATE)["statement"] == (None, True)
    assert make_statements(now=over + WITHOUT_THEIRS) == 1
    at, late = kinds(admin, over + WITHOUT_THEIRS)["statement"]
    assert at == over + WITHOUT_THEIRS and not late
    assert kinds(admin, over + STATEMENT_LATE + timedelta(days=1))["statement"] == (at, True)
    elsewhere = Principal("operator", 1, "opr_1", admin.insurer_id + 1, 1, "Asia/Shanghai", "admin")
    assert kinds(elsewhere, over + WITHOUT_THEIRS)["statement"] == (None, False)


def test_of_one_that_answers_here_only_its_statement_is_a_sync(world: World, admin: Principal) -> None:
    assert list(kinds(admin, NOON)) == ["slots", "bookings", "reports", "reconciliation", "statement"]
    set_provider(world.provider, adapter="desk")
    assert list(kinds(admin, NOON)) == ["statement"]


def test_who_may_not_see_providers_sees_none(world: World, admin: Principal) -> None:
    with pytest.raises(NotFound):
        provider(world.principal, world.provider.code, Window.HOUR, now=NOON)
    with pytest.raises(NotFound):
        provider(admin, "nobody", Window.HOUR, now=NOON)


def test_a_provider_sees_its_own_figures_and_faults_and_no_others(world: World) -> None:
    with transaction() as session:
        other, _offer, _slots = add_offer(session)
        other_id = other.id
    count(world, Call.COMMANDS, Came.SUCCEEDED, 2)
    row = UnreadableRow("status.unknown", b'{"name": "Shen Bonian"}', "0" * 64, "HX-1", None)
    record_rows(world.provider.id, "bookings", [row], now=NOON)
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "report_critical", "RR-1", now=NOON)
        open_discrepancy(session, other_id, "theirs_only", "R-9", now=NOON)
    (fault,) = own_faults(world.provider.id).items
    assert (fault.kind, fault.reference, fault.feed, fault.wrong) == (
        "unreadable_row",
        "HX-1",
        "bookings",
        "status.unknown",
    )
    assert "Shen" not in repr(fault)
    assert own_health(world.provider.id, Window.DAY, now=NOON).figures["commands"].calls == 2
    assert own_health(other_id, Window.DAY, now=NOON).figures == {}


def test_faults_page(world: World) -> None:
    with transaction() as session:
        for number in range(3):
            open_discrepancy(session, world.provider.id, "theirs_only", f"R-{number}", now=NOON)
    first = own_faults(world.provider.id, limit=2)
    rest = own_faults(world.provider.id, cursor=first.next, limit=2)
    assert [[it.reference for it in page.items] for page in (first, rest)] == [["R-2", "R-1"], ["R-0"]]
    assert rest.next is None
    with pytest.raises(Invalid):
        own_faults(world.provider.id, cursor="x")
