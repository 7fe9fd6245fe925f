"""A change of date that is taken back, or not answered in time: the old date stays, whatever the provider answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.changes.unanswered import end_unanswered_changes
from booking.changes.withdraw import NoOpenChange, withdraw
from booking.discrepancies import Discrepancy
from booking.exchange.escalate import raise_unknown
from booking.exchange.inbound import apply_remote
from booking.models import ProviderTask
from booking.notices.models import Notification
from booking.views.customer import booking as view
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Confirmed, Refused, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.people import NOON
from tests.world import (
    FakeAdapter,
    World,
    booking_row,
    join,
    make_world,
    one_pass,
    remote,
    set_provider,
    taken,
    tasks,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)


def asked(**world: object) -> tuple[World, str]:
    made = make_world(**world)  # type: ignore[arg-type]
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(made.principal, public_id, made.slots[1].public_id, now=SOON)
    return made, public_id


def sent() -> tuple[World, str]:
    """A change that the provider may have, and that was taken back."""
    world, public_id = asked()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=SOON)
    withdraw(world.principal, public_id, now=LATER)
    return world, public_id


def stands(world: World, public_id: str) -> bool:
    row = booking_row(public_id)
    return (row.state.value, row.starts_at) == ("confirmed", world.slots[0].starts_at)


def open_cases() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def notices(public_id: str) -> list[str]:
    with reading() as session:
        rows = select(Notification.kind).where(Notification.booking_id == booking_row(public_id).id)
        return list(session.scalars(rows.order_by(Notification.id)))


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def moved(world: World, public_id: str, slot: int, version: int) -> RemoteBooking:
    at = world.slots[slot]
    return RemoteBooking("R-1", public_id, "confirmed", version, at.service_date, at.starts_at, at.ends_at)


def test_one_that_was_not_sent_is_over_at_once_and_another_can_be_asked_for() -> None:
    world, public_id = asked()
    withdraw(world.principal, public_id, now=LATER)
    assert stands(world, public_id)
    assert places(world) == [1, 0, 0]
    seen = view(world.principal, public_id, now=LATER)
    assert (seen.change, seen.taking_back, seen.can_change) == (None, False, True)
    assert seen.timeline[-1].state == "reschedule_withdrawn"
    assert seen.change_refused is None, "nobody refused it"
    reschedule(world.principal, public_id, world.slots[2].public_id, now=LATER)


def test_while_its_end_is_not_known_both_places_stay_taken_and_nothing_else_can_be_asked() -> None:
    world, public_id = sent()
    seen = view(world.principal, public_id, now=LATER)
    assert (seen.change, seen.taking_back, seen.can_change, seen.can_withdraw) == (None, True, False, False)
    assert (stands(world, public_id), places(world)) == (True, [1, 1, 0])
    withdraw(world.principal, public_id, now=LATER)


def test_a_late_yes_is_undone_at_the_provider() -> None:
    world, public_id = sent()
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)], found=[moved(world, public_id, 1, 2)])
    one_pass(world, adapter, now=LATER)
    assert (stands(world, public_id), places(world)) == (True, [1, 1, 0])
    one_pass(world, adapter, now=LATER + timedelta(seconds=1))
    assert [each.slot for each in adapter.sent] == [world.slots[0].external_ref]
    assert (stands(world, public_id), places(world)) == (True, [1, 0, 0])
    assert tasks(public_id)[-2:] == [("change", "done"), ("change", "done")]
    assert open_cases() == []


def test_a_message_with_the_new_time_does_not_move_what_was_taken_back() -> None:
    world, public_id = sent()
    with transaction() as session:
        apply_remote(session, world.provider.id, moved(world, public_id, 1, 2), now=LATER)
    assert (stands(world, public_id), open_cases()) == (True, [])
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)], found=[moved(world, public_id, 1, 2)])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=1))
    assert (stands(world, public_id), places(world)) == (True, [1, 0, 0])


def test_an_undoing_without_an_answer_is_looked_up_and_sent_again() -> None:
    world, public_id = sent()
    at_new, at_old = moved(world, public_id, 1, 2), moved(world, public_id, 0, 3)
    adapter = FakeAdapter(answers=[Unknown("timed out"), Unknown("timed out")], found=[at_new, at_new, at_old])
    for seconds in (0, 1, 100, 200, 400):
        one_pass(world, adapter, now=LATER + timedelta(seconds=seconds))
    assert len({each.key for each in adapter.sent}) == 1
    assert (stands(world, public_id), places(world)) == (True, [1, 0, 0])


def refused_undo(world: World, public_id: str) -> FakeAdapter:
    """The late yes, and then a no to moving the booking back."""
    adapter = FakeAdapter(answers=[Refused("sold_out")], found=[moved(world, public_id, 1, 2)])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=1))
    return adapter


def cases() -> list[tuple[str, str | None]]:
    with reading() as session:
        rows = session.execute(select(Discrepancy.kind, Discrepancy.resolution).order_by(Discrepancy.id))
        return [(row.kind, row.resolution) for row in rows]


def test_when_it_is_not_moved_back_nothing_is_given_back_before_it_is_known_which_place_the_provider_holds() -> None:
    world, public_id = sent()
    refused_undo(world, public_id)
    assert (stands(world, public_id), places(world)) == (True, [1, 1, 0])
    assert view(world.principal, public_id, now=LATER).taking_back
    with reading() as session:
        undoing = session.scalars(select(ProviderTask).order_by(ProviderTask.id.desc()).limit(1)).one()
    assert (undoing.state, undoing.last_error) == ("unknown", "sold_out"), "to be looked up, and why"
    assert undoing.unknown_since == LATER + timedelta(seconds=1)


def test_a_booking_that_is_not_moved_back_is_where_the_provider_holds_it_and_she_is_notified_once() -> None:
    world, public_id = sent()
    adapter = refused_undo(world, public_id)
    adapter.found = [moved(world, public_id, 1, 2)]
    for minutes in (2, 4):
        one_pass(world, adapter, now=LATER + timedelta(minutes=minutes))
    assert (booking_row(public_id).starts_at, places(world)) == (world.slots[1].starts_at, [0, 1, 0])
    assert len(adapter.sent) == 1, "what was refused is not asked for again"
    assert notices(public_id)[2:] == ["change_stands"]
    assert cases() == [("time_differs", "followed_provider")]
    assert tasks(public_id)[-2:] == [("change", "done"), ("change", "refused")]


def test_a_booking_that_was_moved_back_after_all_is_at_its_old_date() -> None:
    world, public_id = sent()
    adapter = refused_undo(world, public_id)
    adapter.found = [moved(world, public_id, 0, 3)]
    one_pass(world, adapter, now=LATER + timedelta(minutes=2))
    assert (stands(world, public_id), places(world), cases()) == (True, [1, 0, 0], [])


def test_a_third_time_after_a_refused_undoing_is_a_case_for_a_person() -> None:
    world, public_id = sent()
    adapter = refused_undo(world, public_id)
    adapter.found = [moved(world, public_id, 2, 3)]
    one_pass(world, adapter, now=LATER + timedelta(minutes=2))
    assert (stands(world, public_id), places(world), open_cases()) == (True, [1, 0, 0], ["time_differs"])
    assert notices(public_id)[2:] == ["provider_differs"]


def test_what_the_provider_has_no_more_after_a_refused_undoing_gives_the_new_place_back() -> None:
    world, public_id = sent()
    adapter = refused_undo(world, public_id)
    adapter.found = [NotThere()]
    one_pass(world, adapter, now=LATER + timedelta(hours=1))
    assert (stands(world, public_id), places(world), len(adapter.sent)) == (True, [1, 0, 0], 1)


def test_a_provider_that_stays_silent_after_a_refused_undoing_is_a_case_and_both_places_stay_taken() -> None:
    world, public_id = sent()
    adapter = refused_undo(world, public_id)
    for minutes in (2, 5, 10):
        adapter.found = [Unknown("timed out")]
        one_pass(world, adapter, now=LATER + timedelta(minutes=minutes))
    raise_unknown(now=LATER + timedelta(minutes=15))
    assert (open_cases(), places(world)) == (["outcome_unknown"], [1, 1, 0])
    assert notices(public_id)[2:] == ["outcome_unknown"]


@pytest.mark.parametrize("answer", [NotThere(), "refused"])
def test_a_late_no_ends_it(answer: NotThere | str) -> None:
    world, public_id = asked()
    adapter = FakeAdapter(answers=[Unknown("timed out") if answer != "refused" else Refused("sold_out")])
    if answer != "refused":
        one_pass(world, adapter, now=SOON)
        withdraw(world.principal, public_id, now=LATER)
        one_pass(world, FakeAdapter(found=[NotThere()]), now=LATER + timedelta(minutes=10))
    else:
        one_pass(world, adapter, now=LATER)
        with pytest.raises(NoOpenChange):
            withdraw(world.principal, public_id, now=LATER)
    assert (stands(world, public_id), places(world)) == (True, [1, 0, 0])
    assert not view(world.principal, public_id, now=LATER).taking_back


def test_a_cancel_after_it_cancels_wherever_the_provider_has_it() -> None:
    world, public_id = sent()
    cancel(world.principal, public_id, now=LATER)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)], found=[moved(world, public_id, 1, 2)])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=1))
    assert (booking_row(public_id).state.value, places(world)) == ("cancelled", [0, 0, 0])


def test_a_providers_cancel_meanwhile_ends_everything() -> None:
    world, public_id = sent()
    adapter = FakeAdapter(found=[moved(world, public_id, 1, 2)])
    one_pass(world, adapter, now=LATER)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "cancelled", 5), now=LATER)
    assert (booking_row(public_id).state.value, places(world)) == ("cancelled", [0, 0, 0])
    assert tasks(public_id)[-1] == ("change", "refused")


def test_without_an_open_change_there_is_nothing_to_take_back_and_a_stranger_takes_back_nothing() -> None:
    world, public_id = asked()
    stranger = join(world.provider, world.offer, world.slots, phone="13800000023").principal
    with pytest.raises(NotFound):
        withdraw(stranger, public_id, now=LATER)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=LATER)
    with pytest.raises(NoOpenChange):
        withdraw(world.principal, public_id, now=LATER)


def test_a_change_that_is_not_answered_in_time_is_taken_back_and_she_is_told() -> None:
    world = make_world()
    set_provider(world.provider, answer_hours=2)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, public_id, world.slots[1].public_id, now=SOON)
    due = view(world.principal, public_id, now=SOON).change_due_at
    assert due == SOON + timedelta(hours=2)
    assert end_unanswered_changes(now=due - timedelta(seconds=1)) == 0
    assert end_unanswered_changes(now=due) == 1
    assert end_unanswered_changes(now=due) == 0
    assert (stands(world, public_id), places(world)) == (True, [1, 0, 0])
    assert notices(public_id)[-1] == "change_refused"
    last = view(world.principal, public_id, now=due).timeline[-1]
    assert (last.state, last.cause) == ("reschedule_withdrawn", "not_answered_in_time")


def test_the_answer_to_a_change_is_due_before_both_dates() -> None:
    world = make_world()
    set_provider(world.provider, answer_hours=24 * 30)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, public_id, world.slots[1].public_id, now=SOON)
    first = min(slot.starts_at for slot in world.slots[:2] if slot.starts_at)
    assert view(world.principal, public_id, now=SOON).change_due_at == first - timedelta(hours=1)
