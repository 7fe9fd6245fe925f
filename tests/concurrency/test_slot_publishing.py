"""Programs that publish the same slots at once, and calls that are killed half-way: the same slots in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable
from booking.models import Slot
from booking.sync import slots, snapshots
from booking.sync.models import SlotSnapshot
from booking.sync.open_snapshots import note_named
from booking.sync.publish import Call, publish_slots
from marketplace.catalog.models import Provider
from marketplace.core.config import ROOT, settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.reported import RemoteSlot
from tests.concurrency import controls
from tests.people import NOON
from tests.sandboxes import eventually
from tests.world import DAY, make_offer

pytestmark = pytest.mark.usefixtures("db")

LINES = 1200


def lines(version: int, count: int = LINES) -> list[RemoteSlot]:
    """As many days of capacity, `version` places in each."""
    return [RemoteSlot("pool-1", f"s{n}", DAY, None, None, version, version=version) for n in range(count)]


def call(provider: Provider, snapshot: str | None = None) -> Call:
    return Call(provider.id, "req_test", snapshot, NOON)


def held(provider: Provider) -> dict[str, tuple[int, int, bool]]:
    """Version, places, and whether it is closed, of each slot."""
    with reading() as session:
        rows = session.scalars(select(Slot).join(Slot.pool).filter_by(provider_id=provider.id))
        return {row.external_ref: (row.version, row.offered, row.closed) for row in rows}


def waits_for_a_lock(connection: Connection) -> bool:
    """Whether somebody waits for a lock of another."""
    found = connection.execute(
        text(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.datname = current_database()"
            " WHERE NOT l.granted AND EXISTS (SELECT FROM pg_locks o WHERE o.pid = l.pid AND o.database = d.oid)"
        )
    ).scalar_one()
    return bool(found)


@pytest.mark.usefixtures("many_connections")
def test_of_programs_that_publish_the_same_keys_at_once_the_highest_version_stands() -> None:
    provider = make_offer(slots=0)[0]
    works: list[Callable[[], object]] = []
    for version in (3, 1, 4, 2):
        told = lines(version)
        order = told if version % 2 else told[::-1]
        works.append(lambda order=order: publish_slots(call(provider), order))  # type: ignore[misc]
    results = controls.all_at_once(works)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert held(provider) == {f"s{n}": (4, 4, False) for n in range(LINES)}


@pytest.fixture
def published_against_a_rival(owner_connection: Connection) -> Iterator[Callable[[Provider], Any]]:
    """Publish version 2 of a slot that a rival is adding with version 1, and has not committed yet."""

    def publish(provider: Provider) -> Any:
        with ThreadPoolExecutor(1) as threads:
            with transaction() as session:
                session.execute(
                    text(
                        "INSERT INTO slot (public_id, pool_id, external_ref, service_date, offered, capacity, version)"
                        " SELECT 'slt_rival', id, 's0', :day, 1, 1, 1 FROM capacity_pool WHERE provider_id = :provider"
                    ),
                    {"day": DAY, "provider": provider.id},
                )
                ours = threads.submit(publish_slots, call(provider), lines(2, 1))
                eventually(lambda: waits_for_a_lock(owner_connection), 60)
            return ours.result(60)

    yield publish


def test_a_slot_that_a_rival_adds_meanwhile_is_not_lost(
    published_against_a_rival: Callable[[Provider], Any],
) -> None:
    provider = make_offer(slots=0)[0]
    assert [answer.status for answer in published_against_a_rival(provider)] == ["updated"]
    assert held(provider) == {"s0": (2, 2, False)}


def test_control_without_a_second_look_the_rivals_lower_version_stands(
    published_against_a_rival: Callable[[Provider], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "_ROUNDS", 1)
    provider = make_offer(slots=0)[0]
    with pytest.raises(Busy):
        published_against_a_rival(provider)
    assert held(provider) == {"s0": (1, 1, False)}


def completed_against(provider: Provider, owner_connection: Connection, *, waits: bool) -> None:
    """Complete a snapshot while a transaction is writing the provider's slot s0 and has not noted it yet."""
    asked = snapshots.open_snapshot(
        provider.id, ["pool-1"], DAY, DAY, repeatable=Repeatable("t", "k", b"f" * 32), now=NOON
    )
    with reading() as session:
        pools = slots.pools_of(session, provider.id)
    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            naming = slots.lock_open_snapshots(session, provider.id, within=None, now=NOON)
            assert len(naming) == 1
            done = threads.submit(snapshots.complete_snapshot, provider.id, asked.id, now=NOON)
            if waits:
                eventually(lambda: waits_for_a_lock(owner_connection), 60)
            else:
                done.result(60)
            note_named(session, naming, {"pools": list(pools.values()), "refs": ["s0"]})
        done.result(60)


