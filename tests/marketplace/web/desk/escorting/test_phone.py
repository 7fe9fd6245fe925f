"""A worker's phone in a hospital: what she records is there once, in order and with its times, whatever the connection
does; and it is nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from booking.escort.deeds import Deed, deeds_of
from marketplace.core.database.db import reading, transaction
from tests.booking.escorting.stage import CODE, Stage, add_worker, locate
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.desk.escorting.conftest import sign_in, wait_until
from tests.pictures import make_picture
from tests.world import EIGHT
from vip.models import SignInSession

SOON, SLOWLY = 15_000, 40_000
STORED = """
    () => new Promise((done) => {
      const asked = indexedDB.open("escorts");
      asked.onsuccess = () => {
        if (!asked.result.objectStoreNames.contains("deeds")) return done([]);
        const rows = asked.result.transaction("deeds").objectStore("deeds").getAll();
        rows.onsuccess = () => {
          asked.result.close();
          done(rows.result.map((it) => `${it.number} ${it.kind} ${it.state}`));
        };
      };
    })
"""
PAGES = "async () => (await caches.keys()).filter((name) => name.startsWith('escort-pages-'))"
pytestmark = pytest.mark.browser


def told(stage: Stage) -> list[Deed]:
    with reading() as session:
        return deeds_of(session, stage.booking_id)


def kinds(stage: Stage) -> list[str]:
    return [it.kind for it in told(stage)]


def at(context: BrowserContext, minutes: float) -> None:
    """So many minutes after eight by the phone's clock."""
    context.clock.set_fixed_time(EIGHT + timedelta(minutes=minutes))


def record(page: Page, kind: str, **fields: str) -> None:
    """Record one by its sheet."""
    page.locator(f"[data-sheet='sheet-{kind}']:visible").first.click()
    sheet = page.locator(f"#sheet-{kind}")
    for name, value in fields.items():
        if name == "proof":
            sheet.locator(f"[name=proof][value={value}]").check(force=True)
        elif name == "picture":
            sheet.locator("[name=picture]").set_input_files(value)
        else:
            sheet.locator(f"[name={name}]").fill(value)
    sheet.locator("[type=submit]").click()
    expect(sheet).to_be_hidden(timeout=SOON)


def open_all(page: Page) -> None:
    page.locator("details.fold summary").click()


def all_sent(page: Page, *, timeout: int = SOON) -> None:
    expect(page.locator("#unsent")).to_be_hidden(timeout=timeout)


@contextmanager
def without_network(phone: BrowserContext, site: Site) -> Iterator[None]:
    """The browser's network is switched off; the server, too, since a service worker has a network of its own."""
    phone.set_offline(True)
    site.stop()
    yield
    site.start()
    phone.set_offline(False)


def test_three_steps_and_a_photo_without_a_connection_are_all_there_in_order_with_their_times(
    phone: BrowserContext, page: Page, site: Site, stage: Stage, tmp_path: Path
) -> None:
    photo = tmp_path / "ecg.jpg"
    photo.write_bytes(make_picture(width=3000, height=2000))
    open_all(page)
    at(phone, -14)
    record(page, "on_the_way")
    all_sent(page)
    with without_network(phone, site):
        at(phone, 21)
        record(page, "met", proof="none", words="门诊楼一层大厅")
        at(phone, 23)
        record(page, "paper", picture=str(photo), words="去年的心电图")
        page.reload()
        expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
        expect(page.locator("#unsent")).to_contain_text("2 steps are not sent yet", timeout=SOON)
        expect(page.locator("#deeds li")).to_have_count(3)
        open_all(page)
        at(phone, 34)
        record(page, "registered")
        at(phone, 70)
        record(page, "consulted", words="医生说复查")
        waiting = ("2 met", "3 paper", "4 registered", "5 consulted")
        assert stored(page) == ["1 on_the_way sent", *(f"{each} waiting" for each in waiting)]
        assert kinds(stage) == ["on_the_way"]
    at(phone, 74)
    page.evaluate("dispatchEvent(new Event('online'))")
    all_sent(page, timeout=SLOWLY)
    found = told(stage)
    assert [it.kind for it in found] == ["on_the_way", "met", "paper", "registered", "consulted"]
    assert [it.at for it in found] == [EIGHT + timedelta(minutes=each) for each in (-14, 21, 23, 34, 70)]
    assert [it.words for it in found] == ["", "门诊楼一层大厅", "去年的心电图", "", "医生说复查"]
    assert found[2].picture
    assert stage.state() == "in_service"
    page.reload()
    expect(page.locator("#deeds li")).to_have_count(5)
    expect(page.locator("#deeds .cap").nth(1)).to_have_text("08:21")
    page.wait_for_function("() => document.querySelectorAll('[data-local]').length === 0")
    assert stored(page) == []


