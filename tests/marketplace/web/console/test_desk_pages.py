"""The desk cancels for a customer, answers disputes; the customer sees what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking.exchange.inbound import apply_remote
from booking.ownership import VIEWED
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed, Refused
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, one_pass, remote, set_provider
from vip.operators.operators import create_admin

PASSWORD = "a long password"
PHONE = "13800000021"
END = EIGHT + timedelta(minutes=30)


@pytest.fixture
def desk(app: Flask, world: World) -> Visitor:
    """An operator at her desk."""
    create_admin("lin", PASSWORD, "林默", now=NOON)
    visitor = Visitor(app)
    visitor.post("/operators/sign-in", "/operators/sign-in", name="lin", password=PASSWORD)
    return visitor


def confirmed(world: World) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return public_id


def tell(world: World, public_id: str, status: str, version: int) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, status, version), now=clock.now())


def find(desk: Visitor, wanted: str):  # type: ignore[no-untyped-def]
    return desk.post("/operators/bookings", "/operators/bookings", wanted=wanted)


def test_a_booking_is_found_by_number_and_by_phone_and_no_number_stands_in_an_address(
    desk: Visitor, world: World
) -> None:
    first, second = confirmed(world), world.submit(1)
    number = booking_row(first).reference
    for wanted in (number, f"ax {number[2:6]} {number[6:]}"):
        assert find(desk, wanted).headers["Location"] == f"/operators/bookings/{first}"
    both = find(desk, "138 0000 0021")
    assert both.status_code == 200
    assert first in both.text and second in both.text and "沈静宜" in main(both)
    for nothing in ("AXNOTHING1", "", "\0", "13800000099", "x" * 500):
        assert "No booking has this number" in main(find(desk, nothing))


def test_the_desk_cancels_past_the_customers_window_with_a_reason_and_a_trace(desk: Visitor, world: World) -> None:
    public_id = confirmed(world)
    late = EIGHT - timedelta(hours=1)
    address = f"/operators/bookings/{public_id}/cancel"
    desk_now = Visitor(desk.app)
    with clock.frozen(late):
        desk_now.post("/operators/sign-in", "/operators/sign-in", name="lin", password=PASSWORD)
        told = main(desk_now.get(address))
        assert "The customer's own window closed at" in told and "One use of the benefit comes back" in told
        wrong = desk_now.post(address, address, reason="because")
        assert wrong.status_code == 422 and booking_row(public_id).version == 3
        answer = desk_now.post(address, address, reason="unwell")
        assert answer.headers["Location"] == f"/operators/bookings/{public_id}"
        assert "A cancel is with the provider." in main(desk_now.get(answer.headers["Location"]))
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=late)
        page = main(desk_now.get(answer.headers["Location"]))
    assert "Cancelled desk The person is unwell" in page
    kept = booking_row(public_id)
    assert (kept.state, kept.cause) == (BookingState.CANCELLED, "desk_unwell")
    assert counters(world.entitlement.id)["available"] == 4
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.subject == public_id).order_by(AuditLine.id)).all()
    (line,) = [each for each in lines if each.action != VIEWED]
    assert (line.action, line.actor_kind) == ("booking.cancelled_for_customer", "operator")
    assert line.facts == {"reason": "unwell", "past_window": True}


def test_what_the_desk_did_is_told_to_the_customer(desk: Visitor, visitor: Visitor, world: World) -> None:
    set_provider(world.provider, allotment=True)
    public_id = world.submit()
    address = f"/operators/bookings/{public_id}/cancel"
    assert "It ends at once" in main(desk.get(address))
    desk.post(address, address, reason="provider_trouble")
    page = main(visitor.get(f"/bookings/{public_id}"))
    assert "We cancelled this booking" in page and "Our service desk cancelled" in page
    assert "The nearest other times" in page
    again = desk.post(address, "/operators/bookings", reason="unwell")
    assert again.status_code == 303, "asking again changes nothing"
    assert "nothing to cancel" in main(desk.get(address))


_HANDED_OVER = "WITH hers AS (UPDATE customer SET insurer_id = {0}) UPDATE booking SET insurer_id = {0}"


def test_another_insurers_booking_is_not_there(desk: Visitor, world: World, owner_connection) -> None:  # type: ignore[no-untyped-def]
    public_id = confirmed(world)
    other = owner_connection.exec_driver_sql(
        "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone)"
        " VALUES ('ins_x', 'x', 'x', 'x', 'UTC') RETURNING id"
    ).scalar_one()
    owner_connection.exec_driver_sql(_HANDED_OVER.format(other))
    assert desk.get(f"/operators/bookings/{public_id}").status_code == 404
    cancel = f"/operators/bookings/{public_id}/cancel"
    assert desk.post(cancel, "/operators/bookings", reason="unwell").status_code == 404
    assert "No booking has this number" in main(find(desk, booking_row(public_id).reference))
    assert desk.get("/operators/bookings/%3Cx%3E").status_code == 404


def test_a_date_the_hospital_takes_away_is_rebooked_in_one_tap(visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    tell(world, public_id, "cancelled", 2)
    address = f"/bookings/{public_id}"
    page = main(visitor.get(address))
    assert "The hospital cancelled this booking Your benefit is back in full." in page
    assert "Tue 10 March 09:00–09:30" in page and "Take this time" in page
    answer = visitor.post(
        f"/offers/{world.offer.public_id}/times",
        address,
        slot=world.slots[1].public_id,
        **{"for": world.beneficiary.public_id, "idempotency_key": "k"},
    )
    held = answer.headers["Location"].split("/")[2]
    assert booking_row(held).state is BookingState.HELD and booking_row(held).starts_at == EIGHT + timedelta(hours=1)


def test_a_no_show_is_disputed_and_the_desks_answer_is_read(desk: Visitor, visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    with clock.frozen(END):
        tell(world, public_id, "no_show", 2)
        page = visitor.get(f"/bookings/{public_id}")
        assert "tell us by 24 March" in main(page) and f"/bookings/{public_id}/dispute" in page.text
        form = f"/bookings/{public_id}/dispute"
        assert "This is needed." in main(visitor.post(form, form, words="  "))
        long = visitor.post(form, form, words="x" * 1001)
        assert long.status_code == 422 and "at most 1000 characters" in main(long)
        assert visitor.post(form, form, words="我八点到的。\r\n<b>").status_code == 303
        assert "We are looking into it" in main(visitor.get(f"/bookings/{public_id}"))
        assert visitor.get(form).status_code == 303
    late = Visitor(desk.app)
    with clock.frozen(END + timedelta(days=1)):
        late.post("/operators/sign-in", "/operators/sign-in", name="lin", password=PASSWORD)
        waiting = late.get("/operators/disputes")
        address = waiting.text.split('href="/operators/disputes/')[1].split('"')[0]
        address = f"/operators/disputes/{address}"
        shown = late.get(address)
        assert "我八点到的。\n&lt;b&gt;" in shown.text and "reported at" in main(shown)
        refused = late.post(address, address, decision="rejected", words="")
        assert refused.status_code == 422 and "This is needed." in main(refused)
        assert late.post(address, address, decision="maybe", words="x").status_code == 422
        assert late.post(address, address, decision="rejected", words="没有签到记录").status_code == 303
        assert "No dispute waits for an answer." in main(late.get("/operators/disputes"))
        page = main(visitor.get(f"/bookings/{public_id}"))
    assert "We have looked into it; the record is unchanged." in page and "没有签到记录" in page
    assert late.get("/operators/disputes/dsp_none").status_code in (303, 404)


def test_a_booking_whose_date_was_changed_has_its_page_at_the_desk(
    desk: Visitor, visitor: Visitor, world: World
) -> None:
    public_id = confirmed(world)
    visitor.post(f"/bookings/{public_id}/change/check", "/me", slot=world.slots[1].public_id, idempotency_key="k")
    assert "Asked for another date" in main(desk.get(f"/operators/bookings/{public_id}"))
    one_pass(world, FakeAdapter(answers=[Refused("slot_full")]), now=NOON)
    shown = desk.get(f"/operators/bookings/{public_id}")
    assert shown.status_code == 200 and "The other date was not agreed" in main(shown)


def test_an_accepted_dispute_turns_the_page(desk: Visitor, visitor: Visitor, world: World) -> None:
    public_id = confirmed(world)
    with clock.frozen(EIGHT):
        tell(world, public_id, "no_show", 2)
    form = f"/bookings/{public_id}/dispute"
    visitor.post(form, form, words="I was there")
    waiting = desk.get("/operators/disputes").text
    address = "/operators/disputes/" + waiting.split('href="/operators/disputes/')[1].split('"')[0]
    desk.post(address, address, decision="fulfilled", words="")
    assert "We looked into it: you were there" in main(visitor.get(f"/bookings/{public_id}"))
    assert booking_row(public_id).state is BookingState.FULFILLED


def test_what_a_provider_told_too_early_is_shown_at_the_booking_with_its_case(desk: Visitor, world: World) -> None:
    public_id = confirmed(world)
    assert "before its day" not in main(desk.get(f"/operators/bookings/{public_id}"))
    tell(world, public_id, "no_show", 2)
    shown = desk.get(f"/operators/bookings/{public_id}")
    assert "They report a visit before its day" in main(shown) and "Confirmed" in main(shown)
    case = "/operators/differences/" + shown.text.split('href="/operators/differences/')[1].split('"')[0]
    assert "They report a visit before its day" in main(desk.get(case))
    desk.language = "zh"
    assert "服务方在服务日之前就报告了到检" in main(desk.get(f"/operators/bookings/{public_id}"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_desks_pages_are_there_in_both_languages(desk: Visitor, world: World, language: str) -> None:
    desk.language = language
    public_id = confirmed(world)
    for path in (f"/operators/bookings/{public_id}", f"/operators/bookings/{public_id}/cancel"):
        assert desk.get(path).status_code == 200
