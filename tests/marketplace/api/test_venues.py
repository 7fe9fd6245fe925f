"""The API books somebody who is sent to a hospital, and says why not before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.catalog.one_place.merge import merge
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.escorts import ANSWERS, KIND, PHONE, EscortWorld, add_site, cover, make_escorts, put
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.world import DAY


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def made(db: Engine) -> Iterator[EscortWorld]:
    with clock.frozen(NOON):
        yield make_escorts()


def wanted(made: EscortWorld, **changes: object) -> dict[str, object]:
    return {
        "offer_id": made.world.offer.public_id,
        "slot_id": made.world.slots[0].public_id,
        "beneficiary_id": made.world.beneficiary.public_id,
        "venue_id": made.venue.public_id,
        "details": ANSWERS,
        **changes,
    }


def test_a_hospital_is_booked_with_its_answers(app: Flask, made: EscortWorld) -> None:
    caller = Caller.of(app, PHONE)
    problem(caller.book(wanted(made, venue_id=None)), 422, "invalid", "venue_id")
    problem(caller.book(wanted(made, details={})), 422, "invalid", "details.department")
    problem(caller.book(wanted(made, venue_id="sit_nowhere")), 404, "not_found", "venue_id")
    held = caller.book(wanted(made))
    assert held.status_code == 201
    assert caller.post(f"/bookings/{held.json['id']}/confirm").json["site"]["name"] == "杭州示范总院"
    assert [it["site"]["id"] for it in caller.get("/bookings").json["items"]] == [made.venue.public_id]


def test_why_not_is_what_a_booking_is_refused_with(app: Flask, made: EscortWorld) -> None:
    caller = Caller.of(app, PHONE)
    path = f"/sites/{made.venue.public_id}/why-not?benefit={KIND}&beneficiary_id={made.world.beneficiary.public_id}"
    assert caller.get(path).json == {"day": DAY.isoformat(), "reasons": []}
    put(version=2, status="surrendered")
    (reason,) = caller.get(path).json["reasons"]
    assert (reason["code"], reason["field"]) == ("policy_not_in_force", "beneficiary_id")
    refused = caller.book(wanted(made))
    problem(refused, 403, "policy_not_in_force", "beneficiary_id")
    assert refused.json["detail"] == reason["detail"]
    cover("not_covered", since=date(2026, 1, 2))
    *_others, city = caller.get(path).json["reasons"]
    assert city["code"] == "city_not_covered" and "in Hangzhou on" in city["detail"]
    place = add_site("杭州示范新院").public_id
    with transaction() as session:
        merge(session, made.venue.public_id, place, by="opr_1", now=NOON)
    entry = f"/coverage/{made.venue.public_id}"
    assert caller.call("PUT", f"{entry}/wish?benefit={KIND}").status_code == 204
    found = caller.get(f"{entry}?benefit={KIND}").json
    assert (found["site"]["id"], found["level"], found["nearest"], found["asked"]) == (place, "not_covered", [], True)
    somebody = path.replace(made.world.beneficiary.public_id, "ben_5r2k7c1x9d4t6b3n0v8m")
    problem(caller.get(somebody), 404, "not_found", "beneficiary_id")


def test_what_was_agreed_to_by_booking_is_said_and_taken_back(app: Flask, made: EscortWorld) -> None:
    caller, path = Caller.of(app, PHONE), f"/me/family/{made.world.beneficiary.public_id}/consent"
    assert caller.get(path).json["dispatch_given_at"] is None
    made.hold()
    assert caller.get(path).json["dispatch_given_at"] is not None
    problem(caller.call("DELETE", f"{path}?purpose=other"), 422, "invalid", "purpose")
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).json["dispatch_given_at"] is not None, "that ended the consent to reports alone"
    assert caller.call("DELETE", f"{path}?purpose=dispatch").status_code == 204
    assert caller.get(path).json["dispatch_given_at"] is None


def test_how_a_merged_entry_is_covered_is_how_its_place_is(app: Flask, made: EscortWorld) -> None:
    caller, entry = Caller.of(app, PHONE), add_site("杭州示范总院西门")
    cover("not_covered", site_id=made.venue.id)
    with transaction() as session:
        merge(session, entry.public_id, made.venue.public_id, by="opr_1", now=NOON)
    path = f"/coverage/{entry.public_id}"
    assert caller.call("PUT", f"{path}/wish?benefit={KIND}").status_code == 204
    found = caller.get(f"{path}?benefit={KIND}").json
    assert (found["site"]["id"], found["level"], found["asked"]) == (made.venue.public_id, "not_covered", True)
