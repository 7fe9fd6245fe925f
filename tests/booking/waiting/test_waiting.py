"""The waiting list: joining inside limits, whose turn it is, and what becomes of a place that was offered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text, update

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.hold.submit import submit
from booking.models import Slot
from booking.notices.models import NoticeSetting
from booking.refusals import SlotFull
from booking.states import BookingState
from booking.waiting import join as waiting
from booking.waiting.models import MOST_OPEN, WaitingPlace
from booking.waiting.offers import HOLD, review
from booking.worker.jobs import all_jobs
from booking.worker.lanes import Lanes
from marketplace.catalog.models import Offer, Site
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound
from tests.people import NOON, counters, give, make_customer, self_of
from tests.waiting import (
    before_the_worker,
    criteria,
    entry,
    fill,
    give_up,
    grow_old,
    notices,
    offered,
    offers_made,
    on,
    serve,
    sweep,
    wait,
)
from tests.world import EIGHT, World, booking_row, go, history, join, make_slot, make_world, taken
from vip.customers.family import NewMember, add_member, remove_member
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import NoEntitlement
from vip.models import Customer, Entitlement

NOON_THEN = EIGHT + timedelta(hours=4)
"""On the day itself: twelve hours before it ends, when booking closes for its last moment."""

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def world() -> World:
    """A slot of one place, taken by somebody else, and a customer who has one use."""
    return make_world(slots=1, capacity=1, quantity=1)


@pytest.fixture
def holder(world: World) -> tuple[World, str]:
    """Who has the place."""
    return fill(world)[0]


def other(world: World, number: int) -> World:
    return join(world.provider, world.offer, world.slots, phone=f"1380006{number:04}")


# --- a freed place --------------------------------------------------------------------------------------------------


def test_a_freed_place_is_held_for_half_an_hour_and_offered(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    assert counters(world.entitlement.id)["reserved"] == 0
    assert serve() == {}
    give_up(holder)
    assert serve() == {"held": 1, "slots": 1}
    kept = offered(waits)
    assert (kept.state, kept.hold_expires_at) == ("held", NOON + HOLD)
    assert (entry(waits).state, notices(world)) == ("offered", ["waitlist_offer"])
    assert (taken(world.slots[0]), counters(world.entitlement.id)["reserved"]) == (1, 1)
    assert before_the_worker() == 0


def test_the_offered_place_is_booked_by_the_ordinary_confirmation(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    serve()
    submit(world.principal, offered(waits).public_id, now=NOON)
    assert serve() == {}
    assert entry(waits).state == "offered"
    go(offered(waits).public_id, BookingState.CONFIRMED)
    assert serve() == {"booked": 1}
    assert entry(waits).state == "booked"


def test_while_it_is_offered_nobody_else_can_take_it(world: World, holder: tuple[World, str]) -> None:
    wait(world)
    give_up(holder)
    serve()
    with pytest.raises(SlotFull):
        other(world, 1).hold()


def test_a_place_just_freed_is_kept_for_those_who_wait(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    assert taken(world.slots[0]) == 0
    with pytest.raises(SlotFull):
        other(world, 1).hold()
    serve()
    assert entry(waits).state == "offered"


def test_without_a_worker_it_is_kept_for_seconds_only(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    grow_old()
    other(world, 1).hold()
    serve()
    assert entry(waits).state == "waiting"


def test_nor_can_a_booking_be_moved_to_it() -> None:
    world = make_world(slots=2, capacity=1, quantity=1)
    [holder] = fill(world, 0)
    wait(other(world, 1), until_hour=9)
    booked = world.submit(1)
    go(booked, BookingState.CONFIRMED)
    give_up(holder)
    with pytest.raises(SlotFull):
        reschedule(world.principal, booked, world.slots[0].public_id, now=NOON)


def test_nobody_is_kept_waiting_for_a_place_that_nobody_wants(world: World, holder: tuple[World, str]) -> None:
    wait(world, first_day=on(11), last_day=on(12))
    give_up(holder)
    assert before_the_worker() == 0
    other(world, 1).hold()


def test_the_first_who_began_to_wait_is_the_first_who_is_asked(world: World, holder: tuple[World, str]) -> None:
    rivals = [other(world, number) for number in range(3)]
    entries = [wait(rival) for rival in rivals]
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["offered", "waiting", "waiting"]


def test_what_lapses_or_is_declined_goes_to_the_next(world: World, holder: tuple[World, str]) -> None:
    rivals = [other(world, number) for number in range(3)]
    entries = [wait(rival) for rival in rivals]
    give_up(holder)
    serve()
    sweep(NOON + HOLD)
    assert [entry(each).state for each in entries] == ["waiting", "offered", "waiting"]
    cancel(rivals[1].principal, offered(entries[1]).public_id, now=NOON + HOLD)
    serve(NOON + HOLD)
    assert [entry(each).state for each in entries] == ["waiting", "waiting", "offered"]
    assert [offers_made(each)[-1].outcome for each in entries] == ["lapsed", "declined", "open"]
    assert [entry(each).lapses for each in entries] == [1, 0, 0]


def test_what_nobody_wants_is_free_for_all_again(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    serve()
    sweep(NOON + HOLD)
    later = NOON + HOLD
    assert (entry(waits).state, taken(world.slots[0]), before_the_worker()) == ("waiting", 0, 0)
    assert len(offers_made(waits)) == 1
    other(world, 1).hold(now=later)


def test_two_lapses_end_the_entry_with_notice() -> None:
    world = make_world(slots=2, capacity=1)
    waits = wait(world)
    serve()
    sweep(NOON + HOLD)
    assert (entry(waits).state, entry(waits).lapses) == ("offered", 1)
    sweep(NOON + 2 * HOLD)
    assert (entry(waits).state, entry(waits).cause) == ("ended", "lapsed")
    assert notices(world) == ["waitlist_offer", "waitlist_offer", "waitlist_ended"]


def test_a_hospital_that_refuses_puts_her_back_in_her_place(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    give_up(holder)
    serve()
    submit(first.principal, offered(entries[0]).public_id, now=NOON)
    go(offered(entries[0]).public_id, BookingState.REJECTED)
    assert serve()["refused"] == 1
    assert (entry(entries[0]).state, entry(entries[0]).lapses) == ("waiting", 0)


def test_a_place_that_is_free_already_is_offered_at_once() -> None:
    world = make_world(slots=1)
    waits = wait(world)
    serve()
    assert entry(waits).state == "offered"


def test_a_new_slot_and_a_larger_one_are_offered(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second, last_day=on(11))]
    with transaction() as session:
        session.execute(text("UPDATE slot SET offered = 2, capacity = 2 WHERE id = :id"), {"id": world.slots[0].id})
    assert serve()["held"] == 1
    with transaction() as session:
        session.add(make_slot(world.offer.pool_id, EIGHT + timedelta(days=1), 1))
    assert serve()["held"] == 1
    assert [entry(each).state for each in entries] == ["offered", "offered"]


def test_a_whole_day_without_times_can_be_waited_for() -> None:
    world = make_world(slots=1, capacity=1)
    with transaction() as session:
        session.execute(text("UPDATE slot SET starts_at = NULL, ends_at = NULL"))
    holder = other(world, 1)
    world.slots[0].starts_at = None
    held = (holder, holder.submit())
    waits = wait(world, from_hour=13)
    give_up(held)
    assert serve()["held"] == 1
    assert offered(waits).starts_at is None


def test_the_worker_serves_the_line_every_second(world: World, holder: tuple[World, str]) -> None:
    jobs = {job.name: job for job in all_jobs(Lanes(), Event())}
    waits = wait(world)
    give_up(holder)
    with clock.frozen(NOON):
        assert (jobs["waiting"].every, jobs["waiting"].work()) == (1, {"held": 1, "slots": 1})
        assert jobs["waiting-review"].work() == {"free": 0}
    assert entry(waits).state == "offered"


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_place_outside_the_limits_is_not_offered(world: World, holder: tuple[World, str]) -> None:
    limits: dict[str, dict[str, Any]] = {
        "later": {"first_day": on(11), "last_day": on(20)},
        "earlier": {"first_day": on(3), "last_day": on(9)},
        "another weekday": {"last_day": on(20), "weekdays": frozenset({1, 3, 4, 5, 6, 7})},
        "a later hour": {"from_hour": 9},
        "an earlier hour": {"until_hour": 8},
    }
    entries = {name: wait(other(world, number), **these) for number, (name, these) in enumerate(limits.items())}
    give_up(holder)
    serve()
    assert {name: entry(each).state for name, each in entries.items()} == dict.fromkeys(limits, "waiting")


@pytest.mark.parametrize(
    ("first", "last", "turns", "becomes"),
    [
        (None, on(9), {"slots": 1}, "waiting"),
        (on(11), None, {"slots": 1}, "waiting"),
        (on(10), on(10), {"slots": 1, "held": 1}, "offered"),
    ],
    ids=["season over", "season not begun", "the season's only day"],
)
def test_a_place_outside_the_offers_season_is_not_offered(
    world: World, holder: tuple[World, str], first: date | None, last: date | None, turns: dict[str, int], becomes: str
) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Offer).values(available_from=first, available_until=last))
    give_up(holder)
    assert serve() == turns, "whoever is out of season is left out of the line, and doesn't end it as a full slot does"
    assert entry(waits).state == becomes


@pytest.mark.parametrize(("table", "values"), [(Slot, {"closed": True}), (Offer, {"active": False})])
def test_a_place_that_cannot_be_booked_is_not_offered(
    world: World, holder: tuple[World, str], table: type[Slot | Offer], values: dict[str, bool]
) -> None:
    waits = wait(world)
    give_up(holder)
    with transaction() as session:
        session.execute(update(table).values(values))
    assert serve() == {"slots": 1}, "she is left out of the line, and doesn't end it as a full slot does"
    assert entry(waits).state == "waiting"


def test_hours_are_those_of_the_site(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, from_hour=8, until_hour=9, weekdays=frozenset({2}))
    give_up(holder)
    serve()
    assert entry(waits).state == "offered"


def test_any_of_several_sites_will_do() -> None:
    world = make_world(slots=1, capacity=1)
    second = make_world(slots=1, capacity=1, phone="13800000029")
    holders = [*fill(world), *fill(second, first=200)]
    waits = wait(world, offers=[world.offer.public_id, second.offer.public_id])
    give_up(holders[1])
    serve()
    assert offered(waits).offer_id == second.offer.id


def test_hours_before_end_the_window_and_the_hold(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, hours_before=48)
    edge = EIGHT - timedelta(hours=48)
    give_up(holder, edge - timedelta(minutes=20))
    serve(edge - timedelta(minutes=20))
    assert offered(waits).hold_expires_at == edge


def test_no_offer_past_what_she_set(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, hours_before=48)
    give_up(holder, EIGHT - timedelta(hours=48, minutes=4))
    assert serve(EIGHT - timedelta(hours=48, minutes=4)) == {"slots": 1}
    assert entry(waits).state == "waiting"


def test_no_offer_past_the_offers_own_window(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    late = EIGHT - timedelta(minutes=720 + 4)
    with transaction() as session:
        session.execute(update(Offer).values(cancel_hours=0))
        session.execute(text("UPDATE booking SET snapshot = jsonb_set(snapshot, '{cancel_hours}', '0')"))
    give_up(holder, late)
    serve(late)
    assert entry(waits).state == "waiting"


def test_a_place_offered_at_night_waits_for_the_morning(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    night = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    give_up(holder, night)
    serve(night)
    assert offered(waits).hold_expires_at == datetime(2026, 3, 3, 0, 30, tzinfo=UTC)


def test_her_own_quiet_hours_count_and_the_window_all_the_more() -> None:
    world = make_world(slots=3, capacity=1, quantity=1)
    sleeper, waker = other(world, 1), other(world, 2)
    with transaction() as session:
        session.add(
            NoticeSetting(customer_id=sleeper.customer.id, updated_at=NOON, quiet_from=time(11), quiet_until=time(14))
        )
        session.add(NoticeSetting(customer_id=waker.customer.id, updated_at=NOON, quiet=False))
    entries = [wait(sleeper), wait(waker)]
    serve()  # noon in Shanghai
    assert [offered(each).hold_expires_at for each in entries] == [NOON + timedelta(hours=2, minutes=30), NOON + HOLD]
    late = EIGHT - timedelta(hours=13, minutes=-30)  # 19:30 the day before; booking closes at 20:00
    third = other(world, 3)
    with transaction() as session:
        session.add(
            NoticeSetting(customer_id=third.customer.id, updated_at=NOON, quiet_from=time(19), quiet_until=time(7))
        )
    waits = wait(third, now=late, until_hour=11)
    serve(late)
    assert offered(waits).hold_expires_at == offered(waits).starts_at - timedelta(hours=12)


def test_the_wait_ends_by_the_sites_clock_also_when_it_is_changed(world: World) -> None:
    ends = {
        ("America/New_York", on(8), 24): datetime(2026, 3, 9, 4, 0, tzinfo=UTC),  # the day of 23 hours
        ("America/New_York", on(7), 24): datetime(2026, 3, 8, 5, 0, tzinfo=UTC),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24): datetime(2026, 4, 5, 13, 30, tzinfo=UTC),  # half an hour more
        ("Australia/Lord_Howe", date(2026, 4, 5), 12): datetime(2026, 4, 5, 1, 30, tzinfo=UTC),
        ("Asia/Shanghai", on(10), 24): datetime(2026, 3, 10, 16, 0, tzinfo=UTC),
    }
    with transaction() as session:
        session.execute(update(Offer).values(lead_minutes=60))
    for (zone, day, hour), end in ends.items():
        with transaction() as session:
            session.execute(update(Site).values(time_zone=zone))
        waits = wait(world, first_day=day, last_day=day, until_hour=hour)
        assert entry(waits).closes_at == end - timedelta(hours=1), zone
        waiting.withdraw(world.principal, waits, now=NOON)


def test_hours_and_weekdays_are_read_on_the_clock_of_the_site_across_its_change() -> None:
    """08:30 in New York, before and after its clocks go forward on 8 March 2026."""
    for number, (day, half_past_eight) in enumerate(
        ((on(7), datetime(2026, 3, 7, 13, 30, tzinfo=UTC)), (on(9), datetime(2026, 3, 9, 12, 30, tzinfo=UTC)))
    ):
        world = make_world(slots=0, phone=f"1380001000{number}")
        with transaction() as session:
            session.execute(update(Site).values(time_zone="America/New_York"))
            session.add(make_slot(world.offer.pool_id, half_past_eight, 1, zone_hours=-5))
        waits = wait(world, first_day=day, last_day=day, from_hour=8, until_hour=9)
        serve()
        assert entry(waits).state == "offered", day


# --- who is passed over ---------------------------------------------------------------------------------------------


def elsewhere(world: World, start: datetime = EIGHT) -> World:
    """The world's customer at another place."""
    there = make_world(slots=1, phone="13800000077", start=start)
    return World(
        there.provider, there.offer, there.slots, world.customer, world.beneficiary, world.entitlement, world.principal
    )


