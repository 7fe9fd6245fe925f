"""What one writes is said once and in order, whatever the connection does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from booking.consultation.close import close
from booking.consultation.read import conversation_of
from booking.consultation.summary import Summary
from tests.booking.consultation.rooms import Practice
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.consultation.chat.talking import (
    SOON,
    all_sent,
    all_sent_slowly,
    bubbles,
    said,
    stored,
    until,
    write,
)
from tests.people import NOON
from tests.pictures import make_picture

pytestmark = pytest.mark.browser


def test_what_one_writes_is_said_and_its_echo_stands_once(page: Page, practice: Practice, talk: str) -> None:
    write(page, "A rash")
    all_sent(page)
    assert bubbles(page) == ["A rash"] == said(practice, talk)
    expect(page.locator("#say")).to_be_focused()
    expect(page.locator("[data-status]")).to_have_text("Delivered")


def test_two_that_are_written_without_a_connection_are_said_once_each_in_order(
    page: Page, browser: BrowserContext, practice: Practice, talk: str
) -> None:
    browser.set_offline(True)
    write(page, "first")
    write(page, "second")
    expect(page.locator("#outbox .status").first).to_contain_text("tried again by itself", timeout=SOON)
    assert said(practice, talk) == []
    browser.set_offline(False)
    all_sent(page)
    assert said(practice, talk) == ["first", "second"] == bubbles(page)
    expect(page.locator("#offline")).to_be_hidden(timeout=SOON)


def test_what_waits_outlives_the_page(
    page: Page, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    browser.set_offline(True)
    write(page, "first")
    write(page, "second")
    until(page, lambda: stored(page) == ["first", "second"])
    browser.set_offline(False)
    page.goto("about:blank")
    assert said(practice, talk) in ([], ["first"], ["first", "second"])
    page.goto(site.url(f"/consultation/{talk}"))
    all_sent(page, "first", "second")
    assert said(practice, talk) == ["first", "second"] == bubbles(page)


def test_an_answer_that_is_lost_after_it_was_taken_makes_no_second_message(
    page: Page, site: Site, practice: Practice, talk: str
) -> None:
    def lose(route: Route) -> None:
        route.fetch()  # the server takes it
        route.abort()

    page.route("**/messages", lose, times=1)
    write(page, "once")
    all_sent(page)
    assert said(practice, talk) == ["once"] == bubbles(page)


def test_a_reload_while_it_is_sent_makes_no_second_message(
    page: Page, site: Site, practice: Practice, talk: str
) -> None:
    page.route("**/messages", lambda route: route.fetch() and None, times=1)  # taken, and never answered
    write(page, "once")
    until(page, lambda: said(practice, talk) == ["once"])
    page.reload()
    all_sent(page, "once")
    assert said(practice, talk) == ["once"] == bubbles(page)


def test_sixty_four_presses_send_one(page: Page, practice: Practice, talk: str) -> None:
    page.locator("#say").fill("once")
    page.get_by_role("button", name="Send", exact=True).evaluate(
        "button => { for (let press = 0; press < 64; press += 1) button.click(); }"
    )
    all_sent(page)
    page.wait_for_timeout(500)
    assert said(practice, talk) == ["once"] == bubbles(page)


def test_what_is_refused_is_called_not_sent_and_can_be_removed(page: Page, practice: Practice, talk: str) -> None:
    page.locator("#say").evaluate("field => field.removeAttribute('maxlength')")
    write(page, "x" * 4_001)
    expect(page.locator("#outbox .status")).to_contain_text("Not sent.", timeout=SOON)
    write(page, "short")
    expect(page.locator("#outbox > li")).to_have_count(1, timeout=SOON)
    assert said(practice, talk) == ["short"]
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#outbox > li")).to_have_count(0)
    page.reload()
    expect(page.locator("#outbox > li")).to_have_count(0)


def test_a_draft_outlives_the_page_and_goes_with_its_message(page: Page, practice: Practice, talk: str) -> None:
    page.locator("#say").press_sequentially("half a")
    until(page, lambda: stored(page) == ["half a"])
    page.reload()
    expect(page.locator("#say")).to_have_value("half a")
    page.get_by_role("button", name="Send", exact=True).click()
    all_sent(page)
    page.reload()
    expect(page.locator("#say")).to_have_value("")
    assert said(practice, talk) == ["half a"]


def test_what_one_writes_while_the_page_still_looks_for_a_draft_stays(
    browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    slow = browser.new_page()
    slow.add_init_script("""
        const open = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (stores, mode, ...more) {
          const made = open.call(this, stores, mode, ...more);
          if (mode === "readonly") {
            const done = (does) => made.addEventListener("complete", () => setTimeout(does, 1500));
            Object.defineProperty(made, "oncomplete", { set: done });
          }
          return made;
        };
    """)
    slow.goto(site.url(f"/consultation/{talk}"))
    slow.wait_for_timeout(2_000)  # what waits was read, the draft is being read
    slow.locator("#say").fill("first")
    slow.wait_for_timeout(2_000)
    expect(slow.locator("#say")).to_have_value("first")


def test_enter_sends_and_shift_enter_begins_a_line(page: Page, practice: Practice, talk: str) -> None:
    page.locator("#say").focus()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    all_sent(page)
    assert said(practice, talk) == ["one\ntwo"]


def test_an_enter_that_chooses_a_character_sends_nothing(page: Page, practice: Practice, talk: str) -> None:
    page.locator("#say").fill("ni hao")
    page.locator("#say").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    page.wait_for_timeout(300)
    assert said(practice, talk) == []


def test_typing_is_said_once_in_three_seconds(page: Page, practice: Practice, talk: str) -> None:
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url) if request.url.endswith("/typing") else None)
    page.clock.set_fixed_time(NOON)
    page.locator("#say").press_sequentially("a long sentence")
    until(page, lambda: conversation_of(practice.clinician, talk, NOON).typing)
    page.clock.set_fixed_time(NOON + timedelta(seconds=2.9))
    page.locator("#say").press_sequentially("and more")
    assert len(told) == 1
    page.clock.set_fixed_time(NOON + timedelta(seconds=3))
    page.locator("#say").press_sequentially("!")
    until(page, lambda: len(told) == 2)


def test_a_picture_goes_with_progress_and_opens_in_full_size(
    page: Page, practice: Practice, talk: str, tmp_path: Path
) -> None:
    picture = tmp_path / "rash.jpg"
    picture.write_bytes(make_picture())
    page.locator("#show [type=file]").set_input_files(picture)
    all_sent_slowly(page)
    link = page.get_by_role("link", name=re.compile("Opens in full size"))
    expect(link).to_have_count(1)
    with page.expect_popup() as opened:
        link.click()
    assert "/pictures/" in opened.value.url


def test_a_file_that_is_no_picture_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    wrong = tmp_path / "rash.jpg"
    wrong.write_bytes(b"no picture")
    page.locator("#show [type=file]").set_input_files(wrong)
    expect(page.locator("#outbox .status")).to_contain_text("A picture must be a JPEG", timeout=40_000)


def test_without_scripts_it_is_said_by_its_form(
    chromium: Browser, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    context.add_cookies(browser.cookies())
    page = context.new_page()
    page.goto(site.url(f"/consultation/{talk}"))
    write(page, "A rash")
    assert page.url.endswith("#end")
    assert said(practice, talk) == ["A rash"]
    practice.answer(talk, "Since when?")
    page.get_by_role("button", name="Look for an answer").click()
    expect(page.get_by_role("log")).to_contain_text("Since when?")
    context.close()


def test_what_waits_when_it_is_closed_is_called_not_sent(
    page: Page, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?")
    page.reload()
    browser.set_offline(True)
    write(page, "too late")
    until(page, lambda: stored(page) == ["too late"])
    close(practice.clinician, talk, Summary("Eczema."), now=NOON)
    page.goto("about:blank")
    browser.set_offline(False)
    page.goto(site.url(f"/consultation/{talk}"))
    expect(page.locator("#outbox .status")).to_contain_text("Not sent.")
    expect(page.get_by_role("button", name="Open it again")).to_be_visible()
    page.get_by_role("button", name="Open it again").click()
    all_sent(page, "too late")
    assert "too late" in said(practice, talk)


def test_where_the_browser_keeps_nothing_words_are_sent_all_the_same(
    browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    page.goto(site.url(f"/consultation/{talk}"))
    write(page, "头痛")
    expect(page.locator("[data-part=lines] [data-mine]")).to_have_count(1, timeout=SOON)
    practice.answer(talk, "多久了？")
    expect(page.locator("[data-part=lines]")).to_contain_text("多久了？", timeout=SOON)
    assert said(practice, talk)[:2] == ["头痛", "多久了？"]


def test_what_is_written_while_the_draft_is_looked_for_stays(
    browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    page = browser.new_page()
    page.add_init_script(
        "const get = IDBObjectStore.prototype.getAll;"
        "IDBObjectStore.prototype.getAll = function () {"
        " document.getElementById('say').value = 'one'; return get.call(this); };"
    )
    page.goto(site.url(f"/consultation/{talk}"))
    page.wait_for_timeout(500)
    expect(page.locator("#say")).to_have_value("one")


def test_words_that_crossed_the_end_are_said_once_it_is_open_again(page: Page, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?")
    page.reload()
    page.route("**/live?*", lambda route: route.abort())  # the page has not heard of the end
    close(practice.clinician, talk, Summary("Eczema."), now=NOON)
    write(page, "it burns, too")
    expect(page.locator("#outbox .status")).to_contain_text("Not sent.")
    page.unroute("**/live?*")
    page.reload()
    page.get_by_role("button", name="Open it again").click()
    all_sent(page, "it burns, too")
    assert said(practice, talk).count("it burns, too") == 1
