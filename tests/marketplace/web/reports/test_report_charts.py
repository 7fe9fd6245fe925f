"""Last year's and this year's report in one chart, in a real browser; the demonstration brings both."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, func, select
from werkzeug.serving import make_server

from booking.models import Booking
from booking.reports.models import Report
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.demo.commands import demo
from marketplace.demo.people import PEOPLE
from tests.marketplace.web.conftest import _Quiet
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from vip.signin.signin import issue_token

PHONE = PEOPLE[0].phone


@pytest.fixture
def demonstration(db: Engine, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the application with the demonstration's data."""
    monkeypatch.delenv("HOSPITALS_CSV", raising=False)
    with clock.frozen(NOON):
        load(app)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def load(app: Flask) -> None:
    loaded = app.test_cli_runner().invoke(demo, ["load"])
    assert loaded.exit_code == 0, loaded.output


@pytest.fixture
def page(chromium: Browser, demonstration: str) -> Iterator[Page]:
    """A phone, signed in as the demonstration's first customer."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en", reduced_motion="reduce")
    context.add_cookies([{"name": "signed_in", "value": issue_token(PHONE, NOON).token, "url": demonstration}])
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_last_years_and_this_years_report_stand_in_one_chart_and_in_its_table(page: Page, demonstration: str) -> None:
    page.goto(f"{demonstration}/reports?lang=en")
    page.get_by_role("link", name=re.compile("to look at")).first.click()
    page.get_by_role("link", name=re.compile("Over the years.*LDL cholesterol")).first.click()
    expect(page.locator(".chart__value")).to_have_text(["3.54", "3.92"])  # its heading stands on the page before too
    expect(page.locator("td .strong")).to_have_text([re.compile("^3.92"), re.compile("^3.54")])
    expect(page.locator(".chart__out")).to_have_count(2)
    expect(page.locator(".chart__band")).to_have_count(1)
    said = page.get_by_role("img", name=re.compile("LDL cholesterol over time")).locator("desc")
    for value in ("3.54 mmol/L", "3.92 mmol/L"):
        expect(said).to_contain_text(value)  # the picture can be read without seeing it
    expect(page.get_by_text("converted from 137 mg/dL")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


@pytest.mark.browser
def test_both_reports_are_compared_side_by_side(page: Page, demonstration: str) -> None:
    page.goto(f"{demonstration}/reports?lang=en")
    page.get_by_role("link", name="Compare two reports").click()
    page.get_by_role("button", name="Compare").click()
    ldl = page.get_by_role("row", name=re.compile("LDL cholesterol"))
    expect(ldl).to_contain_text("Higher by 0.38 mmol/L.")
    expect(ldl).to_contain_text("137 mg/dL (= 3.54 mmol/L)")
    expect(page.get_by_role("row", name=re.compile("心肺耐力"))).to_contain_text("Not in the later report.")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_the_demonstrations_past_is_there_once_and_its_ledger_adds_up(app: Flask, demonstration: str) -> None:
    load(app)
    with reading() as session:
        checks = select(func.count()).select_from(Report).join(Booking, Booking.id == Report.booking_id)
        assert session.scalar(checks.where(Booking.kind == "health_check")) == 2
        past = select(Booking.service_date).where(Booking.kind == "health_check")
        days = session.scalars(past.order_by(Booking.service_date)).all()
    assert all(day < (NOON - timedelta(days=35)).date() for day in days), "before what reconciliation compares"
    visitor = Visitor.signed_in(app, PHONE)
    told = main(visitor.get("/reports"))
    assert told.count("to look at of 15") == 2


def test_a_trend_is_a_look_at_each_report_and_nobody_elses(app: Flask, demonstration: str) -> None:
    me = Visitor.signed_in(app, PHONE)
    oldest = re.findall(r'href="(/reports/rpt_[^"]+)"', me.get("/reports").text)[-1]
    person = re.search(r"person=(ben_[a-z0-9]+)", me.get(oldest).text)
    assert person is not None
    address = f"/reports/trends/ldl?person={person[1]}"
    assert me.get(address, headers={"Sec-Purpose": "prefetch"}).status_code == 503
    assert me.get(address).status_code == 200
    with reading() as session:
        looks = session.scalar(select(func.count()).where(AuditLine.action == "report.trend_viewed"))
    assert looks == 2
    other = Visitor.signed_in(app, PEOPLE[1].phone)
    assert other.get(address).status_code == 404
    assert me.get("/reports/trends/no-such-item?person=" + person[1]).status_code == 404
    assert me.get("/reports/trends/ldl").status_code == 404
    assert me.get("/reports/compare?a=x&b=y").status_code == 404
    assert me.get("/reports/compare?a=x&b=x").status_code == 422
    assert "There is none for this choice." in main(me.get("/reports?year=1999"))
