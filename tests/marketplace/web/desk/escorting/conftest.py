"""A worker who goes with somebody, and her phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine

from marketplace.core import clock, crypto
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id, new_token
from marketplace.web.cookies import DESK
from tests.booking.escorting.stage import Stage, make_stage
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.visitors import Visitor
from tests.world import EIGHT
from vip.models import SignInSession
from vip.principal import Member


@pytest.fixture
def stage(db: Engine) -> Iterator[Stage]:
    """Made long before; then it is eight on the day of the visit."""
    made = make_stage()
    with clock.frozen(EIGHT):
        yield made


def token_of(member: Member) -> str:
    """The token of a session that she has just opened."""
    token = new_token()
    with transaction() as session:
        session.add(
            SignInSession(
                public_id=new_id("ses"),
                token_hash=crypto.token_hash(token),
                operator_id=member.id,
                channel="web",
                created_at=EIGHT,
                expires_at=EIGHT + timedelta(hours=8),
            )
        )
    return token


@pytest.fixture
def seated(app: Flask) -> Callable[[Member], Visitor]:
    """A member at the desk, without a browser."""

    def sit(member: Member) -> Visitor:
        visitor = Visitor(app)
        visitor.client.set_cookie(DESK.name, token_of(member), path=DESK.path)
        return visitor

    return sit


@pytest.fixture
def worker(stage: Stage, seated: Callable[[Member], Visitor]) -> Visitor:
    """The worker herself."""
    return seated(stage.member)


@pytest.fixture
def site(app: Flask, stage: Stage) -> Iterator[Site]:
    made = Site(app)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def phone(chromium: Browser, site: Site, stage: Stage) -> Iterator[BrowserContext]:
    """Her phone, on which she is signed in; its clock is as right as ours."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        locale="en-GB",
        reduced_motion="reduce",
        service_workers="allow",
        geolocation={"latitude": 30.272, "longitude": 120.15},
        permissions=["geolocation"],
    )
    sign_in(context, site, stage.member)
    context.clock.set_fixed_time(EIGHT)
    yield context
    context.close()


def sign_in(context: BrowserContext, site: Site, member: Member) -> None:
    """She is signed in there from now on."""
    context.add_cookies([{"name": DESK.name, "value": token_of(member), "url": site.url("/desk")}])


@pytest.fixture
def page(phone: BrowserContext, site: Site, stage: Stage) -> Page:
    """Her escort, kept on her phone."""
    made = phone.new_page()
    made.goto(site.url(f"/desk/escort/{stage.assignment}"))
    wait_until(made, KEPT)
    return made


def wait_until(page: Page, look: str | Callable[[], object]) -> None:
    """Until the page's script, which may be an async function, says true, or ours does: 20 s at most."""
    for _ in range(200):
        if page.evaluate(look) if isinstance(look, str) else look():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {look}")


KEPT = """async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith("escort-pages-"));
  for (const name of names) if (await (await caches.open(name)).match(location.origin + location.pathname)) return true;
  return false;
}"""
