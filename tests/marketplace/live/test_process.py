"""The process that delivers streams, with the server that it runs on, on a database of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import text

from booking.live.tell import tell
from booking.live.tickets import issue
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.live.hub import MOST_OF_A_SESSION
from tests.booking.consultation.rooms import make_practice
from tests.booking.twins.stage import with_twin
from tests.conftest import TestDatabase
from tests.desk import make_member, member
from tests.eventually import eventually
from tests.marketplace.live.streams import (
    ask,
    closed_afterwards,
    figures_of,
    open_stream,
    port_of,
    sign_in,
    start_live,
    streams_of,
    tell_her,
    tell_provider,
    told,
)
from tests.processes import Running, killed_afterwards
from tests.world import World, make_world
from vip.signin import signin
from vip.signin.mode import set_test_mode

pytestmark = pytest.mark.usefixtures("db")
TOKEN = "a-token-of-twenty-or-more"
PHONE, OTHER_PHONE = "13800000021", "13800000022"


@pytest.fixture
def world() -> World:
    """The customer."""
    return make_world(phone=PHONE, slots=1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the process says."""
    return tmp_path / "live.log"


@pytest.fixture
def live(worker_database: TestDatabase, log: Path) -> Iterator[Running]:
    """The process."""
    running = start_live({**worker_database.environment, "METRICS_TOKEN": TOKEN}, log)
    with killed_afterwards(running), closed_afterwards():
        yield running


def test_what_is_committed_is_told_within_a_second(live: Running, world: World) -> None:
    _, ticket = sign_in(PHONE)
    stream = open_stream(live, ticket())
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.headers["Cache-Control"] == "no-store" and stream.headers["X-Accel-Buffering"] == "no"
    assert stream.kinds() == ["anew"]
    late = []
    for number in range(20):
        tell_her(world.customer.id, number)
        at = time.monotonic()
        eventually(lambda: len(told(stream)) == number + 1)  # noqa: B023
        late.append(time.monotonic() - at)
    assert told(stream) == list(range(20))
    assert median(late) < 1.0


def test_a_message_of_the_doctor_and_the_bookings_next_state_are_told_to_the_customer(live: Running) -> None:
    practice = make_practice(phone=PHONE)
    conversation = practice.open(now=clock.now()).conversation
    practice.ask(conversation, "嗓子疼", now=clock.now())
    _, ticket = sign_in(PHONE)
    stream = open_stream(live, ticket())
    practice.answer(conversation, "多久了？", now=clock.now())
    eventually(lambda: {each["kind"] for each in stream.events} == {"conversation", "booking"})
    eventually(lambda: [each["seq"] for each in stream.events if each["kind"] == "conversation"][-1] == 2)
    assert "多久了" not in str(stream.messages)


def test_nobody_is_told_what_is_anothers(live: Running, world: World) -> None:
    other = make_world(phone=OTHER_PHONE, slots=0)
    hers, others = (open_stream(live, sign_in(phone)[1]()) for phone in (PHONE, OTHER_PHONE))
    tell_her(other.customer.id, 2)
    tell_her(world.customer.id, 1)
    eventually(lambda: told(hers) and told(others))
    assert (told(hers), told(others)) == ([1], [2])


def test_a_ticket_opens_one_stream(live: Running, world: World) -> None:
    ticket = sign_in(PHONE)[1]()
    assert open_stream(live, ticket).status == 200
    assert open_stream(live, ticket).status == 401
    assert ask(port_of(live), "/live/stream")[0] == 401
    assert ask(port_of(live), "/live/stream?ticket=made.up")[0] == 401


def test_signing_out_ends_the_stream_and_no_other(live: Running, world: World) -> None:
    (her, ticket), (_, other) = sign_in(PHONE), sign_in(PHONE)
    stream, beside = open_stream(live, ticket()), open_stream(live, other())
    signin.sign_out(her, clock.now())
    at = time.monotonic()
    eventually(lambda: stream.ended_at)
    assert stream.ended_at - at < 12
    assert (stream.messages[-1].kind, stream.messages[-1].told) == ("end", {"why": "session_over"})
    tell_her(world.customer.id, 1)
    eventually(lambda: told(beside) == [1])
    assert told(stream) == []


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE customer SET blocked_at = now()",
        "UPDATE sign_in_session SET expires_at = now()",
        "UPDATE sign_in_session SET created_at = now() - interval '400 days', seen_at = NULL",
    ],
    ids=["blocked", "over", "unused"],
)
def test_a_session_that_ends_in_any_way_ends_the_stream(live: Running, world: World, end: str) -> None:
    stream = open_stream(live, sign_in(PHONE)[1]())
    with transaction() as session:
        session.execute(text(end))
    at = time.monotonic()
    eventually(lambda: stream.ended_at)
    assert stream.ended_at - at < 12


@pytest.mark.parametrize("change", ["mode", "role", "disabled"])
def test_a_members_stream_ends_when_she_sees_something_else_or_nothing(
    live: Running, world: World, change: str
) -> None:
    """What a page of the live desk was told must not go on in test mode, nor what one role sees in another."""
    twin = with_twin(world).twin
    her, beside = (
        member(make_member(world.provider.code, "clinician", login), now=clock.now()) for login in ("ming", "hua")
    )
    stream, others = (open_stream(live, issue(each, now=clock.now())) for each in (her, beside))
    changes = {"role": "UPDATE operator SET role = 'front_desk'", "disabled": "UPDATE operator SET disabled_at = now()"}
    if change == "mode":
        set_test_mode(her, on=True)
    else:
        with transaction() as session:
            session.execute(text(f"{changes[change]} WHERE id = :id"), {"id": her.id})
    at = time.monotonic()
    eventually(lambda: stream.ended_at)
    assert stream.ended_at - at < 12
    why = "session_over" if change == "disabled" else "changed"
    assert (stream.messages[-1].kind, stream.messages[-1].told) == ("end", {"why": why})
    tell_provider(world.provider.id, 1)
    eventually(lambda: told(others) == [1])
    assert told(stream) == []
    if change == "mode":
        back = open_stream(live, issue(replace(her, provider_id=twin.id), now=clock.now()), after=stream.last)
        tell_provider(world.provider.id, 2)
        tell_provider(twin.id, 3)
        eventually(lambda: told(back))
        assert told(back) == [3]