def test_whoever_is_elsewhere_at_that_time_is_passed_over_and_keeps_her_position(
    world: World, holder: tuple[World, str]
) -> None:
    first, second = other(world, 1), other(world, 2)
    give(first.customer, 1)
    elsewhere(first).hold(now=NOON - timedelta(minutes=1))
    entries = [wait(first), wait(second)]
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_without_a_unit_left_she_is_passed_over(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    elsewhere(first, EIGHT + timedelta(days=5)).hold()
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_a_blocked_customer_is_passed_over(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == first.customer.id).values(blocked_at=NOON))
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_a_place_that_frees_while_another_was_offered_is_seen_afterwards() -> None:
    world = make_world(slots=2, capacity=1)
    holders = fill(world)
    waits = wait(world)
    give_up(holders[0])
    serve()
    give_up(holders[1])
    assert serve() == {}
    cancel(world.principal, offered(waits).public_id, now=NOON)
    serve()
    assert (entry(waits).state, len(offers_made(waits))) == ("offered", 2)


def test_what_stood_in_the_way_is_found_gone_by_the_review(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(blocked_at=NOON))
    give_up(holder)
    serve()
    assert entry(waits).state == "waiting"
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(blocked_at=None))
    assert review(now=NOON)["free"] == 1
    serve()
    assert entry(waits).state == "offered"


