"""How each provider is reached: its address, keys, limits and intervals, ready for an adapter."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core.crypto import Unreadable, unseal_master
from marketplace.core.database.db import reading, rows
from marketplace.core.errors import NotFound
from providers.port import Connection, ProviderAdapter
from providers.registry import capabilities, connect

CALL_RECORD = "provider:{}:secret"
"""The record that the secret for calling a provider is sealed for, of the provider's code."""
WEBHOOK_RECORD = "provider:{}:webhook"
"""The record that the secrets of a provider's webhooks are sealed for, of the provider's code."""


@dataclass(frozen=True)
class ProviderConnection:
    """What a worker needs to know of a provider, free of the database."""

    id: int
    code: str
    adapter: str
    connection: Connection
    max_in_flight: int
    paused: bool
    poll_seconds: int
    slots_seconds: int

    @property
    def list_bookings(self) -> bool:
        """Whether its system lists its bookings."""
        return capabilities(self.adapter).list_bookings

    @property
    def answers_here(self) -> bool:
        """Whether there is nothing to read from it."""
        return capabilities(self.adapter).answers_here

    @property
    def converses(self) -> bool:
        """Whether doctors of its own can answer consultations."""
        return capabilities(self.adapter).converses

    @property
    def escorts(self) -> bool:
        """Whether it can send escorts of its own."""
        return capabilities(self.adapter).escorts

    def open(self) -> ProviderAdapter:
        """A new adapter for one thread's use."""
        return connect(self.adapter, self.connection)


@dataclass(frozen=True)
class Unusable:
    """A provider that cannot be called until a person changes its row. `reason`: the class of the error."""

    id: int
    code: str
    reason: str


def provider_connections(session: Session) -> tuple[list[ProviderConnection], list[Unusable]]:
    """All providers by id: those that can be called, and those whose secrets do not open or whose adapter is not
    registered. One that is wrong affects no other."""
    usable: list[ProviderConnection] = []
    unusable: list[Unusable] = []
    for provider in session.scalars(select(Provider).order_by(Provider.id)):
        try:
            known = connection_of(provider)
            known.open()
        except (Unreadable, KeyError, ValueError) as wrong:
            unusable.append(Unusable(provider.id, provider.code, type(wrong).__name__))
        else:
            usable.append(known)
    return usable, unusable


def provider_id_of(code: str) -> int:
    """The number of the provider with this code. Raises NotFound(field="provider")."""
    with reading() as session:
        provider_id = session.scalar(select(Provider.id).where(Provider.code == code))
    if provider_id is None:
        raise NotFound(field="provider")
    return provider_id


def connection_by_code(session: Session, code: str) -> ProviderConnection:
    """The provider with this code. Raises NotFound(field="provider"), and what connection_of() raises."""
    provider = session.scalar(select(Provider).where(Provider.code == code))
    if provider is None:
        raise NotFound(field="provider")
    return connection_of(provider)


_BY_CODE = """
    SELECT id, code, adapter, base_url, secret_sealed, webhook_secrets_sealed, time_zone, deadline_seconds, settings,
           networks, max_in_flight, paused_at, poll_seconds, slots_seconds
      FROM provider WHERE code = %(code)s
"""


def sender_by_code(code: str) -> ProviderConnection | None:
    """The provider with this code, None if there is none: by one bare statement, since each of its messages asks.
    Raises Unreadable."""
    found = rows(_BY_CODE, {"code": code})
    return connection_of(found[0]) if found else None


def connection_of(provider: Provider) -> ProviderConnection:
    """A provider's row as plain data, its secrets opened."""
    secret = b"" if provider.secret_sealed is None else provider.secret_sealed
    return ProviderConnection(
        id=provider.id,
        code=provider.code,
        adapter=provider.adapter,
        connection=Connection(
            provider=provider.code,
            base_url=provider.base_url,
            secret=unseal_master(secret, CALL_RECORD.format(provider.code)) if secret else "",
            webhook_secrets=tuple(
                unseal_master(sealed, WEBHOOK_RECORD.format(provider.code))
                for sealed in provider.webhook_secrets_sealed
            ),
            time_zone=provider.time_zone,
            deadline_seconds=float(provider.deadline_seconds),
            settings=provider.settings,
            networks=tuple(provider.networks),
        ),
        max_in_flight=provider.max_in_flight,
        paused=provider.paused_at is not None,
        poll_seconds=provider.poll_seconds,
        slots_seconds=provider.slots_seconds,
    )
