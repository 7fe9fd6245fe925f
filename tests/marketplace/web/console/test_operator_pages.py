"""The console: who gets in, and what it shows of discrepancies, providers and jobs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from booking.actors import CLOCK
from booking.calls.breaker import Call
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.feeds.cursors import done
from booking.models import Booking
from booking.reconcile.look_ups import look_up_due
from booking.reconcile.run import run_now
from booking.states import BookingState
from booking.worker_models import JobRun
from marketplace.chain.heads import HeadsFile
from marketplace.chain.seal import seal_all
from marketplace.chain.watch import run_verification
from marketplace.core import clock
from marketplace.core.audit import record
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.web import formats
from marketplace.web.urls import OPERATOR_PAGES
from providers.port import Confirmed, ProviderError
from providers.reported import RemoteBooking
from tests.books import Books
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, PHONE, make_customer, make_insurer
from tests.world import DAY, FakeAdapter, World, connection_to, go, one_pass, set_breaker, set_provider
from vip.models import SignInSession
from vip.operators.operators import create_admin
from vip.signin import authentication
from vip.signin.signin import RECENT

DOOR = "/operators/sign-in"
PASSWORD = "a long password"
PAGES = [page.rule for page in OPERATOR_PAGES if not page.open and "GET" in page.methods and "<" not in page.rule]


@pytest.fixture
def door(app: Flask, world: World) -> Visitor:
    """Somebody before the console's door; there is an operator `lin`."""
    create_admin("lin", PASSWORD, "林默", now=NOON)
    return Visitor(app)


@pytest.fixture
def operator(door: Visitor) -> Visitor:
    """The operator, signed in."""
    assert enter(door).status_code == 303
    return door


def enter(visitor: Visitor, name: str = "lin", password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return visitor.post(DOOR, DOOR, name=name, password=password, **more)


# --- the door --------------------------------------------------------------------------------------------------------


def test_a_forms_token_from_before_an_operators_sign_in_is_worth_nothing_after_it(door: Visitor) -> None:
    before = re.search(r'name="csrf_token" value="([^"]+)"', door.get(DOOR).text)
    assert before is not None
    enter(door)
    door.get("/operators/password")  # the page whose form has the token of now
    answer = door.client.post("/operators/sign-out", data={"csrf_token": before[1]})
    assert answer.status_code == 403 and door.get("/operators").status_code == 200


def test_an_operator_signs_in_and_out(door: Visitor) -> None:
    answer = enter(door)
    assert answer.headers["Location"] == "/operators"
    cookie = answer.headers["Set-Cookie"] if "operator=" in answer.headers["Set-Cookie"] else str(answer.headers)
    assert "Path=/operators" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    home = door.get("/operators")
    assert home.status_code == 200 and "林默" in home.text and home.headers["Cache-Control"] == "no-store"
    assert door.get(DOOR).headers["Location"] == "/operators"
    out = door.post("/operators/sign-out", "/operators")
    assert out.headers["Location"] == DOOR
    assert door.get("/operators").headers["Location"].startswith(DOOR)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("lin", "another long one"),
        ("nobody", PASSWORD),
        ("", ""),
        ("lin\0", PASSWORD),
        ("x" * 500, "x" * 5_000),
        ("' OR 1=1 --", "a quite long one"),
    ],
)
def test_a_wrong_password_and_no_such_name_are_told_alike(door: Visitor, name: str, password: str) -> None:
    answer = enter(door, name, password)
    assert answer.status_code == 422 and "Login or password is wrong." in main(answer)
    assert not password or password not in answer.text
    assert door.get("/operators").status_code == 303


def test_who_tried_ten_wrong_passwords_has_to_wait(door: Visitor) -> None:
    for _ in range(10):
        assert enter(door, password="wrong").status_code == 422
    assert enter(door).status_code == 429
    with clock.frozen(NOON + timedelta(minutes=16)):
        assert enter(door).status_code == 303


def test_a_session_ends_after_twelve_hours_however_busy(operator: Visitor) -> None:
    for minutes in range(20, 12 * 60, 20):
        with clock.frozen(NOON + timedelta(minutes=minutes)):
            assert operator.get("/operators/password").status_code == 200, minutes
    with clock.frozen(NOON + timedelta(hours=12, minutes=1)):
        assert operator.get("/operators").status_code == 303


def test_a_session_that_stands_idle_for_half_an_hour_is_over(operator: Visitor) -> None:
    with clock.frozen(NOON + timedelta(minutes=29)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=58)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=89)):
        assert operator.get("/operators").status_code == 303


def test_an_operator_may_stand_idle_for_as_long_as_the_setting_says(
    operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "settings", lambda: replace(settings(), operator_idle_minutes=5))
    with clock.frozen(NOON + timedelta(minutes=4)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=9)):
        assert operator.get("/operators").status_code == 303