# --- book it for me -------------------------------------------------------------------------------------------------


def test_book_it_for_me_submits_at_once_as_her_standing_wish(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, auto_book=True)
    give_up(holder)
    assert serve()["booked"] == 1
    kept = offered(waits)
    assert (kept.state, kept.cause, notices(world)) == ("awaiting_provider", "standing_wish", ["waitlist_booked"])
    assert history(kept.public_id) == ["held", "awaiting_provider"]
    with reading() as session:
        actors = session.execute(
            text("SELECT actor_kind, actor FROM booking_history WHERE booking_id = :id ORDER BY version"),
            {"id": kept.id},
        ).all()
    assert [tuple(row) for row in actors] == [("system", waits), ("customer", world.customer.public_id)]


def test_allotted_places_are_hers_at_once() -> None:
    world = make_world(slots=1, capacity=1, allotment=True)
    waits = wait(world, auto_book=True)
    serve()
    serve()
    assert (offered(waits).state, entry(waits).state) == ("confirmed", "booked")


def test_nothing_is_booked_for_her_that_she_could_not_cancel_any_more(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, auto_book=True)
    late = EIGHT - timedelta(hours=23)
    with transaction() as session:
        session.execute(text("UPDATE booking SET snapshot = jsonb_set(snapshot, '{cancel_hours}', '0')"))
    give_up(holder, late)
    serve(late)
    assert (offered(waits).state, notices(world)) == ("held", ["waitlist_offer"])


