"""Offers, prices and pools over the partner API."""

from __future__ import annotations

import uuid
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from werkzeug.test import TestResponse

from booking.offers import maintain
from marketplace.catalog.kinds import kinds
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.web.cookies import SIGNED_IN
from tests.concurrency.controls import all_at_once
from tests.marketplace.api.caller import Caller, problem, wanted
from tests.people import NOON
from tests.providers.partner_api.partner import Partner, partner_of
from tests.world import World, booking_row, make_offer, make_world

PACKAGE: dict[str, Any] = {
    "items": [{"code": "blood", "name_zh": "血常规", "name_en": "Blood count"}],
    "sex": "any",
    "age_min": 18,
}


@pytest.fixture
def world(db: object) -> World:
    """A customer, and a provider with the offer `basic` on `pool-1`."""
    return make_world(quantity=4)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """The provider's program."""
    return partner_of(app, world.provider, "offers")


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "benefit": "health_check",
        "pool": "pool-1",
        "name_zh": "甄选套餐",
        "name_en": "Select package",
        "package": PACKAGE,
        "price_minor": 99_000,
        **changes,
    }


def put(
    partner: Partner, body: Any, reference: str = "basic", known: str | None = None, key: str | None = None
) -> TestResponse:
    headers = {"Idempotency-Key": key or str(uuid.uuid4())} | ({"If-Match": known} if known else {})
    return partner.send("PUT", f"/offers/{reference}", json=body, headers=headers)


def put_pool(partner: Partner, body: Any, reference: str = "pool-2", key: str | None = None) -> TestResponse:
    return partner.send("PUT", f"/pools/{reference}", json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def etag(partner: Partner, reference: str = "basic") -> str:
    return str(partner.get(f"/offers/{reference}").headers["ETag"])


def lines() -> list[tuple[str, Any, Any]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.actor_kind == "provider").order_by(AuditLine.id))
        return [(it.action, it.facts.get("old_price"), it.facts.get("new_price")) for it in found]


def plain(answer: TestResponse) -> dict[str, Any]:
    body = problem(answer, 404, "not_found")
    return {name: value for name, value in body.items() if name != "instance"}


# --- offers ----------------------------------------------------------------------------------------------------------


def test_an_offer_is_made_read_and_listed(partner: Partner) -> None:
    made = put(partner, terms(available_from="2026-01-01", available_until="2026-12-31"), "plus 套餐")
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"'), made.text
    body = made.get_json()
    assert body == {
        **terms(available_from="2026-01-01", available_until="2026-12-31"),
        "id": body["id"],
        "reference": "plus 套餐",
        "site_id": body["site_id"],
        "currency": "CNY",
        "lead_minutes": 720,
        "cancel_hours": 24,
        "change_hours": 24,
        "max_changes": 3,
        "active": True,
        "version": 1,
    }
    assert partner.get("/offers/plus 套餐").get_json() == body
    first = partner.get("/offers?limit=1").get_json()
    second = partner.get(f"/offers?limit=1&cursor={first['next']}").get_json()
    assert [page["items"][0]["reference"] for page in (first, second)] == ["basic", "plus 套餐"]
    assert second["next"] is None
    assert lines() == [("offer.added", None, [99_000, "CNY"])]


def test_a_changed_price_is_a_version_and_a_line_with_old_and_new(partner: Partner) -> None:
    changed = put(partner, terms(price_minor=1), known=etag(partner))
    assert (changed.status_code, changed.headers["ETag"], changed.get_json()["version"]) == (200, '"2"', 2)
    assert lines() == [("offer.changed", [128_000, "CNY"], [1, "CNY"])]
    same = put(partner, terms(price_minor=1), known=etag(partner))
    assert (same.status_code, same.headers["ETag"], len(lines())) == (200, '"2"', 1)


def test_a_changed_price_changes_nothing_that_is_booked(app: Flask, world: World, partner: Partner) -> None:
    booking = world.submit()
    before = booking_row(booking)
    put(partner, terms(price_minor=1, name_en="Another name", cancel_hours=0), known=etag(partner))
    after = booking_row(booking)
    assert (after.price_minor, after.currency, after.snapshot, after.version) == (
        before.price_minor, before.currency, before.snapshot, before.version)  # fmt: skip
    assert after.price_minor == 128_000
    customer = Caller.of(app, "13800000021")
    with clock.frozen(NOON):
        shown = customer.get(f"/bookings/{booking}").get_json()
        (offer,) = customer.get("/offers").get_json()["items"]
        browser = app.test_client()
        browser.set_cookie(SIGNED_IN.name, customer.token or "")
        page = browser.get(f"/bookings/{booking}", headers={"Accept-Language": "en"}).text
    assert "Select package" in page and "Another name" not in page
    assert shown["price_minor"] == 128_000 and offer["price_minor"] == 1


