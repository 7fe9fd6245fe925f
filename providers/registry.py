"""Which adapter speaks to which kind of provider system: one line each."""

from __future__ import annotations

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Connection, ProviderAdapter

ADAPTERS: dict[str, type[ProviderAdapter]] = {
    "open_protocol": OpenProtocol,
}


def connect(adapter: str, connection: Connection) -> ProviderAdapter:
    """An adapter for a provider, for use by one thread at a time. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter](connection)
