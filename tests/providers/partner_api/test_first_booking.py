"""A provider's engineer's first booking, with a client that knows the published description and nothing of ours: from
a token to the report on the customer's page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
import requests
from sqlalchemy import func, select, update

from booking.actors import Actor
from booking.models import Booking, Slot
from booking.twins.open import open_test_mode
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.catalog.new_provider import add_provider
from marketplace.clients.credentials import Credentials, add_client, operator
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.config import settings
from marketplace.core.database import db as database
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.development.database import DevDatabase
from marketplace.web.cookies import SIGNED_IN
from providers.conformance.certificates.issue import give_provisional
from tests.eventually import eventually
from tests.files import make_pdf
from tests.people import give, make_customer, self_of
from tests.processes import killed_afterwards, start_web, start_worker
from vip.signin.signin import issue_token

CLIENT = Path(__file__).with_name("first_booking.py")
PHONE = "13800990001"


def test_the_client_imports_nothing_of_ours() -> None:
    imported = re.findall(r"^(?:from|import) (\w+)", CLIENT.read_text(), re.MULTILINE)
    assert not {"marketplace", "booking", "providers", "vip", "tests"} & set(imported)


class Program:
    """The provider's program: what it says, line by line."""

    def __init__(self, arguments: list[str], program: Path = CLIENT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")},
                "OAUTHLIB_INSECURE_TRANSPORT": "1",
            },
        )
        self._said: Queue[str] = Queue()
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line.decode().strip())

    def says(self, beginning: str, seconds: float = 120) -> str:
        """The next line, which begins so."""
        line = self._said.get(timeout=seconds)
        if not line.startswith(beginning):
            self.process.wait(20)
            pytest.fail("\n".join([line, *self._said.queue]))
        return line

    def hears(self, words: bytes) -> None:
        """It reads this, and no more is to come after the last."""
        assert self.process.stdin is not None
        self.process.stdin.write(words)
        self.process.stdin.flush()

    def end(self) -> None:
        """Leave nothing of it behind."""
        self.process.kill()
        self.process.wait(10)
        self._listener.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def running(program: Program) -> Iterator[Program]:
    try:
        yield program
    finally:
        program.end()


@pytest.fixture
def environment(own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A database for real processes; this one looks at it too."""
    made = {"DATABASE_URL": own_server.database_url, "DATABASE_OWNER_URL": own_server.owner_url}
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    database.forget_engines()
    settings.cache_clear()
    yield made
    database.forget_engines()
    monkeypatch.undo()
    settings.cache_clear()


def begin() -> tuple[Credentials, str]:
    """What whoever runs the installation does: a site of the list, the provider, a client for it."""
    site = Site(public_id=new_id("sit"), name="启航体检中心", province="浙江省", city="杭州市")
    with transaction() as session:
        session.add(site)
        session.flush()
        site_id = site.public_id
    now = clock.now()
    add_provider("qihang", "启航体检", "Qihang", adapter="partner", time_zone=HOME_ZONE, actor="t", now=now)
    with transaction() as session:
        provider_id = session.scalars(select(Provider.id).where(Provider.code == "qihang")).one()
        give_provisional(session, provider_id, now=now)
    return add_client("qihang", "booking system", list(SCOPES), by=operator("t"), now=now), site_id


@pytest.mark.slow
def test_from_a_token_to_the_report_on_the_customers_page(environment: dict[str, str], tmp_path: Path) -> None:
    credentials, site = begin()
    web = start_web(environment, tmp_path / "web.log")
    worker = start_worker(environment, tmp_path / "worker.log")
    client = Program([web.url, credentials.client_id, credentials.secret, site])
    with killed_afterwards(web, worker), running(client):
        assert client.says("published") == "published 10000"
        with reading() as session:
            assert session.scalar(select(func.count()).select_from(Slot)) == 10_000
        client.says("listening")

        booking, hers = book(web.url)
        public_id, who = client.says("confirmed").split()[1:]
        assert (public_id, who) == (booking, "沈静宜"), "told by webhook, and who comes by the API"
        seen(hers, web.url, booking, "已确认")

        its_day_comes(booking)
        client.hears(b"\n")
        client.says("completed")
        seen(hers, web.url, booking, "已完成")
        client.hears(b"\n" + make_pdf())
        assert client.process.stdin is not None
        client.process.stdin.close()
        client.says("reported")
        seen(hers, web.url, booking, "看报告")
        report = eventually(lambda: re.search(r'href="(/reports/rpt_\w+)', hers.get(f"{web.url}/reports").text))
        assert "3.92" in hers.get(web.url + report[1]).text
        assert client.process.wait(20) == 0


@pytest.mark.slow
def test_a_program_in_test_mode_passes_a_rehearsal_with_every_fault(
    environment: dict[str, str], tmp_path: Path
) -> None:
    _live, site = begin()
    with reading() as session:
        live = session.scalars(select(Provider.id).where(Provider.code == "qihang")).one()
    twin = open_test_mode(live, Actor("operator", "t"), clock.now())
    credentials = add_client(twin.code, "booking system", list(SCOPES), by=operator("t"), now=clock.now())
    web = start_web(environment, tmp_path / "web.log")
    worker = start_worker(environment, tmp_path / "worker.log")
    given = [web.url, credentials.client_id, credentials.secret, site, "7", "6"]
    client = Program(given, CLIENT.with_name("rehearsed.py"))
    with killed_afterwards(web, worker), running(client):
        client.says("published 200")
        client.says("rehearsing")
        for number in range(1, 7):
            assert " right " in client.says(f"{number} ", 290)
        assert client.says("passed") == "passed 6 0 0"


def book(url: str) -> tuple[str, requests.Session]:
    """A customer books the provider's offer by the API; the booking, and her browser."""
    now = clock.now()
    customer = make_customer(PHONE)
    give(customer, 1, valid_from=now.date(), valid_until=now.date() + timedelta(days=365))
    hers = requests.Session()
    token = issue_token(PHONE, now).token
    hers.cookies.set(SIGNED_IN.name, token)
    hers.headers["Accept-Language"] = "zh-CN"
    with reading() as session:
        offer = session.scalars(select(Offer.public_id)).one()
        slot = session.scalars(select(Slot.public_id).join(Offer, Offer.pool_id == Slot.pool_id).limit(1)).one()
    wanted = {"offer_id": offer, "slot_id": slot, "beneficiary_id": self_of(customer).public_id, "details": {}}
    bearer = {"Authorization": f"Bearer {token}"}
    held = requests.post(
        f"{url}/api/v1/bookings", json=wanted, headers={**bearer, "Idempotency-Key": "first"}, timeout=20
    )
    assert held.status_code == 201, held.text
    booking = held.json()["id"]
    done = requests.post(f"{url}/api/v1/bookings/{booking}/confirm", headers=bearer, timeout=20)
    assert (done.status_code, done.json()["state"]) == (200, "awaiting_provider"), done.text
    return booking, hers


def seen(hers: requests.Session, url: str, booking: str, words: str) -> None:
    """The words come to stand on the booking's page; how long that took is in the test's output."""
    since = time.monotonic()
    eventually(lambda: words in hers.get(f"{url}/bookings/{booking}").text)
    print(f"{words}: {time.monotonic() - since:.2f} s after the provider was answered")


def its_day_comes(booking: str) -> None:
    """Date the booking today: no test waits for the day that it was booked for."""
    today = clock.today(HOME_ZONE)
    with transaction() as session:
        session.execute(
            update(Booking)
            .where(Booking.public_id == booking)
            .values(service_date=today, starts_at=clock.now(), ends_at=clock.now())
        )
