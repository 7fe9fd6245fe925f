"""What a worker's phone keeps of her pages, and for how long."""

from __future__ import annotations

import re

import pytest
from flask import Flask, request, request_started
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.core.database.db import transaction
from marketplace.web.desk.escorting import mine
from tests.booking.escorting.stage import Stage
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.desk.escorting.conftest import wait_until
from tests.marketplace.web.desk.escorting.test_phone import PAGES, all_sent, record, stored, without_network
from tests.world import EIGHT
from vip.models import SignInSession

AGED = """
    async () => {
      const [name] = (await caches.keys()).filter((each) => each.startsWith("escort-pages-"));
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const found = await cache.match(request);
        const headers = new Headers(found.headers);
        headers.set("X-Kept-At", String(Date.now() - 17 * 3600000));
        await cache.put(request, new Response(await found.blob(), { headers }));
      }
    }
"""
KEPT_PAGES = """
    async () => {
      const names = (await caches.keys()).filter((each) => each.startsWith("escort-pages-"));
      const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return all.flat().map((each) => new URL(each.url).pathname);
    }
"""
OF_THE_RELEASE_BEFORE = """
    async () => {
      const [name] = (await caches.keys()).filter((each) => each.startsWith("escort-pages-"));
      const cache = await caches.open(name);
      const found = await cache.match(location.href);
      const page = (await found.text()).replaceAll(/[?]v=[^"&]*/g, "?v=before");
      await cache.put(location.href, new Response(page, { headers: found.headers }));
    }
"""
pytestmark = pytest.mark.browser


def test_pages_go_when_they_are_old_and_when_the_session_ended(page: Page, site: Site, stage: Stage) -> None:
    assert f"/desk/escort/{stage.assignment}" in page.evaluate(KEPT_PAGES)
    page.evaluate(AGED)
    page.goto(site.url("/desk/escort"))
    wait_until(page, f"async () => !(await ({KEPT_PAGES})()).includes('/desk/escort/{stage.assignment}')")
    assert page.evaluate(PAGES) != []
    with transaction() as session:
        session.query(SignInSession).update({"ended_at": EIGHT})
    page.goto(site.url("/desk/escort"))
    expect(page).to_have_url(re.compile("/desk/sign-in"))
    wait_until(page, f"async () => !(await ({PAGES})()).length")


def test_files_that_are_kept_are_not_fetched_again(app: Flask, page: Page, stage: Stage) -> None:
    asked: list[str] = []

    def hear(_app: Flask, **_more: object) -> None:
        asked.append(request.full_path)

    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    with request_started.connected_to(hear, app):
        page.reload()
        expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    assert any(each.startswith("/desk/escort/") for each in asked)
    assert [each for each in asked if "escorting.css?v=" in each or "page.js?v=" in each] == []


def test_a_page_of_the_release_before_goes_on_without_a_connection(
    phone: BrowserContext, page: Page, site: Site, stage: Stage
) -> None:
    page.evaluate(OF_THE_RELEASE_BEFORE)
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    with without_network(phone, site):
        page.reload()
        record(page, "note", words="it stays")
        assert stored(page) == ["1 note waiting"]


def test_while_the_server_fails_the_kept_page_goes_on(
    page: Page, site: Site, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("down")

    monkeypatch.setattr(mine.page, "one", broken)
    page.reload()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    record(page, "note", words="it is sent")
    all_sent(page)
