"""Each call of an adapter is counted, with the kind of what came of it; the adapter behaves as before."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import cast

import pytest

from booking.calls.breaker import Call
from booking.health.counts import Came, Counts
from booking.health.measured import Heard, Measured, what_came
from booking.worker.lanes import Lane
from marketplace.development.embedded.postgres import free_port
from providers.adapters.http import NO_TIME, TOO_LATE, NoAnswer, Reply, TooLarge, overhear
from providers.port import (
    Accepted,
    ComeBackLater,
    Connection,
    CursorLost,
    LookUp,
    NotFound,
    ProviderAdapter,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)
from providers.registry import connect
from tests.world import connection_to, make_world, set_provider

pytestmark = pytest.mark.quick
QUESTION = LookUp("key-1", "bkg_1")


@pytest.mark.parametrize(
    ("outcome", "heard", "came"),
    [
        (Accepted("R-1"), 202, Came.SUCCEEDED),
        (Refused("sold_out"), 409, Came.SUCCEEDED),
        (NotFound(), 404, Came.SUCCEEDED),
        (CursorLost("gone"), 410, Came.SUCCEEDED),
        (Unknown("the deadline passed"), NoAnswer("the deadline passed", sent=True), Came.TIMED_OUT),
        (Unknown("status 500"), 500, Came.SERVER_ERRORS),
        (ProviderError("status 403"), 403, Came.CLIENT_ERRORS),
        (Unknown("an answer without our reference"), 200, Came.UNREADABLE),
        (TooLarge("the answer is too large", sent=True), None, Came.UNREADABLE),
        (NoAnswer("ConnectionError", sent=True), NoAnswer("ConnectionError", sent=True), Came.OTHER_ERRORS),
        (NoAnswer("refused", sent=False), NoAnswer("refused", sent=False), Came.UNREACHED),
        (RetryAfter(30, reached=False), None, Came.UNREACHED),
        (RetryAfter(30, reached=False), NoAnswer(NO_TIME, sent=False), Came.TIMED_OUT),
        (Unknown("too late"), NoAnswer(NO_TIME, sent=False), Came.TIMED_OUT),
        (Unknown("too late"), NoAnswer(TOO_LATE, sent=False), Came.TIMED_OUT),
        (RetryAfter(30), 429, Came.RATE_LIMITED),
        (ComeBackLater("busy", 30), 503, Came.RATE_LIMITED),
        (ProviderError("what"), None, Came.OTHER_ERRORS),
        (KeyError("bug"), 200, Came.OTHER_ERRORS),
    ],
)
def test_what_came(outcome: object, heard: Heard, came: Came) -> None:
    assert what_came(outcome, heard) is came


class System:
    """A provider's server that answers every request alike; without a status it says nothing until it is closed."""

    def __init__(self, status: int | None, body: bytes = b"{}") -> None:
        over = self._over = Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if status is None:
                    over.wait(20)
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/problem+json" if status >= 400 else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def system(status: int | None, body: bytes = b"{}") -> Iterator[str]:
    made = System(status, body)
    try:
        yield made.url
    finally:
        made.close()


def counted(url: str) -> tuple[dict[Came, int], int]:
    """What one look-up at `url` was counted as, and how long (milliseconds) it took."""
    counts = Counts()
    adapter = connect("open_protocol", Connection("prompt", url, "key", deadline_seconds=1))
    Measured(adapter, 7, Call.LOOK_UPS, counts).look_up(QUESTION)
    ((key, found),) = counts._counted.items()
    assert key[:2] == (7, "look_ups")
    return {came: number for came, number in found.came.items() if number}, found.milliseconds


@pytest.mark.parametrize(
    ("status", "body", "came"),
    [
        (404, b"{}", Came.SUCCEEDED),
        (200, b"<html>", Came.UNREADABLE),
        (401, b"{}", Came.CLIENT_ERRORS),
        (502, b"{}", Came.SERVER_ERRORS),
        (429, b"{}", Came.RATE_LIMITED),
    ],
)
def test_a_call_over_the_wire_is_counted_as_what_it_was(status: int, body: bytes, came: Came) -> None:
    with system(status, body) as url:
        assert counted(url)[0] == {came: 1}


def test_a_silent_system_is_counted_as_such_with_the_time_it_cost() -> None:
    with system(None) as url:
        came, milliseconds = counted(url)
    assert came == {Came.TIMED_OUT: 1}
    assert 900 <= milliseconds < 4_000


def test_nobody_listening_is_no_connection() -> None:
    assert counted(f"http://127.0.0.1:{free_port()}")[0] == {Came.UNREACHED: 1}


@pytest.mark.usefixtures("db")
def test_a_lane_counts_the_calls_of_those_who_have_a_system_and_no_others() -> None:
    world = make_world()
    lane = Lane(connection_to(world.provider))
    assert isinstance(lane.adapter(Call.SLOTS), Measured)
    set_provider(world.provider, adapter="partner")
    lane.renew(connection_to(world.provider))
    assert not isinstance(lane.adapter(Call.SLOTS), Measured)
    lane.end()


def test_of_the_many_answers_of_a_call_none_is_kept_until_it_ends() -> None:
    kept = list[weakref.ref[Reply]]()

    class Pages:
        capabilities = settings_schema = None

        def look_up(self, _question: LookUp) -> NotFound:
            told = overhear.get()
            assert told is not None
            for _page in range(3):
                page = Reply(200, "application/json", b"x")
                kept.append(weakref.ref(page))
                told("GET /", {}, page)
                del page
            assert [each() for each in kept] == [None, None, None]
            return NotFound()

    counts = Counts()
    Measured(cast(ProviderAdapter, Pages()), 7, Call.LOOK_UPS, counts).look_up(QUESTION)
    ((_key, found),) = counts._counted.items()
    assert found.came[Came.SUCCEEDED] == 1
