"""Receiving a provider's webhooks in a run: one small server, which refuses the first try of a message to order.

Whoever finds its address may send anything: so it takes only what comes to a path that was told to the provider alone,
and keeps no more than a run can need.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

LARGEST = 1024 * 1024
MOST_KEPT, MOST_BYTES = 1000, 32 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A message as it arrived."""

    headers: Mapping[str, str]
    body: bytes
    refused: bool


class Listener:
    """Listens on `host`:`port` (0: a free one) and is known outside as `url`, or by its own address without one. To
    either a step of its own is added, which nobody can guess."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, url: str = "") -> None:
        self._lock = Lock()
        self._received: list[Received] = []
        self._bytes = 0
        path = secrets.token_hex(16)
        self._refuse: bytes | None = None
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                if self.path.partition("?")[0].split("/")[-1] != path:
                    self._answer(404, close=True)
                    return
                length = self.headers.get("Content-Length", "")
                size = int(length) if length.isascii() and length.isdigit() else LARGEST + 1
                status = 413 if size > LARGEST else listener._take(dict(self.headers.items()), self.rfile.read(size))
                self._answer(status, close=status == 413)

            def _answer(self, status: int, *, close: bool) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.close_connection = close

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        known = url or f"http://{host}:{self._server.server_address[1]}"
        self.url = f"{known.rstrip('/')}/{path}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def _take(self, headers: Mapping[str, str], body: bytes) -> int:
        with self._lock:
            refused = self._refuse is not None and self._refuse in body
            if refused:
                self._refuse = None
            if len(self._received) < MOST_KEPT and self._bytes + len(body) <= MOST_BYTES:
                self._bytes += len(body)
                self._received.append(Received(headers, body, refused))
        return 500 if refused else 204

    def refuse_next(self, containing: bytes) -> None:
        """Answer the next message that contains this with 500."""
        with self._lock:
            self._refuse = containing

    def about(self, text: bytes) -> list[Received]:
        """The messages that contain this, in the order of their arrival."""
        with self._lock:
            return [each for each in self._received if text in each.body]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
