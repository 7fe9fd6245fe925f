"""What passes between us and an outside provider's doctors is one thing once, however many carry it and wherever a
process dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from booking.consultation.outside import lines
from booking.consultation.outside.deliver import claim_parcels, deliver
from booking.consultation.outside.models import ConversationDelivery, ConversationLine
from booking.consultation.say import Said, customer_says
from marketplace.core.config import ROOT, settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import by_database
from providers.conversing import conversing_adapter
from tests.booking.consultation.outside.rooms import FakeDoctors, Outside, at, make_outside, said_in, state_of
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.world import connection_to, set_provider

CARRY = """
import sys
from booking.calls.connections import connection_by_code
from booking.consultation.outside.deliver import claim_parcels, deliver
from marketplace.core.database.db import bare_app, reading
from marketplace.core.database.moment import by_database

with bare_app().app_context():
    with reading() as session:
        known = connection_by_code(session, sys.argv[1])
    for parcel in claim_parcels(known, places=9, now=by_database):
        deliver(known, known.open(), parcel, now=by_database)
"""


@pytest.fixture
def outside(many_connections: Engine) -> Outside:
    return make_outside(quantity=None)


def test_the_same_line_by_events_and_by_the_list_thirty_two_times_at_once_is_one_message(outside: Outside) -> None:
    opened = outside.begin()
    outside.ask(opened.conversation, "嗓子疼")
    line = outside.line(opened, 1)
    outside.there.lines = [line]

    def bring(number: int) -> str:
        if number % 2:
            return outside.tell(line, now=at(10))
        with transaction() as session:
            return lines.hear(session, outside.world.provider.id, line, now=at(10)).value

    came = Counter(all_at_once([lambda number=number: bring(number) for number in range(32)]))

    assert came == {"taken": 1, "known": 31}
    assert [each[1] for each in said_in(opened.conversation)] == ["customer", "clinician"]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ConversationLine)) == 1
    assert state_of(opened) == "in_service"


def test_lines_that_come_at_once_in_any_order_stand_in_theirs(outside: Outside) -> None:
    opened = outside.begin()
    outside.ask(opened.conversation, "嗓子疼")
    said = [outside.line(opened, number, f"第{number}句") for number in range(1, 9)]
    outside.there.lines = list(said)

    all_at_once([lambda line=line: outside.tell(line, now=at(10)) for line in reversed(said)])
    outside.read(now=at(10))

    assert [each[3] for each in said_in(opened.conversation)][1:] == [f"第{number}句" for number in range(1, 9)]


def test_sixteen_workers_at_once_send_each_message_once_and_in_its_order(outside: Outside) -> None:
    talks = [outside.begin() for _ in range(3)]
    for number in range(4):
        for opened in talks:
            outside.ask(opened.conversation, f"第{number}句")
    sends: list[str] = []

    class Counting(FakeDoctors):
        def post(self, message: Any) -> Any:
            sends.append(message.id)
            return super().post(message)

    there, known = Counting(), connection_to(outside.world.provider)

    def work() -> None:
        for _ in range(12):
            for parcel in claim_parcels(known, places=2, now=NOON):
                deliver(known, there, parcel, now=NOON)  # type: ignore[arg-type]

    all_at_once([work] * 16)
    work()

    assert len(sends) == len(set(sends)) == 12
    for opened in talks:
        mine = [each.text for each in there.posted if each.our_reference == opened.booking]
        assert mine == [f"第{number}句" for number in range(4)]


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@dataclass
class Taking:
    """A provider's server: what it took, by ids, and every try. While `silent` it takes a message and says nothing."""

    url: str = ""
    tries: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    silent: Event = field(default_factory=Event)
    asked: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)


@contextmanager
def taking() -> Iterator[Taking]:
    """One that listens."""
    it = Taking()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            it.tries.append(body["id"])
            it.taken.setdefault(body["id"], body["text"])
            it.asked.set()
            if it.silent.is_set():
                it.ended.wait(60)
                return
            answer = json.dumps({"id": body["id"], "our_reference": body["our_reference"]}).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield it
    finally:
        it.ended.set()
        server.shutdown()
        server.server_close()


def test_a_worker_that_is_killed_between_send_and_settle_is_followed_by_one_that_sends_the_same(db: Engine) -> None:
    it = make_outside()
    with taking() as server:
        opened = it.begin()
        set_provider(it.world.provider, base_url=server.url)
        for words in ("嗓子疼", "三天了"):
            customer_says(it.world.principal, opened.conversation, Said(str(uuid.uuid4()), words), now=by_database)
        server.silent.set()
        killed_while_sending(it, server)
        server.silent.clear()

        with reading() as session:
            left = session.scalars(select(ConversationDelivery).where(ConversationDelivery.state == "in_flight")).one()
        assert left.lease_until is not None
        known = connection_to(it.world.provider)
        carried = 0
        for second in (1, 2, 3):
            now = left.lease_until + timedelta(seconds=second)
            for parcel in claim_parcels(known, places=9, now=now):
                assert deliver(known, conversing_adapter(known.open()), parcel, now=now) == "delivered"
                carried += 1

    assert carried == 2
    assert [server.tries.count(name) for name in server.taken] == [2, 1], "sent again under the same id, taken once"
    assert list(server.taken.values()) == ["嗓子疼", "三天了"]
    with reading() as session:
        assert session.scalars(text("SELECT DISTINCT state FROM conversation_delivery")).all() == ["delivered"]


def killed_while_sending(it: Outside, server: Taking) -> None:
    """A worker's process hands a message on, and is killed while the provider has it and has not answered."""
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    with subprocess.Popen(
        [sys.executable, "-c", CARRY, it.world.provider.code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert server.asked.wait(60)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
