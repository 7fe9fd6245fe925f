"""Which adapter speaks to which kind of provider system: one line each."""

from __future__ import annotations

from providers.adapters.day_capacity import DayCapacity
from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.partner import Partner
from providers.port import Capabilities, Connection, ProviderAdapter

ADAPTERS: dict[str, type[ProviderAdapter]] = {
    "day_capacity": DayCapacity,
    "open_protocol": OpenProtocol,
    "partner": Partner,
}


def connect(adapter: str, connection: Connection) -> ProviderAdapter:
    """An adapter for a provider, for use by one thread at a time. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter](connection)


def capabilities(adapter: str) -> Capabilities:
    """What systems of this kind can do. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter].capabilities


def answering_here() -> list[str]:
    """Codes of the adapters whose providers answer in our own books."""
    return [code for code, adapter in ADAPTERS.items() if adapter.capabilities.answers_here]
