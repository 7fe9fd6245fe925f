"""Calls to addresses that somebody outside gave: by the right name, to the address that was judged, and no further."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from marketplace.core.sending import outside
from providers.adapters import http
from providers.adapters.http import HttpClient, NoAnswer, Reply
from providers.port import Connection, ProviderError
from providers.registry import connect


class Receiver(ThreadingHTTPServer):
    """Remembers the host that each request named. `answer`: status, headers and body of each answer."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts: list[str] = []
        self.names: list[str | None] = []
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"taken")
        if context is not None:
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A client that does not like our certificate is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"  # connections are kept

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hosts.append(self.headers["Host"])
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    server = Receiver(context)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=20)


def post(origin: str, *, excerpt: int = 2048, networks: tuple[str, ...] = ()) -> Reply:
    client = HttpClient("p", origin, {}, 10, networks=networks)
    return client.post("/hook", b"{}", action="webhook", headers={}, excerpt=excerpt)


def resolves(monkeypatch: pytest.MonkeyPatch, *each_time: str) -> list[str]:
    """The resolver says another address each time; what it was asked for."""
    waiting, asked = list(each_time), list[str]()

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return [waiting.pop(0)]

    monkeypatch.setattr(outside, "look_up", look_up)
    return asked


def test_the_call_goes_to_the_address_that_was_judged_under_the_name_that_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiver() as server:
        asked = resolves(monkeypatch, "127.0.0.1", "10.0.0.1")
        reply = post(f"http://hooks.example:{server.server_port}")
        assert (reply.status, reply.body) == (200, b"taken")
        assert (server.hosts, asked) == ([f"hooks.example:{server.server_port}"], ["hooks.example"])


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "93.184.215.14"])
def test_a_name_that_leads_into_our_network_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolves(monkeypatch, address)
    with pytest.raises(NoAnswer) as refused:
        post("http://inside.example:8000")
    assert (refused.value.reason, refused.value.sent) == ("the address is not public", False)


def test_a_kept_connection_is_not_lent_to_a_call_that_might_not_have_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both speak to the same host and port; for one of them an operator allowed the network."""
    with receiver() as server:
        origin = f"http://hospital.example:{server.server_port}"
        resolves(monkeypatch, "127.0.0.1", "127.0.0.1")
        monkeypatch.setattr(http, "loopback_urls", lambda: False)
        assert post(origin, networks=("127.0.0.0/8",)).status == 200
        with pytest.raises(NoAnswer, match="the address is not public"):
            post(origin)
        assert post(origin, networks=("127.0.0.0/8",)).status == 200, "its own was kept: nothing was looked up again"


@pytest.mark.parametrize("adapter", ["open_protocol", "day_capacity"])
def test_an_adapter_calls_a_private_address_only_where_an_operator_allowed_the_network(
    monkeypatch: pytest.MonkeyPatch, adapter: str
) -> None:
    called: list[str] = []

    def open_socket(address: str, port: int, seconds: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(outside, "open_socket", open_socket)
    monkeypatch.setattr(outside, "look_up", lambda host, port: ["10.20.0.7"])
    for networks in ((), ("10.21.0.0/16",), ("10.20.0.0/16",)):
        connection = Connection("p", "http://his.hospital.example/api", "key", networks=networks)
        with pytest.raises(ProviderError):
            connect(adapter, connection).reports_since(None, None)
    assert called == ["10.20.0.7"]


def test_of_the_addresses_of_a_name_none_is_called_where_one_may_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "look_up", lambda host, port: ["127.0.0.1", "10.0.0.1"])
    with receiver() as server:
        with pytest.raises(NoAnswer, match="the address is not public"):
            post(f"http://hooks.example:{server.server_port}")
        assert server.hosts == []


def test_a_path_that_would_change_the_host_is_no_path() -> None:
    for path in ("@10.0.0.1/", ".evil.example/", ":1/"):
        with pytest.raises(ValueError, match="host"):
            HttpClient("p", "https://hooks.example", {}, 10).post(path, b"", action="a", headers={}, excerpt=10)


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiver() as server, receiver() as other:
        server.answer = (302, {"Location": f"http://127.0.0.1:{other.server_port}/"}, b"")
        assert post(f"http://127.0.0.1:{server.server_port}").status == 302
        assert other.hosts == []


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with receiver() as server:
        server.answer = (200, {}, b"x" * 5_000_000)
        assert post(f"http://127.0.0.1:{server.server_port}", excerpt=100).body == b"x" * 100


def test_the_certificate_is_verified_for_the_name_and_not_for_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context, ca = certified(tmp_path, "hooks.example")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(ca))
    with receiver(context) as server:
        resolves(monkeypatch, "127.0.0.1", "127.0.0.1")
        assert post(f"https://hooks.example:{server.server_port}").status == 200
        with pytest.raises(NoAnswer, match="SSLError"):
            post(f"https://other.example:{server.server_port}")
        assert server.names == ["hooks.example", "other.example"]
        assert len(server.hosts) == 1


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for `name`, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    with_key = folder / "both.pem"
    with_key.write_bytes(
        file.read_bytes()
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(with_key)
    return context, file
