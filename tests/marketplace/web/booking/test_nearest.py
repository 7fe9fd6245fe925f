"""The nearest first, in a real browser: the device is asked after a tap alone, and no address says where it is."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Request, expect
from sqlalchemy import update

from marketplace.catalog.models import Site
from marketplace.core.database.db import transaction
from marketplace.web.cookies import SIGNED_IN
from tests.marketplace.web import conftest
from tests.people import NOON
from tests.world import EIGHT, World, add_offer
from vip.signin.signin import issue_token

HERE = {"latitude": 30.2461234, "longitude": 120.2101234}


def places(world: World) -> None:
    """The world's place, which is far, and a nearer one with a later time."""
    with transaction() as session:
        _provider, near, _slots = add_offer(session, start=EIGHT.replace(day=20), place_name="近处")
        session.flush()
        for offer, name, latitude in ((world.offer, "远处", 30.5), (near, "近处", 30.25)):
            position = {"name": name, "latitude": latitude, "longitude": 120.21}
            session.execute(update(Site).where(Site.id == offer.site_id).values(**position))


def test_a_tap_sorts_by_distance_and_a_refusal_changes_nothing(
    chromium: Browser, site: conftest.Site, world: World
) -> None:
    places(world)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce", service_workers="block"
    )
    context.add_cookies(
        [{"name": SIGNED_IN.name, "value": issue_token("13800000021", NOON).token, "url": site.url("/")}]
    )
    page = context.new_page()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.goto(site.url("/places?benefit=health_check&city=杭州市"))
    names = page.locator("#place-rows h3")
    expect(names).to_have_text(["Yuanchu", "Jinchu"])

    page.get_by_role("button", name="Nearest").click()
    expect(page.locator("#nearest-said")).to_contain_text("does not tell us where you are")
    expect(names).to_have_text(["Yuanchu", "Jinchu"])

    context.grant_permissions(["geolocation"])
    context.set_geolocation({**HERE, "accuracy": 20})
    page.get_by_role("button", name="Nearest").click()
    expect(names).to_have_text(["Jinchu", "Yuanchu"])
    expect(page.locator(".place__way").first).to_have_text("0.4 km")
    expect(page.locator("#sort")).to_have_value("nearest")
    page.get_by_label("Free in the morning").check()
    expect(page).to_have_url(re.compile("when=morning"))
    expect(page.locator(".place__way").first).to_have_text("0.4 km")

    asked = [each for each in sent if "/places" in each.url]
    assert [each.headers.get("near") for each in asked] == [None, "30.246,120.210", "30.246,120.210"]
    assert not any("30.24" in each.url or "120.21" in each.url for each in sent)
    page.reload()
    expect(page.locator("#nearest-said")).to_contain_text("does not know where you are")
    context.close()
