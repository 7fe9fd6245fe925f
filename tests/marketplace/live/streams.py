"""The process that delivers streams, started for real, and streams of it as a browser reads them."""

from __future__ import annotations

import http.client
import json
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from booking.live.tell import tell
from booking.live.tickets import issue
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.development.embedded.postgres import free_port
from marketplace.development.processes import LIVE
from tests.eventually import eventually
from tests.processes import Running, start
from vip.principal import Principal
from vip.signin import authentication, signin


def start_live(environment: Mapping[str, str], log: Path, port: int = 0) -> Running:
    """One that answers that it is well."""
    port = port or free_port()
    command = shlex.split(LIVE.format(host="127.0.0.1", port=port))
    live = Running(start(command, environment, log), f"http://127.0.0.1:{port}")
    eventually(lambda: ask(port, "/live/healthz")[0] == 200, 60)
    return live


def port_of(live: Running) -> int:
    """Where it listens."""
    return int(live.url.rpartition(":")[2])


def ask(port: int, path: str) -> tuple[int, str]:
    """The status and the text of a short answer; 0 while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode() if answer.status != 200 or "healthz" in path else ""
    except OSError:
        return 0, ""
    finally:
        connection.close()


def figures_of(live: Running, token: str) -> dict[str, float]:
    """What it tells Prometheus; nothing for who has not the token."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{live.url}/live/metrics", headers=headers, timeout=10)
    lines = answer.text.splitlines() if answer.status_code == 200 else []
    return {name: float(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}


def streams_of(live: Running) -> int:
    """How many streams it has."""
    return int(json.loads(ask(port_of(live), "/live/healthz")[1])["streams"])


@dataclass(frozen=True)
class Message:
    """One message of a stream, and when it came (by time.monotonic())."""

    kind: str
    id: str
    told: Any
    at: float


@dataclass
class Stream:
    """An open stream, read by a thread of its own unless it is `idle`."""

    status: int
    headers: http.client.HTTPMessage
    plain: socket.socket
    answer: http.client.HTTPResponse
    reader: threading.Thread | None = None
    messages: list[Message] = field(default_factory=list)
    ended_at: float = 0.0

    @property
    def events(self) -> list[Any]:
        """All events that were told."""
        return [each for message in list(self.messages) if message.kind == "message" for each in message.told]

    @property
    def last(self) -> str:
        """The last id."""
        return next((each.id for each in reversed(self.messages) if each.id), "")

    def kinds(self) -> list[str]:
        """The kinds of its messages, in order."""
        return [each.kind for each in list(self.messages)]

    def close(self) -> None:
        """As a browser that goes away."""
        with suppress(OSError):
            self.plain.shutdown(socket.SHUT_RDWR)
        if self.reader is not None:
            self.reader.join(10)
        self.answer.close()
        self.plain.close()

    def read(self) -> None:
        """Read to the end."""
        fields: dict[str, str] = {}
        with suppress(OSError, http.client.HTTPException):
            while line := self.answer.readline().decode():
                if line.strip():
                    name, _, value = line.rstrip("\n").partition(": ")
                    fields[name] = value
                    continue
                kind = fields.get("event", "message")
                self.messages.append(Message(kind, fields.get("id", ""), json.loads(fields["data"]), time.monotonic()))
                fields = {}
        self.ended_at = time.monotonic()


def open_stream(live: Running, ticket: str, *, after: str = "", idle: bool = False, header: bool = False) -> Stream:
    """Open one; `idle`: nothing of it is read after its head, and little fits in between."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(live), timeout=60)
    if idle:
        connection.sock = socket.socket()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sock.connect(("127.0.0.1", port_of(live)))
    query = {"ticket": ticket} | ({"after": after} if after and not header else {})
    connection.request("GET", f"/live/stream?{urlencode(query)}", headers={"Last-Event-ID": after} if header else {})
    plain = connection.sock
    answer = connection.getresponse()
    stream = Stream(answer.status, answer.headers, plain, answer)
    _opened.append(stream)
    if answer.status == 200 and not idle:
        stream.reader = threading.Thread(target=stream.read, daemon=True)
        stream.reader.start()
        eventually(lambda: stream.messages)
    return stream


_opened: list[Stream] = []


@contextmanager
def closed_afterwards() -> Iterator[None]:
    """Leave no stream open that the block opened."""
    try:
        yield
    finally:
        while _opened:
            _opened.pop().close()


def sign_in(phone: str) -> tuple[Principal, Callable[[], str]]:
    """A new session of the customer with that phone, and what makes tickets for it."""
    now = clock.now()
    her = authentication.authenticate(signin.issue_token(phone, now).token, now=now)
    return her, lambda: issue(her, now=clock.now())


def tell_her(customer_id: int, *numbers: int, size: int = 0) -> None:
    """Commit an event for her for each number."""
    _tell(f"customer:{customer_id}", *numbers, size=size)


def tell_provider(provider_id: int, *numbers: int) -> None:
    """Commit an event for a provider's members for each number."""
    _tell(f"provider:{provider_id}", *numbers)


def _tell(topic: str, *numbers: int, size: int = 0) -> None:
    for number in numbers:
        with transaction() as session:
            facts: dict[str, str | int] = {"n": number, "filler": "x" * size}
            tell(session, [topic], "note", facts, now=clock.now())


def told(stream: Stream) -> list[int]:
    """The numbers of the events that came."""
    return [each["n"] for each in stream.events]
