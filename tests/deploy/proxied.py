"""nginx with the proxy's sample, started for real before a web server of the test that keeps what reaches it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from marketplace.core.config import ROOT
from marketplace.development.embedded.postgres import free_port
from tests.needs import needs
from tests.sandboxes import eventually

SAMPLE = (ROOT / "deploy" / "nginx" / "anxiang.conf").read_text()
HOST = "benefits.example.com"
ABOVE = """
daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;
events {{ worker_connections 256; }}
http {{
access_log {here}/access.log;
client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3; uwsgi_temp_path {here}/t4;
scgi_temp_path {here}/t5;
set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;
"""
"""What stands around the sample: as Debian's nginx.conf a log for whoever names none, and addresses for the tests."""


@dataclass(frozen=True)
class Answer:
    """What the client got."""

    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class WebServer:
    """The product's place behind the proxy: it answers `status` to everything and keeps the lines of requests."""

    status: int = 200
    seen: list[str] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer until the end of the block; afterwards nobody listens on the port."""
        here = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                here.seen.append(self.requestline)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(here.status)
                self.send_header("Content-Length", "7")
                self.end_headers()
                self.wfile.write(b"product")

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def careless(*protocols: str) -> ssl.SSLContext:
    """What believes any certificate, and so reads none of the machine's own; `protocols` are offered."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if protocols:
        made.set_alpn_protocols(protocols)
    return made


@dataclass(frozen=True)
class Proxy:
    """A running nginx; its logs are in `here`."""

    here: Path
    plain: int
    tls: int

    def connect(self) -> http.client.HTTPSConnection:
        """A connection over TLS; the certificate is the test's own and isn't looked at."""
        return http.client.HTTPSConnection("127.0.0.1", self.tls, timeout=60, context=careless())

    def ask(
        self, method: str, path: str, *, address: str = "192.0.2.1", body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> Answer:
        """One request over TLS, as from `address`."""
        return _exchange(self.connect(), method, path, body, {**headers, "X-Test-Address": address})

    def ask_plainly(self, method: str, path: str, body: bytes = b"") -> Answer:
        """One request without TLS."""
        return _exchange(http.client.HTTPConnection("127.0.0.1", self.plain, timeout=60), method, path, body, {})

    def logs(self) -> str:
        """What nginx has written anywhere, the name of the file before each line."""
        return "\n".join(
            f"{file.name}: {line}" for file in sorted(self.here.glob("*.log")) for line in file.read_text().splitlines()
        )


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    try:
        connection.request(method, path, body=body or None, headers={"Host": HOST, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def nginx_or_skip() -> str:
    """The program; without it the test is skipped, but not in continuous integration."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    needs(found is not None, "nginx")
    assert found is not None
    return found


def certified(here: Path) -> str:
    """The sample with a certificate made in `here`."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-subj", "/CN=x", "-days", "1"]
    files = ["-keyout", str(here / "privkey.pem"), "-out", str(here / "fullchain.pem")]
    subprocess.run([*make, *files], check=True, capture_output=True)
    return SAMPLE.replace("/etc/ssl/anxiang", str(here)).replace("/var/log/nginx", str(here))


@contextmanager
def proxied(
    here: Path, web: WebServer, *, rate: str = "1r/m", burst: int | None = None, live: int = 0
) -> Iterator[Proxy]:
    """nginx with the sample before `web`, on ports of its own. So that nothing depends on how fast the test is, the
    limits give back one request a minute; `burst` replaces how many pass at once. Streams come from the port `live`,
    without one from `web` too."""
    proxy = Proxy(here, free_port(), free_port())
    site = certified(here).replace("listen 80;", f"listen 127.0.0.1:{proxy.plain};")
    site = site.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{proxy.tls} ssl http2;")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{web.port}")
    site = site.replace("127.0.0.1:8020", f"127.0.0.1:{live or web.port}")
    site = re.sub(r"rate=\S+;", f"rate={rate};", site)
    if burst is not None:
        site = re.sub(r"burst=\d+", f"burst={burst}", site)
    settings = here / "nginx.conf"
    settings.write_text(f"{ABOVE.format(here=here)}{site}\n}}\n")
    process = subprocess.Popen(
        [nginx_or_skip(), "-p", str(here), "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: _listens(proxy.tls), 60)
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
