"""Servers that no framework would be: headers a byte at a time, half answers, endless ones."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import pytest

from providers.adapters.http import Deadline, HttpClient, NoAnswer, Reply
from providers.adapters.open_protocol import OpenProtocol
from providers.port import Answer, Cancel, Connection, NotFound, Refused, RetryAfter, Unknown

Behaviour = Callable[[socket.socket, Event], None]
COMMAND = Cancel("key", "AX1", "R1", "")


@contextmanager
def server(behave: Behaviour) -> Iterator[str]:
    """One that reads a request's beginning and then does what it likes with the socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    behave(connection, done)
                except OSError:
                    continue

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def drip(data: bytes) -> Behaviour:
    def behave(connection: socket.socket, done: Event) -> None:
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            if done.wait(0.1):
                return

    return behave


def say(data: bytes) -> Behaviour:
    return lambda connection, _done: connection.sendall(data)


def http(status: str, body: bytes, *headers: str, kind: str = "application/problem+json") -> Behaviour:
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return say("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def ask(behave: Behaviour, deadline_seconds: float = 10) -> tuple[Answer, float]:
    with server(behave) as url:
        adapter = OpenProtocol(Connection("p", url, "key", deadline_seconds=deadline_seconds))
        began = time.monotonic()
        return adapter.cancel(COMMAND), time.monotonic() - began


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: y\r\n" * 90,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200,
        b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nX: " + b"y" * 500,
        b"HTTP/1.1 2" + b"0" * 200,
    ],
    ids=["headers", "body", "chunks", "one header", "status line"],
)
def test_a_dripping_server_is_cut_at_the_deadline(data: bytes) -> None:
    answer, seconds = ask(drip(data), 0.6)
    assert isinstance(answer, Unknown) and seconds < 6


def test_a_silent_server_is_cut_at_the_deadline() -> None:
    def say_nothing(_connection: socket.socket, done: Event) -> None:
        done.wait(60)

    answer, seconds = ask(say_nothing, 0.6)
    assert answer == Unknown("the deadline passed") and 0.5 < seconds < 6


@pytest.mark.parametrize(
    "behave",
    [
        say(b""),
        say(b"nonsense\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
        say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\nnot packed"),
        http("200 OK", b"[1]"),
        http("200 OK", b"{}"),
        http("200 OK", b"[" * 100_000),
        http("200 OK", b"\xff\xfe"),
        http("302 Found", b"", "Location: http://127.0.0.1:9/"),
        http("400 Bad Request", b"<html>", kind="text/html"),
        http("404 Not Found", b"<html>", kind="text/html"),
        http("409 Conflict", b"half a pro"),
        http("408 Request Timeout", b'{"code": "closed"}'),
        http("500 Error", b'{"code": "sold_out"}'),
        http("503 Unavailable", b"{}"),
        http("504 Gateway Timeout", b"{}", "Retry-After: 1"),
    ],
)
def test_an_answer_that_says_nothing_leaves_the_outcome_open(behave: Behaviour) -> None:
    assert isinstance(ask(behave)[0], Unknown)


def test_a_date_to_come_back_at_is_as_many_seconds_as_it_is_away() -> None:
    now = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    for text, seconds in (
        ("Mon, 02 Mar 2026 04:00:30 GMT", 30),
        ("Monday, 02-Mar-26 04:00:30 GMT", 30),
        ("Mon, 02 Mar 2026 12:01:00 +0800", 60),
        ("Tue, 03 Mar 2026 04:00:00 GMT", 3600),
    ):
        assert Reply(429, "", b"", {"retry-after": text}).come_back(now) == seconds


def test_clear_answers_are_clear() -> None:
    assert ask(http("404 Not Found", b'{"code": "unknown_booking"}'))[0] == NotFound()
    assert ask(http("409 Conflict", b'{"code": "too_late", "title": "Late"}'))[0] == Refused("too_late", "Late")
    assert ask(http("409 Conflict", b'{"code": "never_heard_of"}'))[0] == Refused("other")
    assert ask(http("422 Unprocessable", b'{"code": "invalid"}'))[0] == Refused("other")
    assert isinstance(ask(http("422 Unprocessable", b'{"code": "idempotency_key_reused"}'))[0], Unknown)
    assert ask(http("503 Unavailable", b"", "Retry-After: 9"))[0] == RetryAfter(9)
    assert ask(http("429 Too Many", b"", "Retry-After: 99999999999999"))[0] == RetryAfter(3600)
    assert ask(http("429 Too Many", b"", "Retry-After: Thu, 01 Jan 2004 00:00:00 GMT"))[0] == RetryAfter(0)
    assert isinstance(ask(http("429 Too Many", b"", "Retry-After: soon"))[0], RetryAfter)
    assert isinstance(ask(http("403 Forbidden", b'{"code": "not_eligible"}'))[0], RetryAfter)


def call(behave: Behaviour) -> Reply:
    with server(behave) as url:
        client = HttpClient("p", url, {}, 10)
        return client.call("GET", "/x", deadline=client.deadline())


def test_five_mebibytes_are_read_and_one_byte_more_is_not() -> None:
    limit = 5 * 1024 * 1024
    assert len(call(http("200 OK", b"x" * limit)).body) == limit
    with pytest.raises(NoAnswer, match="too large"):
        call(http("200 OK", b"x" * (limit + 1)))


def test_no_deadline_is_longer_than_ten_seconds() -> None:
    for wished in (60.0, float("inf"), float("nan"), 0.0, -1.0):
        assert 9 < Deadline(wished).left() <= 10
    assert Deadline(0.5).left() <= 0.5


def test_nothing_is_sent_after_the_deadline() -> None:
    client = HttpClient("p", "http://127.0.0.1:9", {}, 1)
    deadline = Deadline(0.001)
    time.sleep(0.01)
    with pytest.raises(NoAnswer) as raised:
        client.call("POST", "/x", deadline=deadline)
    assert not raised.value.sent


def test_connections_are_kept_and_shared_by_adapters() -> None:
    connections: list[int] = []

    def behave(connection: socket.socket, _done: Event) -> None:
        connections.append(connection.fileno())
        connection.settimeout(2)
        while True:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            if not connection.recv(65536):
                return

    with server(behave) as url:
        for _ in range(5):
            client = HttpClient("p", url, {}, 10)
            assert client.call("GET", "/x", deadline=client.deadline()).body == b"{}"
    assert len(connections) == 1


def test_cookies_of_a_provider_are_not_kept() -> None:
    asked: list[bytes] = []

    def behave(connection: socket.socket, _done: Event) -> None:
        connection.settimeout(2)
        while True:
            connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
            request = connection.recv(65536)
            if not request:
                return
            asked.append(request)

    with server(behave) as url:
        client = HttpClient("p", url, {}, 10)
        for _ in range(3):
            client.call("GET", "/x", deadline=client.deadline())
    assert len(asked) == 2 and not any(b"Cookie" in request for request in asked)
