"""A provider's server that answers as it is told, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Connection

WEBHOOK_SECRET = "whsec_Y29uc3VsdGF0aW9ucy13ZWJob29rLXNlY3JldC0xMjM0"
JSON, PROBLEM = "application/json", "application/problem+json"


@dataclass(frozen=True)
class Asked:
    """A request as it came; `path` with its query."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass
class Hospital:
    """What it answers next, and what it was asked. `seconds`: how long it takes to."""

    url: str
    status: int = 204
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    asked: list[Asked] = field(default_factory=list)

    def says(self, status: int, body: Any = b"", kind: str = JSON, **headers: str) -> None:
        """Answer so from now on: bytes as they are, everything else as JSON."""
        self.status, self.kind, self.headers = status, kind, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def refuses(self, status: int, code: str, title: str = "No") -> None:
        """Answer with a problem from now on."""
        problem = {"type": "about:blank", "title": title, "status": status, "code": code}
        self.says(status, problem, PROBLEM)

    def adapter(self, seconds: float = 5.0) -> OpenProtocol:
        """Speaks to it, for so many seconds a call."""
        return OpenProtocol(
            Connection("hospital", self.url, "key", (WEBHOOK_SECRET,), deadline_seconds=seconds, networks=())
        )


@contextmanager
def hospital_at_work() -> Iterator[Hospital]:
    """One on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
            hospital.asked.append(asked)
            time.sleep(hospital.seconds)
            self.send_response(hospital.status)
            for name, value in {"Content-Type": hospital.kind, **hospital.headers}.items():
                self.send_header(name.replace("_", "-"), value)
            if hospital.status != 204:
                self.send_header("Content-Length", str(len(hospital.body)))
            self.end_headers()
            if hospital.status != 204:
                self.wfile.write(hospital.body)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hospital = Hospital(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hospital
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
