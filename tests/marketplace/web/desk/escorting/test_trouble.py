"""What goes wrong with a worker's phone, its browser or the server costs no deed, and is said in true words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import update

from marketplace.core.database.db import transaction
from tests.booking.escorting.stage import CODE, Stage, deed, locate
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.desk.escorting.conftest import wait_until
from tests.marketplace.web.desk.escorting.test_phone import SOON, all_sent, at, open_all, record, stored, told
from tests.pictures import make_picture
from vip.models import Operator

NO_ROOM = """
    () => {
      const put = IDBObjectStore.prototype.put;
      globalThis.roomAgain = () => (IDBObjectStore.prototype.put = put);
      IDBObjectStore.prototype.put = function (value, ...more) {
        if (this.name === "deeds") throw new DOMException("full", "QuotaExceededError");
        return put.call(this, value, ...more);
      };
    }
"""
LOST = "() => new Promise((done) => { indexedDB.deleteDatabase('escorts').onsuccess = done; })"
NO_POSITION = "() => { navigator.geolocation.getCurrentPosition = () => {}; }"
SOONER = """
    () => {
      const wait = setTimeout;
      globalThis.setTimeout = (does, ms, ...more) => wait(does, ms === 12000 ? 50 : ms, ...more);
    }
"""
KEPT_WORDS = """
    () => new Promise((done) => {
      const asked = indexedDB.open("escorts");
      asked.onsuccess = () => {
        const rows = asked.result.transaction("deeds").objectStore("deeds").getAll();
        rows.onsuccess = () => { asked.result.close(); done(rows.result.map((it) => it.told)); };
      };
    })
"""
AGAIN = "dispatchEvent(new Event('online'))"
pytestmark = pytest.mark.browser


def answer_bad_ones(page: Page, status: int) -> None:
    """What tells of "bad" is answered so, as by a proxy; all else is the server's."""

    def answer(route: Route) -> None:
        if "bad" in (route.request.post_data or ""):
            route.fulfill(status=status, content_type="text/html", body="<h1>no</h1>")
        else:
            route.continue_()

    page.route("**/deeds", answer)


def test_where_the_phone_has_no_room_the_page_holds_it_and_says_so(page: Page, stage: Stage) -> None:
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="stored before")
    page.evaluate(NO_ROOM)
    record(page, "note", words="one")
    record(page, "note", words="two")
    expect(page.locator("#unsent")).to_contain_text("This phone can store nothing more", timeout=SOON)
    expect(page.locator("#deeds li")).to_have_count(3)
    page.unroute("**/deeds")
    page.evaluate(AGAIN)
    all_sent(page)
    assert [(it.number, it.words) for it in told(stage)] == [(1, "stored before"), (2, "one"), (3, "two")]


def test_a_store_that_was_closed_is_opened_again(page: Page, stage: Stage) -> None:
    page.evaluate(LOST)
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="it stays")
    assert stored(page) == ["1 note waiting"]
    page.unroute("**/deeds")
    page.evaluate(AGAIN)
    all_sent(page)
    assert [it.words for it in told(stage)] == ["it stays"]


def test_one_that_the_server_fails_at_holds_up_no_other(page: Page, stage: Stage) -> None:
    answer_bad_ones(page, 500)
    record(page, "note", words="bad")
    expect(page.locator("#unsent")).to_contain_text("The server can't take all of it now", timeout=SOON)
    record(page, "note", words="good")
    expect(page.locator("#deeds [data-local=sent]")).to_have_count(1, timeout=SOON)
    assert [it.words for it in told(stage)] == ["good"]
    page.evaluate(AGAIN)
    expect(page.locator("#deeds li").first).to_contain_text("The server can't take this one now.", timeout=SOON)
    page.unroute("**/deeds")
    page.evaluate(AGAIN)
    all_sent(page)
    assert [it.words for it in told(stage)] == ["bad", "good"]


