"""Papers, data, links, deletion and consent through the API."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from marketplace.core.sending import sms
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON, SmsBox, consents
from tests.reports import PDF, deliver
from tests.world import World, join
from vip.customers.family import NewMember, add_member

FATHERS_PHONE = "13900000055"


@pytest.fixture
def report_id(world: World) -> str:
    return deliver(world, world.submit())


def test_a_report_lists_its_papers_and_gives_them(caller: Caller, report_id: str) -> None:
    papers = caller.get(f"/reports/{report_id}").get_json()["papers"]
    assert papers == [{"position": 0, "media_type": "application/pdf", "size": len(PDF)}]
    assert caller.get(f"/reports/{report_id}/papers/0").data == PDF
    assert caller.get(f"/reports/{report_id}/papers/1").status_code == 404
    answer = caller.get(f"/reports/{report_id}/fhir")
    assert answer.content_type == "application/fhir+json" and answer.get_json(force=True)["type"] == "collection"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_deleted_report_is_not_there(caller: Caller, report_id: str) -> None:
    assert caller.call("DELETE", f"/reports/{report_id}").status_code == 204
    problem(caller.get(f"/reports/{report_id}"), 404, "not_found", "report_id")
    problem(caller.call("DELETE", f"/reports/{report_id}"), 404, "not_found", "report_id")
    assert caller.get("/reports").get_json()["items"] == []


def test_a_link_is_made_listed_and_taken_back(app: Flask, caller: Caller, report_id: str) -> None:
    made = caller.post(f"/reports/{report_id}/shares", {"audience": "doctor", "days": 7, "with_code": True})
    assert made.status_code == 201
    told = made.get_json()
    assert told["url"].startswith("http") and len(told["access_code"]) == 6
    assert app.test_client().get("/shared/" + told["url"].rsplit("/", 1)[1]).status_code == 200
    (seen,) = caller.get(f"/reports/{report_id}/shares").get_json()["items"]
    assert (seen["id"], seen["state"], seen["views"], seen["looks"]) == (told["share"]["id"], "open", 0, [])
    assert told["url"] not in str(seen) and told["access_code"] not in str(seen)
    assert caller.call("DELETE", f"/reports/{report_id}/shares/{seen['id']}").status_code == 204
    assert app.test_client().get("/shared/" + told["url"].rsplit("/", 1)[1]).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"audience": "press", "days": 7}, "audience"),
        ({"audience": "doctor", "days": 5}, "days"),
        ({"audience": "doctor", "days": "7"}, "days"),
        ({"audience": "doctor", "days": 7, "with_code": 1}, "with_code"),
        ({"audience": "doctor", "days": 7, "max_views": 0}, "max_views"),
        ({"audience": "doctor", "days": 7, "token": "mine"}, "token"),
    ],
)
def test_a_link_that_is_not_offered_is_refused(caller: Caller, report_id: str, body: object, field: str) -> None:
    problem(caller.post(f"/reports/{report_id}/shares", body), 422, "invalid", field)


def test_another_customer_finds_none_of_it(app: Flask, caller: Caller, world: World, report_id: str) -> None:
    made = caller.post(f"/reports/{report_id}/shares", {"audience": "family", "days": 1}).get_json()
    join(world.provider, world.offer, world.slots, phone="13800000077")
    other = Caller.of(app, "13800000077")
    problem(other.call("DELETE", f"/reports/{report_id}"), 404, "not_found", "report_id")
    problem(other.get(f"/reports/{report_id}/fhir"), 404, "not_found", "report_id")
    problem(other.get(f"/reports/{report_id}/shares"), 404, "not_found", "report_id")
    problem(
        other.post(f"/reports/{report_id}/shares", {"audience": "family", "days": 1}), 404, "not_found", "report_id"
    )
    problem(other.call("DELETE", f"/reports/{report_id}/shares/{made['share']['id']}"), 404, "not_found", "report_id")


def test_consent_is_asked_given_and_withdrawn(caller: Caller, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    box = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: box)
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON).public_id
    path = f"/me/family/{father}/consent"
    assert caller.get(path).get_json()["state"] == "missing"
    problem(caller.post(f"{path}/codes", {"phone": "13800000021"}), 422, "invalid", "phone")
    assert caller.post(f"{path}/codes", {"phone": FATHERS_PHONE}).status_code == 202
    problem(caller.post(path, {"phone": FATHERS_PHONE, "code": "12"}), 422, "invalid", "code")
    given = caller.post(path, {"phone": FATHERS_PHONE, "code": box.code_for(FATHERS_PHONE)})
    assert given.status_code == 201 and given.get_json()["state"] == "given"
    problem(caller.post(f"{path}/codes", {"phone": FATHERS_PHONE}), 409, "consent_not_needed", "beneficiary_id")
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).get_json() == {
        "beneficiary_id": father, "state": "missing", "given_at": None, "dispatch_given_at": None, "method": "",
    }  # fmt: skip
    problem(caller.get("/me/family/ben_00000000000000000000/consent"), 404, "not_found", "beneficiary_id")


def test_without_consent_the_refusal_names_the_person(caller: Caller, world: World) -> None:
    mother = add_member(world.principal, NewMember("mother", "林月华", "female", date(1957, 3, 2)), NOON).public_id
    consents(mother)  # which says nothing of the father
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON).public_id
    world.beneficiary = consents(father)
    public_id = deliver(world, world.submit())
    other = deliver(world, world.submit(1), reference="RR-2")
    share = {"audience": "family", "days": 1}
    link = caller.post(f"/reports/{public_id}/shares", share).get_json()
    caller.call("DELETE", f"/me/family/{father}/consent")
    for path in ("", "/document", "/fhir", "/papers/0", "/shares"):
        told = problem(caller.get(f"/reports/{public_id}{path}"), 403, "consent_missing")
        assert father in str(told)
    problem(caller.post(f"/reports/{public_id}/shares", share), 403, "consent_missing")
    problem(caller.get(f"/reports/compare?a={public_id}&b={other}"), 403, "consent_missing")
    problem(caller.get(f"/reports/trends?item=glucose&beneficiary_id={father}"), 403, "consent_missing")
    assert caller.get("/reports").get_json()["items"] == []
    assert caller.app.test_client().get("/shared/" + link["url"].rsplit("/", 1)[1]).status_code == 404
