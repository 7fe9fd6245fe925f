"""A thousand open streams and a hundred messages a second: how late they come, and what it costs."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.data import Loaded
from bench.stage import CannotMeasure, Stage, delivering
from booking.live.tickets import issue
from marketplace.core import clock
from vip.signin import authentication

STREAMS, PER_SECOND, IDLE_SECONDS = 1_000, 100, 5.0
_TELL = """
    INSERT INTO live_event (topics, kind, facts, at)
    VALUES (ARRAY['customer:' || %s::bigint], 'message', jsonb_build_object('n', %s::int), now()) RETURNING id
"""
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Told:
    """Milliseconds from before the writing until it was read, bare and by a stream; bytes a page; the share of one
    processor, idle and under messages."""

    bare: list[float] = field(default_factory=list)
    streamed: list[float] = field(default_factory=list)
    opened_seconds: float = 0.0
    bytes_a_page: float = 0.0
    idle: float = 0.0
    busy: float = 0.0


def measure(where: Stage, loaded: Loaded, *, seconds: float) -> Told:
    """Open the streams, look at them while nothing happens, then write messages. Raises CannotMeasure unless each came
    once."""
    customers, tickets = _tickets(loaded)
    with delivering(where) as (port, group):
        return asyncio.run(_measure(where, port, group, customers, tickets, seconds))


def _tickets(loaded: Loaded) -> tuple[list[int], list[str]]:
    found = [authentication.authenticate(booker.token, now=clock.now()) for booker in loaded.bookers[:STREAMS]]
    return [each.id for each in found], [issue(each, now=clock.now()) for each in found]


async def _measure(
    where: Stage, port: int, group: int, customers: Sequence[int], tickets: Sequence[str], seconds: float
) -> Told:
    told, came = Told(), dict[int, list[float]]()
    before, begun = _memory(group), time.monotonic()
    readers = [await _open(port, ticket) for ticket in tickets]
    told.opened_seconds = time.monotonic() - begun
    tasks = [asyncio.create_task(_read(each, came)) for each, _ in readers]
    await asyncio.sleep(1)
    told.bytes_a_page = (_memory(group) - before) / len(tickets)
    told.idle = await share_of(group, IDLE_SECONDS)
    written: dict[int, float] = {}
    writer = threading.Thread(target=_write, args=(where, customers, written, told, seconds))
    writer.start()
    told.busy = await share_of(group, seconds)
    await asyncio.to_thread(writer.join)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    for _, connection in readers:
        connection.close()
    if set(came) != set(written) or any(len(times) != 1 for times in came.values()):
        raise CannotMeasure(f"{len(written)} messages were written, {sum(map(len, came.values()))} came.")
    told.streamed = [(came[number][0] - at) * 1000 for number, at in written.items()]
    return told


async def _open(port: int, ticket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /live/stream?ticket={ticket} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise CannotMeasure(f"A stream was refused: {head[:80].decode(errors='replace')}")
    return reader, writer


async def _read(reader: asyncio.StreamReader, came: dict[int, list[float]]) -> None:
    while line := await reader.readline():
        if line.startswith(b"data: ["):
            at = time.monotonic()
            for each in json.loads(line[6:]):
                came.setdefault(each["n"], []).append(at)


def _write(where: Stage, customers: Sequence[int], written: dict[int, float], told: Told, seconds: float) -> None:
    """A hundred a second, each due at its moment; every one is read back on another connection, as bare SQL would."""
    with (
        psycopg.connect(where.database.database_url, autocommit=True) as writing,
        psycopg.connect(where.database.database_url, autocommit=True) as reading,
    ):
        begun = time.monotonic()
        for number in range(round(PER_SECOND * seconds)):
            time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
            at = written[number] = time.monotonic()
            row = writing.execute(_TELL, [customers[number % len(customers)], number]).fetchone()
            reading.execute("SELECT facts FROM live_event WHERE id = %s", row).fetchall()
            told.bare.append((time.monotonic() - at) * 1000)


def _of(group: int) -> Iterator[Path]:
    """The processes of a group, as /proc has them."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if os.getpgid(int(process.name)) == group:
                yield process


def _memory(group: int) -> int:
    """Bytes that the group's processes hold in memory."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int((process / "statm").read_text().split()[1]) * page for process in _of(group))


def _used(group: int) -> float:
    """Seconds of the processor that the group has used."""
    found = 0
    for process in _of(group):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        found += int(fields[11]) + int(fields[12])
    return found / _TICK


async def share_of(group: int, seconds: float) -> float:
    """The share of one processor that a process group takes within so many seconds."""
    before, begun = _used(group), time.monotonic()
    await asyncio.sleep(seconds)
    return (_used(group) - before) / (time.monotonic() - begun)
