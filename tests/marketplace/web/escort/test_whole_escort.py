"""A whole escort in browsers: the customer's, two workers' phones and her brother's, from the request to the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update
from sqlalchemy.engine import Engine

from booking.escort.after.record import file_records
from booking.escort.deeds import deeds_of
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.watch import replace_late
from booking.escort.models import EscortWorker
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.web.cookies import SIGNED_IN
from tests.booking.escort.staff import Staff, assignments, make_staff
from tests.booking.escorting.stage import locate
from tests.escorts import PHONE
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.desk.escorting.conftest import sign_in
from tests.marketplace.web.desk.escorting.test_phone import SLOWLY, SOON, all_sent, record, without_network
from tests.people import NOON
from tests.pictures import make_picture
from tests.world import EIGHT, booking_row
from vip.models import Operator
from vip.principal import Member
from vip.signin.signin import issue_token

pytestmark = pytest.mark.browser

WAY = timedelta(minutes=50)
"""What is reckoned in a city of this size where nobody knows where she sets out from."""


class Day:
    """The day of the escort, with everybody's browsers."""

    def __init__(self, staff: Staff, site: Site, chromium: Browser) -> None:
        self.staff, self.site, self._chromium = staff, site, chromium
        self.contexts: list[BrowserContext] = []

    def context(self) -> BrowserContext:
        """A browser of somebody's own, at the hospital if it is asked where it is."""
        made = self._chromium.new_context(
            viewport={"width": 390, "height": 844},
            locale="en-GB",
            reduced_motion="reduce",
            service_workers="allow",
            geolocation={"latitude": 30.2705, "longitude": 120.15},
            permissions=["geolocation"],
        )
        self.contexts.append(made)
        return made

    def customer(self) -> Page:
        """The customer's, signed in."""
        context = self.context()
        cookie = {"name": SIGNED_IN.name, "value": issue_token(PHONE, NOON).token, "url": self.site.url("/")}
        context.add_cookies([cookie])  # type: ignore[list-item]
        return context.new_page()

    def phone(self, worker: EscortWorker) -> Page:
        """A worker's, on her list of escorts."""
        context = self.context()
        sign_in(context, self.site, as_member(worker))
        context.clock.set_fixed_time(clock.now())
        page = context.new_page()
        page.goto(self.site.url("/desk/escort"))
        return page


def as_member(worker: EscortWorker) -> Member:
    """She signs in at the desk from now on."""
    with transaction() as session:
        name = worker.shown_name
        made = Operator(
            public_id=f"mbr_{worker.public_id[4:]}",
            provider_id=worker.provider_id,
            login=worker.public_id,
            name=name,
            role="escort",
            password_hash="x",
        )
        session.add(made)
        session.flush()
        session.execute(update(EscortWorker).where(EscortWorker.id == worker.id).values(member_id=made.id))
        return Member(made.id, made.public_id, made.provider_id or 0, 0, "Asia/Shanghai", "escort")


@pytest.fixture
def day(app: Flask, db: Engine, chromium: Browser) -> Iterator[Day]:
    with clock.frozen(NOON):
        staff = make_staff(2)
        locate(staff.made)
        site = Site(app)
        site.start()
        made = Day(staff, site, chromium)
        try:
            yield made
        finally:
            for context in made.contexts:
                context.close()
            site.stop()


def says_yes(page: Page) -> None:
    page.get_by_role("button", name="I go").click()
    expect(page.get_by_role("button", name="I go")).to_have_count(0)
    if re.fullmatch(".*/desk/escort/?", page.url):
        page.get_by_role("link", name=re.compile("杭州示范总院")).first.click()
    expect(page.locator("[data-next=on_the_way]")).to_be_visible()


def at(page: Page, moment: datetime) -> None:
    """So late it is by this phone's clock."""
    page.context.clock.set_fixed_time(moment)


