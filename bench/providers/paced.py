"""Messages that come when they are due, not when the one before was answered, and reads that wait for what they did.

`python -m bench.providers.paced` reads a Job as JSON from standard input and writes a Tally as JSON to standard output,
as `bench.load` does.
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
from dataclasses import asdict, dataclass, field

from bench.load import body_of, connect, length_of
from marketplace.development.children import dies_with_us

PATIENCE = 10.0
"""Seconds without any answer after which the server is given up."""


@dataclass(frozen=True)
class Job:
    """`exchanges` are pairs of whole HTTP requests: a message, and the read that is repeated after its answer until it
    shows `shown`, or a blank where nobody looks. One falls due every 1/`per_second` seconds; at most `clients` are
    under way."""

    port: int
    clients: int
    per_second: float
    exchanges: list[tuple[str, str]]
    shown: str


@dataclass
class Tally:
    """Milliseconds from the moment at which each message was due: until it was `answered`, and until a read had `shown`
    what it did. `statuses` are those of the messages' answers; `reads` how many reads that took; `seconds` from the
    first due to the last shown."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    reads: int = 0
    refusal: str = ""


@dataclass
class _Exchange:
    """One under way: its connection, when it was due, what was sent last and what has come of the answer."""

    connection: socket.socket
    due: float
    request: bytes
    read: bytes
    reading: bool = False
    got: bytes = b""


def run(job: Job) -> Tally:
    """Do the job in a process of its own, which ends with ours."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.providers.paced"],
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
        raise RuntimeError(f"the sender of messages ended with {process.returncode}")
    return Tally(**json.loads(out))


class _Sender:
    """Sends what is due over connections that are free, and reads answers as they come."""

    def __init__(self, job: Job) -> None:
        self.job, self.tally, self.statuses = job, Tally(), Counter[str]()
        self.exchanges = [(message.encode(), read.encode()) for message, read in job.exchanges]
        self.free = [connect(job.port) for _ in range(job.clients)]
        self.under_way: dict[int, _Exchange] = {}
        self.poll = select.epoll()
        self.sent = 0
        self.started = time.perf_counter()

    def drive(self) -> Tally:
        """Until the last exchange is over. Raises TimeoutError."""
        while self.sent < len(self.exchanges) or self.under_way:
            self._send_what_is_due()
            ready = self.poll.poll(self._patience())
            if not ready and self.under_way and not self._may_send():
                raise TimeoutError(f"no answer within {PATIENCE:g} s; {len(self.tally.shown)} were shown before that")
            for number, _events in ready:
                self._receive(number)
        self.tally.seconds = time.perf_counter() - self.started
        self.tally.statuses = dict(self.statuses)
        return self.tally

    def _due(self, number: int) -> float:
        return self.started + number / self.job.per_second

    def _may_send(self) -> bool:
        return bool(self.free) and self.sent < len(self.exchanges)

    def _patience(self) -> float:
        if not self._may_send():
            return PATIENCE
        return max(0.0, self._due(self.sent) - time.perf_counter())

    def _send_what_is_due(self) -> None:
        while self._may_send() and self._due(self.sent) <= time.perf_counter():
            message, read = self.exchanges[self.sent]
            self._begin(_Exchange(self.free.pop(), self._due(self.sent), message, read))
            self.sent += 1

    def _begin(self, exchange: _Exchange) -> None:
        self.under_way[exchange.connection.fileno()] = exchange
        self.poll.register(exchange.connection.fileno(), select.EPOLLIN)
        exchange.connection.sendall(exchange.request)

    def _end(self, exchange: _Exchange) -> None:
        del self.under_way[exchange.connection.fileno()]
        self.poll.unregister(exchange.connection.fileno())

    def _receive(self, number: int) -> None:
        exchange = self.under_way[number]
        block = exchange.connection.recv(1 << 18)
        exchange.got += block
        if not block:  # an idle connection was closed: the request is sent again
            self._end(exchange)
            exchange.connection.close()
            exchange.connection, exchange.got = connect(self.job.port), b""
            self._begin(exchange)
            return
        length = length_of(exchange.got)
        if length is None or len(exchange.got) < length:
            return
        self._answered(exchange)

    def _answered(self, exchange: _Exchange) -> None:
        milliseconds = (time.perf_counter() - exchange.due) * 1000
        answer, exchange.got = exchange.got, b""
        status, body = answer[9:12].decode(), body_of(answer)
        if exchange.reading:
            self.tally.reads += 1
        else:
            self.tally.answered.append(milliseconds)
        if not exchange.reading or status != "200":
            self.statuses[f"read {status}" if exchange.reading else status] += 1
        shown = exchange.reading and self.job.shown.encode() in body
        if shown:
            self.tally.shown.append(milliseconds)
        if status != "200" and not self.tally.refusal:
            self.tally.refusal = body.decode(errors="replace")[:300]
        if shown or status != "200" or not exchange.read:
            self._end(exchange)
            self.free.append(exchange.connection)
            return
        exchange.reading, exchange.request = True, exchange.read
        exchange.connection.sendall(exchange.request)


def main() -> None:
    """Read the job, do it, write the tally."""
    asked = json.load(sys.stdin)
    asked["exchanges"] = [(message, read) for message, read in asked["exchanges"]]
    json.dump(asdict(_Sender(Job(**asked)).drive()), sys.stdout)


if __name__ == "__main__":
    main()
