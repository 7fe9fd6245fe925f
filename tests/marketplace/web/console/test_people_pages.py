"""Customers and operators in the console: found, blocked, erased, made."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.models import Booking
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.web import formats
from tests.marketplace.web.console.entering import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, go
from vip.signin.signin import RECENT


def test_an_operator_changes_her_password(operator: Visitor) -> None:
    page, new = "/operators/password", "another river, another boat"
    wrong = operator.post(page, page, present="wrong", new=new)
    assert wrong.status_code == 422 and 'id="f-present-error"' in wrong.text and new not in wrong.text
    easy = operator.post(page, page, present=PASSWORD, new="password1234")
    assert easy.status_code == 422 and "too easy to guess" in main(easy) and 'id="f-new-error"' in easy.text
    assert operator.post(page, page, present=PASSWORD, new=new).headers["Location"] == page
    assert "Your password is changed" in operator.get(page).text
    assert enter(Visitor(operator.app)).status_code == 422
    assert enter(Visitor(operator.app), password=new).status_code == 303


def test_who_guesses_at_the_present_password_is_told_when_to_come_back(operator: Visitor) -> None:
    page = "/operators/password"
    for _ in range(10):
        operator.post(page, page, present="wrong", new="another river, another boat")
    answer = operator.post(page, page, present=PASSWORD, new="another river, another boat")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "360")
    assert "possible in 6 minutes" in main(answer)


def test_a_customer_is_found_blocked_and_unblocked(operator: Visitor, world: World) -> None:
    hers = Visitor.signed_in(operator.app, "13800000021")
    nobody = operator.post("/operators/customers", "/operators/customers", phone="13900000000")
    assert nobody.status_code == 422 and "No customer has this phone." in main(nobody)
    path = operator.post("/operators/customers", "/operators/customers", phone="13800000021").headers["Location"]
    assert path == f"/operators/customers/{world.customer.public_id}"
    assert "138****0021" in main(operator.get(path)) and "13800000021" not in operator.get(path).text
    assert operator.post(path, path, block="1").headers["Location"] == path
    assert "Blocked since" in main(operator.get(path)) and hers.get("/me").status_code == 303
    operator.post(path, path)
    assert "May sign in" in main(operator.get(path))
    assert Visitor.signed_in(operator.app, "13800000021").get("/me").status_code == 200


def test_a_customer_who_asks_for_it_is_erased(operator: Visitor, world: World) -> None:
    path = f"/operators/customers/{world.customer.public_id}"
    assert f'href="{path}/erase"' in operator.get(path).text
    assert "What must stay, and until when" in main(operator.get(f"{path}/erase"))
    assert "They name nobody" in main(operator.post(f"{path}/erase", f"{path}/erase"))
    assert operator.get(path).status_code == 404, "there is nobody to show"
    found = operator.post("/operators/customers", "/operators/customers", phone="13800000021")
    assert found.status_code == 422 and "No customer has this phone." in main(found)


def test_the_desk_still_shows_the_bookings_of_who_was_erased_without_a_name(operator: Visitor, world: World) -> None:
    booking = world.submit()
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    path = f"/operators/customers/{world.customer.public_id}"
    operator.post(f"{path}/erase", f"{path}/erase")
    page = operator.get(f"/operators/bookings/{booking}")
    assert page.status_code == 200 and "沈静宜" not in page.text


def test_the_console_names_the_booking_that_stands_in_the_way_of_an_erasure(operator: Visitor, world: World) -> None:
    world.submit()
    page = f"/operators/customers/{world.customer.public_id}/erase"
    assert (operator.get(page).status_code, "is under way" in main(operator.get(page))) == (409, True)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("under_way", [False, True])
def test_the_page_that_erases_a_customer_is_headed_by_her_masked_name_and_never_by_her_id(
    operator: Visitor, world: World, language: str, under_way: bool
) -> None:
    if under_way:
        world.submit()
    operator.language = language
    page = operator.get(f"/operators/customers/{world.customer.public_id}/erase")
    assert '<h2 class="h3" id="erase-title">沈**</h2>' in page.text and "沈静宜" not in page.text
    assert world.customer.public_id not in main(page)


def test_who_was_erased_before_has_no_name_on_that_page(operator: Visitor, world: World) -> None:
    path = f"/operators/customers/{world.customer.public_id}/erase"
    operator.post(path, path)
    page = operator.get(path)
    assert page.status_code == 200 and '<h2 class="h3" id="erase-title">The data is deleted</h2>' in page.text


def test_each_look_at_the_page_that_erases_her_is_one_line_also_when_she_is_erased(
    operator: Visitor, world: World
) -> None:
    path = f"/operators/customers/{world.customer.public_id}/erase"
    booking = world.submit()
    looks = []
    for look in (
        lambda: operator.get(path),  # a booking is under way
        lambda: operator.post(path, path[: -len("/erase")]),
        lambda: go(booking, BookingState.CONFIRMED, BookingState.FULFILLED),
        lambda: operator.get(path),
        lambda: operator.post(path, path),  # the form is looked at, then she is erased
        lambda: operator.get(path),
    ):
        look()
        looks.append(viewed(world.customer.public_id))
    assert looks == [1, 3, 3, 4, 5, 6]


def viewed(customer: str) -> int:
    """How many lines say that she was looked at."""
    with reading() as session:
        lines = select(AuditLine).where(AuditLine.action == "customer.viewed", AuditLine.subject == customer)
        return len(session.scalars(lines).all())


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_erasure_that_needs_a_new_sign_in_says_within_how_many_minutes(
    operator: Visitor, world: World, language: str
) -> None:
    operator.language = language
    path = f"/operators/customers/{world.customer.public_id}/erase"
    operator.get(path)
    with clock.frozen(NOON + RECENT + timedelta(seconds=1)):
        said = main(operator.post(path, path))
    minutes = int(RECENT.total_seconds() // 60)
    assert (f"within {minutes} minutes" if language == "en" else f"{minutes} 分钟内") in said


def test_the_booking_in_the_way_is_a_link_with_its_number_as_it_is_read_out(operator: Visitor, world: World) -> None:
    booking = world.submit()
    page = operator.get(f"/operators/customers/{world.customer.public_id}/erase")
    with reading() as session:
        number = formats.reference(session.scalar(select(Booking.reference).where(Booking.public_id == booking)))
    assert f'href="/operators/bookings/{booking}">' in page.text
    assert main(page).count(number) == 2, "in the sentence, and in the link"


def test_an_operator_is_made_ended_and_resumed_in_the_console(operator: Visitor) -> None:
    new = "/operators/accounts/new"
    taken = operator.post(new, new, login="LIN", name="林", role="agent")
    assert taken.status_code == 409 and 'id="f-login-error"' in taken.text
    made = operator.post(new, new, login="wu", name="吴", role="agent")
    password = re.search(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", main(made))
    assert password is not None and password[0] not in operator.get("/operators/accounts").text
    assert "wu Phone desk never off First sign-in awaited" in main(operator.get("/operators/accounts"))
    path = re.search(r'href="(/operators/accounts/opr_[^"]+)">吴', operator.get("/operators/accounts").text)[1]
    hers = Visitor(operator.app)
    assert enter(hers, "wu", password[0]).headers["Location"] == "/operators/sign-in/password"
    assert operator.post(path, path, act="end").headers["Location"] == path
    assert "The service is ended" in operator.get(path).text
    assert enter(Visitor(operator.app), "wu", password[0]).status_code == 422
    assert operator.post(path, path, act="resume").status_code == 303
    assert enter(Visitor(operator.app), "wu", password[0]).status_code == 303
    assert operator.post(path, path, act="promote").status_code == 422


def test_ones_own_account_is_changed_by_somebody_else(operator: Visitor) -> None:
    mine = re.search(r'href="(/operators/accounts/opr_[^"]+)">林默', operator.get("/operators/accounts").text)[1]
    assert "This is your own account." in main(operator.get(mine)) and 'name="act"' not in operator.get(mine).text
    for act in ("end", "reset"):
        answer = operator.post(mine, mine, act=act)
        assert answer.status_code == 409 and "Somebody else who administers accounts has to do this" in main(answer)
    assert operator.get("/operators").status_code == 200
