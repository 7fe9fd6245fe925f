"""Policies told by an insurer's program: singly and line by line, exactly once, each insurer's its own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.api.insurer.forms import LONGEST_LINE, MOST_BYTES, MOST_LINES
from marketplace.core.database.db import reading
from tests.marketplace.api.insurer.policies import told
from tests.marketplace.api.insurer.program import API, ask_token, client_of, program_of
from tests.people import PHONE, make_customer, make_insurer
from tests.providers.partner_api.partner import NDJSON, Partner, ndjson, partner_of
from tests.vip.insurers.app import insurers_app
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def program(app: Flask) -> Partner:
    """The insurer's program, and a customer of the insurer."""
    make_customer()
    return program_of(app)


def put(program: Partner, key: str = "p-1", **changes: Any) -> Any:
    answer = program.send("PUT", f"/policies/{key}", json=told(**changes))
    return answer.status_code, answer.get_json()


def tell(program: Partner, *lines: Any, query: str = "") -> list[dict[str, Any]]:
    answer = program.post(f"/policies{query}", data=ndjson(lines), content_type=NDJSON)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.data.splitlines()]


def count(table: str) -> int:
    with reading() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_a_put_is_repeated_without_fear_and_an_older_version_never_wins(program: Partner) -> None:
    status, made = put(program)
    assert (status, made["outcome"], made["version"], made["key"]) == (200, "created", 1, "p-1")
    assert put(program)[1] == {**made, "outcome": "unchanged"}
    assert put(program, version=3, status="lapsed")[1]["changed"] == ["status"]
    assert put(program, version=2)[1] == {**made, "outcome": "older", "version": 3}
    status, reused = put(program, version=3, status="ended")
    assert (status, reused["field"], reused["errors"][0]["pointer"]) == (422, "version", "#/version")
    answer = program.get("/policies/p-1")
    held = answer.get_json()
    assert (held["status"], held["version"], held["in_force_from"]) == ("lapsed", 3, "1999-05-01")
    assert held["number_masked"] == "****0001" and "PN-2026" not in answer.text
    assert held["insured"] == [{"relation": "self", "since": "1999-05-01", "ended_on": None}]
    assert PHONE not in answer.text and "沈" not in answer.text
    with reading() as session:
        sources = session.scalars(text("SELECT source FROM policy_version ORDER BY id")).all()
    assert sources[0].startswith("client:cli_")


def test_what_is_wrong_with_a_policy_is_named_by_its_field_and_nothing_is_written(program: Partner) -> None:
    person = told()["insured"][0]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"number": "??"}, "number"),
        ({"long_term": "yes"}, "long_term"),
        ({"holder_phone": "12"}, "holder_phone"),
        ({"in_force_from": "1999-02-30"}, "in_force_from"),
        ({"in_force_from": "1890-01-01"}, "in_force_from"),
        ({"in_force_until": "1998-01-01"}, "in_force_until"),
        ({"status": "sleeping"}, "status"),
        ({"insured": []}, "insured"),
        ({"insured": [{**person, "relation": "neighbour"}]}, "insured.0.relation"),
        ({"insured": [{**person, "birth_date": "2090-01-01"}]}, "insured.0.birth_date"),
        ({"insured": [{**person, "id_number": "1"}]}, "insured.0.id_number"),
        ({"insured": [{**person, "name": "别人"}]}, "insured.0.name"),
        ({"plan": "none-such"}, "plan"),
        ({"surprise": 1}, "surprise"),
        ({"product_name": None}, "product_name"),
        ({"product_name": "Evergreen"}, "product_name"),
        ({"product_name": {"fr": "Vie"}}, "product_name.fr"),
        ({"product_name": {}}, "product_name.zh"),
        ({"insured": [7]}, "insured.0"),
        ({"insured": [{}]}, "insured.0.name"),
        ({"insured": {}}, "insured"),
        ({"holder": 7}, "holder"),
    ]
    found = [(status, body["field"]) for status, body in (put(program, **changes) for changes, _ in wrong)]
    assert found == [(422, field) for _, field in wrong]
    assert program.send("PUT", "/policies/p-1", json={}).get_json()["errors"][0]["field"] == "version"
    assert put(program, key="PN-2026-00001")[1]["errors"][0]["field"] == "key"
    assert program.send("PUT", "/policies/p-1", data=b"{", content_type="application/json").status_code == 400
    for path in ("/policies/" + "x" * 101, "/policies/a%20b", "/policies/none"):
        assert program.get(path).status_code == 404
    assert count("policy") == 0


