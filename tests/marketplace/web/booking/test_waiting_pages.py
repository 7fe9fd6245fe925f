"""The waiting list's pages: from a full day to the form, the list with its offer, stopping; and a live browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from booking.hold.submit import submit
from booking.waiting.offers import HOLD, review
from booking.waiting.view import current
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.marketplace.web.surfer import Surfer, hidden, surfer, text_of
from tests.people import NOON
from tests.waiting import entry, fill, give_up, offered, offers_made, serve, sweep, wait
from tests.world import EIGHT, World, booking_row, join, make_slot, make_world
from vip.customers.family import NewMember, add_member
from vip.signin.signin import issue_token

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def world(db: Engine) -> Iterator[World]:
    """A customer, an offer whose two times have one place each, and the clock stopped at noon."""
    with clock.frozen(NOON):
        yield make_world(phone=PHONE, slots=2, capacity=1)


@pytest.fixture
def browser(app: Flask, world: World) -> Surfer:
    """The customer's browser."""
    return surfer(app, PHONE)


def form_url(world: World) -> str:
    return f"/offers/{world.offer.public_id}/waiting"


def send(browser: Surfer, world: World, **changes: Any) -> TestResponse:
    """Send the form as a browser would."""
    fields: dict[str, Any] = {
        "first_day": "2026-03-10",
        "last_day": "2026-03-12",
        "weekday": ["1", "2", "3", "4", "5", "6", "7"],
        "part": "any",
        "place": [world.offer.public_id],
        "hours_before": "24",
        "for": world.beneficiary.public_id,
        "idempotency_key": "form-1",
        **changes,
    }
    return browser.client.post(form_url(world), data={"csrf_token": browser.token(), **fields})


def list_of(browser: Surfer) -> str:
    return text_of(browser.get("/bookings"))


def test_a_full_day_leads_to_the_form_with_that_day(browser: Surfer, world: World) -> None:
    fill(world)
    page = browser.get(f"/offers/{world.offer.public_id}/times")
    assert "No place is free here now" in text_of(page)
    assert "Tell me when a place is free" in text_of(page)
    form = browser.get(f"{form_url(world)}?day=2026-03-10")
    assert 'name="first_day" type="date" value="2026-03-10"' in form.get_data(as_text=True)


def test_a_full_day_beside_free_ones_is_a_link_to_wait(browser: Surfer, world: World) -> None:
    other = make_world(phone="13800000022", slots=1, capacity=1)
    fill(other, 0)
    with transaction() as session:
        session.add(make_slot(other.offer.pool_id, EIGHT - timedelta(days=1), 1))
    page = browser.get(f"/offers/{other.offer.public_id}/times")
    assert "Full where you want it? Tell me when a place is free" in text_of(page)
    link = f'<a class="day" href="{form_url(other)}?for={world.beneficiary.public_id}&amp;day=2026-03-10"'
    assert link in page.get_data(as_text=True)


def test_she_joins_and_finds_it_among_her_bookings(browser: Surfer, world: World) -> None:
    fill(world)
    answer = send(browser, world, part="am", auto_book="yes", weekday=["2", "3"])
    assert (answer.status_code, answer.location) == (303, "/bookings")
    page = list_of(browser)
    assert "You are on the waiting list." in page
    assert "10 March to 12 March" in page
    assert "Tue and Wed" in page and "Morning" in page and "Booked for you at once" in page
    assert send(browser, world, part="am", auto_book="yes", weekday=["2", "3"]).status_code == 303


def test_the_same_package_in_the_city_can_be_ticked(browser: Surfer, world: World) -> None:
    second = make_world(phone="13800000023", slots=1)
    page = browser.get(form_url(world)).get_data(as_text=True)
    assert f'value="{world.offer.public_id}" checked' in page
    assert f'value="{second.offer.public_id}"' in page


def test_what_is_wrong_is_said_at_its_field(browser: Surfer, world: World) -> None:
    wrong = [
        ({"first_day": ""}, "This is needed."),
        ({"first_day": "soon"}, "This must be a date"),
        ({"last_day": "2026-03-09"}, "The last day must not lie before the first."),
        ({"weekday": []}, "This is not one of the possible values."),
        ({"weekday": ["1"]}, "None of these days lies between"),
        ({"place": []}, "This must be between 1 and 20."),
        ({"part": "night"}, "This is not one of the possible values."),
        ({"hours_before": "-1"}, "This is not one of the possible values."),
        ({"first_day": "2026-03-01", "last_day": "2026-03-01", "weekday": ["7"]}, "This day is over."),
    ]
    for changes, words in wrong:
        answer = send(browser, world, **changes)
        assert answer.status_code == 422, changes
        assert words in text_of(answer), changes


