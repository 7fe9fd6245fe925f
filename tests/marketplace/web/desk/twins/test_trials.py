"""Test bookings at the desk: page by page, and what waits in the menu beside them."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from booking.twins.book import book_for_test
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from marketplace.web import formats
from tests.booking.twins.stage import Stage, more_services, with_twin
from tests.marketplace.web.desk.twins.test_mode import switched
from tests.marketplace.web.visitors import main
from tests.people import NOON
from tests.world import World, booking_row, set_provider


@pytest.fixture
def stage(world: World) -> Stage:
    """Test mode opened before, with free times."""
    set_provider(world.provider, adapter="desk")
    return with_twin(world)


def further(answer: TestResponse) -> str:
    """Where the page leads on to; blank on the last one."""
    found = re.search(r'<a class="btn btn--line" href="([^"]+[?]cursor=[^"]+)"', answer.text)
    return html.unescape(found[1]) if found else ""


def test_the_list_goes_on_page_by_page(app: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.web.desk.twins.trials._SHOWN", 1)
    visitor = switched(app, stage.world)
    numbers = []
    for slot in stage.slots[:2]:
        made = book_for_test(stage.twin.id, stage.offer.public_id, slot.public_id, 1, NOON)
        numbers.append(formats.reference(booking_row(made).reference))
    first = visitor.get("/desk/test-bookings")
    assert numbers[1] in main(first) and numbers[0] not in main(first)
    second = visitor.get(further(first))
    assert numbers[0] in main(second) and numbers[1] not in main(second) and further(second) == ""
    live = re.search(r'hx-get="(/desk/test-bookings/live\?cursor=[^"]+)"', second.text)
    assert live is not None and numbers[0] in visitor.get(html.unescape(live[1])).text
    assert visitor.get("/desk/test-bookings?cursor=elsewhere").status_code in (400, 404, 422)


def test_all_services_can_be_booked_by_a_test_customer(
    app: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.web.desk.twins.trials._SHOWN", 1)
    more_services(stage, 2)
    with transaction() as session:
        session.execute(update(Offer).where(Offer.external_ref == "X0").values(active=False))
    visitor = switched(app, stage.world)
    first = visitor.get("/desk/test-bookings/new")
    second = visitor.get(further(first))
    found = [re.findall(r"\?offer=(ofr_\w+)", each.text) for each in (first, second)]
    assert [len(each) for each in found] == [1, 1] and [stage.offer.public_id] in found and found[0] != found[1]
    assert further(second) == "", "what has ended fills no page"


def badge(answer: TestResponse) -> set[str]:
    """What the menu, in both its places, or a live part for it says that waits for an answer."""
    return set(re.findall(r'class="count"><span class="sr">To answer </span>(\d+)<', answer.text))


def test_how_many_wait_is_right_after_an_answer_and_with_every_live_part(app: Flask, stage: Stage) -> None:
    visitor = switched(app, stage.world)
    parts = ("/desk/test-bookings", "/desk")
    tags = {part: visitor.get(f"{part}/live").headers["ETag"] for part in parts}
    made = book_for_test(stage.twin.id, stage.offer.public_id, stage.slots[0].public_id, 1, NOON)
    for part in parts:
        now_there = visitor.get(f"{part}/live", headers={"If-None-Match": tags[part]})
        assert now_there.status_code == 200 and badge(now_there) == badge(visitor.get(part)) == {"1"}
        tags[part] = now_there.headers["ETag"]
    sent = visitor.post(f"/desk/bookings/{made}/confirm", f"/desk/bookings/{made}", version="2")
    assert badge(visitor.get(sent.headers["Location"])) == set()
    for part in parts:
        now_there = visitor.get(f"{part}/live", headers={"If-None-Match": tags[part]})
        assert now_there.status_code == 200 and badge(now_there) == set()
        assert 'hx-swap-oob="innerHTML:[data-counts=bookings]"' in now_there.text
