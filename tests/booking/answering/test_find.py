"""Finding a booking at the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from booking.answering.find import SEARCHES, find_bookings
from marketplace.catalog.models import Insurer
from marketplace.core.database.db import transaction
from marketplace.core.errors import TooMany
from tests.booking.answering.desk import MEMBER, desk_world, lines
from tests.people import NOON
from tests.providers.partner_api.answering import requested
from tests.world import World, booking_row, join
from vip.models import Customer

pytestmark = pytest.mark.usefixtures("db")


def found(world: World, wanted: str) -> list[str]:
    return [it.id for it in find_bookings(world.provider.id, wanted, member=MEMBER, now=NOON)]


def test_a_booking_is_found_by_name_number_and_whole_phone() -> None:
    world = desk_world()
    booking = requested(world)
    reference = booking_row(booking).reference
    for wanted in (
        "沈静宜",
        "静宜",
        " 沈 ",
        f"{reference[:2]} {reference[2:].lower()}",
        "138 0000 0021",
        "+8613800000021",
    ):
        assert found(world, wanted) == [booking], wanted
    for wanted in ("王", "0021", "13800000022", "%", "_", "", "x" * 61, "\0"):
        assert found(world, wanted) == [], wanted


def test_nobody_finds_another_providers_bookings_or_what_was_never_sent() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    booking, held = requested(world), other.hold()
    for wanted in ("沈", booking_row(booking).reference, "13800000021", booking_row(held).reference, "13800000022"):
        assert found(other, wanted) == [], wanted


def test_a_list_names_nobody_in_full() -> None:
    world = desk_world()
    requested(world)
    [it] = find_bookings(world.provider.id, "沈静宜", member=MEMBER, now=NOON)
    assert it.person_name == "沈**"


def test_each_search_is_one_line_of_the_audit_without_what_was_searched() -> None:
    world = desk_world()
    booking = requested(world)
    found(world, "沈静宜")
    found(world, "13800000099")
    first, second = lines("booking.searched")
    assert (first.actor_kind, first.actor, first.subject, first.facts) == (
        "provider",
        MEMBER,
        booking,
        {"by": "words", "found": 1},
    )
    assert (second.subject, second.facts) == ("", {"by": "phone", "found": 0})
    assert [first.insurer_id, second.insurer_id] == [booking_row(booking).insurer_id, None]


def test_each_insurer_whose_bookings_are_found_has_a_line_about_them() -> None:
    world = desk_world()
    ours = requested(world)
    elsewhere = join(world.provider, world.offer, world.slots, phone="13800000032")
    with transaction() as session:
        other = Insurer(public_id="ins_other", code="other", name_zh="另一家", name_en="Other")
        session.add(other)
        session.flush()
        session.execute(update(Customer).where(Customer.id == elsewhere.customer.id).values(insurer_id=other.id))
        insured = replace(elsewhere.principal, insurer_id=other.id)
    theirs = requested(replace(elsewhere, principal=insured), 1)
    assert sorted(found(world, "沈")) == sorted([ours, theirs])
    assert [(line.insurer_id, line.subject, line.facts["found"]) for line in lines("booking.searched")] == [
        (booking_row(ours).insurer_id, ours, 1),
        (booking_row(theirs).insurer_id, theirs, 1),
    ]


def test_searches_are_limited() -> None:
    world = desk_world(slots=0)
    for _ in range(SEARCHES.capacity):
        found(world, "")
    with pytest.raises(TooMany):
        found(world, "沈")
    assert find_bookings(world.provider.id, "沈", member="opr_other", now=NOON) == [], "each member has her own"


def test_a_name_finds_no_visits_of_long_ago() -> None:
    world = desk_world()
    requested(world)
    later = NOON + timedelta(days=100)
    assert find_bookings(world.provider.id, "沈", member=MEMBER, now=later) == []
