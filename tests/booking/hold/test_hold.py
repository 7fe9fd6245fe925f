"""Holding a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from booking import refusals
from booking.actors import Actor
from booking.hold import place
from booking.hold.submit import submit
from booking.hold.take import HOLD, MOST_HELD, Held
from booking.idempotency import forget_keys
from booking.models import Slot
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound
from tests.people import NOON, counters, give
from tests.statements import statements_sent
from tests.world import booking_row, history, join, make_offer, make_world, taken
from vip.entitlements import of_customer
from vip.entitlements.ledger import EntitlementExhausted
from vip.entitlements.of_customer import ValidityOver
from vip.models import Entitlement
from vip.signin import authentication, signin

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick, pytest.mark.every_postgres]


def test_a_hold_takes_the_place_the_unit_and_the_price() -> None:
    world = make_world(quantity=2)
    kept = booking_row(world.hold())
    assert (kept.state, kept.price_minor, kept.currency) == ("held", 128000, "CNY")
    assert kept.hold_expires_at == NOON + timedelta(minutes=10)
    assert taken(world.slots[0]) == 1
    assert counters(world.entitlement.id) == {
        "granted": 2, "available": 1, "reserved": 1, "used": 0, "expired": 0, "revoked": 0,
    }  # fmt: skip
    assert history(kept.public_id) == ["held"]
    assert kept.snapshot["offer"]["zh"] == "甄选套餐"


def test_the_same_key_makes_one_booking_and_another_body_is_refused() -> None:
    world = make_world()
    first = world.hold(key="k")
    assert world.hold(key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        place.hold(world.principal, world.request(), key="k", fingerprint=b"other", now=NOON)
    assert taken(world.slots[0]) == 1


def test_the_same_key_gives_the_same_answer_after_the_slot_has_filled_and_another_body_is_refused_for_the_key() -> None:
    world = make_world(capacity=1)
    first = world.hold(key="k")
    with pytest.raises(refusals.SlotFull):
        world.hold(key="another")
    again = partial(place.hold, world.principal, world.request(), key="k", now=NOON + timedelta(minutes=1))
    assert again(fingerprint=b"f").public_id == first
    with pytest.raises(IdempotencyKeyReused):
        again(fingerprint=b"other")


def test_a_key_belongs_to_its_caller() -> None:
    world = make_world()
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    assert world.hold(key="same") != other.hold(key="same")


def test_a_hold_is_a_use_of_the_session_written_once_in_a_tenth_of_what_it_may_stand_unused() -> None:
    world = make_world()
    token, tenth = signin.issue_token("13800000021", NOON).token, timedelta(days=14) / 10
    shown, sent = authentication.credential(token), []
    for passed in (tenth - timedelta(seconds=1), tenth, tenth * 2 - timedelta(seconds=1)):
        with statements_sent() as seen:
            place.hold(shown, world.request(), key="k", fingerprint=b"", now=NOON + passed)
        sent.append([line.split()[0] for line in seen])
    assert sent[0] == ["SELECT", "SELECT"]
    assert [each.count("UPDATE") for each in sent] == [0, 1, 0]
    assert (
        authentication.authenticate(token, now=NOON + tenth + timedelta(days=13)).public_id == world.customer.public_id
    )


def test_a_full_slot_refuses_and_nothing_is_taken() -> None:
    world = make_world(capacity=1)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    other.hold()
    with pytest.raises(refusals.SlotFull):
        world.hold()
    assert counters(world.entitlement.id)["available"] == 2
    assert counters(world.entitlement.id)["reserved"] == 0


def test_a_slot_that_closes_between_the_look_and_the_taking_is_closed_rather_than_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world()
    take = place.take

    def after_it_closed(*asked: Any) -> Held:
        with transaction() as session:
            session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(closed=True))
        return take(*asked)

    monkeypatch.setattr(place, "take", after_it_closed)
    with pytest.raises(refusals.SlotClosed):
        world.hold()
    assert (taken(world.slots[0]), counters(world.entitlement.id)["reserved"]) == (0, 0)


def test_the_last_unit_goes_once() -> None:
    world = make_world(quantity=1)
    world.hold(0)
    with pytest.raises(EntitlementExhausted):
        world.hold(1)
    assert taken(world.slots[1]) == 0


def test_the_earliest_expiring_entitlement_pays_first_and_the_next_takes_over() -> None:
    world = make_world(quantity=1)
    sooner = give(world.customer, 1, valid_until=date(2026, 4, 30))
    world.hold(0)
    assert counters(sooner.id)["reserved"] == 1
    world.hold(1)
    assert counters(world.entitlement.id)["reserved"] == 1


def test_nobody_is_booked_twice_at_one_time() -> None:
    world = make_world()
    first = world.hold(0)
    with pytest.raises(refusals.AlreadyBooked) as refused:
        world.hold(0)
    assert refused.value.facts == {"booking": first, "reference": booking_row(first).reference}
    assert taken(world.slots[0]) == 1
    assert counters(world.entitlement.id)["reserved"] == 1


def test_a_day_slot_occupies_the_whole_day_in_the_sites_zone() -> None:
    world = make_world()
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(starts_at=None, ends_at=None))
    world.hold(0)
    with pytest.raises(refusals.AlreadyBooked):
        world.hold(1)


def test_the_service_date_must_lie_within_validity() -> None:
    world = make_world(quantity=None)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=date(2026, 3, 9)))
    with pytest.raises(ValidityOver):
        world.hold()
    assert counters(world.entitlement.id)["reserved"] == 0


@pytest.mark.parametrize("field", ["offer", "slot", "beneficiary", "entitlement"])
def test_a_wrong_id_is_named_by_its_field(field: str) -> None:
    world = make_world()
    request = replace(world.request(), **{field: f"{field[:3]}_00000000000000000000"})
    with pytest.raises(NotFound) as refused:
        place.hold(world.principal, request, key="k", fingerprint=b"f", now=NOON)
    assert refused.value.at == f"{field}_id"


@pytest.mark.parametrize("field", ["beneficiary", "entitlement"])
def test_what_belongs_to_somebody_else_looks_like_nothing(field: str) -> None:
    world = make_world()
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    theirs = {"beneficiary": other.beneficiary.public_id, "entitlement": other.entitlement.public_id}[field]
    with pytest.raises(NotFound) as refused:
        world.hold(**{field: theirs})
    assert refused.value.at == f"{field}_id"


def test_a_slot_of_another_pool_is_not_there() -> None:
    world = make_world()
    _, _, others = make_offer()
    request = replace(world.request(), slot=others[0].public_id)
    with pytest.raises(NotFound) as refused:
        place.hold(world.principal, request, key="k", fingerprint=b"f", now=NOON)
    assert refused.value.at == "slot_id"


def test_a_slot_that_begins_too_soon_is_refused() -> None:
    world = make_world()
    with pytest.raises(refusals.SlotPast):
        world.hold(now=world.slots[0].starts_at - timedelta(minutes=719))  # type: ignore[operator]


def test_age_and_sex_rules_of_the_package_hold() -> None:
    world = make_world(package={"items": [], "sex": "male", "age_min": 18, "age_max": 70})
    with pytest.raises(NotEligible):
        world.hold()


def test_a_slot_that_nobody_can_book_is_told_before_what_she_herself_may_not_book() -> None:
    world = make_world(capacity=1, package={"items": [], "sex": "male"})
    with pytest.raises(NotEligible):
        world.hold()
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(closed=True))
        session.execute(update(Slot).where(Slot.id == world.slots[1].id).values(offered=0, capacity=0))
    with pytest.raises(refusals.SlotClosed):
        world.hold(0)
    with pytest.raises(refusals.SlotPast):
        world.hold(2, now=world.slots[2].starts_at)  # type: ignore[arg-type]
    with pytest.raises(NotEligible):  # a place may become free, but not for her
        world.hold(1)


def test_answers_are_checked_and_sealed() -> None:
    world = make_world()
    with pytest.raises(Invalid) as refused:
        world.hold(details={"no_such_question": 1})
    assert refused.value.at.startswith("details")  # type: ignore[union-attr]
    public_id = world.hold(details={"note": "晕针"})
    with reading() as session:
        sealed = session.execute(
            text("SELECT details_sealed FROM booking WHERE public_id = :id"), {"id": public_id}
        ).scalar_one()
    assert sealed is not None
    assert "晕针".encode() not in sealed
    assert b"note" not in sealed


def test_no_row_of_a_refused_hold_remains(db: Engine) -> None:
    world = make_world(quantity=1)
    world.hold(0, key="first")
    with pytest.raises(EntitlementExhausted):
        world.hold(1, key="second")
    with db.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM booking")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM idempotency_key")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM slot_claim")).scalar_one() == 1


def test_a_closed_slot_and_a_day_outside_the_offers_season_are_refused() -> None:
    world = make_world()
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(closed=True))
        session.execute(update(Offer).where(Offer.id == world.offer.id).values(available_until=date(2026, 3, 10)))
    with pytest.raises(refusals.SlotClosed):
        world.hold(0)
    world.hold(1)
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == world.offer.id).values(available_until=date(2026, 3, 9)))
    with pytest.raises(refusals.SlotClosed):
        world.hold(2)
    with transaction() as session:
        season = {"available_from": date(2026, 3, 11), "available_until": None}
        session.execute(update(Offer).where(Offer.id == world.offer.id).values(season))
    with pytest.raises(refusals.SlotClosed):
        world.hold(2)


def test_ten_places_are_held_for_a_customer_at_most_and_what_is_over_or_submitted_does_not_count() -> None:
    world = make_world(slots=12, quantity=None)
    held = [world.hold(slot) for slot in range(MOST_HELD)]
    with pytest.raises(refusals.TooManyHeld) as refused:
        world.hold(10)
    assert (refused.value.facts, taken(world.slots[10])) == ({"most": 10}, 0)
    submit(world.principal, held[0], now=NOON)
    world.hold(10)
    with pytest.raises(refusals.TooManyHeld):
        world.hold(11)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    other.hold(11)
    world.hold(11, now=NOON + HOLD)  # the clock has not swept them yet


def test_a_hold_looks_at_no_holds_of_others_however_many_there_are() -> None:
    world = make_world(slots=20, quantity=None)
    for slot in range(9):
        world.hold(slot)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    actor = Actor("customer", other.principal.public_id)
    read = text("SELECT pg_stat_get_xact_tuples_returned('ix_booking_hold'::regclass)")
    with transaction() as session:
        before = session.scalar(read)
        place.hold_for(session, other.principal, other.request(10), key="k", until=NOON + HOLD, actor=actor, now=NOON)
        after = session.scalar(read)
    assert after == before


def test_keys_are_kept_for_two_days_and_then_all_forgotten() -> None:
    world = make_world(slots=5, quantity=5)
    for slot in range(5):
        world.hold(slot)
    assert forget_keys(now=NOON + timedelta(hours=47)) == 0
    assert forget_keys(now=NOON + timedelta(hours=49), batch=2) == 5
    assert forget_keys(now=NOON + timedelta(hours=49), batch=2) == 0


@pytest.mark.parametrize("fingerprint", [b"f", b"g"])
def test_a_request_that_ran_beside_this_one_took_its_key(fingerprint: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wrote after this one had read what it judges by: the same request is answered with what that one made, and
    another one is refused."""
    world, first = make_world(quantity=2), []

    def choose(*asked: object) -> list[int]:
        monkeypatch.setattr(place, "choose", of_customer.choose)
        first.append(world.hold(key="same"))
        return of_customer.choose(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(place, "choose", choose)
    ask = partial(place.hold, world.principal, world.request(), key="same", fingerprint=fingerprint, now=NOON)
    if fingerprint == b"f":
        assert (ask().public_id, ask().replayed) == (first[0], True)
    else:
        with pytest.raises(IdempotencyKeyReused):
            ask()
    assert taken(world.slots[0]) == 1 and counters(world.entitlement.id)["reserved"] == 1