def test_an_ended_offer_sells_nothing_more_and_leaves_bookings_alone(
    app: Flask, world: World, partner: Partner
) -> None:
    booking = world.submit()
    state = booking_row(booking).state
    assert put(partner, terms(active=False), known=etag(partner)).get_json()["active"] is False
    customer = Caller.of(app, "13800000021")
    with clock.frozen(NOON):
        assert customer.get("/offers").get_json()["items"] == []
        refused = customer.book(wanted(world, 1))
        assert (refused.status_code, refused.get_json()["code"]) == (409, "offer_closed")
    assert booking_row(booking).state == state
    again = put(partner, terms(), known=etag(partner))
    assert again.get_json()["active"] is True
    with clock.frozen(NOON):
        assert customer.book(wanted(world, 1, beneficiary_id=world.beneficiary.public_id)).status_code == 201


def test_after_a_lost_answer_the_same_change_is_made_once(partner: Partner) -> None:
    known = etag(partner)
    first = put(partner, terms(price_minor=5), known=known, key="k-1")
    again = put(partner, terms(price_minor=5), known=known, key="k-1")
    assert (first.status_code, again.status_code, first.get_json()) == (200, 200, again.get_json())
    made = [put(partner, terms(), "new", key="k-2") for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].get_json() == made[1].get_json()
    assert len(lines()) == 2
    problem(
        put(partner, terms(price_minor=6), known=known, key="k-1"), 422, "idempotency_key_reused", "Idempotency-Key"
    )


def test_two_changes_at_once_of_one_version_are_one_change(partner: Partner) -> None:
    known = etag(partner)
    answers = all_at_once([lambda price=price: put(partner, terms(price_minor=price), known=known) for price in (1, 2)])  # type: ignore[misc]
    assert sorted(answer.status_code for answer in answers if isinstance(answer, TestResponse)) == [200, 412]
    assert (partner.get("/offers/basic").get_json()["version"], len(lines())) == (2, 1)


