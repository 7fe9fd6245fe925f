"""The page of an escort: what its customer reads and says, and what it becomes while she looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy.engine import Engine

from booking.escort.following.links import NewLink, end_link, links_of, make_link
from booking.ratings.rate import rating_of
from booking.states import BookingState
from marketplace.core import clock
from marketplace.web.cookies import SIGNED_IN
from tests.escorting import CODE, SAFE_WORD, Escorted, escorted
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_customer
from tests.world import EIGHT, go
from vip.signin.signin import issue_token

HERS, OTHERS = "13800000021", "13800000031"
OPENED = """() => {
  const part = document.createElement("div");
  part.dataset.morph = "";
  part.innerHTML = "<details open><p>1</p></details>";
  document.body.append(part);
  const swap = new CustomEvent("live:swap", { bubbles: true, cancelable: true, detail: "<details><p>2</p></details>" });
  part.dispatchEvent(swap);
  const found = [part.firstChild.open, part.textContent];
  part.remove();
  return found;
}"""
"""A reader's open details after another state of their part has come."""
OVER = EIGHT + timedelta(hours=3)


@pytest.fixture
def one(db: Engine) -> Iterator[Escorted]:
    with clock.frozen(NOON):
        yield escorted()


def page(one: Escorted, part: str = "") -> str:
    return f"/bookings/{one.booking}/escort{part}"


