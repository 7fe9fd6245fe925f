"""What others write appears by itself, and where one reads it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import text

from booking.consultation.close import close
from booking.consultation.read import MOST_MESSAGES, conversation_of, mark_read
from booking.consultation.summary import Summary
from marketplace.core.database.db import transaction
from tests.booking.consultation.long import make_long
from tests.booking.consultation.rooms import Practice
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.consultation.chat.talking import SOON, all_sent, bubbles, numbers, said, until, write
from tests.people import NOON

pytestmark = pytest.mark.browser


def rest(page: Page) -> None:
    """From now on the page asks for nothing by the clock, like one that is hidden, though it is seen."""
    hide = "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
    page.evaluate(hide + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(100)  # what was being asked plans nothing more when it is answered
    page.evaluate("delete document.hidden")


def seen_is_read(page: Page, practice: Practice, talk: str) -> None:
    until(page, lambda: conversation_of(practice.world.principal, talk, NOON).unread == 0)


def test_an_answer_appears_by_itself_and_the_field_keeps_its_focus_and_words(
    page: Page, practice: Practice, talk: str
) -> None:
    write(page, "A rash")
    all_sent(page)
    page.locator("#say").press_sequentially("it it")
    practice.answer(talk, "Since when?")
    expect(page.get_by_role("log")).to_contain_text("Since when?", timeout=SOON)
    expect(page.locator("#say")).to_be_focused()
    expect(page.locator("#say")).to_have_value("it it")
    expect(page.get_by_role("heading", name=re.compile("何医生"))).to_be_visible()
    expect(page.locator(".bar .title")).to_have_text("Online consultation")
    seen_is_read(page, practice, talk)


def test_the_summary_that_closes_it_is_read_where_it_is_seen(page: Page, practice: Practice, talk: str) -> None:
    write(page, "A rash")
    all_sent(page)
    practice.answer(talk, "Since when?")
    expect(page.get_by_role("log")).to_contain_text("Since when?", timeout=SOON)
    close(practice.clinician, talk, Summary("Eczema."), now=NOON)
    expect(page.get_by_role("log")).to_contain_text("Eczema.", timeout=SOON)
    seen_is_read(page, practice, talk)  # home leads to a new question again


def test_the_hook_asks_at_once(page: Page, practice: Practice, talk: str) -> None:
    write(page, "A rash")
    all_sent(page)
    rest(page)
    practice.answer(talk, "Since when?")
    page.evaluate("document.dispatchEvent(new CustomEvent('live:conversation'))")
    expect(page.get_by_role("log")).to_contain_text("Since when?", timeout=SOON)


def test_nothing_new_is_answered_with_not_modified(page: Page, talk: str) -> None:
    with page.expect_response("**/live?*") as answer:
        pass
    assert answer.value.status == 304


def test_a_sign_of_an_emergency_appears_at_once_before_all_else(page: Page, practice: Practice, talk: str) -> None:
    write(page, "My chest hurts")
    all_sent(page)
    with transaction() as session:
        session.execute(text("UPDATE conversation SET flagged_at = :now"), {"now": NOON})
    expect(page.get_by_role("alert")).to_contain_text("Dial 120 now", timeout=SOON)
    assert page.locator("#talk [role=alert]").evaluate(
        "it => it.compareDocumentPosition(document.querySelector('.waits')) & 4"
    )
    expect(page.get_by_role("link", name="Call 120")).to_have_attribute("href", "tel:120")


def test_who_reads_above_is_not_torn_down_and_told_of_the_news(page: Page, practice: Practice, talk: str) -> None:
    for number in range(25):
        practice.ask(talk, f"line {number}")
    practice.answer(talk, "the first answer")
    page.reload()
    page.wait_for_timeout(500)
    page.evaluate("scrollTo(0, 0)")
    practice.answer(talk, "the second answer")
    expect(page.get_by_role("button", name="New message")).to_be_visible(timeout=SOON)
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="New message").click()
    assert page.evaluate("innerHeight + scrollY >= document.scrollingElement.scrollHeight - 2")


def test_two_devices_show_the_same(
    page: Page, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    other = browser.new_page()
    other.goto(site.url(f"/consultation/{talk}"))
    write(page, "from one")
    write(other, "from the other")
    all_sent(page)
    all_sent(other)
    expect(page.get_by_role("log")).to_contain_text("from the other", timeout=SOON)
    expect(other.get_by_role("log")).to_contain_text("from one", timeout=SOON)
    assert bubbles(page) == bubbles(other) == said(practice, talk)


def test_what_a_stream_tells_is_asked_for_at_once_and_what_is_another_conversations_is_not(
    page: Page, practice: Practice, talk: str
) -> None:
    write(page, "A rash")
    all_sent(page)
    rest(page)
    practice.answer(talk, "Since when?")
    tell = "one => document.dispatchEvent(new CustomEvent('stream:events', {detail: [one]}))"
    page.evaluate(tell, {"kind": "conversation", "conversation": "cnv_other"})
    page.wait_for_timeout(300)
    expect(page.get_by_role("log")).not_to_contain_text("Since when?")
    page.evaluate(tell, {"kind": "conversation", "conversation": talk})
    expect(page.get_by_role("log")).to_contain_text("Since when?", timeout=SOON)


def test_earlier_messages_appear_above_without_moving_what_one_reads(
    page: Page, site: Site, practice: Practice
) -> None:
    long = make_long(practice, 120)
    mark_read(practice.world.principal, long, 120, NOON)
    page.goto(site.url(f"/consultation/{long}"))
    assert numbers(page) == list(range(71, 121))
    top = page.locator("[data-seq='71']")
    top.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    before = top.bounding_box()
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("[data-line]")).to_have_count(100, timeout=SOON)
    assert numbers(page) == list(range(21, 121))
    after = top.bounding_box()
    assert before is not None and after is not None and abs(before["y"] - after["y"]) < 3
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("[data-line]")).to_have_count(120, timeout=SOON)
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    expect(page.locator("[data-seq='20']")).to_be_focused()
    practice.answer(long, "the newest")
    expect(page.get_by_role("log")).to_contain_text("the newest", timeout=SOON)
    assert numbers(page) == list(range(1, 122))


def test_where_she_stopped_reading_is_in_sight_and_what_follows_comes_by_itself(
    page: Page, site: Site, practice: Practice
) -> None:
    number = MOST_MESSAGES + 60
    long = make_long(practice, number)
    mark_read(practice.world.principal, long, 20, NOON)
    page.goto(site.url(f"/consultation/{long}"))
    expect(page.get_by_text("New since you were here")).to_be_in_viewport()
    expect(page.locator("[data-line]")).to_have_count(number - 20, timeout=SOON)
    assert numbers(page) == list(range(21, number + 1))
    seen_is_read(page, practice, long)


def test_a_page_that_is_refused_is_loaded_again_once_and_then_says_so(
    page: Page, practice: Practice, talk: str
) -> None:
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.route("**/messages", lambda route: route.fulfill(status=403, body="no"))
    write(page, "头痛")
    expect(page.locator("#outbox [data-how=failed]")).to_be_visible(timeout=SOON)
    page.wait_for_timeout(2000)
    assert len(loads) <= 1
    page.unroute("**/messages")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-part=lines] [data-mine]")).to_have_count(1, timeout=SOON)
    assert said(practice, talk) == ["头痛"]
