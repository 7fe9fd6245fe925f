"""A provider that answers here, and its program's answers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from booking.calls.connections import connection_of
from booking.discrepancies import Discrepancy
from booking.exchange import send
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.providers.partner_api.partner import Partner
from tests.world import World, booking_row, make_world


def answering_world(**offer: Any) -> World:
    """A world whose provider answers here."""
    made = make_world(**offer)
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == made.provider.id).values(adapter="partner"))
    return made


def work(world: World, *, now: datetime = NOON) -> list[str]:
    """One pass of the outbox; the outcomes."""
    with reading() as session:
        known = connection_of(session.get_one(Provider, world.provider.id))
    claimed = send.claim_tasks(known, worker="w1", places=10, now=now)
    return [send.run_task(known, known.open(), task, lambda: now).what for task in claimed]


def requested(world: World, slot: int = 0) -> str:
    """A booking that has reached its provider; its public id."""
    public_id = world.submit(slot)
    work(world)
    return public_id


def say(partner: Partner, booking: str, what: str, *, etag: str | None = "now", **body: Any) -> TestResponse:
    """One answer, with a key of its own and the version that the booking has (`etag`: another one; None: none)."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    if etag is not None:
        headers["If-Match"] = f'"{booking_row(booking).version}"' if etag == "now" else etag
    return partner.post(f"/bookings/{booking}/{what}", headers=headers, **({"json": body} if body else {}))


def code(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.get_json()["code"]


def open_cases() -> list[str]:
    """Kinds of what is open between the two books."""
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))
