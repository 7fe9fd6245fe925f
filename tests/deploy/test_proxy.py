"""The proxy's sample as nginx runs it: what its logs say, whom it refuses and how, and what a slow body costs."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from booking.reports import share
from marketplace import problems
from marketplace.api.insurer import forms
from marketplace.app import create_app
from marketplace.core.errors import TooMany
from marketplace.development.embedded.postgres import free_port
from marketplace.edge import BODY_LIMIT
from marketplace.rest import oauth
from providers.partner_api import report_parts
from providers.partner_api.slot_lines import MOST_BYTES
from tests.conftest import TestDatabase
from tests.deploy.proxied import HOST, SAMPLE, Proxy, WebServer, careless, proxied
from tests.sandboxes import eventually
from vip.operators import operators, second_factor
from vip.signin import codes

SECRET = "Zx9secretZx9"
SECRETS = [
    f"/calendar/{SECRET}.ics",
    f"/Calendar/{SECRET}.ics",
    f"/shared/{SECRET}",
    f"/arrive/{SECRET}",
    f"/SHARED/{SECRET}/papers/pdf",
    f"//shared//{SECRET}",
    f"/%73hared/{SECRET}?lang=en",
]
ZONES = {
    "customers": ("/sign-in", codes.ASKED_BY_CALLER.capacity + codes.TRIES_BY_CALLER.capacity),
    "operators": (
        "/operators/sign-in",
        operators.TRIES_BY_CALLER.capacity + second_factor.TRIES_BY_CALLER.capacity,
    ),
    "shared": (f"/shared/{SECRET}", share.TRIES_BY_CALLER.capacity),
    "api": ("/api/v1/sessions", codes.ASKED_BY_CALLER.capacity + codes.TRIES_BY_CALLER.capacity),
    "insurers": ("/insurer/v1/oauth/token", oauth.TRIES.capacity),
}
"""Each purpose's path, and how many requests at once the product itself lets one address make."""


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that answers."""
    server = WebServer()
    with server.running():
        yield server


@pytest.fixture
def proxy(tmp_path: Path, web: WebServer) -> Iterator[Proxy]:
    """The sample with its own bursts."""
    with proxied(tmp_path, web) as running:
        yield running


@pytest.fixture
def strict(tmp_path: Path, web: WebServer) -> Iterator[Proxy]:
    """The sample, but each zone lets two through."""
    with proxied(tmp_path, web, burst=1) as running:
        yield running


def logged(proxy: Proxy, status: int, times: int) -> str:
    """The logs once so many requests of that status stand in the access log."""
    line = re.compile(rf'^access\.log: .*" {status} ', re.MULTILINE)
    eventually(lambda: len(line.findall(proxy.logs())) >= times)
    return proxy.logs()


# What the logs say.


def test_no_log_of_an_ordinary_request_has_the_secret(proxy: Proxy) -> None:
    for path in SECRETS:
        proxy.ask("GET", path)
    said = logged(proxy, 200, len(SECRETS))
    assert SECRET not in said
    assert '"/shared/***" 200' in said and '"/calendar/***" 200' in said


def test_no_log_of_the_redirect_to_tls_has_the_secret(proxy: Proxy) -> None:
    for path in SECRETS:
        assert proxy.ask_plainly("GET", path).headers["Location"] == f"https://{HOST}{path}"
    proxy.ask_plainly("POST", f"/shared/{SECRET}", b"x" * 2_000_000)
    assert SECRET not in logged(proxy, 301, len(SECRETS) + 1)


def test_no_log_of_a_refusal_has_the_secret(strict: Proxy) -> None:
    for path in SECRETS:
        for _ in range(3):
            answer = strict.ask("POST", path)
    assert answer.status == 429
    assert strict.ask("POST", f"/shared/{SECRET}", body=b"x" * 300_000, address="192.0.2.2").status == 413
    logged(strict, 413, 1)
    assert SECRET not in logged(strict, 429, 3)


def test_no_log_has_the_secret_while_the_web_server_is_away(tmp_path: Path) -> None:
    web = WebServer()
    with web.running():
        pass
    with proxied(tmp_path, web) as proxy:
        for path in SECRETS:
            assert proxy.ask("GET", path).status == 502
            assert proxy.ask("POST", path).status == 502
        said = logged(proxy, 502, 2 * len(SECRETS))
        assert SECRET not in said
        assert proxy.ask("GET", "/me").status == 502
        assert "error.log" in eventually(lambda: proxy.logs() if "GET /me" in proxy.logs() else "")


def test_neither_a_query_nor_the_page_before_is_logged(proxy: Proxy) -> None:
    proxy.ask("GET", f"/static/app.css?next=/shared/{SECRET}", headers={"Referer": f"https://{HOST}/shared/{SECRET}"})
    said = logged(proxy, 200, 1)
    assert SECRET not in said and '"/static/app.css" 200' in said


# Streams.


class Streaming(BaseHTTPRequestHandler):
    """In the place of the process that delivers streams: it tells one thing, and the next when a test says so."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        """A stream."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for told in (b"data: first\n\n", b"data: second\n\n"):
            self.wfile.write(told)
            self.go_on.wait(30)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def streaming(tmp_path: Path, web: WebServer) -> Iterator[Proxy]:
    """The sample before a web server and a process that delivers streams."""
    Streaming.go_on.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Streaming)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with proxied(tmp_path, web, live=server.server_port) as running:
        yield running
    Streaming.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


