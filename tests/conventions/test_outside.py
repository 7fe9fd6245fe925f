"""The suite's own wall: a test cannot reach another machine, and hiding the attempt does not help."""

from __future__ import annotations

import socket

import pytest

from tests import outside


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
    assert outside.attempts == []


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", b"10.0.0.1", "0.0.0.0", "::ffff:192.0.2.1"])
def test_other_machines_are_refused_and_the_attempt_is_remembered(host: str | bytes) -> None:
    with pytest.raises(outside.OutsideWorld):
        socket.getaddrinfo(host, 80)
    assert len(outside.attempts) == 1
    outside.attempts.clear()


def test_a_connection_by_address_and_a_datagram_are_refused() -> None:
    with socket.socket() as stream, pytest.raises(outside.OutsideWorld):
        stream.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(outside.OutsideWorld):
        datagram.sendto(b"?", ("192.0.2.1", 53))
    assert outside.attempts == ["192.0.2.1", "192.0.2.1"]
    outside.attempts.clear()
