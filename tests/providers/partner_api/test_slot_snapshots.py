"""Full snapshots over HTTP: what nobody named since the opening is closed, and only when all was read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.exc import IntegrityError

from booking.sync import publish, slots, snapshots
from booking.sync.models import NamedSlot, SlotSnapshot
from booking.sync.open_snapshots import LIFETIME
from booking.sync.snapshots import KEPT, MOST_OPEN, tend_snapshots
from marketplace.catalog.models import CapacityPool
from marketplace.core.database.db import engine, reading, transaction
from marketplace.core.ids import new_id
from providers.reported import RemoteSlot
from tests.people import NOON
from tests.providers.partner_api.partner import NDJSON, Partner, ndjson, partner_of
from tests.providers.partner_api.slot_lines import ASKED, closed, complete, line, opened, statuses
from tests.world import DAY, World, join, make_offer, make_world, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def world(db: Engine) -> World:
    """A world whose provider has a second pool, without slots."""
    made = make_world(slots=0)
    with transaction() as session:
        session.add(
            CapacityPool(
                public_id=new_id("pol"), provider_id=made.provider.id, site_id=made.offer.site_id, external_ref="pool-2"
            )
        )
    return made


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """A program that has published two days of the first pool, one day of the second, and a later day."""
    made = partner_of(app, world.provider, "slots")
    days = [line("a"), line("b"), line("c", service_date="2026-03-11")]
    made.publish([*days, line("later", service_date="2026-03-12"), line("a", pool="pool-2")])
    return made


def test_what_was_not_named_is_closed_within_its_pools_and_days_alone(partner: Partner) -> None:
    snapshot = opened(partner)
    assert statuses(partner.publish([line("a")], snapshot)) == ["unchanged"]
    assert statuses(partner.publish([line("new")], snapshot)) == ["created"]
    assert closed(partner) == set(), "an open one closes nothing"
    answer = complete(partner, snapshot)
    assert (answer.status_code, answer.get_json()["state"], answer.get_json()["closed"]) == (200, "completed", 2)
    assert closed(partner) == {"pool-1/b", "pool-1/c"}


def test_a_snapshot_is_shown_as_it_stands(partner: Partner) -> None:
    snapshot = opened(partner)
    shown = partner.get(f"/slots/snapshots/{snapshot}").get_json()
    assert shown == {
        "id": snapshot,
        "pools": ["pool-1"],
        "from": "2026-03-10",
        "to": "2026-03-11",
        "state": "open",
        "refused": 0,
        "closed": 0,
        "opened_at": "2026-03-02T04:00:00+00:00",
        "ends_at": "2026-03-02T05:00:00+00:00",
    }


def test_completed_again_it_answers_the_same_and_takes_no_lines(partner: Partner) -> None:
    snapshot = opened(partner)
    partner.publish([line("a"), line("c", service_date="2026-03-11")], snapshot)
    first = complete(partner, snapshot)
    partner.publish([line("b", version=2)])
    assert complete(partner, snapshot).get_json() == first.get_json()
    assert closed(partner) == set(), "b was published anew since"
    over = partner.post(f"/slots?snapshot={snapshot}", data=ndjson([line("a", version=9)]), content_type=NDJSON)
    assert (over.status_code, over.get_json()["code"]) == (409, "snapshot_over")


def test_a_closed_slot_keeps_what_is_sold_and_is_opened_by_naming_it(app: Flask) -> None:
    world = make_world(slots=1)
    partner = partner_of(app, world.provider, "slots")
    world.hold()
    complete(partner, opened(partner))
    [slot] = partner.get("/slots", query_string={"pool": "pool-1"}).get_json()["items"]
    assert (slot["closed"], slot["taken"], slot["version"]) == (True, 1, 0)
    assert taken(world.slots[0]) == 1
    again = line(slot["reference"], version=0)
    assert statuses(partner.publish([again])) == ["updated"]
    assert closed(partner) == set()


def test_what_another_call_or_a_poll_has_named_meanwhile_stays(partner: Partner, world: World) -> None:
    snapshot = opened(partner)
    partner.publish([line("b")])
    with reading() as session:
        pools = slots.pools_of(session, world.provider.id)
    polled = RemoteSlot("pool-1", "polled", DAY, None, None, 3, version=1)
    slots.apply_slots(world.provider.id, [polled], pools, dict.fromkeys(COUNTS, 0), now=NOON)
    complete(partner, snapshot)
    assert closed(partner) == {"pool-1/a", "pool-1/c"}


COUNTS = ("read", "added", "changed", "unknown_pool")


def test_an_outdated_line_names_its_slot_too(partner: Partner) -> None:
    partner.publish([line("a", version=5)])
    snapshot = opened(partner)
    assert statuses(partner.publish([line("a", version=4)], snapshot)) == ["outdated"]
    complete(partner, snapshot)
    assert closed(partner) == {"pool-1/b", "pool-1/c"}


@pytest.mark.parametrize("bad", [b"{", line("b", offered=-1), line("b", pool="nobody's")])
def test_a_refused_line_closes_nothing_at_all_and_is_named(app: Flask, partner: Partner, bad: Any) -> None:
    snapshot = opened(partner)
    partner.publish([line("a"), bad], snapshot)
    partner.publish([line("b")], snapshot)
    for language, said in (("en", "1 of the snapshot's lines"), ("zh-CN", "1 行")):
        problem = replace(partner, language=language).post(f"/slots/snapshots/{snapshot}/complete")
        assert (problem.status_code, problem.get_json()["code"]) == (409, "snapshot_refused")
        assert said in problem.get_json()["detail"]
        [refused] = problem.get_json()["facts"]["lines"]
        assert refused["line"] == 2
        assert refused["request"].startswith("req_")
    assert closed(partner) == set()
    again = opened(partner)
    partner.publish([line("a"), line("b")], again)
    assert complete(partner, again).get_json()["closed"] == 1


def test_of_refused_lines_nothing_is_kept_that_they_held(partner: Partner) -> None:
    snapshot = opened(partner)
    partner.publish([line(zhangsan=1), line(offered="zhangsan"), line(reference=1)], snapshot)
    kept = complete(partner, snapshot).get_json()["facts"]["lines"]
    assert [each["field"] for each in kept] == ["line", "offered", "reference"]
    assert "zhangsan" not in str(kept)


def test_a_line_outside_the_snapshot_is_refused(partner: Partner) -> None:
    snapshot = opened(partner)
    answers = partner.publish([line("x", pool="pool-2"), line("x", service_date="2026-03-12")], snapshot)
    assert [answer["errors"][0]["field"] for answer in answers] == ["pool", "service_date"]
    assert complete(partner, snapshot).status_code == 409


def test_a_line_that_cannot_be_applied_counts_as_refused(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = opened(partner)

    def breaks(*_: Any, **__: Any) -> Any:
        raise ValueError("nobody knows why")

    monkeypatch.setattr(publish, "apply_slots", breaks)
    assert statuses(partner.publish([line("a")], snapshot)) == ["refused"]
    assert complete(partner, snapshot).get_json()["code"] == "snapshot_refused"


def test_the_database_lets_no_snapshot_close_that_holds_a_refused_line(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The constraint alone, with the guard taken away."""
    snapshot = opened(partner)
    partner.publish([line("a"), b"{"], snapshot)
    with transaction() as session:
        session.execute(update(SlotSnapshot).values(state="closing"))
    with pytest.raises(IntegrityError, match="ck_slot_snapshot_refused"):
        snapshots.complete_snapshot(provider_of(snapshot), snapshot, now=NOON)
    assert closed(partner) == set()


