"""A conversation that is open in a browser in which its customer is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine

from marketplace.core import clock
from marketplace.web.cookies import SIGNED_IN
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.consultation.chat.talking import PHONE
from tests.people import NOON
from tests.providers.partner_api.answering import work
from vip.signin.signin import issue_token


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


@pytest.fixture
def talk(practice: Practice) -> str:
    opened = practice.open()
    work(practice.world)
    return opened.conversation


@pytest.fixture
def site(app: Flask, practice: Practice) -> Iterator[Site]:
    made = Site(app)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def browser(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser in which the customer is signed in; a desktop's, with a pointer."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce", service_workers="block"
    )
    context.add_cookies([{"name": SIGNED_IN.name, "value": issue_token(PHONE, NOON).token, "url": site.url("/")}])
    yield context
    context.close()


@pytest.fixture
def page(browser: BrowserContext, site: Site, talk: str) -> Page:
    made = browser.new_page()
    made.goto(site.url(f"/consultation/{talk}"))
    return made
