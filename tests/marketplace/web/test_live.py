"""Live updates, the lost connection, the countdown and the sheet, in a real browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, Response, render_template, request
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from marketplace.core import clock
from tests.marketplace.web.gallery import create_gallery
from tests.marketplace.web.samples import booking as samples
from tests.marketplace.web.samples.everyday import NOW


@dataclass
class Hospital:
    """What the live endpoint answers, and what it was asked."""

    state: str = "awaiting_provider"
    broken: bool = False
    tags: list[str | None] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    delay: threading.Event = field(default_factory=threading.Event)

    def live(self, booking: str) -> Response:
        self.tags.append(request.headers.get("If-None-Match"))
        self.asked.set()
        assert self.delay.wait(timeout=20)
        if self.broken:
            return Response(status=503)
        with clock.frozen(NOW):
            answer = Response(render_template("parts/booking_live.html", **samples.booking(self.state)))
        answer.set_etag(self.state)
        return answer.make_conditional(request)


@pytest.fixture
def hospital() -> Hospital:
    made = Hospital()
    made.delay.set()
    return made


@pytest.fixture
def address(hospital: Hospital) -> Iterator[str]:
    app: Flask = create_gallery()
    app.view_functions["web.booking_live"] = hospital.live
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gallery"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_a_confirmation_appears_without_reload_and_is_announced(page: Page, address: str, hospital: Hospital) -> None:
    page.goto(f"{address}/booking_awaiting?lang=en")
    expect(page.locator(".ticket .pill")).to_have_text("Waiting for the hospital")
    hospital.state = "confirmed"
    expect(page.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)
    expect(page.locator("#announce")).to_contain_text("Confirmed by the hospital")


def test_an_unchanged_page_is_not_swapped_and_keeps_the_focus(page: Page, address: str, hospital: Hospital) -> None:
    page.goto(f"{address}/booking_awaiting?lang=en")
    expect(page.locator("#live")).to_have_attribute("data-etag", 'W/"awaiting_provider"', timeout=6000)
    link = page.locator("#live a[data-sheet]")
    link.focus()
    link.evaluate("element => { element.kept = true }")
    with page.expect_response("**/live") as answer:
        pass
    assert answer.value.status == 304
    assert hospital.tags[-1] == 'W/"awaiting_provider"'
    assert link.evaluate("element => element.kept && element === document.activeElement")


def test_nothing_changes_under_a_pointer_that_is_about_to_press(page: Page, address: str, hospital: Hospital) -> None:
    page.goto(f"{address}/booking_awaiting?lang=en")
    hospital.delay.clear()
    hospital.asked.clear()
    hospital.state = "confirmed"
    wait_until(page, hospital.asked)
    page.locator("#live a[data-sheet]").hover()  # the answer is on its way
    hospital.delay.set()
    page.wait_for_timeout(2500)
    expect(page.locator(".ticket .pill")).to_have_text("Waiting for the hospital")
    asked = len(hospital.tags)
    page.wait_for_timeout(2500)
    assert len(hospital.tags) == asked, "it is not even asked for"
    page.mouse.move(0, 0)
    expect(page.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)


def test_a_pointer_that_rests_holds_nothing_for_long(page: Page, address: str, hospital: Hospital) -> None:
    page.clock.install()
    page.goto(f"{address}/booking_awaiting?lang=en")
    page.locator("#live a[data-sheet]").hover()
    hospital.state = "confirmed"
    page.clock.run_for(15_000)
    expect(page.locator(".ticket .pill")).to_have_text("Confirmed", timeout=6000)


def wait_until(page: Page, event: threading.Event) -> None:
    """Let the page go on until it happened."""
    for _ in range(80):
        if event.is_set():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it was not asked")


def test_a_final_state_ends_the_asking(page: Page, address: str, hospital: Hospital) -> None:
    page.goto(f"{address}/booking_awaiting?lang=en")
    hospital.state = "cancelled"
    expect(page.locator("#live[data-live]")).to_have_count(0, timeout=6000)
    expect(page.locator(".ticket .pill")).to_have_text("Cancelled")


def test_a_lost_connection_is_said_and_mended_by_itself(page: Page, address: str, hospital: Hospital) -> None:
    page.goto(f"{address}/booking_awaiting?lang=en")
    hospital.broken = True
    expect(page.locator("#offline")).to_be_visible(timeout=6000)
    expect(page.locator("#offline [data-shown-at]")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(page.locator(".ticket .pill")).to_have_text("Waiting for the hospital")
    hospital.broken, hospital.state = False, "confirmed"
    expect(page.locator("#offline")).to_be_hidden(timeout=12000)
    expect(page.locator(".ticket .pill")).to_have_text("Confirmed")


def test_the_holds_clock_runs_and_draws_its_ring(page: Page, address: str) -> None:
    page.goto(f"{address}/confirm?lang=en")
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^9 min 3\d s$"), timeout=9000)
    share = page.locator("#hold-ring .fill").get_attribute("stroke-dasharray")
    assert share is not None and 95 < float(share.split()[0]) < 97


def test_the_cancel_sheet_opens_over_the_page_and_closes_with_escape(page: Page, address: str) -> None:
    page.goto(f"{address}/booking_confirmed?lang=en")
    page.get_by_role("link", name="Cancel booking").click()
    sheet = page.get_by_role("dialog", name="Cancel the check on 26 November?")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_the_chosen_time_is_said_in_the_dock(page: Page, address: str) -> None:
    page.goto(f"{address}/times?lang=en")
    page.get_by_role("radio", name="09:00").check(force=True)
    expect(page.locator("#chosen")).to_have_text("Thu 26 November 09:00\u201309:30")


def test_dark_is_chosen_at_once_and_remembered(page: Page, address: str) -> None:
    page.goto(f"{address}/me?lang=en")
    page.get_by_role("radio", name="Dark").check(force=True)
    expect(page.locator("body")).to_have_css("background-color", "rgb(12, 19, 31)")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
