"""The pages and the stream of events, in a real browser: one stream whatever the number of tabs, and none unseen."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from booking.states import BookingState
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.development.embedded.postgres import free_port
from tests.conftest import TestDatabase
from tests.eventually import eventually
from tests.marketplace.live.streams import start_live, streams_of
from tests.people import NOON
from tests.processes import Running, killed_afterwards
from tests.world import World, go, make_world
from vip.signin import authentication, signin

pytestmark = pytest.mark.browser
PHONE = "13800000021"
TABS = 8
UNSEEN = """
    Object.defineProperty(document, "hidden", { configurable: true, get: () => window.unseen === true });
"""
"""A headless browser shows all its tabs; a test says which of them are seen."""


@pytest.fixture
def live_port() -> int:
    return free_port()


@pytest.fixture
def address(worker_database: TestDatabase, live_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The real pages on loopback, with a clock that goes on from noon in all processes."""
    port = free_port()
    ahead = round((NOON - clock.of_the_machine()).total_seconds())
    monkeypatch.setenv("CLOCK_OFFSET_SECONDS", str(ahead))
    monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("STREAM_URL", f"http://127.0.0.1:{live_port}")
    settings.cache_clear()
    server = make_server("127.0.0.1", port, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def live(address: str, worker_database: TestDatabase, live_port: int, tmp_path: Path) -> Iterator[Running]:
    """The process that delivers streams."""
    running = start_live(worker_database.environment, tmp_path / "live.log", live_port)
    with killed_afterwards(running):
        yield running


@pytest.fixture
def world(db: Engine) -> World:
    return make_world(phone=PHONE, slots=1)


@pytest.fixture
def booking(world: World) -> str:
    """A booking that waits for its provider."""
    return world.submit()


@pytest.fixture
def token(world: World) -> str:
    return signin.issue_token(PHONE, NOON).token


@pytest.fixture
def browser(chromium: Browser, address: str, token: str) -> Iterator[BrowserContext]:
    """Her browser, signed in."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale="en-GB")
    context.add_cookies([{"name": "signed_in", "value": token, "url": address}])
    context.add_cookies([{"name": "lang", "value": "en", "url": address}])
    context.add_init_script(UNSEEN)
    yield context
    context.close()


def seen(tab: Page, yes: bool) -> None:
    """Show the tab or hide it."""
    tab.evaluate("yes => { window.unseen = !yes; document.dispatchEvent(new Event('visibilitychange')); }", yes)


def open_tabs(browser: BrowserContext, url: str, how_many: int) -> list[Page]:
    tabs = [browser.new_page() for _ in range(how_many)]
    for tab in tabs:
        tab.goto(url)
    return tabs


def test_eight_tabs_have_one_stream_and_all_show_what_it_tells(
    live: Running, browser: BrowserContext, address: str, booking: str
) -> None:
    tabs = open_tabs(browser, f"{address}/bookings/{booking}", TABS)
    eventually(lambda: streams_of(live) == 1)
    for tab in tabs:
        expect(tab.locator(".ticket .pill")).to_have_text("Waiting for the hospital")
    tabs[0].wait_for_timeout(3000)  # the tabs have heard that a stream is there, and none of them opens another
    assert streams_of(live) == 1
    asked: Counter[Page] = Counter()
    browser.on("request", lambda it: asked.update([it.frame.page]) if it.url.endswith("/live") else None)
    tabs[0].wait_for_timeout(5000)
    assert max(asked.values(), default=0) <= 1, "while it is there nobody asks every two seconds, but every twenty"
    shown: list[str] = []
    browser.on(
        "response", lambda answer: shown.append(answer.url) if answer.url.endswith("/live") and answer.ok else None
    )
    go(booking, BookingState.CONFIRMED)
    for tab in tabs:
        expect(tab.locator(".ticket .pill")).to_have_text("Confirmed", timeout=12_000)
    assert len(shown) == TABS, "each tab has asked once, and nobody waited for the seldom asking of 20 seconds"


def test_a_page_that_was_told_and_then_refused_asks_again_soon(
    live: Running, browser: BrowserContext, address: str, booking: str
) -> None:
    (tab,) = open_tabs(browser, f"{address}/bookings/{booking}", 1)
    eventually(lambda: streams_of(live) == 1)
    tab.wait_for_timeout(1000)
    tab.route("**/live", lambda route: route.fulfill(status=503), times=1)
    go(booking, BookingState.CONFIRMED)
    expect(tab.locator("#offline")).to_be_visible(timeout=6000)
    expect(tab.locator(".ticket .pill")).to_have_text("Confirmed", timeout=12_000)
    expect(tab.locator("#offline")).to_be_hidden()


def test_the_next_tab_takes_the_stream_over_and_the_last_one_that_is_hidden_lets_it_go(
    live: Running, browser: BrowserContext, address: str, booking: str
) -> None:
    first, second = open_tabs(browser, f"{address}/bookings/{booking}", 2)
    eventually(lambda: streams_of(live) == 1)
    first.close()
    eventually(
        lambda: streams_of(live) == 1 and second.evaluate("navigator.locks.query().then(it => it.held.length)") == 1
    )
    seen(second, False)
    eventually(lambda: streams_of(live) == 0)
    go(booking, BookingState.CONFIRMED)
    seen(second, True)
    expect(second.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)
    eventually(lambda: streams_of(live) == 1)


def test_without_the_process_pages_ask_as_ever_and_take_the_stream_once_it_is_there(
    browser: BrowserContext, address: str, booking: str, worker_database: TestDatabase, live_port: int, tmp_path: Path
) -> None:
    (tab,) = open_tabs(browser, f"{address}/bookings/{booking}", 1)
    go(booking, BookingState.CONFIRMED)
    expect(tab.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)
    running = start_live(worker_database.environment, tmp_path / "live.log", live_port)
    with killed_afterwards(running):
        eventually(lambda: streams_of(running) == 1, 60)


def test_a_tab_comes_back_with_a_new_ticket_after_the_process_was_killed(
    live: Running, browser: BrowserContext, address: str, booking: str, worker_database: TestDatabase, live_port: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    tickets: list[str] = []
    browser.on("request", lambda request: tickets.extend(re.findall(r"ticket=([^&]+)", request.url)))
    (tab,) = open_tabs(browser, f"{address}/bookings/{booking}", 1)
    eventually(lambda: streams_of(live) == 1)
    live.kill()
    again = start_live(worker_database.environment, tmp_path / "again.log", live_port)
    with killed_afterwards(again):
        eventually(lambda: tab.evaluate("1") and streams_of(again) == 1, 40)
        assert len(tickets) > 1 and len(set(tickets)) == len(tickets)
        go(booking, BookingState.CONFIRMED)
        expect(tab.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)


def test_signing_out_elsewhere_ends_the_stream_and_the_page_asks_to_sign_in(
    live: Running, browser: BrowserContext, address: str, booking: str, token: str
) -> None:
    (tab,) = open_tabs(browser, f"{address}/bookings/{booking}", 1)
    eventually(lambda: streams_of(live) == 1)
    signin.sign_out(authentication.authenticate(token, now=clock.now()), clock.now())
    eventually(lambda: streams_of(live) == 0)
    expect(tab).to_have_url(re.compile("/sign-in"), timeout=8000)


def test_the_home_pages_ticket_follows_the_stream(
    live: Running, browser: BrowserContext, address: str, booking: str
) -> None:
    (tab,) = open_tabs(browser, f"{address}/", 1)
    eventually(lambda: streams_of(live) == 1)
    tab.wait_for_timeout(1000)
    go(booking, BookingState.CONFIRMED)
    # Since it heard of the stream it asks by itself every twenty seconds.
    expect(tab.locator("#next")).to_contain_text("Confirmed", timeout=12_000)