STREAM = f"/live/stream?ticket={SECRET}"


def test_an_event_passes_at_once_and_its_ticket_stands_in_no_log(streaming: Proxy, web: WebServer) -> None:
    with closing(streaming.connect()) as browser:
        browser.request("GET", STREAM, headers={"Host": HOST})
        answer = browser.getresponse()
        assert answer.read1() == b"data: first\n\n", "the second is not written yet: nothing waits for it"
        Streaming.go_on.set()
        assert answer.read() == b"data: second\n\n"
    said = logged(streaming, 200, 1)
    assert SECRET not in said and '"/live/stream" 200' in said
    assert web.seen == []


def test_open_streams_leave_the_pages_of_an_address_alone(streaming: Proxy) -> None:
    with ExitStack() as opened:
        for _ in range(41):
            browser = opened.enter_context(closing(streaming.connect()))
            browser.request("GET", STREAM, headers={"Host": HOST, "X-Test-Address": "192.0.2.1"})
            assert browser.getresponse().status == 200
        assert streaming.ask("GET", "/me").status == 200
        Streaming.go_on.set()


def test_no_log_has_the_ticket_while_nobody_delivers_streams(tmp_path: Path, web: WebServer) -> None:
    with proxied(tmp_path, web, live=free_port()) as proxy:
        assert proxy.ask("GET", STREAM).status == 502
        assert SECRET not in logged(proxy, 502, 1)
        assert proxy.ask("GET", "/me").status == 200


def test_streams_and_pages_share_a_connection(proxy: Proxy) -> None:
    """Of HTTP/1.1 a browser opens six to a site: with a stream in one window after another none would be left."""
    offered = careless("h2", "http/1.1")
    with socket.create_connection(("127.0.0.1", proxy.tls)) as plain, offered.wrap_socket(plain) as secured:
        assert secured.selected_alpn_protocol() == "h2"


def test_what_watches_the_process_is_not_shown_outside(streaming: Proxy, web: WebServer) -> None:
    streaming.ask("GET", "/live/healthz")
    assert web.seen == ["GET /live/healthz HTTP/1.0"], "the product, which has no such page"


# Whom it refuses, and how.


@pytest.mark.parametrize("zone", ZONES)
def test_all_that_the_product_lets_one_address_try_passes(proxy: Proxy, zone: str) -> None:
    path, at_once = ZONES[zone]
    assert {proxy.ask("POST", path).status for _ in range(at_once)} == {200}


def test_the_brake_is_well_above_the_products_own_limits() -> None:
    rates = dict(re.findall(r"limit_req_zone\s+\$sender\s+zone=(\w+):\w+\s+rate=(\d+)r/s;", SAMPLE))
    bursts = re.findall(r"limit_req zone=(\w+) burst=(\d+) nodelay;", SAMPLE)
    assert set(rates) == {zone for zone, _ in bursts} == set(ZONES)
    assert all(int(burst) >= 2 * ZONES[zone][1] for zone, burst in bursts)
    assert all(int(rate) * 3600 >= 2 * codes.TRIES_BY_CALLER.per_hour for rate in rates.values())
    assert int(rates["insurers"]) == 100, "all customers of an insurer, and not a few a second"


@pytest.mark.parametrize("zone", ZONES)
def test_who_floods_one_purpose_leaves_the_others_open(strict: Proxy, web: WebServer, zone: str) -> None:
    path, _ = ZONES[zone]
    for _ in range(2):
        assert strict.ask("POST", path).status == 200
    assert strict.ask("POST", path).status == 429
    assert len(web.seen) == 2
    assert {strict.ask("POST", other).status for name, (other, _) in ZONES.items() if name != zone} == {200}
    assert strict.ask("POST", path, address="192.0.2.2").status == 200
    assert strict.ask("GET", path).status == 200


def test_the_addresses_of_one_subscriber_are_one(strict: Proxy) -> None:
    def post(address: str) -> int:
        return strict.ask("POST", "/sign-in", address=address).status

    assert [post(f"2001:db8:0:a::{last}") for last in (1, 2, 3)] == [200, 200, 429]
    assert post("2001:db8:0:b::1") == 200


@pytest.mark.parametrize("path", ["/sign-in", "/operators/sign-in", f"/shared/{SECRET}"])
def test_people_are_refused_by_a_page_in_both_languages(strict: Proxy, path: str) -> None:
    for _ in range(3):
        answer = strict.ask("POST", path)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "请等待 10 秒" in answer.text and "Wait 10 seconds" in answer.text


