"""Checking in by the code on the customer's page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.answering import answer
from booking.answering.answer import TooEarly
from booking.answering.check_in import AlreadyCheckedIn, NoVisit, OtherDay, check_in
from booking.attendance.check_in_code import code_of, code_to_show, is_code
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.views.customer import booking as customers_view
from marketplace.core.errors import NotFound, Refusal
from tests.booking.answering.desk import MEMBER, at, desk_world, last_move, once, said
from tests.keys import use_keys
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import World, booking_row, set_provider

pytestmark = pytest.mark.usefixtures("db")


def confirmed(world: World) -> str:
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    return booking


def shown(world: World, booking: str) -> str:
    """The code on the customer's page."""
    return customers_view(world.principal, booking, now=NOON).check_in_code


def scan(world: World, code: str, *, hour: float = 8) -> str:
    return check_in(world.provider.id, code, once(), member=MEMBER, now=at(hour))


def test_the_code_on_the_customers_page_checks_her_in() -> None:
    world = desk_world()
    booking = confirmed(world)
    assert scan(world, shown(world, booking)) == booking
    assert booking_row(booking).state == "checked_in"
    assert last_move(booking) == ("checked_in", "provider", MEMBER)
    assert shown(world, booking) == "", "it has done its work"


def test_the_number_can_be_typed_as_people_write_it() -> None:
    world = desk_world()
    booking = confirmed(world)
    number = booking_row(booking).reference
    scan(world, f" {number[:2]} {number[2:5]}\u200b {number[5:].lower()} ")
    assert booking_row(booking).state == "checked_in"


@pytest.mark.parametrize("hour", [-6.1, -24])
def test_it_opens_nothing_before_the_evening_before(hour: float) -> None:
    world = desk_world()
    booking = confirmed(world)
    with pytest.raises(TooEarly):
        scan(world, shown(world, booking), hour=hour)
    assert booking_row(booking).state == "confirmed"
    scan(world, shown(world, booking), hour=-5.9)
    assert booking_row(booking).state == "checked_in"


def test_it_is_over_with_its_day() -> None:
    world = desk_world()
    booking = confirmed(world)
    with pytest.raises(OtherDay) as refused:
        scan(world, shown(world, booking), hour=24.1)
    assert refused.value.facts["service_date"] == booking_row(booking).service_date
    assert booking_row(booking).state == "confirmed"


def test_another_provider_finds_nothing_by_it() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    booking = confirmed(world)
    for code in (shown(world, booking), booking_row(booking).reference, booking):
        with pytest.raises(NotFound):
            scan(other, code)
    assert booking_row(booking).state == "confirmed"


def test_a_made_up_code_is_none_even_with_the_right_booking() -> None:
    world = desk_world()
    booking = confirmed(world)
    real = shown(world, booking)
    flipped = real[:-1] + ("A" if real[-1] != "A" else "B")
    moved = code_of(booking, booking_row(booking).service_date + timedelta(days=1))
    for code in (flipped, moved, real[:-1], f"AXC1:{booking}:", booking, "", " ", "x" * 500, "\0", "AX 000 0000"):
        with pytest.raises(NotFound):
            scan(world, code)
    assert booking_row(booking).state == "confirmed"


def test_a_picture_of_the_code_is_worth_nothing_once_the_date_was_changed() -> None:
    world = desk_world()
    booking = confirmed(world)
    picture = shown(world, booking)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    work(world)
    answer.accept_change(said(world, booking), now=NOON)
    assert shown(world, booking) == picture, "the same day: the same code"
    assert not is_code(picture, booking, booking_row(booking).service_date + timedelta(days=7))


def test_who_is_there_already_and_who_is_not_expected_are_told_apart() -> None:
    world = desk_world()
    booking = confirmed(world)
    code = shown(world, booking)
    scan(world, code)
    with pytest.raises(AlreadyCheckedIn):
        scan(world, code, hour=8.1)
    other = desk_world(phone="13800000022")
    cancelled = confirmed(other)
    code = shown(other, cancelled)
    cancel(other.principal, cancelled, now=NOON)
    work(other)
    with pytest.raises(NoVisit):
        scan(other, code)


def test_what_the_desk_has_not_agreed_to_cannot_be_checked_in() -> None:
    world = desk_world()
    booking = requested(world)
    assert shown(world, booking) == ""
    with pytest.raises(Refusal) as refused:
        scan(world, code_of(booking, booking_row(booking).service_date))
    assert refused.value.code == "not_confirmed"
    assert booking_row(booking).state == "awaiting_provider"


def test_there_is_a_code_only_where_a_desk_can_read_it() -> None:
    world = desk_world()
    booking = confirmed(world)
    assert code_to_show(booking_row(booking), "desk") == code_to_show(booking_row(booking), "partner") != ""
    assert code_to_show(booking_row(booking), "open_protocol") == code_to_show(booking_row(booking), "gone") == ""
    set_provider(world.provider, adapter="open_protocol")
    assert shown(world, booking) == ""


def test_a_code_outlives_a_change_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="old")
    world = desk_world()
    booking = confirmed(world)
    code = shown(world, booking)
    use_keys(monkeypatch, index="new old")
    scan(world, code)
    assert booking_row(booking).state == "checked_in"
    use_keys(monkeypatch, index="new")
    assert not is_code(code, booking, booking_row(booking).service_date)


def test_a_code_says_nothing_about_her() -> None:
    world = desk_world()
    booking = confirmed(world)
    code = shown(world, booking)
    assert set(code.split(":")[:2]) == {"AXC1", booking} and len(code.split(":")[2]) == 20
    assert "沈" not in code and "13800000021" not in code
