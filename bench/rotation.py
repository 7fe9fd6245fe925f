"""Changing the master and the index key with many reports stored, while people read: `python -m bench --only keys`.

Readers look up a customer by her phone, read her family's numbers, and open a report, one after the other. What opens
to something else, or raises, is an error. A rewrap runs as the command that operators use.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from sqlalchemy import NullPool, create_engine, insert, select, text
from sqlalchemy.orm import Session

from bench.stage import Stage
from booking.keys.rotate import Purpose, rotate
from booking.reports.models import Report, ReportVersion
from booking.sealing import version_record
from marketplace.core import clock, crypto, ids
from marketplace.core.config import settings, sqlalchemy_url
from marketplace.core.database.db import reading
from marketplace.demo.people import MadeCustomer, load_people, make_customers
from vip import phones
from vip.customers.family import family
from vip.models import Beneficiary, Customer

KIND = "health_check"
_PURPOSES: tuple[Purpose, ...] = ("master", "index")
CONTENT = b'{"items": [' + b'{"name": "ALT", "value": "21", "unit": "U/L"},' * 90 + b"{}]}"


@dataclass
class Readers:
    """Threads that read until they are told to stop; how long each read took, and how many went wrong."""

    customers: Sequence[MadeCustomer]
    reports: int
    threads: int
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For as long as the block lasts."""
        threads = [Thread(target=self._go_on, args=(random.Random(seed),)) for seed in range(self.threads)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self.stop.set()
            for each in threads:
                each.join()

    def taken(self) -> list[float]:
        """What was measured since the last call."""
        taken, self.seconds = self.seconds, []
        return taken

    def _go_on(self, dice: random.Random) -> None:
        while not self.stop.is_set():
            began = time.perf_counter()
            try:
                self._read(dice)
            except Exception as failed:  # whatever it is, it is counted
                self.errors.append(repr(failed))
            self.seconds.append(time.perf_counter() - began)
            time.sleep(0.01)

    def _read(self, dice: random.Random) -> None:
        number = phones.normalise(dice.choice(self.customers).phone)
        with reading() as session:
            customer = session.scalars(select(Customer).where(phones.of_customer(phones.indexes(number)))).one()
        if phones.unseal(customer.phone_sealed, customer.public_id) != number or len(family(customer.id)) != 2:
            raise ValueError("another customer")
        with reading() as session:
            query = select(ReportVersion, Report.public_id).join(Report, Report.id == ReportVersion.report_id)
            version, report = session.execute(query.where(Report.id == dice.randint(1, self.reports))).one()
        record = version_record(report, version.version)
        key = crypto.unwrap_key(version.wrapped_key, record)
        if crypto.unseal(version.content_sealed, key=key, record=f"{record}:content") != CONTENT:
            raise ValueError("another report")


@dataclass(frozen=True)
class Figures:
    """How long the rewrap took with its start (seconds), what it said of itself, how long each read took before it and
    beside it (seconds), and what went wrong with reads."""

    seconds: float
    moved: str
    alone: Sequence[float]
    beside: Sequence[float]
    errors: Sequence[str]


def measure(where: Stage, *, reports: int, readers: int, seconds: float) -> Figures:
    """Store the reports, read for `seconds`, change both keys in two steps, rewrap while reading goes on, and take the
    earlier keys away."""
    load_people(clock.now())
    customers = make_customers(reports // 2, KIND, None, clock.now())
    _store(where, reports)
    threads = Readers(customers, reports, readers)
    with threads.reading():
        time.sleep(min(2.0, seconds))  # imports, caches
        threads.taken()
        time.sleep(seconds)
        alone = threads.taken()
        for purpose in _PURPOSES:
            made = rotate(purpose, now=clock.now())
            for step in (made.known, made.used):
                _use(step)
                time.sleep(1)
        threads.taken()
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "keys", "rewrap"],
            env=os.environ, check=True, capture_output=True, text=True,
        )  # fmt: skip
        took = time.perf_counter() - began
        beside = threads.taken()
        _use({name: os.environ[name].split(",")[0] for name in ("MASTER_KEYS", "INDEX_KEYS")})
        time.sleep(min(2.0, seconds))
    return Figures(took, done.stderr.strip().splitlines()[-1], alone, beside, threads.errors)


def _store(where: Stage, reports: int) -> None:
    """Reports of the people that there are, one version each; their bookings are left out, so no foreign key looks."""
    engine = create_engine(sqlalchemy_url(where.superuser_url), poolclass=NullPool)
    now = clock.now()
    with Session(engine) as session:
        session.execute(text("SET session_replication_role = replica"))
        people = session.scalars(select(Beneficiary).order_by(Beneficiary.id.desc()).limit(reports)).all()
        rows: list[dict[str, Any]] = [
            {
                "id": number, "public_id": ids.new_id("rpt"), "insurer_id": it.insurer_id, "provider_id": 1,
                "booking_id": number, "beneficiary_id": it.id, "customer_id": it.customer_id, "state": "ready",
                "reference": f"R-{number}", "announced_version": 1, "fetched_version": 1, "issued_at": now,
                "created_at": now,
            }
            for number, it in enumerate(people, 1)
        ]  # fmt: skip
        session.execute(text(_INSERT), rows)
        session.execute(insert(ReportVersion), [_version(row["id"], row["public_id"]) for row in rows])
        session.commit()
        session.execute(text("ANALYZE"))
        session.commit()


_INSERT = """
INSERT INTO report (id, public_id, insurer_id, provider_id, booking_id, beneficiary_id, customer_id, state, reference,
  announced_version, fetched_version, issued_at, created_at)
OVERRIDING SYSTEM VALUE VALUES (:id, :public_id, :insurer_id, :provider_id, :booking_id, :beneficiary_id, :customer_id,
  :state, :reference, :announced_version, :fetched_version, :issued_at, :created_at)
"""


def _version(report_id: int, public_id: str) -> dict[str, object]:
    record, now = version_record(public_id, 1), clock.now()
    wrapped = crypto.new_wrapped_key(record)
    key = crypto.unwrap_key(wrapped, record)
    return {
        "report_id": report_id, "version": 1, "status": "final", "issued_at": now, "received_at": now,
        "wrapped_key": wrapped, "content_sealed": crypto.seal(CONTENT, key=key, record=f"{record}:content"),
        "document_sealed": crypto.seal(b"", key=key, record=f"{record}:document"), "document_type": "",
        "items": 90, "abnormal": 0,
    }  # fmt: skip


def _use(values: Mapping[str, str]) -> None:
    os.environ.update(values)
    settings.cache_clear()
