"""A system that a member proposes, and what stands of its tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from booking.calls.connections import CALL_RECORD, connection_of
from booking.joining.ask import Proposed, ask_for_test
from booking.joining.carry_out import carry_out_tests
from booking.joining.models import SystemTest
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.crypto import seal_master
from marketplace.core.database.db import reading, transaction
from providers.port import Connection
from tests.desk import make_member, member
from tests.providers.conformance.served import KEY, Served
from tests.world import World
from vip.principal import Member


def manager(world: World, login: str = "fang") -> Member:
    """A manager of the world's provider."""
    return member(make_member(world.provider.code, login=login))


def system(served: Served, **changes: Any) -> Proposed:
    """The sandbox as a member types it."""
    return Proposed(
        **{"adapter": served.adapter, "base_url": f"{served.url}/p/kit", "settings": {}, "secret": KEY, **changes}
    )


def tried(who: Member, proposed: Proposed, now: datetime | None = None) -> str:
    """Ask for a test and carry it out; its public id."""
    asked = ask_for_test(who, proposed, now=now or clock.now())
    carry_out_tests(clock.now if now is None else lambda: now)
    return asked


def row(test: str) -> SystemTest:
    """A test as it is stored."""
    with reading() as session:
        return session.scalars(select(SystemTest).where(SystemTest.public_id == test)).one()


def provider(world: World) -> Provider:
    """The world's provider as it is stored."""
    with reading() as session:
        return session.get_one(Provider, world.provider.id)


def connection(world: World) -> Connection:
    """How it is called now."""
    return connection_of(provider(world)).connection


def give_secret(world: World, secret: str) -> None:
    """Store a secret for the calls to the world's provider."""
    with transaction() as session:
        known = session.get_one(Provider, world.provider.id)
        known.secret_sealed = seal_master(secret, CALL_RECORD.format(known.code))
