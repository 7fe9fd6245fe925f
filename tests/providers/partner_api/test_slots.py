"""Publishing slots over HTTP: each line is answered in its place, and a bad one refuses itself alone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select

from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.models import Slot
from booking.sync import publish, slots
from marketplace.catalog.models import CapacityPool
from marketplace.clients.owners import SCOPES
from marketplace.core.database.db import engine, reading, transaction
from marketplace.core.ids import new_id
from providers.partner_api.slot_lines import LONGEST_LINE, MOST_BYTES, MOST_LINES
from tests.people import NOON
from tests.providers.partner_api.partner import NDJSON, Partner, ndjson, partner_of
from tests.providers.partner_api.slot_lines import Watched, held, line, statuses
from tests.world import World, join, make_offer, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(db: Engine) -> World:
    """A world without slots."""
    return make_world(slots=0)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """A program of its provider that may publish slots."""
    return partner_of(app, world.provider, "slots")


def test_a_slot_and_a_day_are_published_changed_and_shown(partner: Partner) -> None:
    day = line("day", starts_at=None, ends_at=...)
    assert statuses(partner.publish([line(), day])) == ["created", "created"]
    assert statuses(partner.publish([line(offered=7, closed=True, version=2), day])) == ["updated", "unchanged"]
    assert held(partner) == [
        {
            "pool": "pool-1",
            "reference": "a",
            "service_date": "2026-03-10",
            "starts_at": "2026-03-10T00:00:00+00:00",
            "ends_at": "2026-03-10T00:30:00+00:00",
            "offered": 7,
            "taken": 0,
            "closed": True,
            "version": 2,
        },
        {
            "pool": "pool-1",
            "reference": "day",
            "service_date": "2026-03-10",
            "starts_at": None,
            "ends_at": None,
            "offered": 5,
            "taken": 0,
            "closed": False,
            "version": 1,
        },
    ]


def test_the_answer_has_a_line_for_each_line_and_a_summary(partner: Partner) -> None:
    partner.publish([line("known"), line("later", version=5)])
    sent = [line("known"), line("new"), b"{", line("later", version=4), line("known", offered=6, version=2)]
    answer = partner.post("/slots", data=ndjson(sent), content_type=NDJSON)
    told = [json.loads(each) for each in answer.data.splitlines()]
    assert (answer.status_code, answer.content_type) == (200, NDJSON)
    assert [each.get("line") for each in told] == [1, 2, 3, 4, 5, None]
    assert statuses(told[:-1]) == ["outdated", "created", "refused", "outdated", "updated"]
    assert [each["errors"] for each in told[:2]] == [[], []]
    assert told[-1]["summary"] == {
        "lines": 5,
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "outdated": 2,
        "refused": 1,
    }


def test_content_type_may_name_its_charset_and_an_empty_body_has_no_lines(partner: Partner) -> None:
    answer = partner.post("/slots", data=b"", content_type=f"{NDJSON}; charset=utf-8")
    assert [json.loads(each)["summary"]["lines"] for each in answer.data.splitlines()] == [0]


REFUSED = {
    "no JSON": (b"{", "line", "not a JSON object"),
    "nothing": (b"", "line", "not a JSON object"),
    "another encoding": (b'{"pool": "\xff"}', "line", "not a JSON object"),
    "nested too deep": (b"[" * 100 + b"]" * 100, "line", "not a JSON object"),
    "a list": (b"[]", "line", "must be an object"),
    "a number": (b"3", "line", "must be an object"),
    "too long": (b" " * LONGEST_LINE + b"{}", "line", "line is too long"),
    "a field twice": (b'{"pool": "a", "pool": "b"}', "pool", "once only"),
    "an unknown field": (line(capacity=5), "capacity", "no such field"),
    "a strange field": (line(**{"张三 13800000000": 5}), "line", "no such field"),
    "no pool": (line(pool=...), "pool", "is needed"),
    "an unknown pool": (line(pool="pool-2"), "pool", "no such pool"),
    "no reference": (line(reference=""), "reference", "too long or too short"),
    "a long reference": (line(reference="x" * 256), "reference", "too long or too short"),
    "a reference that can't be stored": (line(reference="a\0"), "reference", "can't be stored"),
    "a number as a reference": (line(reference=3), "reference", "must be text"),
    "no date": (line(service_date=...), "service_date", "is needed"),
    "no such date": (line() | {"service_date": "2026-02-30"}, "service_date", "must be a date"),
    "a date of other digits": (line(service_date="2026-03-1\u0661"), "service_date", "must be a date"),
    "no zone": (line(starts_at="2026-03-10T08:00:00"), "starts_at", "with its zone"),
    "another form": (line(starts_at="20260310T0800Z"), "starts_at", "with its zone"),
    "no such hour": (line(ends_at="2026-03-10T25:00:00Z"), "ends_at", "with its zone"),
    "a list as a moment": (line(ends_at=[]), "ends_at", "with its zone"),
    "no end": (line(ends_at=...), "ends_at", "both, or neither"),
    "no start": (line(starts_at=None), "starts_at", "both, or neither"),
    "an end before the start": (line(ends_at="2026-03-10T07:59:59+08:00"), "ends_at", "after the start"),
    "less than nothing": (line(offered=-1), "offered", "too large or too small"),
    "too many": (line(offered=2**31), "offered", "too large or too small"),
    "half a place": (line(offered=1.5), "offered", "whole number"),
    "places in words": (line(offered="5"), "offered", "whole number"),
    "places as truth": (line(offered=True), "offered", "whole number"),
    "no version": (line(version=...), "version", "is needed"),
    "a version of 65 bits": (line(version=2**63), "version", "out of range"),
    "closed in words": (line(closed="yes"), "closed", "true or false"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_line_refuses_itself_alone_and_names_the_field(partner: Partner, what: str) -> None:
    bad, field, detail = REFUSED[what]
    first, second, third = partner.publish([line("before"), bad, line("after")])
    assert statuses([first, second, third]) == ["created", "refused", "created"]
    [error] = second["errors"]
    assert error["field"] == field
    assert detail in error["detail"]
    assert len(held(partner)) == 2


def test_every_fault_of_a_line_is_named_in_the_callers_language(app: Flask, world: World) -> None:
    chinese = partner_of(app, world.provider, "slots", language="zh-CN")
    [answer] = chinese.publish([line(offered=-1, version=None)])
    assert answer["errors"] == [
        {"field": "offered", "detail": "数值过大或过小。"},
        {"field": "version", "detail": "此项不能为空。"},
    ]


def test_what_was_sent_is_never_repeated(partner: Partner) -> None:
    private = {"note": "张三 13800000000", "张三": "x", "offered": "13800000000"}
    answer = partner.post("/slots", data=ndjson([line(**private), b"13800000000 {"]), content_type=NDJSON)
    assert "13800000000" not in answer.text
    assert "张三" not in answer.text
    assert "\\u5f20" not in answer.text


def test_of_one_key_in_a_call_the_higher_version_counts_wherever_it_stands(partner: Partner) -> None:
    sent = [line(version=2, offered=2), line(version=3, offered=3), line(version=1, offered=1)]
    assert statuses(partner.publish(sent)) == ["outdated", "created", "outdated"]
    assert [(slot["version"], slot["offered"]) for slot in held(partner)] == [(3, 3)]


def test_the_same_line_twice_in_a_call_is_unchanged_the_second_time(partner: Partner) -> None:
    assert sorted(statuses(partner.publish([line(), line()]))) == ["created", "unchanged"]
    assert statuses(partner.publish([line(), line()])) == ["unchanged", "unchanged"]


def test_of_two_contents_with_one_version_the_last_counts(partner: Partner) -> None:
    assert statuses(partner.publish([line(offered=1), line(offered=2)])) == ["outdated", "created"]
    assert statuses(partner.publish([line(offered=3)])) == ["updated"]
    assert [slot["offered"] for slot in held(partner)] == [3]


def test_a_moment_in_another_zone_is_the_same_content(partner: Partner) -> None:
    partner.publish([line()])
    same = line(starts_at="2026-03-10T00:00:00Z", ends_at="2026-03-10t00:30:00.000z", offered=5.0)
    assert statuses(partner.publish([same])) == ["unchanged"]


def test_ten_thousand_lines_go_in_one_call_of_five_hundred_a_transaction(partner: Partner) -> None:
    written: list[int] = []

    def count(*call: Any) -> None:
        if "INSERT INTO slot (" in call[2]:
            written.append(len(call[3]["refs"]) if isinstance(call[3], dict) else 0)

    event.listen(engine(), "before_cursor_execute", count)
    try:
        answers = partner.publish(line(f"s{number}") for number in range(MOST_LINES))
    finally:
        event.remove(engine(), "before_cursor_execute", count)
    assert statuses(answers) == ["created"] * MOST_LINES
    assert written == [slots.BATCH] * (MOST_LINES // slots.BATCH)
    assert slots.BATCH == 500


def test_one_line_more_is_refused_as_a_whole(partner: Partner) -> None:
    problem = partner.post("/slots", data=ndjson(line(f"s{n}") for n in range(MOST_LINES + 1)), content_type=NDJSON)
    assert (problem.status_code, problem.get_json()["code"]) == (413, "batch_too_large")
    assert problem.content_type == "application/problem+json"
    assert held(partner) == []
    without_the_last_feed = ndjson([line()] * (MOST_LINES + 1)).rstrip()
    assert partner.post("/slots", data=without_the_last_feed, content_type=NDJSON).status_code == 413


@pytest.mark.parametrize("announced", [True, False])
def test_five_mebibytes_are_taken_and_one_byte_more_is_not(partner: Partner, announced: bool) -> None:
    good = ndjson([line()])
    padding = b" " * (LONGEST_LINE - 1) + b"\n"
    body = (good + padding * (MOST_BYTES // len(padding) + 1))[: MOST_BYTES - len(good)] + b"\n" * len(good)

    def send(sent: bytes) -> int:
        how: dict[str, Any] = {"data": sent} if announced else {"input_stream": io.BytesIO(sent)}
        if not announced:
            how["environ_overrides"] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        return partner.post("/slots", content_type=NDJSON, **how).status_code

    assert len(body) == MOST_BYTES
    assert send(body) == 200
    assert send(body + b" ") == 413
    assert len(held(partner)) == 1


def test_no_other_route_takes_a_large_body_and_nobody_without_a_token(app: Flask, partner: Partner) -> None:
    body = b" " * 300_000
    assert partner.post("/slots/snapshots", data=body, content_type="application/json").status_code == 413
    stranger = Partner(app, "nobody")
    read = Watched(body)
    answer = stranger.post(
        "/slots", input_stream=read, content_type=NDJSON, environ_overrides={"CONTENT_LENGTH": str(len(body))}
    )
    assert answer.status_code == 401
    assert read.asked == 0, "the body of a stranger is not read"


def test_another_content_type_is_refused_with_the_right_one(partner: Partner) -> None:
    problem = partner.post("/slots", data=ndjson([line()]), content_type="application/json")
    assert (problem.status_code, problem.get_json()["code"]) == (415, "not_ndjson")
    assert NDJSON in problem.get_json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/slots"),
        ("GET", "/slots?pool=pool-1"),
        ("POST", "/slots/snapshots"),
        ("GET", "/slots/snapshots/snp_0"),
        ("POST", "/slots/snapshots/snp_0/complete"),
    ],
)
def test_each_route_needs_the_scope(app: Flask, world: World, method: str, path: str) -> None:
    without = partner_of(app, world.provider, *(set(SCOPES) - {"slots"}))
    problem = without.send(method, path, data=ndjson([line()]) if method == "POST" else None, content_type=NDJSON)
    assert (problem.status_code, problem.get_json()["code"]) == (403, "insufficient_scope")


def test_two_providers_may_have_the_same_names(app: Flask, partner: Partner) -> None:
    other = partner_of(app, make_offer(slots=0)[0], "slots")
    partner.publish([line(offered=1)])
    assert statuses(other.publish([line(offered=2)])) == ["created"]
    assert [slot["offered"] for slot in held(partner)] == [1]
    assert [slot["offered"] for slot in held(other)] == [2]


def test_another_providers_pool_is_as_unknown_as_none(app: Flask, world: World, partner: Partner) -> None:
    stranger, site = make_offer(slots=0)[0], make_offer(slots=0)[1].site_id
    with transaction() as session:
        session.add(CapacityPool(public_id=new_id("pol"), provider_id=stranger.id, site_id=site, external_ref="theirs"))
    answers = partner.publish([line(pool="theirs"), line(pool="nobody's")])
    assert statuses(answers) == ["refused", "refused"]
    assert answers[0]["errors"] == answers[1]["errors"]
    of_stranger, of_none = (partner.get("/slots", query_string={"pool": pool}) for pool in ("theirs", "nobody's"))
    assert of_stranger.status_code == of_none.status_code == 404
    known = {**of_stranger.get_json(), "instance": ""}
    assert known == {**of_none.get_json(), "instance": ""}


def test_less_than_is_sold_and_another_time_are_discrepancies_as_in_a_poll(app: Flask) -> None:
    world = make_world(slots=1, capacity=5)
    partner = partner_of(app, world.provider, "slots")
    reference = world.slots[0].external_ref
    world.hold()
    second = join(world.provider, world.offer, world.slots, phone="13800550001")
    booking = second.hold()
    partner.publish([line(reference, offered=1, starts_at="2026-03-10T10:00:00+08:00", ends_at="2026-03-10T11:00:00Z")])
    [slot] = held(partner)
    assert (slot["offered"], slot["taken"], slot["starts_at"]) == (1, 2, "2026-03-10T00:00:00+00:00")
    assert open_discrepancies() == ["slot_moved", "slot_oversold"]
    cancel(second.principal, booking, now=NOON)
    partner.publish([line(reference, offered=1, version=2)])
    assert open_discrepancies() == []


def open_discrepancies() -> list[str]:
    with reading() as session:
        return sorted(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def test_a_slot_that_breaks_its_batch_is_refused_alone(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = slots.apply_slots

    def breaks(provider_id: int, given: Any, *rest: Any, **more: Any) -> Any:
        if any(slot.reference == "bad" for slot in given):
            raise ValueError("nobody knows why")
        return honest(provider_id, given, *rest, **more)

    monkeypatch.setattr(publish, "apply_slots", breaks)
    answers = partner.publish([line("a"), line("bad"), line("b")])
    assert statuses(answers) == ["created", "refused", "created"]
    assert [error["field"] for error in answers[1]["errors"]] == ["line"]


def test_slots_are_read_in_pages_by_day(partner: Partner) -> None:
    days = [f"2026-03-{day:02}" for day in (12, 10, 11, 10)]
    sent = [line(f"s{n}", service_date=day, starts_at=..., ends_at=...) for n, day in enumerate(days)]
    partner.publish(sent)
    seen, cursor = [], None
    while True:
        query = {"pool": "pool-1", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = partner.get("/slots", query_string=query).get_json()
        seen += [slot["reference"] for slot in page["items"]]
        if not (cursor := page["next"]):
            break
    assert seen == ["s1", "s3", "s2", "s0"]
    between = held(partner, **{"from": "2026-03-11", "to": "2026-03-11"})
    assert [slot["reference"] for slot in between] == ["s2"]


@pytest.mark.parametrize("query", [{}, {"pool": "pool-1", "from": "soon"}, {"pool": "pool-1", "cursor": "W10"}])
def test_a_question_that_cannot_be_answered_is_refused(partner: Partner, query: dict[str, str]) -> None:
    assert partner.get("/slots", query_string=query).status_code == 422


def test_an_unknown_snapshot_is_not_there(partner: Partner) -> None:
    answer = partner.post("/slots?snapshot=snp_00000000000000000000", data=ndjson([line()]), content_type=NDJSON)
    assert answer.status_code == 404
    with reading() as session:
        assert session.scalars(select(Slot)).all() == []


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a zone that is nowhere": (
        {"starts_at": "2099-12-31T23:59:00+23:59", "ends_at": "2099-12-31T23:59:00-23:59"},
        "starts_at",
        "with its zone",
    ),
    "longer than a day": ({"ends_at": "2026-03-11T08:00:01+08:00"}, "ends_at", "longer than a day"),
    "another day": (
        {"starts_at": "2026-03-11T08:00:00+08:00", "ends_at": "2026-03-11T08:30:00+08:00"},
        "service_date",
        "not the day at the site",
    ),
    "another day at the site": ({"starts_at": "2026-03-09T15:59:59Z"}, "service_date", "not the day at the site"),
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_times_that_cannot_be_right_are_refused_by_their_field(partner: Partner, wrong: str) -> None:
    partner.language = "en"
    changes, field, words = IMPOSSIBLE[wrong]
    answers = partner.publish([line("before"), line("bad", **changes), line("after")])
    assert statuses(answers) == ["created", "refused", "created"]
    error = answers[1]["errors"][0]
    assert error["field"] == field and words in error["detail"]
