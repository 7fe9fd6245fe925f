"""Joining, book it for me, withdrawing, and the end without her doing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from booking.hold.submit import submit
from booking.waiting import join as waiting
from booking.waiting.models import MOST_OPEN, WaitingPlace
from booking.waiting.offers import review
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound
from tests.booking.waiting.lines import elsewhere, other
from tests.people import NOON, counters, make_customer, self_of
from tests.waiting import (
    criteria,
    entry,
    fill,
    give_up,
    notices,
    offered,
    on,
    serve,
    wait,
)
from tests.world import EIGHT, World, booking_row, history, make_world
from vip.customers.family import NewMember, add_member, remove_member
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import NoEntitlement
from vip.models import Entitlement

NOON_THEN = EIGHT + timedelta(hours=4)
"""On the day itself: twelve hours before it ends, when booking closes for its last moment."""

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


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


def test_it_goes_on_while_its_provider_is_without_a_certificate_and_nobody_joins(world: World) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Offer).values(certified=False))
    review(now=NOON)
    assert entry(waits).state == "waiting"
    with pytest.raises((NotFound, Invalid)):
        wait(world)


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