def test_one_is_replaced_on_the_way_and_the_other_records_it_all_though_the_network_goes(
    day: Day, tmp_path: Path
) -> None:
    booking = day.staff.book()
    hers = day.customer()
    hers.goto(day.site.url(f"/bookings/{booking}/escort"))
    expect(hers.get_by_role("heading", name="Somebody is being looked for")).to_be_visible()
    assert find_workers(now=NOON)["asked"] == 1
    first, second = sorted(day.staff.workers, key=lambda it: it.id != assignments(booking)[0].worker_id)
    says_yes(day.phone(first))
    expect(hers.get_by_text(first.shown_name).first).to_be_visible(timeout=SLOWLY)

    hers.goto(day.site.url(f"/bookings/{booking}/escort/links"))
    hers.get_by_label("Who is it for?").fill("brother")
    hers.get_by_role("button", name="Make the link").click()
    link = hers.locator("#f-link").input_value()
    family = day.context().new_page()
    family.goto(day.site.url(re.sub(r"^https?://[^/]+", "", link)))
    family.get_by_role("button", name="See the steps").click()
    expect(family.get_by_role("heading", name="Set out")).to_be_visible()
    hers.goto(day.site.url(f"/bookings/{booking}/escort"))

    assert timedelta(seconds=assignments(booking)[0].travel_seconds) == WAY
    with clock.frozen(EIGHT - WAY - timedelta(minutes=9)):  # she has not set out; somebody else can be there in time
        assert replace_late(now=clock.now()) == {"replaced": 1}
        phone = day.phone(second)
        says_yes(phone)
        expect(hers.get_by_text(second.shown_name).first).to_be_visible(timeout=SLOWLY)
        assert hers.locator(".meet").get_by_text(first.shown_name).count() == 0, hers.locator("main").inner_text()
        expect(phone.locator(".word__itself")).to_contain_text(hers.locator(".meet__word").inner_text())
    plays_the_visit(day, booking, phone, hers, family, tmp_path)


def plays_the_visit(day: Day, booking: str, phone: Page, hers: Page, family: Page, tmp_path: Path) -> None:
    photo = tmp_path / "prescription.jpg"
    photo.write_bytes(make_picture(width=1600, height=1200))
    moments = {minutes: EIGHT + timedelta(minutes=minutes) for minutes in (-50, -8, 2, 21, 22, 23, 24, 50, 52)}
    with clock.frozen(moments[-50]):
        at(phone, moments[-50])
        phone.locator("details.fold summary").click()
        record(phone, "on_the_way")
        all_sent(phone)
        for tab in (hers, family):
            expect(tab.locator("li.done time")).to_have_text(["07:01", "07:10"], timeout=SLOWLY)
        expect(family.locator("li.done h3").first).to_have_text("Another escort took over")
    with clock.frozen(moments[2]):
        at(phone, moments[-8])
        record(phone, "arrived", proof="position")
        at(phone, moments[2])
        record(phone, "met", proof="none")
        all_sent(phone)
    with clock.frozen(moments[24]):
        with without_network(phone.context, day.site):  # from 08:21 to 08:24
            for minutes, kind, more in (
                (21, "registered", {}),
                (22, "consulted", {}),
                (23, "paper", {"picture": str(photo)}),
                (24, "examined", {}),
            ):
                at(phone, moments[minutes])
                record(phone, kind, **more)
            expect(phone.locator("#unsent")).to_contain_text("4 steps are not sent yet", timeout=SOON)
        phone.evaluate("dispatchEvent(new Event('online'))")
        all_sent(phone, timeout=SLOWLY)
        done = ["07:01", "07:10", "07:52", "08:02", "08:21", "08:22", "08:24"]
        for tab in (hers, family):
            expect(tab.locator("li.done time")).to_have_text(done, timeout=SLOWLY)
    with clock.frozen(moments[52]):
        at(phone, moments[50])
        record(phone, "back_home")
        at(phone, moments[52])
        record(phone, "handed_over", words="两周后复诊")
        all_sent(phone)
        expect(hers.get_by_role("heading", name="Did it go well?")).to_be_visible(timeout=SLOWLY)
        hers.get_by_role("button", name=re.compile("went well", re.I)).click()
        expect(hers.get_by_role("heading", name="How was the escort?")).to_be_visible()
        assert booking_row(booking).state.value == "fulfilled"
        with reading() as session:
            told = deeds_of(session, booking_row(booking).id)
        kinds = ["on_the_way", "arrived", "met", "registered", "consulted", "paper", "examined", "back_home"]
        assert [it.kind for it in told] == [*kinds, "handed_over"]
        assert [it.at for it in told] == [moments[each] for each in (-50, -8, 2, 21, 22, 23, 24, 50, 52)]
        assert [it.doubt for it in told] == [None] * 9
        assert file_records(now=moments[52] + timedelta(days=1)) == {"filed": 1}
