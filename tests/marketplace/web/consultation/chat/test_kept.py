"""What is left on a device is its account's: it goes with the session, and no other account sees or sends it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import text

from marketplace.core.database.db import transaction
from marketplace.web.cookies import SIGNED_IN
from tests.booking.consultation.rooms import Practice
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.consultation.chat.talking import SOON, all_sent, said, stored, until
from tests.people import NOON, make_customer
from vip.signin.signin import issue_token

OTHER_PHONE = "13800000022"
SIGN_IN = re.compile(r"/sign-in(\?|$)")
pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def another(practice: Practice) -> None:
    make_customer(OTHER_PHONE)


def sign_in(context: BrowserContext, site: Site, phone: str) -> None:
    token = issue_token(phone, NOON).token
    context.add_cookies([{"name": SIGNED_IN.name, "value": token, "url": site.url("/")}])


@pytest.fixture
def page(browser: BrowserContext, site: Site, talk: str) -> Page:
    """Her conversation, with a message that could not be sent and a draft."""
    made = browser.new_page()
    made.goto(site.url(f"/consultation/{talk}"))
    made.route("**/messages", lambda route: route.abort())
    made.locator("#say").fill("it waits")
    made.get_by_role("button", name="Send", exact=True).click()
    made.locator("#say").press_sequentially("half a draft")
    until(made, lambda: stored(made) == ["half a draft", "it waits"])
    return made


def empty(page: Page) -> None:
    """Nothing lies there any more, soon after the page has begun."""
    until(page, lambda: stored(page) == [])


def test_signing_out_leaves_nothing(page: Page, site: Site, practice: Practice, talk: str) -> None:
    page.goto(site.url("/me"))
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(SIGN_IN)
    empty(page)
    assert said(practice, talk) == []


def test_a_session_that_was_ended_elsewhere_leaves_nothing(page: Page, site: Site, talk: str) -> None:
    with transaction() as session:
        session.execute(text("UPDATE sign_in_session SET ended_at = now()"))
    expect(page).to_have_url(SIGN_IN, timeout=SOON)
    empty(page)


def test_another_account_finds_nothing_and_sends_nothing(
    page: Page, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    sign_in(browser, site, OTHER_PHONE)
    tries: list[str] = []
    other = browser.new_page()
    other.goto(site.url("/"))
    empty(other)  # what was tried before had the other one's cookie beside her own conversation: there is none for it
    browser.on("request", lambda it: tries.append(it.url) if it.method == "POST" and "messages" in it.url else None)
    page.unroute("**/messages")
    expect(page.locator("#say")).to_have_count(0, timeout=SOON)  # it shows what the other one may see: nothing
    page.wait_for_timeout(500)
    assert tries == [] and said(practice, talk) == []


def test_a_page_that_stayed_open_stores_nothing_after_she_signed_out(
    page: Page, browser: BrowserContext, site: Site
) -> None:
    other = browser.new_page()
    other.goto(site.url("/me"))
    page.evaluate("document.querySelector('#say').value = 'written too late'")
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(SIGN_IN)
    empty(other)
    expect(page).to_have_url(SIGN_IN, timeout=SOON)  # it hears of it, and leaves, storing its draft on its way
    page.close()
    other.wait_for_timeout(300)
    assert stored(other) == []


def test_her_own_other_pages_and_a_page_of_nobody_leave_it_as_it_is(
    page: Page, browser: BrowserContext, site: Site, practice: Practice, talk: str
) -> None:
    other = browser.new_page()
    for path in ("/", "/bookings", "/no-such-page", "/shared/xyz", "/desk/sign-in"):
        other.goto(site.url(path))
    other.wait_for_timeout(500)
    assert stored(other) == ["half a draft", "it waits"]
    page.unroute("**/messages")
    page.reload()
    all_sent(page, "it waits")
    assert said(practice, talk) == ["it waits"]
    expect(page.locator("#say")).to_have_value("half a draft")