def provider_of(snapshot: str) -> int:
    with reading() as session:
        return session.scalars(select(SlotSnapshot.provider_id).where(SlotSnapshot.public_id == snapshot)).one()


def test_one_that_is_not_completed_ends_after_an_hour_and_closes_nothing(
    app: Flask, world: World, partner: Partner
) -> None:
    snapshot = opened(partner)
    late = partner_of(app, world.provider, "slots", now=NOON + LIFETIME)
    in_time = replace(partner, now=NOON + LIFETIME - timedelta(seconds=1))
    assert statuses(in_time.publish([line("a")], snapshot)) == ["unchanged"]
    for _ in range(2):
        assert complete(late, snapshot).get_json()["code"] == "snapshot_over"
        sent = late.post(f"/slots?snapshot={snapshot}", data=ndjson([line("new")]), content_type=NDJSON)
        assert sent.get_json()["code"] == "snapshot_over"
        assert late.get(f"/slots/snapshots/{snapshot}").get_json()["state"] == "expired"
        tend_snapshots(now=NOON + LIFETIME)
    assert closed(partner) == set()


def test_what_is_over_is_forgotten_a_day_later(partner: Partner) -> None:
    snapshot = opened(partner)
    partner.publish([line("a")], snapshot)
    assert tend_snapshots(now=NOON + KEPT)["forgotten"] == 0
    assert partner.get(f"/slots/snapshots/{snapshot}").get_json()["state"] == "expired"
    assert tend_snapshots(now=NOON + KEPT + timedelta(seconds=1))["forgotten"] == 1
    assert (count(SlotSnapshot.id), count(NamedSlot.slot_id)) == (0, 0)


