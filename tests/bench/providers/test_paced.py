"""Messages fall due at their moments, and a read is repeated until it shows what its message did."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep

import pytest

from bench.providers import paced

SECONDS = 0.04
MESSAGE, READ = "GET /message HTTP/1.1\r\n\r\n", "GET /read HTTP/1.1\r\n\r\n"


class Slow(BaseHTTPRequestHandler):
    """Takes its time; every second read of a connection shows what the message did."""

    protocol_version = "HTTP/1.1"
    reads = 0

    def do_GET(self) -> None:
        sleep(SECONDS)
        self.reads += self.path == "/read"
        body = b"shown" if self.path == "/read" and self.reads % 2 == 0 else b"not yet"
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_what_a_message_waits_for_its_turn_is_part_of_what_it_took(port: int) -> None:
    tally = paced.run(paced.Job(port, 1, 1000, [(MESSAGE, READ)] * 3, "shown"))
    assert (tally.statuses, tally.reads) == ({"200": 3}, 6)
    each = 3 * SECONDS * 1000
    assert [shown >= number * each - 3 for number, shown in enumerate(tally.shown, 1)] == [True] * 3
    between = [took - shown for took, shown in zip(tally.answered[1:], tally.shown, strict=False)]
    assert min(between) >= SECONDS * 1000 - 3


def test_messages_do_not_come_before_they_are_due(port: int) -> None:
    tally = paced.run(paced.Job(port, 4, 10, [(MESSAGE, READ)] * 3, "shown"))
    assert tally.seconds >= 0.2 + 3 * SECONDS


def test_where_nobody_looks_nothing_is_read(port: int) -> None:
    tally = paced.run(paced.Job(port, 1, 1000, [(MESSAGE, ""), (MESSAGE, READ)], "shown"))
    assert (len(tally.answered), len(tally.shown), tally.reads) == (2, 1, 2)


def test_a_message_that_was_refused_is_counted_and_nothing_is_read_for_it(port: int) -> None:
    tally = paced.run(paced.Job(port, 1, 1000, [(MESSAGE.replace("message", "broken"), READ)] * 2, "shown"))
    assert (tally.statuses, tally.shown, tally.reads, tally.refusal) == ({"500": 2}, [], 0, "not yet")
