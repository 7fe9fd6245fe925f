"""A plain confirmation by message: the SQL function writes, row by row, what the general way writes for the same one,
and leaves everything else to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from booking.changes.cancel import cancel
from booking.discrepancies import open_discrepancy
from booking.models import Booking, ProviderBooking, ProviderTask, Slot
from booking.notices.models import NoticeSetting
from booking.proposal import Proposal
from booking.sync.confirmed import confirm_plainly
from booking.sync.webhooks import apply_event, receive_event
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted
from providers.reported import Event, Proposed
from tests.all_rows import Rows, TakenBackError, all_rows
from tests.people import NOON
from tests.statements import statements_sent
from tests.world import FakeAdapter, World, booking_row, history, make_world, one_pass, remote
from vip.models import Customer

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick, pytest.mark.every_postgres]

SOON = NOON + timedelta(minutes=5)
Prepare = Callable[[World, str], None]


def waiting(prepare: Prepare | None = None) -> tuple[World, str]:
    """A booking that its provider has accepted as R-1, and will decide on."""
    world = make_world()
    if prepare is not None:
        prepare(world, "")
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    return world, public_id


def confirmation(public_id: str, **changes: Any) -> Event:
    """The message that it is confirmed, for the time that was asked for."""
    booking = booking_row(public_id)
    told = remote(public_id, "confirmed", 2, service_date=booking.service_date, starts_at=booking.starts_at)
    return Event("evt-1", "booking.confirmed", SOON, booking=replace(told, **changes))


def rows() -> Rows:
    with reading() as session:
        return all_rows(session)


def rows_after_the_general_way(world: World, event: Event) -> Rows:
    """The rows as it leaves them; then it is all taken back."""
    found: Rows = {}
    with pytest.raises(TakenBackError), transaction() as session:
        assert apply_event(session, world.provider.id, event, now=SOON) == "applied"
        session.flush()
        found = all_rows(session)
        raise TakenBackError
    return found


def store(model: type[Any], **values: Any) -> Prepare:
    def prepare(world: World, public_id: str) -> None:
        with transaction() as session:
            session.execute(update(model).values(**values))

    return prepare


def wants(**values: Any) -> Prepare:
    def prepare(world: World, public_id: str) -> None:
        with transaction() as session:
            session.add(NoticeSetting(customer_id=world.customer.id, updated_at=NOON, **values))

    return prepare


PLAIN: Mapping[str, tuple[Prepare | None, dict[str, Any]]] = {
    "at a time": (None, {}),
    "for a whole day": (store(Slot, starts_at=None, ends_at=None), {}),
    "without our reference": (None, {"our_reference": None}),
    "a much later version": (None, {"version": 900}),
    "no SMS wanted": (wants(sms=False), {}),
    "SMS and e-mail": (wants(email=True, email_confirmed_at=NOON), {}),
    "an address that is not confirmed": (wants(email=True), {}),
    "e-mail confirmed and not wanted": (wants(email=False, email_confirmed_at=NOON), {}),
}


@pytest.mark.parametrize("case", PLAIN)
def test_both_ways_write_the_same_rows(case: str) -> None:
    prepare, changes = PLAIN[case]
    world, public_id = waiting(prepare)
    event = confirmation(public_id, **changes)
    general = rows_after_the_general_way(world, event)
    assert confirm_plainly(world.provider.id, event, now=SOON) == "applied"
    assert rows() == general
    assert history(public_id)[-1] == "confirmed"


def proposed(world: World, public_id: str) -> None:
    booking = booking_row(public_id)
    with transaction() as session:
        session.add(
            Proposal(
                public_id="prp_1", booking_id=booking.id, slot_ref="S-2", service_date=booking.service_date,
                expires_at=NOON + timedelta(days=1), made_at=NOON,
            )
        )  # fmt: skip


def asked_to_cancel(world: World, public_id: str) -> None:
    """Its command has arrived; what came of it is not known yet."""
    cancel(world.principal, public_id, now=NOON)
    store(ProviderTask, state="done", finished_at=NOON)(world, public_id)


def differs(kind: str, subject: str = "") -> Prepare:
    def prepare(world: World, public_id: str) -> None:
        with transaction() as session:
            open_discrepancy(session, world.provider.id, kind, subject or public_id, now=NOON)

    return prepare


def nothing(world: World, public_id: str) -> None:
    pass


PROPOSED = Proposed("S-2", NOON.date() + timedelta(days=30), None, None, NOON + timedelta(days=1))

OTHER: Mapping[str, tuple[Prepare, dict[str, Any]]] = {
    "another time": (nothing, {"starts_at": NOON + timedelta(days=20)}),
    "no time where one was asked for": (nothing, {"starts_at": None}),
    "another day": (nothing, {"service_date": NOON.date() + timedelta(days=20)}),
    "no newer version": (nothing, {"version": 1}),
    "a reference that is not known": (nothing, {"reference": "R-2"}),
    "a reference that is nobody's": (store(ProviderBooking, booking_id=None), {}),
    "one that the booking does not stand for": (store(ProviderBooking, role="stray"), {}),
    "our reference of another one": (nothing, {"our_reference": "bkg_00000000000000000000"}),
    "a booking that is confirmed already": (store(Booking, state="confirmed"), {}),
    "a booking whose outcome nobody knew": (store(Booking, state="outcome_unknown"), {}),
    "a command that is not settled": (store(ProviderTask, state="unknown", finished_at=None), {}),
    "a cancel that was asked for": (asked_to_cancel, {}),
    "a time that the provider proposed": (proposed, {}),
    "a time that differed": (differs("time_differs"), {}),
    "a status that came too early": (differs("too_early", "R-1"), {}),
    "a customer who was erased": (store(Customer, erased_at=NOON), {}),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_is_not_plain_is_left_as_it_was_to_the_general_way(case: str) -> None:
    prepare, changes = OTHER[case]
    world, public_id = waiting()
    prepare(world, public_id)
    event = confirmation(public_id, **changes)
    before = rows()
    assert confirm_plainly(world.provider.id, event, now=SOON) is None
    assert rows() == before
    assert receive_event(world.provider.id, event, now=SOON) in ("applied", "unchanged", "unmatched", "stray")
    assert receive_event(world.provider.id, event, now=SOON) == "duplicate"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "checked_in"},
        {"status": "cancelled"},
        {"service_date": None, "starts_at": None},
        {"proposal": PROPOSED},
    ],
)
def test_of_other_messages_the_function_is_not_asked(changes: dict[str, Any]) -> None:
    world, public_id = waiting()
    event = confirmation(public_id, **changes)
    with statements_sent() as sent:
        assert confirm_plainly(world.provider.id, event, now=SOON) is None
        assert confirm_plainly(world.provider.id, replace(event, booking=None), now=SOON) is None
    assert sent == []


def test_a_plain_confirmation_is_one_statement_and_the_same_message_again_changes_nothing() -> None:
    world, public_id = waiting()
    event = confirmation(public_id)
    with statements_sent() as sent:
        assert receive_event(world.provider.id, event, now=SOON) == "applied"
    assert len(sent) == 1
    before = rows()
    assert receive_event(world.provider.id, event, now=SOON) == "duplicate"
    assert receive_event(world.provider.id, replace(event, id="evt-2"), now=SOON) == "unchanged"
    assert len(rows()["inbox_event"]) == len(before["inbox_event"]) + 1


@pytest.mark.parametrize("ids", [("evt-1", "evt-1"), ("evt-1", "evt-2")])
def test_two_messages_at_once_have_one_effect(ids: tuple[str, str]) -> None:
    world, public_id = waiting()
    event, start = confirmation(public_id), Barrier(2)

    def receive(identifier: str) -> str:
        start.wait(20)
        return receive_event(world.provider.id, replace(event, id=identifier), now=SOON)

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(receive, ids))
    assert outcomes == (["applied", "duplicate"] if ids[0] == ids[1] else ["applied", "unchanged"])
    assert history(public_id).count("confirmed") == 1
    assert len(rows()["notification_delivery"]) == 1