def test_without_the_lock_both_changes_would_be_made(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the row's lock holds off."""
    both_have_read = Barrier(2, timeout=30)
    find = maintain._find

    def unlocked(*where: Any, lock: bool = False) -> Any:
        found = find(*where)
        if lock:
            both_have_read.wait()
        return found

    known = etag(partner)
    monkeypatch.setattr(maintain, "_find", unlocked)
    answers = all_at_once([lambda price=price: put(partner, terms(price_minor=price), known=known) for price in (1, 2)])  # type: ignore[misc]
    assert [answer.status_code for answer in answers if isinstance(answer, TestResponse)] == [200, 200]


def test_two_that_make_the_same_offer_at_once_are_one_offer(partner: Partner) -> None:
    answers = all_at_once([lambda: put(partner, terms(), "new") for _ in range(4)])
    codes = sorted(answer.status_code for answer in answers if isinstance(answer, TestResponse))
    assert codes == [201, 428, 428, 428]


@pytest.mark.parametrize(("language", "stale", "missing"), [
    ("en", "The offer has changed", "If-Match is needed"), ("zh", "服务已更改", "需要 If-Match")])  # fmt: skip
def test_the_version_must_be_the_one_that_is_there(partner: Partner, language: str, stale: str, missing: str) -> None:
    partner.language = language
    assert problem(put(partner, terms()), 428, "offer_version_needed", "If-Match")["title"] == missing
    for known in ('"2"', '"0"', '"1x"', "rubbish", '"%00"', '""'):
        answer = put(partner, terms(), known=known)
        assert problem(answer, 412, "offer_changed", "If-Match")["title"] == stale, known
    problem(put(partner, terms(), "not-there", known='"1"'), 412, "offer_changed", "If-Match")
    problem(put(partner, terms(), "not-there", known="*"), 412, "offer_changed", "If-Match")
    assert put(partner, terms(), known="*").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"benefit": "massage"}, "benefit"),
        ({"pool": "none"}, "pool"),
        ({"name_zh": ""}, "name_zh"),
        ({"name_en": "x" * 201}, "name_en"),
        ({"name_en": "a\x00"}, "name_en"),
        ({"name_en": None}, "name_en"),
        ({"package": []}, "package"),
        ({"package": {}}, "package.items"),
        ({"package": {**PACKAGE, "surprise": 1}}, "package.surprise"),
        ({"package": {**PACKAGE, "sex": "other"}}, "package.sex"),
        ({"price_minor": -1}, "price_minor"),
        ({"price_minor": 1.5}, "price_minor"),
        ({"price_minor": 10**13}, "price_minor"),
        ({"price_minor": "1"}, "price_minor"),
        ({"currency": "cny"}, "currency"),
        ({"lead_minutes": -1}, "lead_minutes"),
        ({"cancel_hours": 10**9}, "cancel_hours"),
        ({"change_hours": True}, "change_hours"),
        ({"available_from": "2026-02-30"}, "available_from"),
        ({"available_from": "2026-02-02", "available_until": "2026-02-01"}, "available_until"),
        ({"active": "no"}, "active"),
        ({"provider": "another"}, "provider"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(partner: Partner, changes: Any, field: str) -> None:
    for reference, known in (("basic", etag(partner)), ("new", None)):
        problem(put(partner, terms(**changes), reference, known), 422, "invalid", field)
    assert lines() == []


def test_an_offer_stays_with_its_pool_and_its_benefit(
    partner: Partner, world: World, owner_connection: Connection
) -> None:
    assert put_pool(partner, {"site_id": partner.get("/pools").get_json()["items"][0]["site_id"]}).status_code == 201
    problem(put(partner, terms(pool="pool-2"), known=etag(partner)), 422, "invalid", "pool")
    owner_connection.execute(text("UPDATE offer SET kind = 'another'"))
    problem(put(partner, terms(), known=etag(partner)), 422, "invalid", "benefit")


@pytest.mark.parametrize(("language", "told"), [("en", "A dental hospital"), ("zh", "口腔医院只看口腔")])
def test_a_new_offer_where_the_kind_of_place_cannot_do_it_is_refused_with_the_reason(
    partner: Partner, owner_connection: Connection, language: str, told: str
) -> None:
    partner.language = language
    owner_connection.execute(text("UPDATE site SET kind = '口腔医院'"))
    body = problem(put(partner, terms(), "teeth"), 422, "invalid", "pool")
    assert body["detail"].startswith(told) and body["facts"]["why"]["en"].startswith("A dental hospital")
    assert put(partner, terms(), known=etag(partner)).status_code == 200, "what stands can be changed"


# --- pools -----------------------------------------------------------------------------------------------------------


def test_a_pool_is_made_at_a_site_by_its_id_or_by_its_names(partner: Partner) -> None:
    (known,) = partner.get("/pools").get_json()["items"]
    by_id = put_pool(partner, {"site_id": known["site_id"]})
    names = {name: known[name] for name in ("province", "city", "name")}
    by_names = put_pool(partner, names, "pool-3", key="k")
    assert (by_id.status_code, by_names.status_code) == (201, 201)
    assert by_names.get_json() == {"reference": "pool-3", "site_id": known["site_id"], **names}
    again = put_pool(partner, names, "pool-3", key="k")
    assert (again.status_code, again.get_json()) == (201, by_names.get_json())
    assert [put_pool(partner, names, "pool-3", key="k-2").status_code for _ in range(2)] == [200, 200]
    assert put_pool(partner, names, "pool-3").status_code == 200
    assert [action for action, _, _ in lines()] == ["pool.added", "pool.added"]
    assert put(partner, terms(pool="pool-3"), "there").get_json()["site_id"] == known["site_id"]
    first = partner.get("/pools?limit=2").get_json()
    rest = partner.get(f"/pools?limit=2&cursor={first['next']}").get_json()
    assert [pool["reference"] for pool in first["items"] + rest["items"]] == ["pool-1", "pool-2", "pool-3"]


@pytest.mark.parametrize(("language", "title"), [("en", "The pool is at another site"), ("zh", "号源池属于另一机构")])
def test_a_pool_stays_at_its_site(app: Flask, partner: Partner, language: str, title: str) -> None:
    partner.language = language
    other = partner_of(app, make_offer()[0], "offers").get("/pools").get_json()["items"][0]["site_id"]
    answer = put_pool(partner, {"site_id": other}, "pool-1")
    assert problem(answer, 409, "pool_at_another_site")["title"] == title


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "There is no such site in the list. If yours is missing, ask the operator to add it."),
        ("zh", "名录中没有这家机构。如需新增，请联系平台管理员。"),
    ],
)
def test_a_site_that_is_not_in_the_list_is_named_by_its_field(partner: Partner, language: str, told: str) -> None:
    partner.language = language
    known = partner.get("/pools").get_json()["items"][0]
    names = {name: known[name] for name in ("province", "city", "name")}
    for body, field in (
        ({"site_id": "sit_00000000000000000000"}, "site_id"),
        ({**names, "province": "某省"}, "province"),
        ({**names, "city": "某市"}, "city"),
        ({**names, "name": "某医院"}, "name"),
        ({}, "site_id"),
        ({"province": names["province"]}, "city"),
        ({**names, "site_id": known["site_id"]}, "province"),
    ):
        problem(put_pool(partner, body), 422, "invalid", field)
    assert problem(put_pool(partner, {**names, "name": "某医院"}), 422, "invalid", "name")["detail"] == told