def test_hostile_fields_are_refused_quietly(browser: Surfer, world: World) -> None:
    for text in ("\0", "x" * 5000, "' OR 1=1 --", "ofr_0", "<script>"):
        assert send(browser, world, place=[text]).status_code in (404, 422)
        assert send(browser, world, first_day=text).status_code == 422
        assert send(browser, world, entitlement=text).status_code in (303, 404, 409, 422)
    assert browser.get("/offers/nobody/waiting").status_code == 404
    assert browser.get("/waiting/wai_00000000000000000000/stop").status_code == 404


def test_twice_for_the_same_place_leads_to_the_list(browser: Surfer, world: World) -> None:
    wait(world)
    answer = send(browser, world)
    assert answer.status_code == 409
    assert "This person waits for one of these places already." in text_of(answer)
    assert "To my waiting list" in text_of(answer)


def test_a_package_that_is_not_for_her_has_no_form(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE, package={"items": [], "sex": "male"})
        page = surfer(app, PHONE).get(form_url(world))
    assert "This package is for men." in text_of(page)
    assert "Join the waiting list" not in text_of(page)


def test_for_her_father(browser: Surfer, world: World) -> None:
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    assert "For 沈伯年, father" in text_of(browser.get(f"{form_url(world)}?for={father.public_id}"))
    send(browser, world, **{"for": father.public_id})
    assert "沈伯年" in list_of(browser)


def test_the_offer_shows_its_clock_and_leads_to_the_confirmation(browser: Surfer, world: World) -> None:
    waits = wait(world)
    serve()
    page = list_of(browser)
    assert "A place for you" in page and "Held for you for 30 min" in page
    held = offered(waits).public_id
    assert f"/bookings/{held}/confirm" in browser.get("/bookings").get_data(as_text=True)
    assert "30 min" in text_of(browser.get(f"/bookings/{held}/confirm"))
    browser.post(f"/bookings/{held}/confirm")
    assert booking_row(held).state == "awaiting_provider"
    assert "Submitted for you." in list_of(browser)


def test_what_it_says_at_each_turn(browser: Surfer, world: World) -> None:
    waits = wait(world)
    assert "We tell you as soon as a place is free." in list_of(browser)
    serve()
    sweep(NOON + HOLD)
    with clock.frozen(NOON + HOLD):
        serve(NOON + HOLD)
        assert "Held for you" in list_of(browser)
    sweep(NOON + 2 * HOLD)
    assert entry(waits).cause == "lapsed"
    with clock.frozen(NOON + 2 * HOLD):
        page = browser.get("/bookings")
        assert "Two places were held for you and not confirmed." in text_of(page)
        assert "Wait again" in text_of(page)
        assert 'hx-get="/waiting/live"' not in page.get_data(as_text=True)
    with clock.frozen(NOON + timedelta(days=8)):
        assert "Two places were held for you" not in list_of(browser)


def test_its_messages_lead_to_the_booking_and_to_the_list(browser: Surfer, world: World) -> None:
    wait(world)
    serve()
    page = browser.get("/notices")
    assert "It is held for you until 12:30." in text_of(page)
    sweep(NOON + HOLD)
    serve(NOON + HOLD)
    sweep(NOON + 2 * HOLD)
    with clock.frozen(NOON + 2 * HOLD):
        page = browser.get("/notices")
        assert "Two places were held for you and not confirmed. Waiting has not touched your benefit." in text_of(page)
        ended, *_earlier = re.findall(r'href="(/notices/ntf_[^"]+)"', page.get_data(as_text=True))
        assert browser.get(ended).location == "/bookings"


def test_without_a_free_unit_it_says_so(browser: Surfer, world: World) -> None:
    wait(world, first_day=date(2026, 3, 20), last_day=date(2026, 3, 20))
    for slot in range(2):
        world.hold(slot)
    assert "Your benefit is all in use just now." in list_of(browser)


