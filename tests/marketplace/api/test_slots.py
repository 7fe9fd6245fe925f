"""The times of an offer."""

from __future__ import annotations

from datetime import date, timedelta

import orjson
import pytest
from flask import Flask
from sqlalchemy import update

from booking.models import Slot
from booking.offers.availability import OfferQuery, search_offers, slots
from marketplace.api.v1 import offers
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.rest.fields import page_of
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.statements import statements_sent
from tests.world import DAY, World, make_offer
from vip.operators.operators import create_admin, sign_in_operator


def test_slots_are_answered_as_their_schema_says(caller: Caller, world: World) -> None:
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(starts_at=None, ends_at=None))
        session.execute(update(Slot).where(Slot.id == world.slots[1].id).values(closed=True))
    answer = caller.get(f"/offers/{world.offer.public_id}/slots?from={DAY}&to={DAY}")
    found = slots(world.offer.public_id, DAY, DAY, now=NOON)
    assert [slot["bookable"] for slot in answer.get_json()["items"]] == [slot.reason is None for slot in found]
    assert sorted(str(slot.reason) for slot in found) == ["None", "None", "closed"]
    assert answer.status_code == 200
    expected = page_of(offers.Slot)().dump({"items": found, "next": None})
    assert answer.get_json() == orjson.loads(orjson.dumps(expected))


@pytest.mark.parametrize(
    "path",
    [
        "/offers?city=上海市",
        "/offers/{offer}/slots?from={day}&to={day}",
        "/offers/{offer}/slots?to={day}",
        "/offers/{offer}/slots",
    ],
)
def test_who_asks_and_what_she_looks_for_are_one_question(caller: Caller, world: World, path: str) -> None:
    path = path.format(offer=world.offer.public_id, day=DAY)
    with statements_sent() as sent:
        answer = caller.get(path)
    assert (answer.status_code, len(sent)) == (200, 1)


def test_without_days_the_slots_of_two_weeks_from_today_at_the_site_are_answered(caller: Caller, world: World) -> None:
    path = f"/offers/{world.offer.public_id}/slots"
    evening = NOON.replace(hour=20)  # already the third of March there
    today = date(2026, 3, 3)
    with transaction() as session:
        for each, day in zip(world.slots, (-1, 0, 13, 14), strict=False):
            session.execute(update(Slot).where(Slot.id == each.id).values(service_date=today + timedelta(days=day)))
    with clock.frozen(evening):
        for query, last in (("", 13), (f"?from={today + timedelta(days=1)}", 14), (f"?to={today}", 0)):
            first = today + timedelta(days=1) if "from" in query else today
            found = slots(world.offer.public_id, first, today + timedelta(days=last), now=evening)
            assert [slot["id"] for slot in caller.get(path + query).get_json()["items"]] == [one.id for one in found]
            assert found
        problem(caller.get(f"{path}?to={today - timedelta(days=1)}"), 422, "invalid", "to")
        assert caller.get(f"{path}?to={today + timedelta(days=61)}").status_code == 200
        problem(caller.get(f"{path}?to={today + timedelta(days=62)}"), 422, "invalid", "to")
        problem(caller.get("/offers/ofr_unknown/slots"), 404, "not_found", "offer_id")


@pytest.mark.parametrize("query", ["", "?limit=0", "?from=never"], ids=["right", "wrong limit", "wrong day"])
def test_who_may_not_ask_learns_nothing_else(caller: Caller, app: Flask, world: World, query: str) -> None:
    create_admin("admin", "a long password", "Admin", now=NOON)
    operator = Caller(app, sign_in_operator("admin", "a long password", now=NOON).token)
    caller.call("DELETE", "/sessions")
    for path in ("/offers", f"/offers/{world.offer.public_id}/slots", "/offers/ofr_unknown/slots"):
        problem(operator.get(path + query), 403, "forbidden")
        problem(caller.get(path + query), 401, "unauthenticated")


def test_offers_come_in_their_order_with_whoever_asks(caller: Caller, world: World) -> None:
    for place in ("丙医院", "甲医院", "乙医院", "丁医院"):
        make_offer(place_name=place)
    found = [offer.public_id for offer in search_offers(OfferQuery(), now=NOON).items]
    assert [offer["id"] for offer in caller.get("/offers").get_json()["items"]] == found
    assert len(found) == 5
