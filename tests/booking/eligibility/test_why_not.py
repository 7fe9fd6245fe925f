"""Why not: each reason by itself, said before a booking and refused at the door by the same code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from booking.eligibility.why_not import why_not
from booking.models import Slot
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.text import Text
from tests.escorts import HERSELF, KIND, EscortWorld, add_site, close, cover, make_escorts, put
from tests.people import NOON
from tests.world import DAY, booking_row, make_slot
from vip.customers.family import NewMember, new_beneficiary
from vip.models import Beneficiary, Customer, Entitlement
from vip.policies.facts import InsuredFacts
from vip.policies.models import Policy

pytestmark = pytest.mark.usefixtures("db")

LATER = DAY + timedelta(days=3)
FATHER = InsuredFacts("沈伯年", date(1951, 9, 3), "male", "father")


@dataclass
class Case:
    """What is so, the reasons that are given, and what a hold is refused with (None where a hold names a time)."""

    make: Callable[[], EscortWorld]
    said: list[str]
    refused: str | None = ""
    asked: dict[str, Any] | None = None


def lapsed() -> EscortWorld:
    made = make_escorts()
    put(version=2, status="lapsed")
    return made


def ends_before() -> EscortWorld:
    made = make_escorts(policy=False)
    put(until=DAY - timedelta(days=1))
    return made


def short_term() -> EscortWorld:
    made = make_escorts(policy=False)
    put(long_term=False)
    return made


def for_father_alone() -> EscortWorld:
    made = make_escorts(policy=False)
    with transaction() as session:
        customer = session.get_one(Customer, made.world.customer.id)
        session.add(new_beneficiary(customer, NewMember("father", FATHER.name, FATHER.sex, FATHER.birth_date)))
    put(insured=(FATHER,))
    return made


def one_hospital() -> EscortWorld:
    made = make_escorts(level=None)
    cover("covered", site_id=add_site("杭州另一医院").id)
    return made


def other_tier() -> EscortWorld:
    made = make_escorts(level=None)
    add_site("杭州二级医院", tier="二级甲等")
    cover("covered", tier="二级甲等")
    return made


def from_next_month() -> EscortWorld:
    made = make_escorts(level=None)
    cover("covered", since=date(2026, 4, 1))
    return made


def used_up() -> EscortWorld:
    made = make_escorts(quantity=1)
    made.hold(1)
    return made


def no_benefit() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(
            update(Entitlement).where(Entitlement.id == made.world.entitlement.id).values(kind="health_check")
        )
    return made


def too_near() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == made.world.offer.id).values(lead_minutes=60 * 24 * 30))
    return made


def all_taken() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(update(Slot).values(closed=True))
    return made


def off_sale() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(update(Offer).values(active=False))
    return made


def closed() -> EscortWorld:
    made = make_escorts()
    close(made, DAY)
    return made


ON_DAY = {"day": DAY}
CASES = {
    "nothing": Case(make_escorts, [], None),
    "on request is no reason against it": Case(lambda: make_escorts(level="on_request"), [], None),
    "no policy": Case(lambda: make_escorts(policy=False), ["no_policy"], "no_policy"),
    "a policy that has lapsed": Case(lapsed, ["policy_not_in_force"], "policy_not_in_force"),
    "a policy that ends before the day": Case(ends_before, ["policy_not_in_force"], "policy_not_in_force"),
    "a short-term policy": Case(short_term, ["policy_not_long_term"], "policy_not_long_term"),
    "a policy of her father's": Case(for_father_alone, ["person_not_insured"], "person_not_insured"),
    "nothing said of the city": Case(lambda: make_escorts(level=None), ["city_not_covered"], "city_not_covered"),
    "covered from a later day on": Case(from_next_month, ["city_not_covered"], "city_not_covered"),
    "another tier": Case(other_tier, ["tier_not_covered"], "tier_not_covered"),
    "another hospital of its tier": Case(one_hospital, ["venue_not_covered"], "venue_not_covered"),
    "closed that day": Case(closed, ["venue_closed"], "venue_closed"),
    "quota used": Case(used_up, ["entitlement_exhausted"], "entitlement_exhausted"),
    "no such benefit": Case(no_benefit, ["no_entitlement"], "no_entitlement"),
    "too short notice": Case(too_near, ["too_short_notice"], "slot_past", ON_DAY),
    "no time left": Case(all_taken, ["no_time_then"], "slot_closed", ON_DAY),
    "nobody offers it": Case(off_sale, ["not_offered_there"], "offer_closed", ON_DAY),
    "several at once": Case(
        lambda: make_escorts(policy=False, level=None), ["no_policy", "city_not_covered"], "no_policy"
    ),
}


def codes(made: EscortWorld, **asked: Any) -> list[str]:
    found = why_not(
        made.world.principal, KIND, made.venue.public_id, made.world.beneficiary.public_id, **asked, now=NOON
    )
    cities = [each.facts["city"] for each in found.reasons if "city" in each.facts]
    assert cities in ([], [Text("杭州", "Hangzhou")]), "a city is named in the reader's language"
    return [each.code for each in found.reasons]


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_before_is_what_a_booking_is_refused_with(name: str) -> None:
    case = CASES[name]
    made = case.make()
    assert codes(made, **(case.asked or {})) == case.said
    if case.refused is None:
        made.hold()
    else:
        with pytest.raises(Refusal) as refused:
            made.hold()
        assert refused.value.code == case.refused


def test_a_policy_that_ends_leaves_the_booking_and_refuses_a_day_after_it() -> None:
    made = make_escorts()
    booking = made.hold()
    put(version=2, status="lapsed")
    with reading() as session:
        kept = session.scalars(select(Slot.taken).where(Slot.id == made.world.slots[0].id)).one()
    assert kept == 1
    assert codes(made) == ["policy_not_in_force"]
    row = booking_row(booking)
    assert row.snapshot["policy"]["product"] == "LT-1" and row.snapshot["coverage"] == "covered"


def test_the_first_free_day_is_told_where_the_notice_is_too_short() -> None:
    made = make_escorts()
    found = why_not(
        made.world.principal,
        KIND,
        made.venue.public_id,
        made.world.beneficiary.public_id,
        DAY - timedelta(days=8),
        now=NOON,
    )
    assert [(each.code, each.facts["earliest"]) for each in found.reasons] == [("no_time_then", DAY)]


def not_valid_yet() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_from=LATER))
    return made


def policy_from_then() -> EscortWorld:
    made = make_escorts()
    with transaction() as session:
        session.execute(update(Policy).values(in_force_from=LATER))
    return made


def covered_from_then() -> EscortWorld:
    made = make_escorts(level=None)
    cover("covered", since=LATER)
    return made


FIRST_DAY = {
    "venue_closed": closed,
    "entitlement_not_yet_valid": not_valid_yet,
    "policy_not_in_force": policy_from_then,
    "city_not_covered": covered_from_then,
}


@pytest.mark.parametrize("code", FIRST_DAY)
def test_without_a_day_it_is_the_first_one_against_which_nothing_stands(code: str) -> None:
    made = FIRST_DAY[code]()
    me, person = made.world.principal, made.world.beneficiary.public_id
    starts = made.world.slots[0].starts_at
    assert starts is not None
    alone = why_not(me, KIND, made.venue.public_id, person, now=NOON)
    assert (alone.day, [each.code for each in alone.reasons]) == (DAY, [code]), "no other day has a time"
    with transaction() as session:
        for later in (1, 3, 5):
            session.add(make_slot(made.world.slots[0].pool_id, starts + timedelta(days=later), 1))
    found = why_not(me, KIND, made.venue.public_id, person, now=NOON)
    assert (found.day, found.reasons) == (DAY + timedelta(days=1) if code == "venue_closed" else LATER, ())
    assert codes(made, day=DAY) == [code], "of a day that was named, what stands against that day"


def test_what_is_not_hers_or_not_there_is_not_found(db: Engine) -> None:
    made = make_escorts()
    me, person, venue = made.world.principal, made.world.beneficiary.public_id, made.venue.public_id
    with pytest.raises(NotFound):
        why_not(me, KIND, "sit_nowhere", person, now=NOON)
    with pytest.raises(NotFound):
        why_not(me, KIND, venue, "ben_0k9x0v8m5r2k7c1x9d4t", now=NOON)
    with pytest.raises(NotFound):
        why_not(me, "no_such_kind", venue, person, now=NOON)
    with pytest.raises(Invalid):
        why_not(me, "health_check", venue, person, now=NOON)
    with transaction() as session:
        session.execute(update(Beneficiary).where(Beneficiary.id == made.world.beneficiary.id).values(removed_at=NOON))
    with pytest.raises(NotFound):
        why_not(me, KIND, venue, person, now=NOON)


def test_herself_is_whom_the_policy_names() -> None:
    """The tests' policy insures her whom the tests' customer is, so that the cases above say what they seem to."""
    made = make_escorts()
    assert (HERSELF.name, HERSELF.birth_date) == (made.world.beneficiary.name, made.world.beneficiary.birth_date)