def stored(page: Page) -> list[Any]:
    """What lies on the phone, in order."""
    found: list[Any] = page.evaluate(STORED)
    return sorted(found, key=lambda it: int(str(it).split()[0]))


def test_two_tabs_give_no_number_twice_and_send_nothing_twice(
    phone: BrowserContext, page: Page, site: Site, stage: Stage
) -> None:
    sent: list[str] = []
    phone.on("request", lambda it: sent.append(it.post_data or "") if it.url.endswith("/deeds") else None)
    other = phone.new_page()
    other.goto(site.url(f"/desk/escort/{stage.assignment}"))
    with without_network(phone, site):
        for number in range(3):
            for tab in (page, other):
                tab.bring_to_front()
                record(tab, "note", words=f"note {number}")
        expect(other.locator("#deeds li")).to_have_count(6, timeout=SOON)
        expect(page.locator("#deeds li")).to_have_count(6, timeout=SOON)
        sent.clear()
    for tab in (page, other):
        tab.evaluate("dispatchEvent(new Event('online'))")
    all_sent(page)
    all_sent(other)
    assert [it.number for it in told(stage)] == [1, 2, 3, 4, 5, 6]
    assert [it.words for it in told(stage)] == ["note 0", "note 0", "note 1", "note 1", "note 2", "note 2"]
    keys = re.findall(r'\\?"key\\?":\\?"([0-9a-f-]{36})', " ".join(sent))
    assert len(keys) == len(set(keys)) == 6


def test_an_answer_that_was_lost_makes_no_second_deed(page: Page, stage: Stage) -> None:
    def lose(route: Route) -> None:
        route.fetch()  # the server takes it
        route.abort()

    page.route("**/deeds", lose, times=1)
    record(page, "note", words="once")
    expect(page.locator("#unsent")).to_contain_text("No connection", timeout=SOON)
    page.get_by_role("button", name="Send now").click()
    all_sent(page)
    assert [it.words for it in told(stage)] == ["once"]


def test_numbers_go_on_after_the_phone_lost_all(page: Page, stage: Stage, site: Site) -> None:
    record(page, "note", words="one")
    record(page, "note", words="two")
    all_sent(page)
    page.goto("about:blank")
    page.goto(site.url("/offline"))
    page.evaluate("new Promise((done) => { indexedDB.deleteDatabase('escorts').onsuccess = done; })")
    page.goto(site.url(f"/desk/escort/{stage.assignment}"))
    record(page, "note", words="three")
    all_sent(page)
    assert [(it.number, it.words) for it in told(stage)] == [(1, "one"), (2, "two"), (3, "three")]


def test_signing_out_on_another_page_of_the_desk_asks_as_well(page: Page, site: Site, stage: Stage) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="not sent")
    page.goto(site.url("/desk/password"))
    page.get_by_role("button", name="Sign out everywhere").click()
    wait_until(page, lambda: asked)
    assert len(asked) == 1 and "1 step is not sent yet" in asked[0]
    assert stored(page) == ["1 note waiting"]


def test_signing_out_asks_about_what_is_not_sent_and_deletes_all(page: Page, site: Site, stage: Stage) -> None:
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="it waits")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.goto(site.url("/desk/escort"))
    assert page.evaluate(PAGES) == [f"escort-pages-{stage.member.public_id}"]
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/desk/sign-in"), timeout=SOON)
    assert asked == ["1 step is not sent yet and would be lost. Sign out all the same?"]
    assert (stored(page), page.evaluate(PAGES), kinds(stage)) == ([], [], [])


