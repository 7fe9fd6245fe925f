"""Bookings that wait for their provider's answer, made as customers make them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from bench import load
from bench.data import Loaded
from bench.stage import CannotMeasure, Stage

_LONGEST = 300.0


@dataclass(frozen=True)
class Submitted:
    """A booking by its public id, with its time and its customer's token."""

    booking: str
    service_date: date
    starts_at: datetime
    ends_at: datetime
    token: str


def submit(where: Stage, loaded: Loaded, port: int, how_many: int, clients: int) -> list[Submitted]:
    """Forget all bookings, then hold and confirm so many over the API, each of another customer as long as there are
    some; in the order of their making. Their commands are queued. Raises CannotMeasure."""
    where.begin_anew()
    requests = []
    for n in range(how_many):
        token, body = loaded.request(n, hot=False)
        requests.append(load.message("POST", "/api/v1/bookings", token, body, str(uuid.uuid4())))
    tally = load.run(load.Job(port, clients, _LONGEST, requests, confirm=True))
    with psycopg.connect(where.superuser_url) as connection:
        rows = connection.execute(
            "SELECT public_id, service_date, starts_at, ends_at, customer_id FROM booking ORDER BY id"
        ).fetchall()
    if set(tally.statuses) != {"200"} or len(rows) != how_many:
        raise CannotMeasure(f"Of {how_many} bookings {len(rows)} were made: {tally.statuses} {tally.refusal}")
    first = loaded.numbers.first_customer
    return [
        Submitted(public_id, day, starts, ends, loaded.bookers[customer - first].token)
        for public_id, day, starts, ends, customer in rows
    ]