def test_programs_are_refused_by_the_products_own_problem(strict: Proxy, worker_database: TestDatabase) -> None:
    with create_app().test_request_context("/api/v1/sessions", headers={"Accept-Language": "en"}):
        expected = problems.of_refusal(TooMany(retry_after=10)).body()
    for _ in range(3):
        answer = strict.ask("POST", "/api/v1/sessions")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE
    told = json.loads(answer.text)
    assert told["instance"] == answer.headers["X-Request-Id"] != ""
    assert told == {**expected, "instance": told["instance"]}
    assert told["instance"] in logged(strict, 429, 1)


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/sessions"])
def test_the_products_own_refusals_pass_as_they_are(strict: Proxy, web: WebServer, path: str) -> None:
    web.status = 429
    answer = strict.ask("POST", path)
    assert (answer.status, answer.text) == (429, "product")


# What a slow body costs.


def test_an_unfinished_body_never_reaches_the_web_server(proxy: Proxy, web: WebServer) -> None:
    with closing(proxy.connect()) as slow:
        slow.putrequest("POST", "/sign-in", skip_host=True)
        for name, value in {"Host": HOST, "Content-Length": "10"}.items():
            slow.putheader(name, value)
        slow.endheaders(b"phone")
        assert proxy.ask("GET", "/me").status == 200
        assert web.seen == ["GET /me HTTP/1.0"]
        slow.send(b"=1234")
        assert slow.getresponse().status == 200
        assert web.seen[1:] == ["POST /sign-in HTTP/1.0"]


def test_bodies_are_small_but_where_programs_send_them(proxy: Proxy) -> None:
    for path in ("/sign-in", "/operators/sign-in", f"/shared/{SECRET}", "/me/family/new"):
        assert proxy.ask("POST", path, body=b"x" * 33_000).status == 413
    for path in ("/api/v1/bookings", "/partner/v1/webhooks/x"):
        assert proxy.ask("POST", path, body=b"x" * BODY_LIMIT).status == 200
        assert proxy.ask("POST", path, body=b"x" * (BODY_LIMIT + 1)).status == 413


def test_only_where_slots_are_published_may_a_body_be_large(proxy: Proxy) -> None:
    for path in ("/partner/v1/slots", "/partner/v1/slots?snapshot=snp_x"):
        assert proxy.ask("POST", path, body=b"x" * MOST_BYTES).status == 200
        assert proxy.ask("POST", path, body=b"x" * (MOST_BYTES + 1)).status == 413
    assert proxy.ask("POST", "/insurer/v1/policies?snapshot=snp_x", body=b"x" * forms.MOST_BYTES).status == 200
    for path in (
        "/insurer/v1/policies/snapshots",
        "/insurer/v1/policies2",
        "/partner/v1/slots/snapshots",
        "/partner/v1/slots/",
        "/partner/v1/slots2",
        "/api/v1/slots",
    ):
        assert proxy.ask("POST", path, body=b"x" * (BODY_LIMIT + 1)).status == 413


def test_a_report_may_have_its_file_with_it(proxy: Proxy) -> None:
    path = "/partner/v1/bookings/bkg_7c1x9d4t6b3n0v8m5r2k/reports"
    assert proxy.ask("POST", path, body=b"x" * report_parts.MOST_BYTES).status == 200
    assert proxy.ask("POST", path, body=b"x" * (report_parts.MOST_BYTES + 1)).status == 413
    for path in ("/partner/v1/bookings/bkg_x/confirm", "/partner/v1/bookings/bkg_x/reports/x", "/api/v1/reports"):
        assert proxy.ask("POST", path, body=b"x" * (BODY_LIMIT + 1)).status == 413


def test_no_body_waits_in_a_file() -> None:
    """A body that fits into its buffer is never written to a temporary file; passwords are among them."""
    sizes = re.findall(r"client_max_body_size (\w+);\s+client_body_buffer_size (\w+);", SAMPLE)
    assert len(sizes) == SAMPLE.count("client_max_body_size") and all(most == buffer for most, buffer in sizes)


def test_one_address_has_a_bounded_number_of_requests_open(proxy: Proxy) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(closing(proxy.connect())) for _ in range(40)]
        for each in slow:
            each.putrequest("POST", "/me/family/new", skip_host=True)
            for name, value in {"Host": HOST, "Content-Length": "9999", "X-Test-Address": "192.0.2.1"}.items():
                each.putheader(name, value)
            each.endheaders(b"x")

        def refusal() -> Any:
            for each in slow:
                each.send(b"x")  # a body that stands still is given up after ten seconds
            answer = proxy.ask("GET", "/me")
            return answer.status == 429 and answer

        refused = eventually(refusal)
        assert refused.headers["Retry-After"] == "10"
        assert proxy.ask("GET", "/api/v1/me").headers["Content-Type"] == problems.MEDIA_TYPE
        assert proxy.ask("GET", "/me", address="192.0.2.2").status == 200