def test_the_booking_leads_to_who_comes_and_what_is_done(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    assert page(one) in visitor.get(f"/bookings/{one.booking}").text
    told = main(visitor.get(page(one)))
    for words in ("何静", "No. HZ 0427", "Nurse", SAFE_WORD, CODE, "Set out"):
        assert words in told
    one.did("on_the_way", 2)
    one.did("arrived", 21, position="within", words="门诊楼一层大厅")
    one.did("note", 36, words="血压药已服")
    one.did("cost", 40, cost=(5_000, "CNY", "挂号费"))
    told = main(visitor.get(page(one)))
    for words in (
        "On the way 08:02",
        "Arrived at the hospital 08:21 门诊楼一层大厅 The escort's phone",
        "within 300 m",
        "血压药已服 08:36",
        "¥50",
        "no receipt",
    ):
        assert words in told
    visitor.language = "zh"
    told = main(visitor.get(page(one)))
    for words in ("工号 HZ 0427", "护理专业", "见面口令", "已出发 08:02", "碰面 接下来"):
        assert words in told


def test_what_is_doubtful_about_a_time_is_said_and_who_was_gone_adds_no_cost(app: Flask, one: Escorted) -> None:
    one.did("arrived", 24 * 60, doubt="ahead")
    for minor, doubt in ((99_900, "after"), (2_000, None), (1_000, None)):
        one.did("cost", 40, cost=(minor, "CNY", "taxi"), doubt=doubt)
    visitor = Visitor.signed_in(app, HERS)
    told = main(visitor.get(page(one)))
    for words in ("11 March", "by the phone's clock, which may be wrong", "999", "no longer hers", "Together CN¥30"):
        assert words in told
    visitor.language = "zh"
    told = main(visitor.get(page(one)))
    assert "时间来自手机，可能不准" in told and "所记时间在其不再负责本次陪同之后" in told


def test_while_somebody_is_looked_for_it_says_until_when(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        one = escorted(confirmed=False, sent=False)
        told = main(Visitor.signed_in(app, HERS).get(page(one)))
    assert "Somebody is being looked for" in told and "answers by" in told
    assert "Safe word" not in told and "Set out" not in told


def test_the_live_part_answers_only_what_moved(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    first = visitor.get(page(one, "/live"))
    same = visitor.get(page(one, "/live"), headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, same.status_code, same.data) == (200, 304, b"")
    one.did("on_the_way", 2)
    moved = visitor.get(page(one, "/live"), headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200 and "On the way" in moved.text


def test_she_says_how_it_went_and_rates_it(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    one.did("met", 5)
    one.did("handed_over", 180, words="下周复诊")
    with clock.frozen(OVER):
        told = main(visitor.get(page(one)))
        assert "Did it go well?" in told and "下周复诊" in told and "11:00 tomorrow" in told
        wrong = visitor.post(page(one, "/wrong"), page=page(one), what="")
        assert wrong.status_code == 422 and "Choose what is wrong." in main(wrong)
        visitor.post(page(one, "/wrong"), page=page(one), what="costs")
        assert "A person looks into it" in main(visitor.get(page(one)))
        visitor.post(page(one, "/well"), page=page(one))
        assert one.state() == "fulfilled"
        told = main(visitor.get(page(one)))
        assert "How was the escort?" in told and SAFE_WORD not in told
        assert visitor.post(page(one, "/rating"), page=page(one), stars="9", words="").status_code == 422
        visitor.post(page(one, "/rating"), page=page(one), stars="5", words="很耐心")
    rated = rating_of(one.me, one.booking)
    assert rated is not None and (rated.stars, rated.words) == (5, "很耐心")


def test_a_refusal_is_said_on_the_page(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    links = page(one, "/links")
    early = visitor.post(page(one, "/well"), page=links)
    assert early.status_code == 303 and "The escort is not over yet" in visitor.get(page(one)).text
    assert one.state() == "confirmed"


def test_one_that_did_not_take_place_says_so_and_leads_back(app: Flask, one: Escorted) -> None:
    visitor = Visitor.signed_in(app, HERS)
    go(one.booking, BookingState.CANCELLED, actor="clock", cause="nobody_came")
    told = main(visitor.get(page(one)))
    assert "Nobody came, so the escort did not take place" in told and "To the booking" in told
    assert "Nobody came. We are sorry." in main(visitor.get(f"/bookings/{one.booking}"))


def test_another_customer_finds_nothing(app: Flask, one: Escorted) -> None:
    picture = one.did("paper", 10, picture=True)
    make_customer(OTHERS)
    stranger = Visitor.signed_in(app, OTHERS)
    for part in ("", "/live", "/links", f"/papers/{picture}"):
        assert stranger.get(page(one, part)).status_code == 404
    for part in ("/well", "/wrong", "/rating", "/links"):
        assert stranger.post(page(one, part), what="late", name="x", days_after="0", stars="1").status_code == 404
    assert one.state() == "confirmed" and links_of(one.me, one.booking, now=NOON) == []


def test_a_paper_opens_by_itself(app: Flask, one: Escorted) -> None:
    picture = one.did("paper", 10, picture=True, words="心电图")
    visitor = Visitor.signed_in(app, HERS)
    assert f"/papers/{picture}" in visitor.get(page(one)).text
    ahead = visitor.get(page(one, f"/papers/{picture}"), headers={"Sec-Purpose": "prefetch"})
    assert ahead.status_code == 503
    answer = visitor.get(page(one, f"/papers/{picture}"))
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"


def test_customer_and_family_see_a_deed_appear_and_nothing_moves_under_them(
    app: Flask, one: Escorted, chromium: Browser
) -> None:
    for minute in range(40):
        one.did("note", minute, words=f"记录 {minute}")
    token = make_link(one.me, one.booking, NewLink("哥哥"), now=NOON).token
    site = Site(app)
    site.start()
    hers = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale="en-GB")
    family = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale="en-GB")
    try:
        hers.add_cookies([{"name": SIGNED_IN.name, "value": issue_token(HERS, NOON).token, "url": site.url("/")}])
        mine, theirs = hers.new_page(), family.new_page()
        mine.goto(site.url(page(one)))
        theirs.goto(site.url(f"/shared/escort/{token}"))
        theirs.get_by_role("button", name="See the steps").click()
        expect(theirs.get_by_role("heading", name="Set out")).to_be_visible()
        assert "记录" not in theirs.content()
        assert mine.locator(".meet__word").evaluate("word => word.getClientRects().length") == 1, "in one line"
        word, title = (theirs.locator(each).bounding_box() for each in (".bar .brand", "h1"))
        assert word and title and word["x"] == title["x"], "under one another"
        assert mine.evaluate(OPENED) == [True, "2"], "what she opened stays open"
        summary = mine.locator(".lines li").nth(20)
        summary.scroll_into_view_if_needed()
        mine.locator("#live").focus()
        mine.evaluate("window.scrollTo(0, 900)")
        one.did("on_the_way", 41)
        for tab in (mine, theirs):
            expect(tab.locator("li.done time")).to_have_text(["08:41"], timeout=15_000)
        expect(mine.locator("li[aria-current=step] h3")).to_have_text("Arrive")
        assert mine.evaluate("[window.scrollY, document.activeElement.id]") == [900, "live"]
        end_link(one.me, one.booking, links_of(one.me, one.booking, now=NOON)[0].id, now=NOON)
        expect(theirs.get_by_role("heading", name="There is nothing here")).to_be_visible(timeout=15_000)
    finally:
        hers.close()
        family.close()
        site.stop()