@pytest.mark.parametrize("ending", ["completed", "expired"])
def test_what_was_named_is_forgotten_in_small_statements_once_a_snapshot_is_over(
    partner: Partner, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(snapshots, "FORGOTTEN_AT_ONCE", 2)
    snapshot, still_open = opened(partner), NOON + LIFETIME - timedelta(seconds=1)
    partner.publish([line(name) for name in "abcde"], snapshot)
    tend_snapshots(now=still_open)
    assert count(NamedSlot.slot_id) == 5, "it may still close what was not named"
    if ending == "completed":
        complete(partner, snapshot)
    with deleted_at_once() as deleted:
        tend_snapshots(now=still_open if ending == "completed" else NOON + LIFETIME)
    assert deleted == [2, 2, 1, 0]
    assert partner.get(f"/slots/snapshots/{snapshot}").get_json()["state"] == ending


def test_one_that_still_has_what_it_noted_is_not_forgotten(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = opened(partner)
    partner.publish([line("a")], snapshot)
    monkeypatch.setattr(snapshots, "_forget_named", lambda snapshot: "broken off")
    assert tend_snapshots(now=NOON + 2 * KEPT)["forgotten"] == 0
    assert count(NamedSlot.slot_id) == 1


def test_one_that_was_broken_off_keeps_what_it_noted_however_old_it_is(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = opened(partner)
    partner.publish([line("a")], snapshot)
    with transaction() as session:
        session.execute(update(SlotSnapshot).values(state="closing"))
    honest = snapshots._close_some
    monkeypatch.setattr(snapshots, "_close_some", lambda *given: True)
    assert tend_snapshots(now=NOON + 2 * KEPT)["forgotten"] == 0
    monkeypatch.setattr(snapshots, "_close_some", honest)
    snapshots.complete_snapshot(provider_of(snapshot), snapshot, now=NOON)
    assert closed(partner) == {"pool-1/b", "pool-1/c"}


@contextmanager
def deleted_at_once() -> Iterator[list[int]]:
    """How many notes each statement deletes."""
    counts: list[int] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM slot_snapshot_named"):
            counts.append(cursor.rowcount)

    event.listen(engine(), "after_cursor_execute", note)
    try:
        yield counts
    finally:
        event.remove(engine(), "after_cursor_execute", note)


def count(column: Any) -> int:
    with reading() as session:
        return session.scalars(select(func.count(column))).one()


def test_one_that_was_broken_off_while_it_closed_is_carried_on_by_the_worker(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "BATCH", 1)
    snapshot = opened(partner)
    honest, calls = snapshots._close_some, []

    def breaks_off(*given: Any) -> bool:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return honest(*given)

    monkeypatch.setattr(snapshots, "_close_some", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        snapshots.complete_snapshot(provider_of(snapshot), snapshot, now=NOON)
    assert len(closed(partner)) == 1
    monkeypatch.setattr(snapshots, "_close_some", honest)
    assert tend_snapshots(now=NOON + 2 * LIFETIME)["completed"] == 1
    assert closed(partner) == {"pool-1/a", "pool-1/b", "pool-1/c"}
    assert complete(partner, snapshot).get_json()["closed"] == 3


def test_it_is_opened_once_for_one_key(partner: Partner) -> None:
    key = {"Idempotency-Key": "k1"}
    first, second = (partner.post("/slots/snapshots", json=ASKED, headers=key).get_json() for _ in range(2))
    assert first == second
    other = partner.post("/slots/snapshots", json={**ASKED, "to": "2026-03-10"}, headers=key)
    assert other.get_json()["code"] == "idempotency_key_reused"
    without = partner.post("/slots/snapshots", json=ASKED, headers={"Idempotency-Key": ""})
    assert without.get_json()["code"] == "idempotency_key_missing"


def test_one_that_is_completed_between_two_batches_of_a_call_takes_no_more_lines(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = opened(partner)
    honest = slots.apply_slots

    def completes_first(*given: Any, **more: Any) -> Any:
        snapshots.complete_snapshot(provider_of(snapshot), snapshot, now=NOON)
        return honest(*given, **more)

    monkeypatch.setattr(publish, "apply_slots", completes_first)
    sent = partner.post(f"/slots?snapshot={snapshot}", data=ndjson([line("a", version=2)]), content_type=NDJSON)
    assert (sent.status_code, sent.get_json()["code"]) == (409, "snapshot_over")
    versions = {slot["version"] for slot in partner.get("/slots?pool=pool-1").get_json()["items"]}
    assert versions == {1}


def test_no_refused_line_is_forgotten_for_one_that_is_completed_meanwhile(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = opened(partner)
    honest = publish._faults_of

    def completes_first(*given: Any) -> Any:
        snapshots.complete_snapshot(provider_of(snapshot), snapshot, now=NOON)
        return honest(*given)

    monkeypatch.setattr(publish, "_faults_of", completes_first)
    sent = partner.post(f"/slots?snapshot={snapshot}", data=ndjson([line("a"), b"{"]), content_type=NDJSON)
    assert (sent.status_code, sent.get_json()["code"]) == (409, "snapshot_over")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pools": []}, "pools"),
        ({"pools": ["pool-1", "nobody's"]}, "pools"),
        ({"to": "2026-03-09"}, "to"),
        ({"to": "2027-04-14"}, "to"),
        ({"from": "soon"}, "from"),
        ({"slots": 3}, "slots"),
    ],
)
def test_what_cannot_be_a_snapshot_is_refused(partner: Partner, changes: dict[str, Any], field: str) -> None:
    problem = partner.post("/slots/snapshots", json={**ASKED, **changes}, headers={"Idempotency-Key": "k"})
    assert (problem.status_code, problem.get_json()["field"]) == (422, field)


def test_a_provider_has_only_so_many_open(partner: Partner) -> None:
    made = [opened(partner) for _ in range(MOST_OPEN)]
    problem = partner.post("/slots/snapshots", json=ASKED, headers={"Idempotency-Key": "one-more"})
    assert (problem.status_code, problem.get_json()["code"]) == (409, "too_many_snapshots")
    complete(partner, made[0])
    assert opened(partner)


def test_another_providers_snapshot_is_not_there(app: Flask, partner: Partner) -> None:
    snapshot, stranger = opened(partner), partner_of(app, make_offer(slots=0)[0], "slots")
    nothing = "snp_00000000000000000000"
    for method, path in (
        ("GET", "/slots/snapshots/{}"),
        ("POST", "/slots/snapshots/{}/complete"),
        ("POST", "/slots?snapshot={}"),
    ):
        sent = {"data": ndjson([line("a")]), "content_type": NDJSON} if "?" in path else {}
        theirs, none = (stranger.send(method, path.format(each), **sent) for each in (snapshot, nothing))
        assert theirs.status_code == none.status_code == 404
        assert {**theirs.get_json(), "instance": ""} == {**none.get_json(), "instance": ""}
    assert partner.get(f"/slots/snapshots/{snapshot}").get_json()["state"] == "open"


def test_one_providers_snapshot_closes_nothing_of_anothers(app: Flask, partner: Partner) -> None:
    other = make_world(slots=2, phone="13800000031")
    second = join(other.provider, other.offer, other.slots, phone="13800000032")
    complete(partner, opened(partner))
    assert second.hold()