def test_a_batch_that_is_refused_as_a_whole_is_sent_one_by_one_and_a_reason_is_said(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    no_network: Callable[[Route], None] = lambda route: route.abort()  # noqa: E731
    page.route("**/deeds", no_network)
    record(page, "note", words="bad")
    record(page, "note", words="good")
    answer_bad_ones(page, 413)  # before the other one goes: the page tries again by itself
    page.unroute("**/deeds", no_network)
    page.evaluate(AGAIN)
    refused = page.locator("#deeds .fail")
    expect(refused).to_contain_text("It is too large to be sent.", timeout=SOON)
    expect(page.locator("#deeds [data-local=sent]")).to_have_count(1, timeout=SOON)
    assert [it.words for it in told(stage)] == ["good"]
    remove = refused.get_by_role("button", name="Remove")
    remove.focus()
    page.evaluate("new BroadcastChannel('escorts').postMessage({ changed: true })")
    page.wait_for_timeout(300)
    expect(remove).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_be_focused()


def test_a_photo_that_can_not_be_taken_is_refused_before_it_is_stored(page: Page, stage: Stage, tmp_path: Path) -> None:
    broken, large = tmp_path / "broken.jpg", tmp_path / "large.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    large.write_bytes(make_picture())
    sheet = page.locator("#sheet-paper")
    page.locator("[data-sheet=sheet-paper]").click()
    sheet.locator("[name=picture]").set_input_files(str(broken))
    sheet.locator("[type=submit]").click()
    expect(sheet.locator("[data-error]")).to_have_text("This file is no picture that can be read.")
    sheet.locator("[name=picture]").evaluate("(it) => (it.dataset.most = 10)")
    sheet.locator("[name=picture]").set_input_files(str(large))
    sheet.locator("[type=submit]").click()
    expect(sheet.locator("[data-error]")).to_have_text("This photo is too large.")
    assert stored(page) == []


def test_an_arrival_is_stored_before_its_position_and_does_not_wait_for_ever(
    phone: BrowserContext, page: Page, stage: Stage
) -> None:
    locate(stage.made)
    page.reload()
    page.evaluate(NO_POSITION)
    open_all(page)
    record(page, "arrived", proof="position")
    assert stored(page) == ["1 arrived waiting"]
    at(phone, 1)
    page.reload()  # and with it goes the one that looked
    all_sent(page)
    page.evaluate(NO_POSITION)
    page.evaluate(SOONER)
    open_all(page)
    record(page, "arrived", proof="position")
    all_sent(page)
    assert [(it.kind, it.position) for it in told(stage)] == 2 * [("arrived", "not_checkable")]


def test_a_wrong_code_is_put_right_by_the_position_with_its_words(page: Page, stage: Stage) -> None:
    locate(stage.made)
    page.reload()
    open_all(page)
    record(page, "met", proof="code", code="0000", words="门诊楼")
    page.get_by_role("button", name="Enter the code again").click(timeout=SOON)
    sheet = page.locator("#sheet-met")
    expect(sheet.locator("[name=words]")).to_have_value("门诊楼")
    sheet.locator("[name=proof][value=position]").check(force=True)
    sheet.locator("[name=words]").fill("门诊楼一层")
    sheet.locator("[type=submit]").click()
    all_sent(page)
    assert [(it.position, it.words) for it in told(stage)] == [("within", "门诊楼一层")]


def test_who_may_not_send_any_more_is_not_told_to_sign_in(page: Page, stage: Stage) -> None:
    with transaction() as session:
        session.execute(update(Operator).where(Operator.id == stage.member.id).values(role="manager"))
    record(page, "note", words="it waits")
    expect(page.locator("#unsent")).to_contain_text("This account may not send them any more.", timeout=SOON)
    expect(page.locator("[data-again]")).to_be_hidden()
    assert stored(page) == ["1 note waiting"]


def test_another_phone_of_hers_has_given_numbers_meanwhile(page: Page, stage: Stage) -> None:
    stage.taken(deed("on_the_way", 1), deed("met", 2, minutes=10))
    record(page, "note", words="after those")
    all_sent(page)
    assert [(it.number, it.kind) for it in told(stage)] == [(1, "on_the_way"), (2, "met"), (3, "note")]


def test_of_what_is_sent_only_what_is_drawn_stays_and_not_for_long(
    phone: BrowserContext, page: Page, site: Site, stage: Stage
) -> None:
    open_all(page)
    record(page, "met", proof="code", code=CODE, words="门诊楼")
    all_sent(page)
    (kept,) = page.evaluate(KEPT_WORDS)
    assert {name: each for name, each in kept.items() if each} == {"words": "门诊楼"}
    at(phone, 17 * 60)
    page.goto(site.url("/desk/escort"))
    expect(page.get_by_role("heading", name="My escorts")).to_be_visible()
    wait_until(page, lambda: stored(page) == [])


def test_an_open_page_learns_that_somebody_else_goes(page: Page, stage: Stage) -> None:
    def replaced(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "state": {stage.assignment: "replaced"}}))

    expect(page.locator("[data-next]:visible")).to_have_count(1)
    page.route("**/desk/escort/here*", replaced)
    page.evaluate(AGAIN)
    expect(page.locator("#taken")).to_contain_text("This escort is not yours any more.", timeout=SOON)
    expect(page.locator("[data-next]:visible")).to_have_count(0)
    record(page, "note", words="what was left")
    all_sent(page)