def test_lines_are_answered_one_by_one_and_sent_again_change_nothing(program: Partner) -> None:
    lines = [
        {"key": "p-1", **told()},
        b"no json",
        {"key": "p-2", **told(number="PN-2026-00002"), "insured": [{**told()["insured"][0], "张三": "x"}]},
        {"key": "p-3", **told(number="PN-2026-00001")},
        {"key": "p-1", **told(version=2, status="lapsed")},
        {"key": "p-4", **told(number="PN-2026-00004", version=2)},
        b"x" * (LONGEST_LINE + 1),
        {},
        b"[]",
    ]
    *answers, summary = tell(program, *lines)
    assert [each["status"] for each in answers] == [
        *("created", "refused", "refused", "refused", "updated", "created", "refused", "refused", "refused")
    ]
    assert [[error["field"] for error in each["errors"]][:1] for each in answers] == [
        *([], ["line"], ["insured.0"], ["number"], [], [], ["line"], ["version"], ["line"])
    ]
    assert [each["version"] for each in answers] == [1, None, None, None, 2, 2, None, None, None]
    assert "张三" not in json.dumps(answers, ensure_ascii=False), "a strange name may be a person's"
    counts = {"created": 2, "updated": 1, "unchanged": 0, "older": 0, "refused": 6}
    assert summary == {"summary": {"lines": 9, **counts}}
    *again, _ = tell(program, *lines)
    assert [each["status"] for each in again if each["status"] != "refused"] == ["older", "unchanged", "unchanged"]
    assert (count("policy"), count("policy_version")) == (2, 3)


def test_a_call_has_bounds_and_says_them(program: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (b"{}\n" * (MOST_LINES + 1), b"x" * (MOST_BYTES + 1)):
        answer = program.post("/policies", data=body, content_type=NDJSON)
        assert (answer.status_code, answer.get_json()["code"]) == (413, "batch_too_large")
        assert answer.get_json()["facts"] == {"lines": MOST_LINES, "bytes": MOST_BYTES}
    answer = program.post("/policies", data=b"{}", content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (415, "not_ndjson")
    assert tell(program) == [{"summary": {"lines": 0, **dict.fromkeys(_STATUSES, 0)}}]


_STATUSES = ("created", "updated", "unchanged", "older", "refused")


def test_a_snapshot_is_opened_filled_completed_and_read(program: Partner) -> None:
    tell(program, *({"key": f"p-{n}", **told(number=f"PN-2026-0001{n}")} for n in range(5)))
    program.now += timedelta(minutes=1)
    key = {"Idempotency-Key": "first"}
    made = program.post("/policies/snapshots", json={"ends_vanished": True, "most_percent": 20}, headers=key)
    again = program.post("/policies/snapshots", json={"ends_vanished": True, "most_percent": 20}, headers=key)
    assert (made.status_code, again.status_code, again.get_json()["id"]) == (201, 201, made.get_json()["id"])
    snapshot = made.get_json()["id"]
    lines = [{"key": f"p-{n}", **told(number=f"PN-2026-0001{n}")} for n in range(4)]
    tell(program, *lines, query=f"?snapshot={snapshot}")
    assert program.get(f"/policies/snapshots/{snapshot}").get_json()["named"] == 4
    done = program.post(f"/policies/snapshots/{snapshot}/complete").get_json()
    assert [done[name] for name in ("state", "known", "vanished", "ended")] == ["completed", 5, 1, 1]
    page = program.get(f"/policies/snapshots/{snapshot}/vanished?limit=1").get_json()
    assert page == {"items": [{"key": "p-4", "ended": True, "returned": False}], "next": None}
    held = program.get("/policies/p-4").get_json()
    assert (held["status"], held["vanished"]) == ("ended", snapshot)
    over = program.post(f"/policies?snapshot={snapshot}", data=ndjson(lines), content_type=NDJSON)
    assert (over.status_code, over.get_json()["code"]) == (409, "snapshot_over")
    for wrong in ({"most_percent": 21}, {"ends_vanished": 1}, {"surprise": 1}):
        assert program.post("/policies/snapshots", json=wrong).status_code == 422


def test_each_insurer_has_keys_of_its_own_and_sees_nothing_of_another_ones(app: Flask, program: Partner) -> None:
    insurers_app("other", policy=False)
    other = program_of(app, "other")
    put(program)
    theirs, nobodys = (other.get(f"/policies/{key}") for key in ("p-1", "p-9"))
    assert theirs.status_code == nobodys.status_code == 404
    assert {**theirs.get_json(), "instance": ""} == {**nobodys.get_json(), "instance": ""}
    made = put(other, holder_phone="13900000001", insured=[{**told()["insured"][0], "name": "别人"}])
    assert made[1]["outcome"] == "created", "the same key and number, another insurer's"
    assert put(program)[1]["outcome"] == "unchanged"


def test_providers_and_insurers_programs_are_strangers_to_each_other(app: Flask, program: Partner) -> None:
    provider = partner_of(app, make_offer()[0])
    for stranger, path in ((provider, f"{API}/policies/p-1"), (program, "/partner/v1/bookings")):
        answer = app.test_client().get(path, headers={"Authorization": f"Bearer {stranger.token}"})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
    refused = ask_token(app, client_of(), api="/partner/v1")
    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [("policies", "GET", "/policies/p-1"), ("policies", "POST", "/policies"), ("customers", "POST", "/sign-in-links")],
)
def test_a_program_needs_the_scope(app: Flask, scope: str, method: str, path: str) -> None:
    make_insurer()
    without = program_of(app, "", *({"policies", "customers"} - {scope}))
    answer = without.send(method, path, json={})
    assert (answer.status_code, answer.get_json()["facts"]) == (403, {"scope": scope})