def test_whoever_booked_herself_meanwhile_is_not_booked_twice() -> None:
    world = make_world(slots=2, capacity=1, quantity=2)
    [holder] = fill(world, 0)
    waits = wait(world, auto_book=True, from_hour=8, until_hour=9)
    world.submit(1, now=NOON + timedelta(minutes=1))
    give_up(holder)
    assert serve() == {"passed": 1, "slots": 1}
    assert entry(waits).state == "waiting"
    review(now=NOON)
    assert (entry(waits).state, entry(waits).cause) == ("ended", "booked_otherwise")


# --- joining and stopping -------------------------------------------------------------------------------------------


NONSENSE: list[tuple[dict[str, Any], str, str]] = [
    ({"offers": []}, "offer_ids", "out_of_range"),
    ({"from_hour": 12, "until_hour": 12}, "until_hour", "hours"),
    ({"from_hour": 0, "until_hour": 25}, "until_hour", "hours"),
    ({"hours_before": 721}, "hours_before", "out_of_range"),
    ({"hours_before": -1}, "hours_before", "out_of_range"),
    ({"last_day": on(9)}, "last_day", "before_from"),
    ({"last_day": date(2026, 5, 30)}, "last_day", "range_too_long"),
    ({"weekdays": frozenset()}, "weekdays", "choice"),
    ({"weekdays": frozenset({8})}, "weekdays", "choice"),
    ({"weekdays": frozenset({3})}, "weekdays", "no_such_day"),
    ({"first_day": on(1), "last_day": on(1)}, "last_day", "past_day"),
    ({"first_day": on(2), "last_day": on(2)}, "last_day", "window_over"),
    ({"hours_before": 720}, "last_day", "window_over"),
    ({"first_day": date(2026, 10, 1), "last_day": date(2026, 10, 1)}, "last_day", "too_far"),
]


