"""Somebody who is sent, on the console's page of her booking: who, what was done by whose word, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import Engine

from booking.discrepancies import Discrepancy
from booking.escort.after.confirm import something_wrong, went_well
from booking.escort.at_desk.asked import accept_by_phone, asks_of, take_off
from booking.ownership import VIEWED
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.reported import EscortCost
from tests.booking.escort.outside.stage import HE, LIN, WORD, Outside, assigned, code, line, make_outside
from tests.booking.escort.staff import make_staff
from tests.desk import make_member, member
from tests.marketplace.web.console.entering import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import EIGHT, World, go
from vip.operators.operators import create_operator

SECRET = "血压偏高，建议复查"


@pytest.fixture
def one(db: Engine) -> Iterator[tuple[Outside, str]]:
    with clock.frozen(NOON):
        it = make_outside()
        booking = it.book()
        it.tell(assigned(booking), now=NOON)
        yield it, booking


def operator(app: Flask, role: str = "admin") -> Visitor:
    create_operator(role, PASSWORD, "林默", role, now=NOON)
    visitor = Visitor(app)
    assert enter(visitor, role).status_code == 303
    return visitor


def page(visitor: Visitor, booking: str) -> str:
    return main(visitor.get(f"/operators/bookings/{booking}"))


def told_whole(it: Outside, booking: str) -> None:
    """Somebody else than first named goes, and does all of it."""
    it.tell(line(booking, 2, "released", cause="ill"), now=NOON + timedelta(hours=1))
    it.tell(assigned(booking, 3, LIN, "竹林"), now=NOON + timedelta(hours=2))
    it.tell(line(booking, 4, "met", escort=LIN.code, code=code(booking)), now=EIGHT)
    it.tell(line(booking, 5, "note", escort=LIN.code, words=SECRET, minutes=30), now=EIGHT + timedelta(hours=1))
    cost = EscortCost(2650, "CNY", SECRET)
    it.tell(line(booking, 6, "cost", escort=LIN.code, cost=cost, minutes=40), now=EIGHT + timedelta(hours=1))
    it.tell(line(booking, 7, "handed_over", escort=LIN.code, words=SECRET, minutes=90), now=EIGHT + timedelta(hours=2))


def test_the_console_tells_who_was_sent_what_was_done_and_what_was_paid(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    told_whole(it, booking)
    with clock.frozen(EIGHT + timedelta(hours=2)):
        told = page(operator(app), booking)
    assert "Hospital escort: who goes and what was done" in told
    assert f"{LIN.name} She goes the provider's own system" in told
    assert f"{HE.name} S-17 Taken off: ill the provider's own system" in told
    assert f"Met {LIN.name} · the provider's own system The code was given. Today, 08:00" in told
    assert f"Handed over {LIN.name}" in told and "¥26.50 Without a receipt · the provider's own system" in told


def test_what_was_written_and_what_they_know_each_other_by_stays_the_customers(
    app: Flask, one: tuple[Outside, str]
) -> None:
    it, booking = one
    it_code = code(booking)
    told_whole(it, booking)
    with clock.frozen(EIGHT + timedelta(hours=2)):
        answer = operator(app).get(f"/operators/bookings/{booking}")
    for secret in (SECRET, WORD, "竹林", code(booking)):
        assert secret not in answer.text, secret
    assert it_code.isdigit() and "2 notes: for the customer alone, not shown here." in main(answer)


def test_a_look_is_one_line_of_the_audit_that_says_how_much_was_shown(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    it.tell(line(booking, 2, "met", code=code(booking)), now=EIGHT)
    admin = operator(app)
    page(admin, booking)
    admin.get(f"/operators/bookings/{booking}/cancel")
    with reading() as session:
        wanted = select(AuditLine).where(AuditLine.subject == booking, AuditLine.action == VIEWED)
        looks = session.scalars(wanted.order_by(AuditLine.id)).all()
    assert [(look.actor_kind, look.facts) for look in looks] == [("operator", {"steps": 1}), ("operator", {})]


def test_a_complaint_is_read_with_its_case_and_how_it_ended(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    told_whole(it, booking)
    customer, after = it.made.world.principal, EIGHT + timedelta(hours=3)
    something_wrong(customer, booking, "costs", now=after)
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id)).one()
    with clock.frozen(after):
        admin, agent = operator(app), operator(app, "agent")
        told = admin.get(f"/operators/bookings/{booking}")
        assert "The customer says: The costs are not right Open" in main(told)
        assert "Nothing is completed until that is closed." in main(told)
        assert told.text.count(f'href="/operators/differences/{case}"') == 2, "the warning's, and its own"
        of_an_agent = agent.get(f"/operators/bookings/{booking}")
        assert "The costs are not right" in main(of_an_agent) and case not in of_an_agent.text
        went_well(customer, booking, now=after)
        told = page(admin, booking)
    assert "The customer says that it went well after all. closed Today, 11:00" in told
    assert "She was there" in told and "Nothing is completed" not in told


def test_it_tells_of_our_own_escorts_whom_the_desk_asked(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        staff = make_staff(auto=False)
        booking = staff.book()
        admin = operator(app)
        told = page(admin, booking)
        assert "Nobody goes with it so far." in told and "Nothing was done yet." in told
        staff.ask(booking)
        told = page(admin, booking)
        name = staff.workers[0].shown_name
        assert f"{name} Asked the provider's desk" in told and "Nobody goes" not in told
        make_member(staff.provider.code, login="yan")
        manager = member("yan")
        accept_by_phone(manager, booking, asks_of(manager, booking)[0].id, now=NOON)
        assert f"{name} She goes the provider's desk" in page(admin, booking)
        take_off(manager, booking, asks_of(manager, booking)[0].id, "late", now=NOON)
        told = page(admin, booking)
        assert f"{name} Taken off: late the provider's desk" in told and "Nobody goes with it so far." in told
        go(booking, BookingState.CANCELLED)
        assert "Nobody goes" not in page(admin, booking), "it does not take place"


def test_where_nobody_is_sent_nothing_is_said_of_it(app: Flask, world: World) -> None:
    booking = world.submit()
    assert "who goes and what was done" not in page(operator(app), booking)
