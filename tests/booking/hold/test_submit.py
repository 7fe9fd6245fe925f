"""Submitting a hold: the SQL function writes, row by row, what `move()` writes for the same booking."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from booking.actors import Actor
from booking.hold.submit import submit, submit_for
from booking.models import Slot
from booking.notices.models import NoticeSetting
from booking.states import LEGAL, LIVE, BookingState
from booking.transition import lock_booking, write_history
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading, transaction
from tests.all_rows import Rows, TakenBackError, all_rows
from tests.people import NOON
from tests.world import World, booking_row, history, make_world, set_provider

pytestmark = pytest.mark.usefixtures("db")


def rows_after_move(world: World, public_id: str, now: datetime) -> Rows:
    """The rows as `move()` leaves them; then it is all taken back."""
    found: Rows = {}
    with pytest.raises(TakenBackError), transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        submit_for(session, booking, actor=Actor("customer", world.principal.public_id), cause="submitted", now=now)
        session.flush()
        found = all_rows(session)
        raise TakenBackError
    return found


def whole_day(world: World) -> None:
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(starts_at=None, ends_at=None))


def wants(**values: Any) -> Callable[[World], None]:
    def store(world: World) -> None:
        with transaction() as session:
            session.add(NoticeSetting(customer_id=world.customer.id, updated_at=NOON, **values))

    return store


def answers_within(hours: int) -> Callable[[World], None]:
    return lambda world: set_provider(world.provider, answer_hours=hours)


def nothing(_world: World) -> None:
    pass


CASES: Mapping[str, tuple[bool, Callable[[World], None], datetime]] = {
    "asked": (False, nothing, NOON + timedelta(minutes=1)),
    "asked, and the service begins before the answer is due": (False, answers_within(24 * 30), NOON),
    "asked, for a whole day that begins before the answer is due": (
        False,
        lambda world: (whole_day(world), answers_within(24 * 30)(world))[0],
        NOON,
    ),
    "asked, of a provider that answers at once": (False, answers_within(0), NOON),
    "allotted": (True, nothing, NOON + timedelta(microseconds=1)),
    "allotted, for a whole day": (True, whole_day, NOON),
    "allotted, no SMS wanted": (True, wants(sms=False), NOON),
    "allotted, an address that is not confirmed": (True, wants(email=True), NOON),
    "allotted, SMS and e-mail": (True, wants(email=True, email_confirmed_at=NOON), NOON),
    "allotted, e-mail confirmed and not wanted": (True, wants(email=False, email_confirmed_at=NOON), NOON),
}


@pytest.mark.parametrize("case", CASES)
def test_the_function_and_move_write_the_same_rows(case: str) -> None:
    allotment, prepare, now = CASES[case]
    world = make_world(allotment=allotment)
    prepare(world)
    public_id = world.hold()
    with reading() as session:
        before = all_rows(session)
    moved = rows_after_move(world, public_id, now)
    submit(world.principal, public_id, now=now)
    with reading() as session:
        submitted = all_rows(session)
    assert submitted == moved
    changed = {table for table in moved if moved[table] != before[table]}
    told = {"notification"} if allotment else set()
    assert changed - {"notification_delivery"} == {"booking", "booking_history", "provider_task", "live_event"} | told


_BEFORE = """
    SELECT (done.kept).state, done.moved
      FROM submit_booking(:now, :customer, :booking, 'customer', :actor, 'submitted',
                          'tsk_1', 'key', 'ntf_1', ARRAY['sms'], ARRAY['ntd_1']) AS done