def test_a_page_that_reads_nothing_holds_up_nobody_and_is_dropped(live: Running, world: World) -> None:
    slow = open_stream(live, sign_in(PHONE)[1](), idle=True)
    quick = open_stream(live, sign_in(PHONE)[1]())
    assert slow.status == 200
    eventually(lambda: streams_of(live) == 2)
    late = []
    number = 0
    while streams_of(live) == 2 and number < 400:
        tell_her(world.customer.id, number, size=100_000)
        at = time.monotonic()
        eventually(lambda: len(told(quick)) == number + 1)  # noqa: B023
        late.append(time.monotonic() - at)
        number += 1
    assert eventually(lambda: streams_of(live) == 1, 40)
    assert figures_of(live, TOKEN)["anxiang_live_streams_dropped_total"] == 1
    assert told(quick) == list(range(number)) and median(late) < 1.0
    slow.close()


def test_it_tells_its_figures_to_who_has_the_token(live: Running, world: World) -> None:
    assert figures_of(live, "") == figures_of(live, TOKEN[:-1]) == {}
    _, ticket = sign_in(PHONE)
    pages = [open_stream(live, ticket()) for _ in range(2)]
    tell_her(world.customer.id, 1, 2)
    eventually(lambda: all(told(page) == [1, 2] for page in pages))
    tell_provider(world.provider.id, 3)
    told_now = figures_of(live, TOKEN)
    assert told_now["anxiang_live_streams"] == 2
    assert told_now["anxiang_live_events_delivered_total"] == 4, "each to each"
    assert told_now["anxiang_live_streams_dropped_total"] == 0
    assert told_now["anxiang_live_read_seconds_ago"] < 5
    with transaction() as session:
        late = clock.now() - timedelta(seconds=40)
        tell(session, [f"customer:{world.customer.id}"], "note", {"n": 4, "filler": ""}, now=late)
    eventually(lambda: 39 < figures_of(live, TOKEN)["anxiang_live_event_late_seconds"] < 60)


def test_without_the_setting_nobody_sees_its_figures(worker_database: TestDatabase, log: Path) -> None:
    running = start_live(worker_database.environment, log)
    with killed_afterwards(running):
        assert figures_of(running, "") == figures_of(running, TOKEN) == {}


def test_after_a_kill_nothing_is_lost_and_nothing_comes_twice(
    live: Running, world: World, worker_database: TestDatabase, log: Path
) -> None:
    _, ticket = sign_in(PHONE)
    stream = open_stream(live, ticket())
    tell_her(world.customer.id, 1, 2)
    eventually(lambda: told(stream) == [1, 2])
    live.kill()
    eventually(lambda: stream.ended_at)
    tell_her(world.customer.id, 3, 4)
    again = start_live(worker_database.environment, log)
    with killed_afterwards(again):
        for header in (False, True):
            back = open_stream(again, ticket(), after=stream.last, header=header)
            eventually(lambda: told(back) == [3, 4])  # noqa: B023
            assert back.kinds()[0] == "on"
        tell_her(world.customer.id, 5)
        eventually(lambda: told(back) == [3, 4, 5])
        assert open_stream(again, ticket(), after="not a place").kinds() == ["anew"]


def test_who_comes_and_goes_all_the_while_misses_nothing(live: Running, world: World) -> None:
    _, ticket = sign_in(PHONE)
    seen: list[int] = []
    stream = open_stream(live, ticket())
    for number in range(12):
        tell_her(world.customer.id, 2 * number)
        stream.close()
        seen += told(stream)
        tell_her(world.customer.id, 2 * number + 1)
        stream = open_stream(live, ticket(), after=stream.last)
    eventually(lambda: len(seen) + len(told(stream)) == 24)
    assert seen + told(stream) == list(range(24))


def test_of_many_streams_of_a_session_the_oldest_ends(live: Running, world: World) -> None:
    _, ticket = sign_in(PHONE)
    streams = [open_stream(live, ticket()) for _ in range(MOST_OF_A_SESSION + 1)]
    eventually(lambda: streams[0].ended_at)
    assert streams[0].messages[-1].told == {"why": "replaced"}
    assert all(not each.ended_at for each in streams[1:])


def test_a_page_that_goes_away_is_forgotten(live: Running, world: World) -> None:
    stream = open_stream(live, sign_in(PHONE)[1]())
    assert streams_of(live) == 1
    stream.close()
    eventually(lambda: streams_of(live) == 0)


def test_it_stops_at_once_though_streams_are_open(live: Running, world: World) -> None:
    stream = open_stream(live, sign_in(PHONE)[1]())
    at = time.monotonic()
    live.stop()
    assert time.monotonic() - at < 10
    eventually(lambda: stream.ended_at)
    assert stream.messages[-1].kind == "end"


def test_no_log_has_a_ticket(live: Running, world: World, log: Path) -> None:
    ticket = sign_in(PHONE)[1]()
    open_stream(live, ticket)
    open_stream(live, ticket)
    live.stop()
    assert ticket not in log.read_text()