def test_a_session_in_use_is_written_once_in_three_minutes(operator: Visitor) -> None:
    seen = []
    for seconds in (0, 60, 179, 180, 200, 359, 360):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            operator.get("/operators/password")
        with reading() as session:
            seen.append(
                session.scalars(select(SignInSession.seen_at).where(SignInSession.operator_id.is_not(None))).one()
            )
    first, second = (NOON + timedelta(seconds=seconds) for seconds in (180, 360))
    assert seen == [None, None, None, first, first, first, second]


def test_a_form_from_elsewhere_is_refused(operator: Visitor) -> None:
    for path in (DOOR, "/operators/sign-out"):
        assert operator.client.post(path, data={"name": "lin", "password": PASSWORD}).status_code == 403
    assert operator.get("/operators").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example/operators", "/operators/../me", "/me", "/operators\\@evil", "/operatorsx"],
)
def test_signing_in_leads_into_the_console_only(door: Visitor, wanted: str) -> None:
    assert enter(door, next=wanted).headers["Location"] == "/operators"


def test_one_comes_back_to_the_page_one_wanted(door: Visitor) -> None:
    asked = door.get("/operators/jobs")
    assert asked.headers["Location"] == f"{DOOR}?next=/operators/jobs"
    assert enter(door, next="/operators/jobs").headers["Location"] == "/operators/jobs"


@pytest.mark.parametrize("path", PAGES)
def test_a_customer_is_no_operator(app: Flask, door: Visitor, path: str) -> None:
    make_customer(PHONE)
    customer = Visitor.signed_in(app, PHONE)
    token = customer.client.get_cookie("signed_in")
    assert token is not None
    customer.client.set_cookie("operator", token.value, path="/operators")
    for visitor in (customer, Visitor(app)):
        assert visitor.get(path).headers["Location"].startswith(DOOR)


def test_an_operator_is_no_customer(app: Flask, operator: Visitor) -> None:
    token = operator.client.get_cookie("operator", path="/operators")
    assert token is not None
    visitor = Visitor(app)
    visitor.client.set_cookie("signed_in", token.value)
    assert visitor.get("/me").headers["Location"].startswith("/sign-in")


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_when_all_is_well_it_says_so(operator: Visitor, world: World) -> None:
    told = main(operator.get("/operators"))
    assert "Our books and the providers' agree." in told and "Every job ran when it should." in told
    assert "Hexin" in told and "Never read" in told
    operator.language = "zh"
    assert "我们与各服务方的账目一致" in main(operator.get("/operators"))


def test_open_differences_are_told_in_words_and_closed_ones_are_gone(operator: Visitor, world: World) -> None:
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "report_unmatched", "RR-<b>", now=NOON)
        open_discrepancy(session, world.provider.id, "brand_new_kind", "S-2", now=NOON)
    page = operator.get("/operators/differences")
    assert "A report without a booking" in main(page) and "It is shown to nobody" in main(page)
    assert "RR-&lt;b&gt;" in page.text and "brand_new_kind" in main(page) and "Today, 12:00" in main(page)
    with transaction() as session:
        close_discrepancy(session, world.provider.id, "report_unmatched", "RR-<b>", "matched", now=NOON)
    assert "RR-" not in main(operator.get("/operators/differences"))  # elsewhere on the page stand random tokens


def test_differences_of_another_insurers_bookings_are_not_shown(
    operator: Visitor, world: World, owner_connection
) -> None:  # type: ignore[no-untyped-def]
    booking = world.submit()
    with transaction() as session:
        number = session.connection().exec_driver_sql("SELECT id FROM booking").scalar_one()
        open_discrepancy(session, world.provider.id, "state_differs", booking, now=NOON, booking_id=number)
    assert booking in operator.get("/operators/differences").text
    insurer = make_insurer().id
    other = owner_connection.exec_driver_sql(
        "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone)"
        " VALUES ('ins_x', 'x', 'x', 'x', 'UTC') RETURNING id"
    ).scalar_one()
    owner_connection.exec_driver_sql(f"UPDATE booking SET insurer_id = {other} WHERE insurer_id = {insurer}")
    assert booking not in operator.get("/operators/differences").text


def test_many_differences_page(operator: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.web.console.books.cases.SHOWN", 2)
    with transaction() as session:
        for number in range(3):
            open_discrepancy(session, world.provider.id, "theirs_only", f"R-{number}", now=NOON)
    first = operator.get("/operators/differences")
    assert [f"R-{n}" in first.text for n in range(3)] == [False, True, True]
    after = first.text.split('href="/operators/differences?after=')[-1].split('"')[0]
    assert "R-0" in operator.get(f"/operators/differences?after={after}").text
    assert operator.get("/operators/differences?after=%00").status_code in (200, 422)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "In order"),
        ({"failures": 3}, "Failing: 3 in a row"),
        ({"failures": 5, "open_until": NOON + timedelta(minutes=2)}, "Not reached, left alone until Today, 12:02"),
        ({"failures": 5, "open_until": NOON - timedelta(minutes=2)}, "Not reached, tried one by one"),
        ({"call": Call.REPORTS, "failures": 7, "open_until": NOON}, "In order Reports: failed 7 times in a row"),
    ],
)
def test_a_providers_health_is_told(operator: Visitor, world: World, values: dict[str, Any], told: str) -> None:
    done(world.provider.id, "slots", None, now=NOON - timedelta(minutes=1))
    set_breaker(world.provider, **values)
    page = main(operator.get("/operators/providers"))
    assert told in page and "Today, 11:59" in page and "never" in page