"""


@pytest.mark.parametrize("allotment", [False, True])
def test_the_call_of_last_weeks_code_writes_the_same_rows(allotment: bool) -> None:
    """Its processes run on the new schema for a moment; they read the booking as `kept`."""
    world = make_world(allotment=allotment)
    wants(email=False)(world)
    public_id = world.hold()
    moved = rows_after_move(world, public_id, NOON)
    values = {
        "now": NOON,
        "customer": world.customer.id,
        "booking": public_id,
        "actor": world.principal.public_id,
    }
    with transaction() as session:
        first, again = (session.execute(text(_BEFORE), values).one() for _ in range(2))
    state = "confirmed" if allotment else "awaiting_provider"
    assert (first, again) == ((state, True), (state, False))
    with reading() as session:
        assert all_rows(session) == moved


@pytest.mark.parametrize("left", [timedelta(minutes=61), timedelta(minutes=121, microseconds=1), timedelta(seconds=7)])
def test_an_answer_is_due_before_the_visit_however_near_it_is(left: timedelta) -> None:
    world = make_world()
    begins = world.slots[0].starts_at
    assert begins is not None
    public_id = world.hold(0, now=NOON)
    with transaction() as session:
        session.execute(text("UPDATE booking SET hold_expires_at = :until"), {"until": begins})
    moved = rows_after_move(world, public_id, begins - left)
    submit(world.principal, public_id, now=begins - left)
    with reading() as session:
        assert all_rows(session) == moved
    assert booking_row(public_id).answer_due_at == begins - min(timedelta(hours=1), left / 2)


def test_a_service_that_has_begun_does_not_bound_the_answer() -> None:
    """A hold outlives its slot's start where the lead time is nothing; then only the provider's hours count."""
    world = make_world()
    now = datetime(2026, 3, 10, 0, 5, tzinfo=UTC)
    public_id = world.hold(0, now=NOON)
    with transaction() as session:
        session.execute(text("UPDATE booking SET hold_expires_at = :until"), {"until": now + timedelta(minutes=5)})
    moved = rows_after_move(world, public_id, now)
    submit(world.principal, public_id, now=now)
    with reading() as session:
        assert all_rows(session) == moved
    assert booking_row(public_id).answer_due_at == now + timedelta(hours=48)


def test_a_hold_that_is_over_is_not_submitted_though_nobody_swept_it() -> None:
    world = make_world()
    public_id = world.hold()
    with reading() as session:
        before = all_rows(session)
    with pytest.raises(Exception, match="hold_expired"):
        submit(world.principal, public_id, now=NOON + timedelta(minutes=10))
    with reading() as session:
        assert all_rows(session) == before


def test_the_answer_holds_the_whole_history_or_there_is_none() -> None:
    world = make_world()
    plain, touched = world.hold(0), world.hold(1)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(touched).id)
        write_history(session, booking, actor=Actor("operator", "opr_1"), now=NOON, cause="looked_at")
    answer = submit(world.principal, plain, now=NOON)
    assert answer is not None and [line.to_state for line in answer.history] == history(plain)
    assert submit(world.principal, touched, now=NOON) is None
    assert history(touched) == ["held", "held", "awaiting_provider"]


def test_submitting_again_writes_nothing() -> None:
    world = make_world()
    public_id = world.submit()
    with reading() as session:
        before = all_rows(session)
    assert submit(world.principal, public_id, now=NOON + timedelta(minutes=1)) is None
    with reading() as session:
        assert all_rows(session) == before
    assert history(public_id) == ["held", "awaiting_provider"]


def test_the_functions_moves_are_those_of_the_table() -> None:
    """From a hold to each live state that the table names: without allotted places, and with them."""
    source = (ROOT / "booking" / "hold" / "submit_booking.sql").read_text()
    declared = dict(re.findall(r"c_(\w+) CONSTANT text := '(\w+)';", source))
    assert declared.pop("from") == BookingState.HELD
    assert set(declared.values()) == LEGAL[BookingState.HELD] & LIVE
    written = re.search(r"SET state = (.*?),$", source, re.MULTILINE | re.DOTALL)
    assert written is not None
    firm = "p.allotment AND b.snapshot ->> 'coverage' IS DISTINCT FROM 'on_request'"
    assert " ".join(written[1].split()) == f"CASE WHEN {firm} THEN c_at_once ELSE c_asked END"
