"""Readers without streams: each asks for what is new in its conversation every two seconds, by its ETag, as pages do.
How late they know of it, and what it costs the web server. Fewer than there are streams: a thousand ask for more than
two processors can answer."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from bench.data import Loaded
from bench.stage import CannotMeasure, Stage, serving_in_group
from bench.streams import PER_SECOND, share_of
from booking.consultation.open import Opening, open_consultation
from booking.consultation.say import Said, customer_says
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import by_database
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer
from vip.signin import authentication

EVERY_SECONDS = 2.0
READERS = 200
COOKIE = "__Host-signed_in"
_KIND = "online_consultation"
_PACKAGE = {"departments": [{"code": "general", "name_zh": "全科", "name_en": "General"}], "languages": ["zh", "en"]}
_OFFER = """
    WITH clinic AS (
        INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
        VALUES ('prv_00000000000000000001', 'clinic', '和馨门诊', 'Hexin Clinic', 'desk', '') RETURNING id
    ), pool AS (
        INSERT INTO capacity_pool (public_id, provider_id, site_id, external_ref)
        SELECT 'pol_00000000000000000001', clinic.id, (SELECT min(id) FROM site), 'talks' FROM clinic
        RETURNING id, provider_id, site_id
    )
    INSERT INTO offer (public_id, provider_id, site_id, pool_id, kind, external_ref, name_zh, name_en, package,
                       price_minor, certified)
    SELECT 'ofr_00000000000000000001', provider_id, site_id, id, %s, 'talks', '图文问诊', 'Online consultation', %s,
           6000, true FROM pool RETURNING public_id
"""
_SAY = """
    WITH talk AS (UPDATE conversation SET last_seq = last_seq + 1 WHERE public_id = %s RETURNING id, last_seq)
    INSERT INTO conversation_message (public_id, conversation_id, seq, client_message_id, author, kind, at)
    SELECT 'msg_' || substr(md5(id || '-' || last_seq), 1, 20), id, last_seq, 'auto:bench:' || last_seq, 'automatic',
           'bench', now() FROM talk RETURNING seq
"""
_SEQ = re.compile(rb'data-last="(\d+)"')


@dataclass(frozen=True)
class Talk:
    """A reader's conversation."""

    id: str
    token: str


@dataclass
class Polled:
    """Milliseconds from before the writing until a reader has it; requests a second; the share of one processor that
    the web server takes while nothing is said, and under messages."""

    late: list[float] = field(default_factory=list)
    rate: float = 0.0
    idle: float = 0.0
    busy: float = 0.0


def begin_talks(where: Stage, loaded: Loaded) -> list[Talk]:
    """A conversation with one message for each reader."""
    with psycopg.connect(where.superuser_url, autocommit=True) as connection:
        row = connection.execute(_OFFER, [_KIND, json.dumps(_PACKAGE)]).fetchone()
    if row is None:
        raise CannotMeasure("There is no offer of consultations.")
    return [_begin(row[0], booker.token, booker.people[0]) for booker in loaded.bookers[:READERS]]


def _begin(offer: str, token: str, person: str) -> Talk:
    now = clock.now()
    her = authentication.authenticate(token, now=now)
    today = clock.today(her.time_zone, now)
    with transaction() as session:
        customer = session.get_one(Customer, her.id)
        grant(session, customer, Grant(_KIND, 1, today, today), Stamp(now, "system", "bench", "bench"))
    wanted = Opening(BeginRequest(offer, person, None, {}), "", "zh")
    opened = open_consultation(her, wanted, Repeatable(her.public_id, str(uuid.uuid4()), b"bench"), now=now)
    customer_says(her, opened.conversation, Said(str(uuid.uuid4()), "?"), now=by_database)
    return Talk(opened.conversation, token)


def measure(where: Stage, talks: Sequence[Talk], *, seconds: float) -> Polled:
    """Let all ask while nothing is said, then write messages. Raises CannotMeasure unless each was read."""
    with serving_in_group(where) as (port, group):
        return asyncio.run(_measure(where, port, group, talks, seconds))


async def _measure(where: Stage, port: int, group: int, talks: Sequence[Talk], seconds: float) -> Polled:
    polled, seen = Polled(), dict[str, dict[int, float]]()
    readers = [_Reader(port, talk, seen.setdefault(talk.id, {})) for talk in talks]
    tasks = [asyncio.create_task(each.go_on(number / len(talks))) for number, each in enumerate(readers)]
    await asyncio.sleep(3 * EVERY_SECONDS)  # connections, caches, everybody's first answer
    polled.idle = await share_of(group, seconds / 2)
    written: dict[tuple[str, int], float] = {}
    asked, begun = sum(each.asked for each in readers), time.monotonic()
    writer = threading.Thread(target=_write, args=(where, talks, written, seconds))
    writer.start()
    polled.busy = await share_of(group, seconds)
    await asyncio.to_thread(writer.join)
    polled.rate = (sum(each.asked for each in readers) - asked) / (time.monotonic() - begun)
    until = time.monotonic() + 30
    while any(seq > max(seen[talk], default=0) for talk, seq in written) and time.monotonic() < until:
        await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    for failed in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(failed, Exception):
            raise CannotMeasure(f"A reader stopped: {failed}") from failed
    for (talk, seq), at in written.items():
        known = [when for last, when in seen[talk].items() if last >= seq]
        if not known:
            raise CannotMeasure("A message was not read within 30 s.")
        polled.late.append((min(known) - at) * 1000)
    return polled


class _Reader:
    """One page: it asks, waits for two seconds, and asks again."""

    def __init__(self, port: int, talk: Talk, seen: dict[int, float]) -> None:
        self.asked = 0
        self._port, self._talk, self._seen = port, talk, seen
        self._after, self._tag = 1, ""

    async def go_on(self, part: float) -> None:
        """Ask until it is cancelled, beginning after a `part` of the two seconds."""
        await asyncio.sleep(EVERY_SECONDS * part)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                writer.write(self._request())
                status, headers, body = await _answer(reader)
                self.asked += 1
                self._note(status, headers, body)
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            with suppress(OSError):
                writer.close()

    def _request(self) -> bytes:
        lines = (
            f"GET /consultation/{self._talk.id}/live?after={self._after} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Cookie: {COOKIE}={self._talk.token}",
            f"If-None-Match: {self._tag}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _note(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        if status not in (200, 304):
            raise CannotMeasure(f"A reader was answered with {status}.")
        if status == 200:
            self._tag = headers["etag"]
            found = _SEQ.search(body)
            if found is None:
                raise CannotMeasure("An answer does not say how far it goes.")
            self._after = int(found.group(1))
            self._seen.setdefault(self._after, time.monotonic())


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split()[1]), headers, body


def _write(where: Stage, talks: Sequence[Talk], written: dict[tuple[str, int], float], seconds: float) -> None:
    """A hundred a second, each due at its moment."""
    with psycopg.connect(where.database.database_url, autocommit=True) as connection:
        begun = time.monotonic()
        for number in range(round(PER_SECOND * seconds)):
            time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
            at, talk = time.monotonic(), talks[number % len(talks)].id
            row = connection.execute(_SAY, [talk]).fetchone()
            if row is not None:
                written[talk, row[0]] = at