def test_a_slot_that_is_being_named_while_its_snapshot_is_completed_stays_open(owner_connection: Connection) -> None:
    provider = make_offer(slots=0)[0]
    publish_slots(call(provider), lines(1, 2))
    completed_against(provider, owner_connection, waits=True)
    assert held(provider) == {"s0": (1, 1, False), "s1": (1, 1, True)}


def test_control_without_the_lock_it_is_closed(owner_connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(session: Session, provider_id: int, **_: Any) -> list[int]:
        return list(session.scalars(select(SlotSnapshot.id).where(SlotSnapshot.provider_id == provider_id)))

    monkeypatch.setattr(slots, "lock_open_snapshots", unlocked)
    provider = make_offer(slots=0)[0]
    publish_slots(call(provider), lines(1, 2))
    completed_against(provider, owner_connection, waits=False)
    assert held(provider)["s0"] == (1, 1, True)


PUBLISH_AND_HANG = """
import json, sys, time
from datetime import datetime
from booking.idempotency import Repeatable
from booking.sync import open_snapshots, publish, slots, snapshots
from marketplace.core.database.db import bare_app, transaction
from providers.reported import RemoteSlot
from datetime import date

told = json.loads(sys.stdin.readline())
now, day = datetime.fromisoformat(told["now"]), date.fromisoformat(told["day"])
batches = 0

def hang(where):
    if told["where"] == where and batches == told["batches"]:
        print("here", flush=True)
        time.sleep(600)

honest_apply, honest_write = slots.apply_slots, slots._open_discrepancies
def apply(*given, **more):
    global batches
    hang("between")
    found = honest_apply(*given, **more)
    batches += 1
    return found
def inside(session, provider_id):
    hang("inside")
    return honest_write(session, provider_id)
publish.apply_slots, slots._open_discrepancies = apply, inside

honest_close = snapshots._close_some
closings = 0
def close(*given):
    global closings
    done = honest_close(*given)
    closings += 1
    if told["where"] == "closing" and closings == told["batches"]:
        print("here", flush=True)
        time.sleep(600)
    return done
snapshots._close_some = close

with bare_app().app_context():
    lines = [RemoteSlot("pool-1", name, day, None, None, 2, version=2) for name in told["names"]]
    publish.publish_slots(publish.Call(told["provider"], "req_child", told["snapshot"], now), lines)
    hang("published")
    snapshots.complete_snapshot(told["provider"], told["snapshot"], now=now)
    print("done", flush=True)
"""


def killed(provider: Provider, snapshot: str, names: Sequence[str], where: str, batches: int) -> None:
    """Publish version 2 of these slots and complete their snapshot in a process that is killed at this point."""
    told = {"provider": provider.id, "snapshot": snapshot, "names": names, "where": where, "batches": batches}
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH_AND_HANG],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": settings().database_url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({**told, "now": NOON.isoformat(), "day": DAY.isoformat()}) + "\n")
        process.stdin.flush()
        assert next((line.strip() for line in process.stdout if line.strip() in ("here", "done")), "") == "here"
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL


POINTS = {
    "before the first batch": ("between", 0, 0),
    "inside the first batch": ("inside", 0, 0),
    "between two batches": ("between", 1, 500),
    "inside the last batch": ("inside", 2, 1000),
    "before it is completed": ("published", 3, 1200),
    "while it closes": ("closing", 1, 1200),
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_and_repeated_it_ends_in_the_same_slots(point: str) -> None:
    where, batches, applied = POINTS[point]
    provider = make_offer(slots=0)[0]
    old = [RemoteSlot("pool-1", f"old{n}", DAY, None, None, 1, version=1) for n in range(600)]
    publish_slots(call(provider), [*old, *lines(1)])
    opened = snapshots.open_snapshot(
        provider.id, ["pool-1"], DAY, DAY, repeatable=Repeatable("t", "k", b"f" * 32), now=NOON
    )
    killed(provider, opened.id, [f"s{n}" for n in range(LINES)], where, batches)
    eventually(lambda: nobody_is_at_work(), 60)
    after = held(provider)
    assert sum(version == 2 for version, _, _ in after.values()) == applied
    assert sum(closed for _, _, closed in after.values()) == (500 if where == "closing" else 0)
    if where != "closing":  # a snapshot that closes takes no more lines, and had them all
        publish_slots(call(provider, opened.id), lines(2))
    done = snapshots.complete_snapshot(provider.id, opened.id, now=NOON)
    assert (done.state, done.closed) == ("completed", 600)
    assert held(provider) == {f"s{n}": (2, 2, False) for n in range(LINES)} | {
        f"old{n}": (1, 1, True) for n in range(600)
    }


def nobody_is_at_work() -> bool:
    """Whether the killed process's transaction is over."""
    with reading() as session:
        found = session.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state LIKE 'idle in transaction%'"
            )
        ).scalar_one()
    return not found
