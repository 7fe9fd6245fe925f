"""A change of date where the provider has no call for it: a new booking there first, the old one cancelled last."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.changes.unanswered import end_past_changes
from booking.changes.withdraw import withdraw
from booking.exchange.inbound import apply_remote
from booking.models import Booking, ChangeRequest, Discrepancy, ProviderBooking
from booking.notices.models import Notification
from booking.reconcile.repair import repair
from booking.views.customer import booking as view
from booking.worker.jobs import all_jobs
from booking.worker.lanes import Lanes
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Answer, Cancel, Confirmed, Refused, Reserve, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.people import NOON, counters, make_insurer
from tests.world import EIGHT, FakeAdapter, World, booking_row, join, make_world, one_pass, set_provider, taken, tasks
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)


def changing(**world: object) -> tuple[World, str]:
    """A confirmed booking (R-1) at a provider without a change call, with a change to the second slot asked for."""
    made = make_world(**world)  # type: ignore[arg-type]
    set_provider(made.provider, adapter="day_capacity")
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    ask(made, public_id, 1)
    return made, public_id


def ask(world: World, public_id: str, slot: int) -> None:
    reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)


def tell(world: World, told: RemoteBooking, now: datetime = LATER) -> str:
    with transaction() as session:
        return apply_remote(session, world.provider.id, told, now=now).what


def roles(public_id: str) -> dict[str, str]:
    with reading() as session:
        rows = session.execute(
            select(ProviderBooking.reference, ProviderBooking.role)
            .join(Booking, Booking.id == ProviderBooking.booking_id)
            .where(Booking.public_id == public_id)
        )
        return {row.reference: row.role for row in rows}


def new_one(world: World, public_id: str, status: str, version: int = 1, reference: str = "R-2") -> RemoteBooking:
    slot = world.slots[1]
    day, starts, ends = slot.service_date, slot.starts_at, slot.ends_at
    return RemoteBooking(reference, f"{public_id}-2", status, version, day, starts, ends)  # type: ignore[arg-type]


def on_the_old_day(world: World, status: str, version: int) -> RemoteBooking:
    slot = world.slots[0]
    return RemoteBooking("R-1", None, status, version, slot.service_date, slot.starts_at, slot.ends_at)  # type: ignore[arg-type]


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def at(public_id: str, world: World) -> int:
    starts = booking_row(public_id).starts_at
    return next(number for number, slot in enumerate(world.slots) if slot.starts_at == starts)


def open_kinds() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def test_the_new_date_is_booked_under_a_number_of_its_own_and_then_the_old_one_is_cancelled() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    one_pass(world, adapter, now=LATER)
    (sent,) = adapter.sent
    assert isinstance(sent, Reserve) and sent.our_reference == f"{public_id}-2"
    assert (sent.slot, sent.starts_at) == (world.slots[1].external_ref, world.slots[1].starts_at)
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current"}
    one_pass(world, adapter, now=LATER)
    gone = adapter.sent[1]
    assert isinstance(gone, Cancel) and (gone.reference, gone.our_reference) == ("R-1", public_id)
    assert tasks(public_id) == [("reserve", "done"), ("change", "done"), ("cancel", "done")]
    assert (booking_row(public_id).state, counters(world.entitlement.id)["reserved"]) == ("confirmed", 1)
    assert open_kinds() == []


def test_a_second_change_and_a_cancel_name_the_newest_booking_by_its_own_number() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Confirmed("R-3", 7), Confirmed("R-2", 8)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    reschedule(world.principal, public_id, world.slots[2].public_id, now=LATER)
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert adapter.sent[2].our_reference == f"{public_id}-4"
    assert (adapter.sent[3].reference, adapter.sent[3].our_reference) == ("R-2", f"{public_id}-2")
    cancel(world.principal, public_id, now=LATER)
    adapter.answers.append(Confirmed("R-3", 9))
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[4].reference, adapter.sent[4].our_reference) == ("R-3", f"{public_id}-4")
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])


def test_a_new_booking_that_still_waits_there_moves_nothing_here_and_is_no_difference() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 1)]), now=LATER)
    assert tell(world, new_one(world, public_id, "requested", 2)) == "applied"
    assert (at(public_id, world), roles(public_id)) == (0, {"R-1": "current", "R-2": "pending"})
    assert open_kinds() == []


def test_a_refusal_leaves_the_old_date_and_the_old_booking_there() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    assert (at(public_id, world), places(world), roles(public_id)) == (0, [1, 0, 0], {"R-1": "current"})
    assert view(world.principal, public_id, now=LATER).change_refused == "sold_out"


def test_an_unknown_outcome_is_looked_up_by_the_new_number_and_once_more_before_it_is_sent_again() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-2", 5)], found=[NotThere(), NotThere()])
    one_pass(world, adapter, now=LATER)
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    assert one_pass(world, adapter, now=LATER + timedelta(seconds=90)) == ["resend"]
    one_pass(world, adapter, now=LATER + timedelta(seconds=91))
    assert [question.our_reference for question in adapter.asked] == [f"{public_id}-2"] * 2
    assert len(adapter.sent) == 2 and at(public_id, world) == 1


def test_what_turns_up_right_before_the_resend_is_taken_and_nothing_is_sent() -> None:
    world, public_id = changing()
    found = new_one(world, public_id, "confirmed", 5)
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[NotThere(), found])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=90))
    one_pass(world, adapter, now=LATER + timedelta(seconds=91))
    assert len(adapter.sent) == 1
    assert (at(public_id, world), roles(public_id)) == (1, {"R-1": "superseded", "R-2": "current"})


def test_a_provider_that_takes_its_time_moves_nothing_until_it_has_decided() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Accepted("R-2", 5)])
    one_pass(world, adapter, now=LATER)
    assert roles(public_id) == {"R-1": "current", "R-2": "pending"}
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    assert tell(world, new_one(world, public_id, "confirmed", 6)) == "applied"
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    assert tasks(public_id)[1:] == [("change", "done"), ("cancel", "queued")]


def test_a_provider_that_takes_its_time_is_not_a_silent_one() -> None:
    world, public_id = changing()
    assert one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER) == ["waiting"]
    assert not view(world.principal, public_id, now=LATER).change_unknown


def test_a_report_that_completes_the_change_is_followed_at_once() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, new_one(world, public_id, "checked_in", 6), EIGHT)
    assert (booking_row(public_id).state, at(public_id, world)) == ("checked_in", 1)


def test_a_no_after_taking_its_time_leaves_the_old_date() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, new_one(world, public_id, "rejected", 6))
    assert (at(public_id, world), places(world)) == (0, [1, 0, 0])
    assert tasks(public_id) == [("reserve", "done"), ("change", "refused")]
    ask(world, public_id, 2)


def test_a_cancel_while_the_provider_takes_its_time_ends_both_there() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    cancel(world.principal, public_id, now=LATER)
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-2", 9)], found=[new_one(world, public_id, "requested", 5)]
    )
    for _ in range(3):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert {(sent.reference, sent.our_reference) for sent in adapter.sent} == {
        ("R-1", public_id),
        ("R-2", f"{public_id}-2"),
    }
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    assert counters(world.entitlement.id)["available"] == 1


def test_a_yes_to_a_change_that_was_taken_back_is_cancelled_there_and_the_cancel_goes_on() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    cancel(world.principal, public_id, now=LATER)
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-2", 9)], found=[new_one(world, public_id, "confirmed", 5)]
    )
    for _ in range(3):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert sorted(sent.reference for sent in adapter.sent) == ["R-1", "R-2"]
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])


def test_an_arrival_while_the_change_is_open_gives_it_up() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "checked_in", 8), EIGHT)
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "confirmed", 9)]), now=EIGHT)
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == ("checked_in", 0, [1, 1, 0])
    assert roles(public_id) == {"R-1": "current", "R-2": "stray"} and tasks(public_id)[-1] == ("cancel", "queued")
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 10)]), now=EIGHT)
    assert places(world) == [1, 0, 0]


def given_up_late(first: Answer) -> tuple[World, str]:
    """A change that was taken back and done at the provider all the same; it has answered the cancel of that."""
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    withdraw(world.principal, public_id, now=LATER)
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "confirmed", 5)]), now=LATER + timedelta(minutes=1))
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0]), "the provider still holds the new place"
    one_pass(world, FakeAdapter(answers=[first]), now=LATER + timedelta(minutes=1))
    return world, public_id


def notices(kind: str) -> list[dict[str, object]]:
    with reading() as session:
        return [row.facts for row in session.scalars(select(Notification).where(Notification.kind == kind))]


def test_the_place_of_a_change_that_was_taken_back_goes_back_when_the_provider_has_cancelled_it() -> None:
    world, public_id = given_up_late(Confirmed("R-2", 9))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])
    assert view(world.principal, public_id, now=LATER).can_change


def test_a_provider_that_keeps_what_was_taken_back_is_a_case_and_its_place_stays_taken_until_that_has_ended() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 1, 0], ["cancel_refused"])
    (told,) = notices("provider_differs")
    assert (told["says"], told["new_starts_at"]) == ("keeps_both", world.slots[1].starts_at.isoformat())
    tell(world, new_one(world, public_id, "cancelled", 10))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])
    assert len(notices("provider_differs")) == 1


@pytest.mark.parametrize("action", ["cancel_there", "note"])
def test_a_person_ends_what_the_provider_kept(action: str) -> None:
    world, public_id = given_up_late(Refused("too_late"))
    admin = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id).where(Discrepancy.closed_at.is_(None))).one()
    repair(admin, case, action, note="They cancelled it by hand.", now=LATER)
    if action == "cancel_there":
        assert places(world) == [1, 1, 0], "nothing is known yet"
        one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 9)]), now=LATER + timedelta(minutes=2))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], [])


def test_a_visit_on_the_old_date_does_not_give_back_what_the_provider_keeps() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    tell(world, RemoteBooking("R-1", public_id, "checked_in", 8), EIGHT)
    assert (booking_row(public_id).state, places(world)) == ("checked_in", [1, 1, 0])


def over(world: World, slot: int) -> datetime:
    end = world.slots[slot].ends_at
    assert end is not None
    return end


def last_change() -> ChangeRequest:
    with reading() as session:
        return session.scalars(select(ChangeRequest).order_by(ChangeRequest.id.desc()).limit(1)).one()


def test_what_the_provider_keeps_locks_nobody_out_once_its_date_is_over_and_its_case_stays() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    day_over = over(world, 1)
    assert end_past_changes(now=day_over - timedelta(seconds=1)) == 0 and places(world) == [1, 1, 0]
    assert end_past_changes(now=day_over) == 1
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 0], ["cancel_refused"])
    change, version = last_change(), booking_row(public_id).version
    assert (change.state, change.closed_at, booking_row(public_id).pending_period) == ("withdrawn", day_over, None)
    assert end_past_changes(now=day_over) == 0 and booking_row(public_id).version == version
    assert notices("change_refused") == [], "the customer took it back herself"
    ask(world, public_id, 2)
    assert places(world) == [1, 0, 1]


def test_the_worker_closes_what_was_given_up_when_its_date_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = given_up_late(Refused("too_late"))
    monkeypatch.setattr("marketplace.core.clock.now", lambda: over(world, 1))
    (past,) = [job for job in all_jobs(Lanes(), Event()) if job.name == "past-changes"]
    assert past.work() == {"ended": 1} and places(world) == [1, 0, 0]


def test_what_ends_at_the_provider_after_its_date_changes_nothing_of_a_later_change() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    end_past_changes(now=over(world, 1))
    ask(world, public_id, 2)
    tell(world, new_one(world, public_id, "cancelled", 10))
    assert (at(public_id, world), places(world), open_kinds()) == (0, [1, 0, 1], [])
    assert last_change().state == "open"


def test_the_place_of_a_booking_that_was_served_on_the_old_date_goes_back_when_the_new_one_is_over() -> None:
    world, public_id = given_up_late(Refused("too_late"))
    tell(world, RemoteBooking("R-1", public_id, "fulfilled", 8), EIGHT + timedelta(hours=1))
    assert (booking_row(public_id).state, places(world)) == ("fulfilled", [1, 1, 0])
    assert end_past_changes(now=over(world, 1)) == 1
    assert (booking_row(public_id).state, places(world), open_kinds()) == ("fulfilled", [1, 0, 0], ["cancel_refused"])


def test_a_cancel_there_without_an_answer_holds_the_customer_up_no_longer_than_its_date() -> None:
    world, public_id = given_up_late(Unknown("timed out"))
    assert end_past_changes(now=over(world, 1)) == 1
    assert (places(world), tasks(public_id)[-1]) == ([1, 0, 0], ("cancel", "unknown"))
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "cancelled", 9)]), now=over(world, 1))
    assert (places(world), tasks(public_id)[-1], open_kinds()) == ([1, 0, 0], ("cancel", "done"), [])


def test_a_change_whose_own_outcome_is_not_known_waits_for_that_whatever_its_date() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    withdraw(world.principal, public_id, now=LATER)
    assert end_past_changes(now=over(world, 1)) == 0 and places(world) == [1, 1, 0]


def test_where_the_provider_moves_its_one_booking_the_clock_ends_no_change() -> None:
    world, _ = given_up_late(Refused("too_late"))
    set_provider(world.provider, adapter="open_protocol")
    assert end_past_changes(now=over(world, 1)) == 0 and places(world) == [1, 1, 0]


def test_what_is_told_of_the_old_booking_moves_nothing_any_more() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "cancelled", 7))
    assert (booking_row(public_id).state, tasks(public_id)[-1], open_kinds()) == ("confirmed", ("cancel", "done"), [])
    tell(world, on_the_old_day(world, "no_show", 8), EIGHT)
    assert (booking_row(public_id).state, open_kinds()) == ("confirmed", [])


@pytest.mark.parametrize("status", ["checked_in", "in_service", "fulfilled"])
def test_the_old_day_that_was_served_before_our_cancel_arrived_counts_and_the_new_one_is_cancelled(status: str) -> None:
    world, public_id = changing(quantity=1)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("too_late"), Confirmed("R-2", 9)])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=EIGHT)
    assert (at(public_id, world), open_kinds()) == (1, ["cancel_refused"])
    assert tell(world, on_the_old_day(world, status, 8), EIGHT) == "applied"
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == (status, 0, [1, 0, 0])
    assert roles(public_id) == {"R-1": "current", "R-2": "superseded"}
    one_pass(world, adapter, now=EIGHT)
    assert (adapter.sent[-1].reference, tasks(public_id)[-1]) == ("R-2", ("cancel", "done"))
    used = counters(world.entitlement.id)["used"]
    assert (used, open_kinds()) == (1 if status == "fulfilled" else 0, [])


def test_the_old_day_that_was_served_needs_no_cancel_that_was_not_sent_yet() -> None:
    world, _ = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 8), EIGHT)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 9)])
    one_pass(world, adapter, now=EIGHT)
    assert [sent.reference for sent in adapter.sent] == ["R-2"] and open_kinds() == []


def test_a_cancel_of_the_old_day_that_is_still_unknown_when_that_day_is_served_is_not_sent_again() -> None:
    world, public_id = changing()
    served = on_the_old_day(world, "checked_in", 8)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Unknown("timed out"), Confirmed("R-2", 9)], found=[served])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=EIGHT)
    tell(world, served, EIGHT)
    for minutes in (1, 2):
        one_pass(world, adapter, now=EIGHT + timedelta(minutes=minutes))
    assert [sent.reference for sent in adapter.sent if isinstance(sent, Cancel)] == ["R-1", "R-2"]
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("checked_in", 0, [])


def test_the_old_day_cannot_come_back_when_its_place_is_sold_and_a_person_decides() -> None:
    world, public_id = changing(capacity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    other.submit(0, now=LATER)
    assert tell(world, on_the_old_day(world, "checked_in", 8), EIGHT) == "stray"
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == ("confirmed", 1, [1, 1, 0])
    assert (roles(public_id)["R-2"], open_kinds()) == ("current", ["old_date_used"])


def test_the_old_day_cannot_come_back_when_the_person_is_booked_elsewhere_then_and_a_person_decides() -> None:
    world, public_id = changing(quantity=2)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    world.submit(0, now=LATER)
    assert tell(world, on_the_old_day(world, "fulfilled", 8), EIGHT) == "stray"
    assert (at(public_id, world), places(world), open_kinds()) == (1, [1, 1, 0], ["old_date_used"])


def test_a_service_on_the_old_day_before_that_day_has_come_is_no_evidence() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    assert tell(world, on_the_old_day(world, "fulfilled", 8), LATER) == "stray"
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("confirmed", 1, ["too_early"])


def test_what_is_told_too_early_of_two_bookings_there_is_two_cases_with_the_dates_that_were_judged() -> None:
    world, public_id = changed()
    tell(world, new_one(world, public_id, "no_show", 8))
    tell(world, on_the_old_day(world, "fulfilled", 9))
    assert early() == {"R-1": "open", "R-2": "open"}
    with reading() as session:
        judged = {row.subject: row.facts["starts_at"] for row in session.scalars(select(Discrepancy))}
    old, new = (slot.starts_at for slot in world.slots[:2])
    assert old and new and judged == {"R-1": old.isoformat(), "R-2": new.isoformat()}
    tell(world, new_one(world, public_id, "confirmed", 9))
    assert early() == {"R-1": "open", "R-2": "corrected_by_provider"}
    tell(world, on_the_old_day(world, "confirmed", 10))
    assert early() == {"R-1": "corrected_by_provider", "R-2": "corrected_by_provider"}


def test_a_cancel_there_ends_what_was_told_too_early_of_that_booking() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 8))
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 9)]), now=LATER)
    assert (booking_row(public_id).state, early()) == ("confirmed", {"R-1": "cancelled_there"})


def test_our_own_cancel_ends_whatever_was_told_too_early() -> None:
    world, public_id = changed()
    tell(world, on_the_old_day(world, "fulfilled", 8))
    tell(world, new_one(world, public_id, "no_show", 8))
    cancel(world.principal, public_id, now=LATER)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 10)]), now=LATER)
    assert booking_row(public_id).state == "cancelled"
    assert early() == {"R-1": "booking_ended", "R-2": "booking_ended"}


def test_the_providers_own_cancel_ends_whatever_was_told_too_early() -> None:
    world, public_id = changed()
    tell(world, on_the_old_day(world, "fulfilled", 8))
    tell(world, new_one(world, public_id, "cancelled", 8))
    assert (booking_row(public_id).state, early()) == ("cancelled", {"R-1": "booking_ended"})


def test_an_old_date_that_can_come_back_after_all_needs_no_person_any_more() -> None:
    world, public_id = changing(capacity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    taker = other.hold(0, now=LATER)
    tell(world, on_the_old_day(world, "checked_in", 8), EIGHT)
    assert open_kinds() == ["old_date_used"]
    cancel(other.principal, taker, now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 9), EIGHT)
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("fulfilled", 0, [])


def changed() -> tuple[World, str]:
    """A booking whose change is done: R-2 is in use, R-1 was cancelled there."""
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    return world, public_id


def early() -> dict[str, str]:
    """How each case of what came too early ended, by its subject."""
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == "too_early"))
        return {row.subject: row.resolution or "open" for row in rows}


def test_a_second_booking_under_the_number_of_a_change_is_cancelled_and_explained() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Confirmed("R-9", 8)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert tell(world, new_one(world, public_id, "confirmed", 7, "R-9")) == "stray"
    assert open_kinds() == ["duplicate_there"]
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[2].reference, adapter.sent[2].our_reference) == ("R-9", f"{public_id}-2")
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current", "R-9": "stray"}
    with reading() as session:
        assert session.scalars(select(Discrepancy.resolution)).all() == ["cancelled_there"]


def test_when_the_later_of_two_is_seen_first_one_of_them_stays() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    tell(world, new_one(world, public_id, "requested", 5, "R-9"))
    tell(world, new_one(world, public_id, "requested", 5, "R-2"))
    assert roles(public_id) == {"R-1": "current", "R-2": "stray", "R-9": "pending"}
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-9", 9)], found=[new_one(world, public_id, "confirmed", 6)]
    )
    for _ in range(4):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current", "R-9": "stray"}
    assert sorted(sent.reference for sent in adapter.sent) == ["R-1", "R-9"]
    assert open_kinds() == []


def test_allotted_places_switch_at_once_and_the_provider_gets_a_new_booking_and_a_cancel() -> None:
    world, public_id = changing(allotment=True)
    assert at(public_id, world) == 1
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert [type(sent) for sent in adapter.sent] == [Reserve, Cancel]
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current"}


def test_the_providers_own_cancel_ends_the_change_and_what_comes_of_it() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "cancelled", 8))
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    adapter = FakeAdapter(answers=[Confirmed("R-2", 10)], found=[new_one(world, public_id, "confirmed", 9)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER + timedelta(minutes=1))
    assert [sent.reference for sent in adapter.sent] == ["R-2"]
    assert counters(world.entitlement.id)["available"] == 1


def test_a_first_booking_is_looked_up_once_more_before_it_is_sent_again() -> None:
    world = make_world()
    set_provider(world.provider, adapter="day_capacity")
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 1)], found=[NotThere(), NotThere()])
    for seconds in (0, 90, 91):
        one_pass(world, adapter, now=NOON + timedelta(seconds=seconds))
    assert len(adapter.asked) == 2 and len(adapter.sent) == 2
    assert booking_row(public_id).state == "confirmed"


def test_a_late_commit_of_the_first_send_is_cancelled_and_explained() -> None:
    world = make_world()
    set_provider(world.provider, adapter="day_capacity")
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 1)], found=[NotThere(), NotThere()])
    for seconds in (0, 90, 91):
        one_pass(world, adapter, now=NOON + timedelta(seconds=seconds))
    late = RemoteBooking("R-0", public_id, "confirmed", 3, booking_row(public_id).service_date)
    assert tell(world, late) == "stray" and open_kinds() == ["duplicate_there"]
    adapter.answers.append(Confirmed("R-0", 4))
    one_pass(world, adapter, now=LATER)
    assert roles(public_id) == {"R-0": "stray", "R-1": "current"} and open_kinds() == []
    assert (booking_row(public_id).state, places(world)) == ("confirmed", [1, 0, 0])