def test_another_worker_finds_and_sends_nothing_of_hers(
    phone: BrowserContext, page: Page, site: Site, stage: Stage
) -> None:
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="it waits")
    page.goto("about:blank")
    other, _ = add_worker(stage.made.world.provider.id, "王安")
    sign_in(phone, site, other)
    page.unroute("**/deeds")
    page.goto(site.url("/desk/escort"))
    hers = f"(name) => name.endsWith('{stage.member.public_id}')"
    wait_until(page, f"async () => !(await caches.keys()).some({hers})")
    assert "not sent" not in page.locator("main").inner_text()
    assert stored(page) == ["1 note waiting"]
    assert page.goto(site.url(f"/desk/escort/{stage.assignment}")).status == 404  # type: ignore[union-attr]
    with without_network(phone, site):
        page.goto(site.url(f"/desk/escort/{stage.assignment}"))
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    page.wait_for_timeout(500)
    assert kinds(stage) == []
    sign_in(phone, site, stage.member)
    with page.expect_response("**/deeds"):
        page.goto(site.url(f"/desk/escort/{stage.assignment}"))
    all_sent(page)
    assert [it.words for it in told(stage)] == ["it waits"]
    page.route("**/deeds", lambda route: route.abort())
    record(page, "note", words="nobody comes for it")
    at(phone, 8 * 24 * 60)
    sign_in(phone, site, other)
    page.goto(site.url("/desk/escort"))
    expect(page.get_by_role("heading", name="My escorts")).to_be_visible()
    wait_until(page, lambda: stored(page) == [])


def test_a_session_that_ended_costs_no_deed(phone: BrowserContext, page: Page, site: Site, stage: Stage) -> None:
    with transaction() as session:
        session.query(SignInSession).update({"ended_at": EIGHT})
    record(page, "note", words="it waits")
    expect(page.locator("#unsent")).to_contain_text("Sign in again to send them.", timeout=SOON)
    page.locator("[data-again]").click()
    expect(page).to_have_url(re.compile("/desk/sign-in"))
    assert stored(page) == ["1 note waiting"]
    sign_in(phone, site, stage.member)
    with page.expect_response("**/deeds"):
        page.goto(site.url("/desk/escort"))
    all_sent(page)
    assert [it.words for it in told(stage)] == ["it waits"]


def test_where_she_is_leaves_the_phone_as_a_distance_and_a_wrong_code_is_put_right(
    phone: BrowserContext, page: Page, site: Site, stage: Stage
) -> None:
    locate(stage.made)
    page.reload()
    bodies: list[str] = []
    phone.on("request", lambda it: bodies.append(it.post_data or "") if it.url.endswith("/deeds") else None)
    open_all(page)
    record(page, "arrived", proof="position")
    all_sent(page)
    at(phone, 3)
    record(page, "met", proof="code", code="0000")
    expect(page.locator("#deeds .fail")).to_contain_text("That is not the code of the person", timeout=SOON)
    at(phone, 5)
    page.get_by_role("button", name="Enter the code again").click()
    page.locator("#sheet-met [name=code]").fill(CODE)
    page.locator("#sheet-met [type=submit]").click()
    all_sent(page)
    arrived, met = told(stage)
    assert (arrived.position, met.by_code, met.at) == ("within", True, EIGHT + timedelta(minutes=3))
    assert "30.27" not in "".join(bodies) and '"distance_m"' in "".join(bodies).replace("\\", "")
    phone.set_geolocation({"latitude": 30.28, "longitude": 120.15, "accuracy": 30})
    page.reload()
    open_all(page)
    record(page, "arrived", proof="position")
    all_sent(page)
    assert told(stage)[-1].position == "away"


def test_a_sum_a_hand_over_and_a_signature_say_that_it_is_over(page: Page, stage: Stage) -> None:
    page.locator("[data-sheet=sheet-cost]").click()
    page.locator("#sheet-cost [type=submit]").click()
    expect(page.locator("#sheet-cost [data-error]")).to_be_visible()
    page.locator("#sheet-cost [data-close]").click()
    record(page, "cost", amount="12.5", what="停车")
    record(page, "handed_over", words="药已交给家人")
    page.locator("[data-sheet=sheet-signed]").click()
    page.locator("#sheet-signed [type=submit]").click()
    expect(page.locator("#sheet-signed [data-error]")).to_have_text("Sign in the field first.")
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 70, steps=6)
    page.mouse.up()
    page.locator("#sheet-signed [type=submit]").click()
    expect(page.locator("#sheet-signed")).to_be_hidden()
    all_sent(page)
    cost, over, signed = told(stage)
    assert cost.cost is not None and (cost.cost.amount_minor, cost.cost.currency) == (1250, "CNY")
    assert over.words == "药已交给家人" and len(signed.strokes) == 1 and len(signed.strokes[0]) > 4
    assert stage.state() == "in_service", "without the code its customer is asked"


def test_where_the_browser_stores_nothing_it_is_sent_all_the_same(
    phone: BrowserContext, site: Site, stage: Stage
) -> None:
    page = phone.new_page()
    page.add_init_script(
        "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    page.goto(site.url(f"/desk/escort/{stage.assignment}"))
    record(page, "note", words="once")
    all_sent(page)
    assert [it.words for it in told(stage)] == ["once"]