def test_a_closed_site_takes_no_pool(partner: Partner, owner_connection: Connection) -> None:
    site = partner.get("/pools").get_json()["items"][0]["site_id"]
    owner_connection.execute(text("UPDATE site SET closed_at = now()"))
    problem(put_pool(partner, {"site_id": site}), 422, "invalid", "site_id")


def test_after_a_lost_answer_a_pool_is_answered_alike_though_its_site_is_closed(
    partner: Partner, owner_connection: Connection
) -> None:
    place = {"site_id": partner.get("/pools").get_json()["items"][0]["site_id"]}
    first = put_pool(partner, place, "pool-3", key="k")
    owner_connection.execute(text("UPDATE site SET closed_at = now()"))
    again = put_pool(partner, place, "pool-3", key="k")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    problem(put_pool(partner, {}, "pool-3", key="k"), 422, "invalid", "site_id")


# --- whose they are --------------------------------------------------------------------------------------------------


def test_another_providers_offers_and_pools_are_not_there(app: Flask, partner: Partner) -> None:
    put(partner, terms(), "mine")
    stranger = partner_of(app, make_offer()[0], "offers")
    assert plain(stranger.get("/offers/mine")) == plain(stranger.get("/offers/nobodys"))
    assert [it["reference"] for it in stranger.get("/offers").get_json()["items"]] == ["basic"]
    assert len(stranger.get("/pools").get_json()["items"]) == 1
    put_pool(partner, {"site_id": partner.get("/pools").get_json()["items"][0]["site_id"]}, "of-mine")
    refused = [put(stranger, terms(pool=pool), "new") for pool in ("of-mine", "nobodys")]
    assert [problem(answer, 422, "invalid", "pool")["detail"] for answer in refused] == ["There is no such pool."] * 2
    made = put(stranger, terms(price_minor=7), "mine")
    assert made.status_code == 201
    assert partner.get("/offers/mine").get_json()["price_minor"] == 99_000


def test_hostile_requests_are_refused_and_never_an_error_of_ours(partner: Partner) -> None:
    bodies = (b"", b"{", b"[]", b"null", b"[" * 9_999)
    conditions = ({"Idempotency-Key": "k", "If-Match": '"1", W/"2", *'}, {"If-Match": "\x01"})
    answers = []
    for what in ("offers", "pools"):
        for reference in ("basic", "%00", "%ff", "%0a", "..", "%F0%9F%92%A9", "x" * 255, "x" * 256):
            path = f"/{what}/{reference}"
            answers.append(partner.get(path))
            answers += [
                partner.send("PUT", path, data=body, content_type="application/json", headers=headers)
                for body in bodies
                for headers in conditions
            ]
            answers.append(partner.send("PUT", path, json=terms(), headers=conditions[0]))
        for query in ("cursor=x", "cursor=%00", "limit=0", "limit=1&limit=2", "cursor=WyIAIl0", "cursor=WzFd"):
            answers.append(partner.get(f"/{what}?{query}"))
    assert {answer.status_code for answer in answers} <= {200, 400, 404, 405, 412, 422}
    assert {answer.content_type for answer in answers if answer.status_code >= 400} == {"application/problem+json"}


@pytest.mark.parametrize(("language", "told"), [("en", "This must be one of: {}."), ("zh", "须为以下之一：{}。")])
def test_an_unknown_benefit_is_named_among_all_wrong_fields_with_the_benefits_there_are(
    partner: Partner, language: str, told: str
) -> None:
    partner.language = language
    answer = put(partner, terms(benefit="massage", price_minor=-1, name_en=""), "one")
    errors = {error["field"]: error["detail"] for error in problem(answer, 422, "invalid", "benefit")["errors"]}
    assert {"benefit", "price_minor", "name_en"} <= set(errors)
    assert errors["benefit"] == told.format(", ".join(kinds()))


def test_a_status_that_there_is_not_is_answered_with_those_there_are(app: Flask, world: World) -> None:
    caller = partner_of(app, world.provider, "bookings")
    caller.language = "en"
    answer = caller.get("/bookings?status=lost")
    (error,) = problem(answer, 422, "invalid", "status")["errors"]
    assert error["parameter"] == "status" and "requested, " in error["detail"] and "lost" not in error["detail"]