def test_a_wish_that_makes_no_sense_is_named_by_its_field(world: World) -> None:
    for changes, field, reason in NONSENSE:
        with pytest.raises(Invalid) as refused:
            wait(world, **changes)
        assert (refused.value.at, refused.value.facts["reason"]) == (field, reason), changes


def test_what_is_not_hers_is_not_there(world: World) -> None:
    stranger = self_of(make_customer("13800000099"))
    for changes in ({"beneficiary": stranger.public_id}, {"offers": ["ofr_00000000000000000000"]}, {"offers": ["\0"]}):
        with pytest.raises(NotFound):
            wait(world, **changes)
    theirs = wait(other(world, 1))
    with pytest.raises(NotFound):
        waiting.withdraw(world.principal, theirs, now=NOON)


def test_a_closed_site_cannot_be_waited_for(world: World) -> None:
    with transaction() as session:
        session.execute(update(Site).values(closed_at=NOON))
    with pytest.raises(NotFound):
        wait(world)


def test_without_a_benefit_there_is_nothing_to_wait_for(world: World) -> None:
    elsewhere(world, EIGHT + timedelta(days=5)).hold()
    with pytest.raises(EntitlementExhausted):
        wait(world)
    with transaction() as session:
        session.execute(update(Entitlement).values(kind="another"))
    with pytest.raises(NoEntitlement):
        wait(world)


