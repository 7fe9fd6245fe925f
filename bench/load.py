"""The HTTP client: a closed loop of keep-alive connections in one process, as thin as Python allows.

`python -m bench.load` reads a Job as JSON from standard input and writes a Tally as JSON to standard output. Requests
are bytes before the clock starts; answers are looked at no further than their status and length.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from marketplace.development.children import dies_with_us

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Job:
    """Send `requests` (whole HTTP messages) over `clients` connections for `seconds`, or until there are no more.

    With `confirm` each 201 is followed by POST …/<id>/confirm under the same token; the pair counts as one.
    """

    port: int
    clients: int
    seconds: float
    requests: list[str]
    confirm: bool = False


@dataclass
class Tally:
    """What came of it: answers by status, seconds from the first byte sent to the last received, and the latency in
    milliseconds of each answer (of each pair)."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    refusal: str = ""

    @property
    def rate(self) -> float:
        """Done per second."""
        return len(self.latencies) / self.seconds


@dataclass
class _Line:
    """One connection and the request it waits for."""

    connection: socket.socket
    request: bytes = b""
    since: float = 0.0
    got: bytes = b""
    confirming: bool = False


def run(job: Job) -> Tally:
    """Do the job in a process of its own, which ends with ours."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
        preexec_fn=dies_with_us(signal.SIGKILL),
    ) as process:
        try:
            out, _ = process.communicate(json.dumps(asdict(job)).encode())
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise RuntimeError(f"the HTTP client ended with {process.returncode}")
    return Tally(**json.loads(out))


def message(method: str, path: str, token: str, body: dict[str, str] | None = None, key: str = "") -> str:
    """One HTTP/1.1 request."""
    content = json.dumps(body) if body is not None else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: */*\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nIdempotency-Key: {key}\r\n"
    return head + "\r\n" + content


def _drive(job: Job) -> Tally:
    tally, statuses = Tally(), Counter[str]()
    waiting = iter([text.encode() for text in job.requests])
    poll = select.epoll()
    lines: dict[int, _Line] = {}
    started = time.perf_counter()
    until = started + job.seconds
    for _ in range(job.clients):
        _next(_Line(connect(job.port)), waiting, lines, poll, until)
    while lines:
        ready = poll.poll(10)
        if not ready:
            raise TimeoutError(f"no answer within ten seconds; {len(tally.latencies)} before that")
        for number, _events in ready:
            line = lines[number]
            block = line.connection.recv(1 << 18)
            line.got += block
            length = length_of(line.got)
            if block and (length is None or len(line.got) < length):
                continue
            if not line.got:  # an idle connection was closed; the request is sent again
                _reconnect(line, job.port, lines, poll)
                line.connection.sendall(line.request)
                continue
            status = line.got[9:12].decode()
            if job.confirm and status == "201" and not line.confirming:
                line.confirming, answer = True, line.got
                line.got, line.request = b"", _confirmation(line.request, answer)
                line.connection.sendall(line.request)
                continue
            now = time.perf_counter()
            statuses[status] += 1
            tally.latencies.append((now - line.since) * 1000)
            if status >= "400" and not tally.refusal:
                tally.refusal = body_of(line.got).decode(errors="replace")[:300]
            del lines[number]
            poll.unregister(number)
            if not block or b"connection: close" in line.got[:600].lower():
                line.connection.close()
                line = _Line(connect(job.port))
            _next(line, waiting, lines, poll, until)
            tally.seconds = now - started
    tally.statuses = dict(statuses)
    return tally


def _next(line: _Line, waiting: Iterator[bytes], lines: dict[int, _Line], poll: select.epoll, until: float) -> None:
    """Send the next request, or hang up when there is none or the time is over."""
    now = time.perf_counter()
    request = next(waiting, None) if now < until else None
    if request is None:
        line.connection.close()
        return
    line.request, line.got, line.confirming, line.since = request, b"", False, now
    lines[line.connection.fileno()] = line
    poll.register(line.connection.fileno(), select.EPOLLIN)
    line.connection.sendall(request)


def _reconnect(line: _Line, port: int, lines: dict[int, _Line], poll: select.epoll) -> None:
    del lines[line.connection.fileno()]
    poll.unregister(line.connection.fileno())
    line.connection.close()
    line.connection = connect(port)
    lines[line.connection.fileno()] = line
    poll.register(line.connection.fileno(), select.EPOLLIN)


def connect(port: int) -> socket.socket:
    """A connection to this machine that sends at once."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def length_of(got: bytes) -> int | None:
    """How long the whole answer is, head and body, None while its head is not complete."""
    end = got.find(_HEAD_END)
    if end < 0:
        return None
    head = got[:end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        raise ValueError("an answer without Content-Length")
    return end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])


def body_of(answer: bytes) -> bytes:
    """The body of a whole answer."""
    return answer.partition(_HEAD_END)[2]


def _confirmation(request: bytes, answer: bytes) -> bytes:
    """The confirmation of the booking that was just answered."""
    booking = json.loads(body_of(answer))["id"]
    token = request.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()
    return (
        message("POST", f"/api/v1/bookings/{booking}/confirm", token)
        .replace("Accept", "Content-Length: 0\r\nAccept", 1)
        .encode()
    )


if __name__ == "__main__":
    json.dump(asdict(_drive(Job(**json.load(sys.stdin)))), sys.stdout)