def test_stopping_says_first_what_it_means(browser: Surfer, world: World) -> None:
    waits = wait(world)
    assert "You give up your position in the line." in text_of(browser.get(f"/waiting/{waits}/stop"))
    serve()
    assert "goes to the next in line" in text_of(browser.get(f"/waiting/{waits}/stop"))
    assert browser.post(f"/waiting/{waits}/stop").location == "/bookings"
    assert entry(waits).state == "withdrawn"
    assert "You no longer wait for this." in list_of(browser)
    assert "Waiting list" not in list_of(browser)


def test_stopping_what_is_over_says_so(browser: Surfer, world: World) -> None:
    waits = wait(world)
    review(now=NOON + timedelta(days=9))
    answer = browser.post(f"/waiting/{waits}/stop")
    assert (answer.status_code, "This wait is over already." in text_of(answer)) == (409, True)


def test_what_was_submitted_is_kept_when_she_stops(browser: Surfer, world: World) -> None:
    waits = wait(world)
    serve()
    submit(world.principal, offered(waits).public_id, now=NOON)
    assert "What was submitted for you stays" in text_of(browser.get(f"/waiting/{waits}/stop"))


def test_anothers_entry_is_not_there(app: Flask, browser: Surfer, world: World) -> None:
    theirs = wait(join(world.provider, world.offer, world.slots, phone="13800000024"))
    assert browser.get(f"/waiting/{theirs}/stop").status_code == 404
    assert browser.post(f"/waiting/{theirs}/stop").status_code == 404
    assert entry(theirs).state == "waiting"


def test_the_live_list_answers_304_until_something_moves(browser: Surfer, world: World) -> None:
    wait(world)
    first = browser.get("/waiting/live")
    etag = str(first.headers["ETag"])
    assert f'data-etag="{etag}"'.replace('"', "") in browser.get("/bookings").get_data(as_text=True).replace(
        "&#34;", '"'
    ).replace('"', "")
    assert browser.get("/waiting/live", headers={"If-None-Match": etag}).status_code == 304
    serve()
    moved = browser.get("/waiting/live", headers={"If-None-Match": etag})
    assert (moved.status_code, "A place for you" in text_of(moved)) == (200, True)


def test_the_chinese_page_is_chinese(app: Flask, browser: Surfer, world: World) -> None:
    wait(world, weekdays=frozenset({2}), hours_before=48)
    browser.client.set_cookie("lang", "zh")
    page = list_of(browser)
    assert "候补中" in page and "周二" in page and "至少提前 2 天" in page


def test_the_form_carries_a_key(browser: Surfer, world: World) -> None:
    assert len(hidden(browser.get(form_url(world)), "idempotency_key")) > 20


# --- a real browser -------------------------------------------------------------------------------------------------


@pytest.fixture
def address(app: Flask, world: World) -> Iterator[str]:
    """The real pages on loopback; the clock stands still."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def phone(chromium: Browser, address: str, world: World) -> Iterator[Page]:
    """Her phone, signed in."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale="en-GB")
    token = issue_token(PHONE, NOON).token
    context.add_cookies([{"name": "signed_in", "value": token, "url": address}])
    context.add_cookies([{"name": "lang", "value": "en", "url": address}])
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_the_waiting_list_catches_a_place_that_somebody_gives_up(phone: Page, address: str, world: World) -> None:
    holders = fill(world)
    phone.goto(f"{address}/offers/{world.offer.public_id}/times")
    phone.get_by_role("link", name="Tell me when a place is free").click()
    phone.get_by_label("First day").fill("2026-03-10")
    phone.get_by_label("Last day").fill("2026-03-10")
    phone.get_by_role("button", name="Join the waiting list").click()
    pill = phone.locator("#waiting .pill")
    expect(pill).to_have_text("Waiting")
    phone.evaluate("document.body.dataset.kept = 'yes'")
    give_up(holders[1])
    serve()
    expect(pill).to_have_text("A place for you", timeout=8000)
    expect(phone.get_by_role("timer")).to_have_text(re.compile(r"^(30|29) min"))
    expect(phone.locator("#announce")).to_contain_text("09:00")
    assert phone.evaluate("document.body.dataset.kept") == "yes", "the page was loaded anew"
    phone.locator("#waiting").get_by_role("link", name="Check and confirm").click()
    phone.get_by_role("button", name="Confirm booking").click()
    expect(phone.locator(".ticket .pill")).to_have_text("Waiting for the hospital")
    [made] = [chance for chance in offers_made(_entry_of(world)) if chance.outcome == "open"]
    assert made.slot_id == world.slots[1].id


def _entry_of(world: World) -> str:
    return current(world.principal, now=NOON)[0].id
