"""Who may begin what has no slot, and of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import update

from booking.changes.cancel import cancel
from booking.closures.close import close_site, reopen_site
from booking.consultation.open import Opening, open_consultation
from booking.hold import place
from booking.hold.begin import MOST_OPEN, BeginRequest, HasTimes, TooManyOpen
from booking.idempotency import Repeatable
from booking.offers.at_once import offers_at_once
from booking.ownership import is_booked
from booking.refusals import HasNoTimes, OfferClosed
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import transaction
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON, TODAY, consents, counters, make_customer, make_insurer, self_of
from tests.world import add_offer, make_slot, set_provider
from vip.customers.consent import ConsentMissing
from vip.customers.family import NewMember, add_member, remove_member
from vip.entitlements.of_customer import NotShared
from vip.models import Entitlement
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")

MOTHER = NewMember("mother", "顾婉清", "female", date(1954, 2, 18))
CHILD = NewMember("daughter", "陆小满", "female", date(2019, 5, 21))


def add(practice: Practice, member: NewMember) -> str:
    return add_member(practice.world.principal, member, NOON).public_id


def set_offer(practice: Practice, **values: object) -> None:
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == practice.world.offer.id).values(**values))


def test_an_adult_of_the_family_has_to_agree_first() -> None:
    practice = make_practice()
    mother = add(practice, MOTHER)
    with pytest.raises(ConsentMissing) as refused:
        practice.open(beneficiary=mother)
    assert refused.value.facts == {"beneficiary_id": mother}
    assert counters(practice.world.entitlement.id)["reserved"] == 0
    consents(mother)
    assert practice.open(beneficiary=mother).booking


def test_a_child_of_the_family_is_asked_for_by_who_looks_after_her() -> None:
    practice = make_practice()
    assert practice.open(beneficiary=add(practice, CHILD)).booking


def test_nobody_who_was_removed_or_is_of_another_family() -> None:
    practice = make_practice()
    removed = add(practice, CHILD)
    remove_member(practice.world.principal, removed, NOON, in_use=is_booked)
    for person in (removed, self_of(make_customer("13800000099")).public_id, "ben_0000000000000000000000"):
        with pytest.raises(NotFound) as refused:
            practice.open(beneficiary=person)
        assert refused.value.at == "beneficiary_id"


def test_a_benefit_for_herself_alone_is_not_for_her_child() -> None:
    practice = make_practice()
    with transaction() as session:
        session.execute(update(Entitlement).values(sharing="self"))
    with pytest.raises(NotShared):
        practice.open(beneficiary=add(practice, CHILD))


def test_an_offer_of_another_market_is_not_there() -> None:
    practice = make_practice()
    practice.world.principal = replace(practice.world.principal, market=LIVE + 77)
    with pytest.raises(NotFound) as refused:
        practice.open()
    assert refused.value.at == "offer_id"


def test_an_offer_with_times_is_not_begun_at_once() -> None:
    practice = make_practice()
    with transaction() as session:
        _, checkup, _ = add_offer(session)
        offer = checkup.public_id
    with pytest.raises(HasTimes):
        practice.open(offer=offer)


def test_no_slot_is_held_for_an_offer_that_begins_at_once_even_where_its_pool_has_some() -> None:
    practice = make_practice()
    world = practice.world
    with transaction() as session:
        slot = make_slot(world.offer.pool_id, NOON.replace(day=10), 5)
        session.add(slot)
        session.flush()
        wanted = place.HoldRequest(world.offer.public_id, slot.public_id, world.beneficiary.public_id, None, {})
    with pytest.raises(HasNoTimes) as refused:
        place.hold(world.principal, wanted, key="k", fingerprint=b"f", now=NOON)
    assert refused.value.at == "offer_id"
    assert counters(world.entitlement.id)["reserved"] == 0


@pytest.mark.parametrize("values", [{"active": False}, {"certified": False}])
def test_an_offer_that_is_not_given_out_is_not_begun(values: dict[str, bool]) -> None:
    practice = make_practice()
    set_offer(practice, **values)
    with pytest.raises(OfferClosed):
        practice.open()
    assert offers_at_once(market=LIVE, now=NOON) == []


def test_a_provider_whose_people_do_not_answer_here_is_asked_nothing() -> None:
    practice = make_practice()
    set_provider(practice.world.provider, adapter="open_protocol")
    with pytest.raises(OfferClosed):
        practice.open()
    assert offers_at_once(market=LIVE, now=NOON) == []


def test_a_site_that_is_closed_today_begins_nothing_and_what_runs_goes_on() -> None:
    practice = make_practice()
    opened = practice.open()
    with transaction() as session:
        site = session.get_one(Site, practice.world.offer.site_id).public_id
    admin = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    closure = close_site(admin, site, TODAY, TODAY, "cancel", now=NOON)
    with pytest.raises(OfferClosed):
        practice.open()
    assert offers_at_once(market=LIVE, now=NOON) == []
    assert practice.ask(opened.conversation, "还疼").seq == 1
    reopen_site(admin, closure, now=NOON)
    assert practice.open().booking


def test_a_person_outside_the_ages_of_the_package_is_refused() -> None:
    practice = make_practice()
    set_offer(practice, package={**practice.world.offer.package, "age_min": 18})
    with pytest.raises(NotEligible):
        practice.open(beneficiary=add(practice, CHILD))


def test_what_does_not_follow_the_questions_is_refused_by_its_field() -> None:
    with pytest.raises(Invalid) as refused:
        make_practice().open(details={"since": "ages ago"})
    assert refused.value.at == "details.since"


def test_as_many_are_open_as_may_be_and_one_more_when_one_has_ended() -> None:
    practice = make_practice(quantity=None)
    first, *_others = [practice.open() for _ in range(MOST_OPEN)]
    with pytest.raises(TooManyOpen) as refused:
        practice.open()
    assert refused.value.facts == {"most": MOST_OPEN}
    cancel(practice.world.principal, first.booking, now=NOON)
    assert practice.open().booking


def test_a_key_that_was_used_for_something_else_is_refused() -> None:
    practice = make_practice()
    practice.open(key="mine")
    world = practice.world
    wanted = BeginRequest(world.offer.public_id, world.beneficiary.public_id, None, {})
    with pytest.raises(IdempotencyKeyReused):
        open_consultation(
            world.principal,
            Opening(wanted, "dermatology", "zh"),
            Repeatable(world.principal.public_id, "mine", b"another"),
            now=NOON,
        )
