"""Nobody came: by the provider's word or by the clock, disputed, answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.attendance import no_show
from booking.attendance.disputes import (
    DisputeClosed,
    DisputeTooLate,
    NotDisputable,
    answer,
    dispute,
    open_disputes,
    read_dispute,
)
from booking.attendance.models import Dispute
from booking.attendance.no_show import CAUSE, call_no_shows
from booking.changes.cancel import cancel
from booking.exchange.inbound import apply_remote
from booking.feeds.cursors import done, failed
from booking.feeds.unreadable import close_read, end_full_read, record_rows
from booking.models import Booking, Feed
from booking.notices.models import Notification
from booking.states import BookingState
from booking.views.customer import booking as view
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.port import Confirmed, Refused
from providers.reported import UnreadableRow
from tests.people import NOON, counters
from tests.world import FakeAdapter, World, booking_row, history, make_world, one_pass, remote, set_provider
from vip.entitlements.ledger import EntitlementExhausted
from vip.models import Entitlement
from vip.operators.operators import create_admin, sign_in_operator
from vip.principal import Principal
from vip.signin.authentication import authenticate

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

END = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
GRACE = timedelta(hours=24)
AFTER = END + GRACE
WORDS = "我八点到了，前台说系统坏了。"


def confirmed(*, uses: bool = False, quantity: int = 1) -> tuple[World, str]:
    """A booking with a yes; `uses`: whether the plan counts a no-show."""
    world = make_world(quantity=quantity)
    with transaction() as session:
        session.execute(update(Entitlement).where(Entitlement.id == world.entitlement.id).values(no_show_uses=uses))
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return world, public_id


def polled(world: World, at: datetime) -> None:
    done(world.provider.id, "bookings", "c", now=at)


def tell(world: World, public_id: str, status: str, version: int, now: datetime = END) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, status, version), now=now)


def missed(*, uses: bool = False, quantity: int = 1) -> tuple[World, str]:
    world, public_id = confirmed(uses=uses, quantity=quantity)
    tell(world, public_id, "no_show", 2)
    return world, public_id


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def unit(world: World) -> tuple[int | None, int | None, int | None]:
    found = counters(world.entitlement.id)
    return found["available"], found["reserved"], found["used"]


def told(kind: str) -> list[str]:
    with reading() as session:
        return [facts["outcome"] for facts in session.scalars(select(Notification.facts).filter_by(kind=kind))]


@pytest.fixture
def desk() -> Iterator[Principal]:
    """An operator."""
    make_world(phone="13800000099")
    create_admin("lin", "a long password", "林默", now=NOON)
    yield authenticate(sign_in_operator("lin", "a long password", NOON).token, now=NOON)


# --- the clock -------------------------------------------------------------------------------------------------------


def test_the_clock_calls_a_no_show_after_the_grace_time_and_a_later_poll() -> None:
    world, public_id = confirmed()
    polled(world, AFTER)
    assert call_no_shows(now=AFTER - timedelta(seconds=1)) == 0
    assert call_no_shows(now=AFTER) == 1
    kept = booking_row(public_id)
    assert (kept.state, kept.cause, history(public_id)[-1]) == (BookingState.NO_SHOW, CAUSE, "no_show")


def test_silence_of_a_provider_that_was_not_read_since_is_no_evidence() -> None:
    world, public_id = confirmed()
    assert call_no_shows(now=AFTER + timedelta(days=3)) == 0, "never read"
    polled(world, AFTER - timedelta(seconds=1))
    failed(world.provider.id, "bookings")
    assert call_no_shows(now=AFTER + timedelta(days=3)) == 0, "read before, and failed since"
    polled(world, AFTER + timedelta(days=3))
    assert call_no_shows(now=AFTER + timedelta(days=3)) == 1
    assert state(public_id) == "no_show"


def test_a_booking_that_was_moved_since_it_was_found_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world, public_id = confirmed()
    polled(world, END + timedelta(days=2))
    lock = no_show.lock_booking

    def moved_meanwhile(session: Session, booking_id: int) -> Any:
        booking, tasks = lock(session, booking_id)
        booking.starts_at, booking.ends_at = END + timedelta(days=3), END + timedelta(days=3, hours=1)
        return booking, tasks

    monkeypatch.setattr(no_show, "lock_booking", moved_meanwhile)
    assert call_no_shows(now=END + timedelta(days=2)) == 0
    assert state(public_id) == "confirmed"


def test_the_grace_time_is_the_providers() -> None:
    world, public_id = confirmed()
    set_provider(world.provider, no_show_hours=2)
    polled(world, AFTER)
    assert call_no_shows(now=END + timedelta(hours=2)) == 1
    assert state(public_id) == "no_show"


def test_an_open_cancel_is_answered_first() -> None:
    world, public_id = confirmed()
    cancel(world.principal, public_id, now=NOON)
    polled(world, AFTER)
    assert call_no_shows(now=AFTER) == 0
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=AFTER)
    assert state(public_id) == "cancelled"


def test_a_cancel_that_was_refused_holds_nothing_up() -> None:
    world, public_id = confirmed()
    cancel(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=NOON)
    polled(world, AFTER)
    assert call_no_shows(now=AFTER) == 1


def test_who_came_is_left_alone() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "checked_in", 2)
    polled(world, AFTER)
    assert call_no_shows(now=AFTER) == 0
    assert state(public_id) == "checked_in"


def test_a_provider_that_tells_later_that_she_came_is_believed() -> None:
    world, public_id = confirmed(uses=True)
    polled(world, AFTER)
    call_no_shows(now=AFTER)
    tell(world, public_id, "fulfilled", 2, AFTER + timedelta(hours=1))
    assert state(public_id) == "fulfilled"
    assert unit(world) == (0, 0, 1), "used once, not twice"


@pytest.mark.parametrize(("uses", "left"), [(False, (1, 0, 0)), (True, (0, 0, 1))])
def test_the_plan_says_whether_the_benefit_is_used(uses: bool, left: tuple[int, int, int]) -> None:
    world, public_id = missed(uses=uses)
    assert (state(public_id), unit(world)) == ("no_show", left)
    assert view(world.principal, public_id, now=END).no_show_uses is uses


def test_a_day_without_times_is_over_with_the_sites_day() -> None:
    world, public_id = confirmed()
    with transaction() as session:
        session.execute(update(Booking).values(starts_at=None, ends_at=None))
    over = datetime(2026, 3, 11, 16, tzinfo=UTC)
    polled(world, over)
    assert call_no_shows(now=over - timedelta(seconds=1)) == 0
    assert call_no_shows(now=over) == 1
    assert state(public_id) == "no_show"


# --- the dispute -----------------------------------------------------------------------------------------------------


def the_dispute(desk: Principal) -> str:
    (waiting,) = open_disputes(desk, cursor=None, limit=10).items
    return waiting.id


def test_a_dispute_waits_for_the_desk_with_its_words_sealed(desk: Principal) -> None:
    world, public_id = missed()
    before = booking_row(public_id).version
    dispute(world.principal, public_id, f"  {WORDS} ", now=END)
    dispute(world.principal, public_id, "and again", now=END)
    with reading() as session:
        kept = session.scalars(select(Dispute)).one()
    assert WORDS.encode() not in kept.words_sealed
    assert booking_row(public_id).version == before + 1, "open pages follow, once"
    found = read_dispute(desk, the_dispute(desk), now=END)
    assert (found.words, found.recorded_by, found.booking_id) == (WORDS, "provider", public_id)
    shown = view(world.principal, public_id, now=END)
    assert shown.dispute is not None and (shown.dispute.state, shown.can_dispute) == ("open", False)
    assert shown.timeline[-1].state == "dispute_asked"
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.subject == public_id).order_by(AuditLine.id)).all()
    assert [line.action for line in lines] == ["dispute.opened", "dispute.read"]
    assert WORDS not in str([line.facts for line in lines])


@pytest.mark.parametrize("decision", ["fulfilled", "checked_in"])
@pytest.mark.parametrize("uses", [False, True])
def test_an_accepted_dispute_puts_booking_and_benefit_right(desk: Principal, decision: str, uses: bool) -> None:
    world, public_id = missed(uses=uses)
    dispute(world.principal, public_id, WORDS, now=END)
    answer(desk, the_dispute(desk), decision, "", now=AFTER)  # type: ignore[arg-type]
    assert state(public_id) == decision
    expected = (0, 0, 1) if decision == "fulfilled" or uses else (0, 1, 0)
    assert unit(world) == expected
    assert told("dispute_answered") == ["accepted"]
    assert open_disputes(desk, cursor=None, limit=10).items == []


def test_a_rejected_dispute_says_why_and_changes_nothing(desk: Principal) -> None:
    world, public_id = missed(uses=True)
    dispute(world.principal, public_id, WORDS, now=END)
    waiting = the_dispute(desk)
    with pytest.raises(Invalid):
        answer(desk, waiting, "rejected", " ", now=AFTER)
    answer(desk, waiting, "rejected", "前台当天没有您的记录。", now=AFTER)
    shown = view(world.principal, public_id, now=AFTER)
    assert (state(public_id), unit(world)) == ("no_show", (0, 0, 1))
    assert shown.dispute is not None
    assert (shown.dispute.state, shown.dispute.answer) == ("rejected", "前台当天没有您的记录。")
    assert told("dispute_answered") == ["rejected"]
    with pytest.raises(DisputeClosed):
        answer(desk, waiting, "fulfilled", "", now=AFTER)


def test_a_unit_that_came_back_and_was_spent_leaves_the_dispute_open(desk: Principal) -> None:
    world, public_id = missed(uses=False)
    dispute(world.principal, public_id, WORDS, now=END)
    world.hold(1, now=NOON)
    with pytest.raises(EntitlementExhausted):
        answer(desk, the_dispute(desk), "fulfilled", "", now=AFTER)
    assert state(public_id) == "no_show" and the_dispute(desk)


def test_a_provider_that_takes_it_back_wins_the_dispute_for_her(desk: Principal) -> None:
    world, public_id = missed()
    dispute(world.principal, public_id, WORDS, now=END)
    waiting = the_dispute(desk)
    tell(world, public_id, "fulfilled", 3, AFTER)
    assert (state(public_id), told("dispute_answered")) == ("fulfilled", ["accepted"])
    with pytest.raises(DisputeClosed):
        answer(desk, waiting, "rejected", "no", now=AFTER)


def test_a_provider_that_takes_one_no_show_back_decides_no_other_dispute(desk: Principal) -> None:
    first, one = missed()
    other_world = make_world(phone="13800000022")
    other = other_world.submit()
    one_pass(other_world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    tell(other_world, other, "no_show", 2)
    dispute(first.principal, one, WORDS, now=END)
    dispute(other_world.principal, other, WORDS, now=END)
    tell(first, one, "fulfilled", 3, AFTER)
    assert the_dispute(desk)
    shown = view(other_world.principal, other, now=AFTER)
    assert shown.dispute is not None and shown.dispute.state == "open"


def test_a_dispute_that_the_desk_has_rejected_stays_rejected(desk: Principal) -> None:
    world, public_id = missed()
    dispute(world.principal, public_id, WORDS, now=END)
    answer(desk, the_dispute(desk), "rejected", "前台当天没有您的记录。", now=AFTER)
    tell(world, public_id, "fulfilled", 3, AFTER)
    with reading() as session:
        assert session.scalars(select(Dispute.state)).one() == "rejected"
    assert told("dispute_answered") == ["rejected"], "she is not told twice"


def test_a_no_show_taken_back_that_nobody_disputed_is_no_answer() -> None:
    world, public_id = missed()
    tell(world, public_id, "fulfilled", 3, AFTER)
    assert (state(public_id), told("dispute_answered")) == ("fulfilled", [])


def test_only_a_no_show_of_the_last_fourteen_days_can_be_disputed() -> None:
    world, public_id = confirmed()
    with pytest.raises(NotDisputable):
        dispute(world.principal, public_id, WORDS, now=END)
    tell(world, public_id, "no_show", 2)
    until = view(world.principal, public_id, now=END).dispute_until
    assert until == END + timedelta(days=14)
    with pytest.raises(DisputeTooLate):
        dispute(world.principal, public_id, WORDS, now=until)
    dispute(world.principal, public_id, WORDS, now=until - timedelta(seconds=1))


@pytest.mark.parametrize("words", ["", "   ", "x" * 1001, "a\0b", "\ud800"])
def test_words_that_cannot_be_kept_are_refused_by_name(words: str) -> None:
    world, public_id = missed()
    with pytest.raises(Invalid) as refused:
        dispute(world.principal, public_id, words, now=END)
    assert refused.value.at == "words"


def test_somebody_elses_booking_and_another_insurers_dispute_are_not_there(desk: Principal) -> None:
    world, public_id = missed()
    rival = make_world(phone="13800000077")
    with pytest.raises(NotFound):
        dispute(rival.principal, public_id, WORDS, now=END)
    dispute(world.principal, public_id, WORDS, now=END)
    waiting = the_dispute(desk)
    stranger = Principal("operator", desk.id, desk.public_id, desk.insurer_id + 1, 0, desk.time_zone, desk.role)
    assert open_disputes(stranger, cursor=None, limit=10).items == []
    for who in (stranger, world.principal):
        with pytest.raises(NotFound):
            answer(who, waiting, "fulfilled", "", now=AFTER)


@pytest.mark.parametrize("reference", ["R-1", None])
def test_the_clock_calls_no_no_show_of_a_booking_whose_row_could_not_be_read(reference: str | None) -> None:
    world, public_id = confirmed()
    row = UnreadableRow("status.unknown", b"{}", "d", reference)
    record_rows(world.provider.id, Feed.BOOKINGS, [row], now=AFTER)
    polled(world, AFTER)
    assert call_no_shows(now=AFTER) == 0
    close_read(world.provider.id, Feed.BOOKINGS, ["R-1"], now=AFTER + timedelta(minutes=1))
    end_full_read(world.provider.id, Feed.BOOKINGS, nameless=False, now=AFTER + timedelta(minutes=1))
    assert call_no_shows(now=AFTER) == 1
    assert booking_row(public_id).state is BookingState.NO_SHOW


def test_an_unreadable_row_of_another_booking_or_feed_stops_no_no_show() -> None:
    world, _ = confirmed()
    row = UnreadableRow("status.unknown", b"{}", "d", "R-2")
    record_rows(world.provider.id, Feed.BOOKINGS, [row], now=AFTER)
    record_rows(world.provider.id, Feed.SLOTS, [UnreadableRow("row.object", b"null", "e")], now=AFTER)
    polled(world, AFTER)
    assert call_no_shows(now=AFTER) == 1