def test_one_key_makes_one_entry(world: World) -> None:
    first = waiting.join(world.principal, criteria(world), key="k", fingerprint=b"w", now=NOON)
    again = waiting.join(world.principal, criteria(world), key="k", fingerprint=b"w", now=NOON)
    assert (first.public_id, first.replayed, again.replayed) == (again.public_id, False, True)
    with pytest.raises(IdempotencyKeyReused):
        waiting.join(world.principal, criteria(world), key="k", fingerprint=b"x", now=NOON)


def test_a_person_waits_for_an_offer_once(world: World, holder: tuple[World, str]) -> None:
    standing = wait(world)
    with pytest.raises(waiting.AlreadyWaiting) as refused:
        wait(world, first_day=on(20), last_day=on(21))
    assert refused.value.facts["waiting"] == standing
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    wait(world, beneficiary=father.public_id)
    waiting.withdraw(world.principal, standing, now=NOON)
    wait(world)


def test_a_customer_waits_for_ten_things_at_most() -> None:
    worlds = [make_world(slots=1, phone=f"1380005{number:04}") for number in range(MOST_OPEN + 1)]
    me = worlds[0]
    entries = [wait(me, offers=[each.offer.public_id]) for each in worlds[:-1]]
    with pytest.raises(waiting.WaitingListFull):
        wait(me, offers=[worlds[-1].offer.public_id])
    waiting.withdraw(me.principal, entries[4], now=NOON)
    wait(me, offers=[worlds[-1].offer.public_id])


def test_to_withdraw_gives_the_held_place_to_the_next(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    give_up(holder)
    serve()
    held = offered(entries[0]).public_id
    waiting.withdraw(first.principal, entries[0], now=NOON)
    waiting.withdraw(first.principal, entries[0], now=NOON)
    assert (booking_row(held).state, booking_row(held).cause) == ("cancelled", "stopped_waiting")
    assert counters(first.entitlement.id)["available"] == 1
    serve()
    assert [entry(each).state for each in entries] == ["withdrawn", "offered"]


def test_to_withdraw_leaves_what_was_submitted(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    serve()
    submit(world.principal, offered(waits).public_id, now=NOON)
    waiting.withdraw(world.principal, waits, now=NOON)
    assert (offered(waits).state, entry(waits).state) == ("awaiting_provider", "withdrawn")


def test_an_entry_that_is_over_cannot_be_withdrawn(world: World) -> None:
    waits = wait(world)
    review(now=NOON_THEN)
    assert (entry(waits).state, entry(waits).cause, notices(world)) == ("ended", "over", ["waitlist_ended"])
    with pytest.raises(waiting.NotWaiting):
        waiting.withdraw(world.principal, waits, now=NOON_THEN)


# --- the end without her doing --------------------------------------------------------------------------------------


def test_it_ends_when_the_benefit_is_gone(world: World) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=on(9)))
    review(now=NOON)
    assert (entry(waits).state, entry(waits).cause, notices(world)) == ("ended", "entitlement_gone", ["waitlist_ended"])


def test_it_stays_while_the_unit_is_only_kept_for_a_booking(world: World) -> None:
    waits = wait(world)
    elsewhere(world, EIGHT + timedelta(days=5)).submit()
    review(now=NOON)
    assert entry(waits).state == "waiting"


def test_it_ends_when_the_person_is_taken_off_the_list(world: World) -> None:
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    waits = wait(world, beneficiary=father.public_id)
    remove_member(world.principal, father.public_id, NOON, in_use=lambda _session, _person: False)
    review(now=NOON)
    assert (entry(waits).state, entry(waits).cause) == ("ended", "person_gone")


def test_it_ends_when_all_its_sites_have_closed(world: World) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Site).values(closed_at=NOON))
    review(now=NOON)
    assert (entry(waits).state, entry(waits).cause) == ("ended", "offer_closed")


def test_it_ends_when_its_offer_has_ended(world: World) -> None:
    waits = wait(world)
    review(now=NOON)
    assert entry(waits).state == "waiting"
    with transaction() as session:
        session.execute(update(Offer).values(active=False))
    review(now=NOON)
    assert (entry(waits).state, entry(waits).cause, notices(world)) == ("ended", "offer_closed", ["waitlist_ended"])


def test_an_ended_entry_holds_no_offer_any_more(world: World) -> None:
    waits = wait(world)
    review(now=NOON_THEN)
    with reading() as session:
        assert session.query(WaitingPlace.open).filter_by(entry_id=entry(waits).id).all() == [(False,)]
