"""The main job in a real browser, with the real web server, worker and provider: from signing in to the report."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from marketplace.core import clock
from marketplace.development.database import DevDatabase
from tests.people import consents, give, make_customer
from tests.sandboxes import eventually
from tests.stage import Stage, let_its_day_come, set_stage
from tests.world import booking_row
from vip.customers.family import NewMember, add_member
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token

PHONE = "13800440001"
MOST_TAPS = 5


@dataclass
class Thumb:
    """Counts what a person has to tap."""

    taps: int = 0

    def tap(self, what: Locator) -> None:
        """Tap once, as a finger would: it must be in view or scrolled to, and not covered."""
        self.taps += 1
        what.tap()


@pytest.fixture
def stage(own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A provider that answers after a moment, and a customer with a father and two health checks."""
    with set_stage(own_server, tmp_path, monkeypatch, "deliberate") as made:
        now = clock.now()
        customer = make_customer(PHONE)
        give(customer, 2, valid_from=now.date(), valid_until=now.date() + timedelta(days=90))
        me = authenticate(issue_token(PHONE, now).token, now=now)
        father = add_member(me, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), now)
        consents(father.public_id, now)
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A phone."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="zh-CN", reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def newest_code(log: Path) -> str:
    """The code that the development's SMS backend printed."""
    found = re.findall(r"验证码 (\d{6})", log.read_text())
    return found[-1] if found else ""


def sign_in(page: Page, stage: Stage, address: str) -> None:
    page.goto(address)
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_role("button", name="获取验证码").tap()
    page.get_by_label("6 位验证码").fill(eventually(lambda: newest_code(stage.folder / "web.log")))
    page.get_by_role("button", name="登录").tap()
    expect(page.get_by_role("heading", name="我的权益")).to_be_visible()


@pytest.mark.browser
@pytest.mark.slow
def test_a_customer_books_for_her_father_within_five_taps_and_gets_the_report(stage: Stage, page: Page) -> None:
    address = stage.web().url
    sign_in(page, stage, address)

    thumb, began = Thumb(), time.monotonic()
    thumb.tap(page.get_by_role("link", name="去预约"))
    thumb.tap(page.get_by_role("link", name="父亲", exact=True))
    thumb.tap(page.get_by_role("link", name=re.compile("选.*时间")).first)
    thumb.tap(page.get_by_role("button", name="下一步，核对信息"))
    expect(page.get_by_role("timer")).to_have_text(re.compile("分"))
    expect(page.get_by_text("沈伯年")).to_be_visible()
    thumb.tap(page.get_by_role("button", name="确认预约"))
    pill = page.locator(".ticket .pill")
    expect(pill).to_have_text("等医院答复")
    assert thumb.taps <= MOST_TAPS
    assert time.monotonic() - began < 60

    page.evaluate("document.body.dataset.kept = 'yes'")
    stage.worker()
    expect(pill).to_have_text("已确认", timeout=30_000)
    assert page.evaluate("document.body.dataset.kept") == "yes", "the page was loaded anew"

    public_id = page.url.rsplit("/", 1)[1]
    assert booking_row(public_id).state.value == "confirmed"
    control = stage.sandbox.control()
    [there] = control.bookings(public_id)
    let_its_day_come(control, public_id, there["reference"])
    control.move(there["reference"], "fulfil")
    expect(page.get_by_role("link", name="看报告")).to_be_visible(timeout=40_000)
    assert page.evaluate("document.body.dataset.kept") == "yes"


@pytest.fixture
def moved_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that are started from here on are a demonstration's."""
    monkeypatch.setenv("DEMO_CLOCK_FILE", str(tmp_path / "clock"))


@pytest.mark.browser
@pytest.mark.slow
def test_who_tries_the_product_out_moves_time_on_to_the_visit_and_sees_the_report(
    moved_clock: None, stage: Stage, page: Page
) -> None:
    sign_in(page, stage, stage.web().url)
    for link in ("去预约", "父亲"):
        page.get_by_role("link", name=link, exact=link == "父亲").tap()
    page.get_by_role("link", name=re.compile("选.*时间")).first.tap()
    page.get_by_role("button", name="下一步，核对信息").tap()
    page.get_by_role("button", name="确认预约").tap()
    stage.worker()
    pill = page.locator(".ticket .pill")
    expect(pill).to_have_text("已确认", timeout=60_000)
    public_id = page.url.rsplit("/", 1)[1]
    booked, control = booking_row(public_id), stage.sandbox.control()

    page.reload()
    page.get_by_role("button", name="到预约时间").tap()
    expect(page.get_by_text("时间已前进")).to_be_visible(timeout=60_000)  # the page before has a time as well
    day = page.locator("aside time").get_attribute("datetime")
    assert day is not None and booked.starts_at is not None and datetime.fromisoformat(day) >= booked.starts_at
    [there] = control.bookings(public_id)
    control.move(there["reference"], "fulfil")
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + f"/bookings/{public_id}")
    expect(page.get_by_role("link", name="看报告")).to_be_visible(timeout=60_000)
    assert booking_row(public_id).service_date == booked.service_date, "on its own day, not before"