def test_a_pause_is_told_before_a_breaker(operator: Visitor, world: World) -> None:
    set_provider(world.provider, paused_at=NOON)
    set_breaker(world.provider, failures=5, open_until=NOON + timedelta(minutes=2))
    page = main(operator.get("/operators/providers"))
    assert "Paused" in page and "left alone" not in page


def test_the_interval_that_look_ups_reach_is_told_where_the_list_is_not_read(operator: Visitor, world: World) -> None:
    two = [world.submit(0), world.submit(1)]
    one_pass(world, FakeAdapter(answers=[Confirmed("R-0"), Confirmed("R-1")]), now=NOON)
    assert "one by one" not in main(operator.get("/operators/providers"))
    books = Books(broken_page=0)
    with pytest.raises(ProviderError):
        run_now(connection_to(world.provider), books, CLOCK, clock=lambda: NOON)  # type: ignore[arg-type]
    unread = "Its list of bookings is not read: they are looked up one by one."
    told = main(operator.get("/operators/providers"))
    assert f"{unread} Later days: 2 bookings · 2 not answered for yet" in told
    for number, booking in enumerate(two):
        books.put(RemoteBooking(f"R-{number}", booking, "confirmed", 1, DAY, world.slots[number].starts_at))
    look_up_due(connection_to(world.provider), books, every=timedelta(minutes=4), clock=lambda: NOON)
    with clock.frozen(NOON + timedelta(minutes=9)):
        told = main(operator.get("/operators/providers"))
    assert f"{unread} Later days: 2 bookings · each within 9 min" in told and "not answered" not in told


def test_commands_that_wait_are_counted(operator: Visitor, world: World) -> None:
    world.submit(0)
    world.submit(1)
    assert "never never never 2 0 0" in main(operator.get("/operators/providers"))


def note_job(name: str, every: int, succeeded: object) -> None:
    values = {"name": name, "every_seconds": every, "started_at": NOON, "succeeded_at": succeeded}
    with transaction() as session:
        session.execute(insert(JobRun).values(**values))


def test_jobs_that_did_not_run_are_listed_and_the_others_are_not(operator: Visitor) -> None:
    note_job("entitlements", 300, NOON - timedelta(seconds=901))
    note_job("keys", 3600, NOON - timedelta(seconds=3600 * 3))
    note_job("holds", 1, NOON - timedelta(seconds=59))
    note_job("slots:hexin", 60, None)
    told = main(operator.get("/operators/jobs"))
    assert "Expire benefits 5 min" in told and "Read slots hexin 1 min" in told
    assert "Forget old" not in told and "Release holds" not in told


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_in_both_languages(operator: Visitor, path: str) -> None:
    for operator.language in ("zh", "en"):
        answer = operator.get(path)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


# --- people ----------------------------------------------------------------------------------------------------------


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


def test_lines_that_wait_for_their_seal_are_told(operator: Visitor) -> None:
    seal_all(now=lambda: NOON)
    assert "Every line is sealed. Last verified: never" in main(operator.get("/operators"))
    with transaction() as session:
        record(session, "x", at=NOON - timedelta(seconds=61), actor_kind="system", actor="test", subject="something")
    assert "Lines have waited 61 s for their seal" in main(operator.get("/operators"))
    note_job("seal", 5, NOON - timedelta(seconds=60))
    assert "Every line is sealed." in main(operator.get("/operators"))


def test_what_a_verification_found_is_told(operator: Visitor, owner_connection: Connection) -> None:
    run_verification(heads_file=None, at=NOON, stopping=lambda: False)
    assert "Every line is sealed. Last verified: Today, 12:00" in main(operator.get("/operators"))
    owner_connection.exec_driver_sql(
        "INSERT INTO audit_verification (at, seals, lines, found, findings)"
        " VALUES (now(), 3, 9, 1, '[\"changed: audit_line 7 (seal 2)\"]')"
    )
    told = main(operator.get("/operators"))
    assert "The last verification found 1" in told and "changed: audit_line 7 (seal 2)" in told


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (HeadsFile.NOT_SET, "No file of heads is set"),
        (HeadsFile.MISSING, "The file of heads had gone"),
        (HeadsFile.UNWRITABLE, "The file of heads cannot be written"),
        (HeadsFile.REWRITTEN, "The file of heads and the chain differ"),
    ],
)
def test_trouble_with_the_file_of_heads_is_told(operator: Visitor, state: HeadsFile, told: str) -> None:
    note_job("seal", 5, NOON)
    with transaction() as session:
        session.execute(update(JobRun).values(outcome={"lines": 0, "heads_file": state}))
    assert told in main(operator.get("/operators"))


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
        assert answer.status_code == 409 and "Another administrator has to do this" in main(answer)
    assert operator.get("/operators").status_code == 200
