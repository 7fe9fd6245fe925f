"""Endpoints and their deliveries, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select, text

from booking.webhooks import endpoints, events, send
from booking.webhooks.endpoints import By, Endpoint
from booking.webhooks.make import make_deliveries
from booking.webhooks.models import WebhookDelivery
from booking.webhooks.send import Claimed
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import World

BY = By("provider", "cli_test")


def add(world: World, url: str, *event_types: str, now: datetime = NOON) -> Endpoint:
    """An endpoint for the events of these types, else for all."""
    return endpoints.add(world.provider.id, url, event_types or events.TYPES, by=BY, now=now)


def write_line(connection: Connection, booking: str, version: int) -> None:
    """A line of the booking's history, in the connection's transaction."""
    connection.execute(
        text(
            "INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor, cause)"
            " SELECT id, :version, :now, 'awaiting_provider', 'confirmed', 'provider', '', '' FROM booking"
            " WHERE public_id = :booking"
        ),
        {"booking": booking, "version": version, "now": NOON},
    )


def confirmed(world: World, slot: int = 0) -> str:
    """A booking with two events, of version 2 and 3; its public id."""
    booking = world.submit(slot)
    with transaction() as session:
        write_line(session.connection(), booking, 3)
    return booking


def booked(world: World, url: str, slot: int = 0) -> Endpoint:
    """An endpoint, and a booking whose two events wait to be sent to it."""
    endpoint = add(world, url)
    confirmed(world, slot)
    make_deliveries(now=NOON)
    return endpoint


def claim(now: datetime = NOON, *, failing: bool | None = None, each: int = 100) -> list[Claimed]:
    """What is due, of endpoints that are well and of those that fail."""
    which = (False, True) if failing is None else (failing,)
    return [one for it in which for one in send.claim(failing=it, each=each, places=100, now=now)]


def send_due(now: datetime = NOON, *, chance: float = 0.0) -> list[str]:
    """Send what is due once, at that moment; the outcomes."""
    return [send.send(claimed, lambda: now, lambda: chance) for claimed in claim(now)]


def send_all(now: datetime = NOON) -> list[str]:
    """Send until nothing is due any more."""
    outcomes: list[str] = []
    while sent := send_due(now):
        outcomes += sent
    return outcomes


def rows() -> list[WebhookDelivery]:
    """All deliveries, in the order in which they were made."""
    with reading() as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all())


def real_now() -> datetime:
    """The machine's time, by which receivers judge a message's age."""
    return datetime.now(UTC)
