"""Which adapter speaks to which kind of provider system: one line each.

`partner` and `desk` speak alike: whether a program or people answer, it happens in our own books and there is nothing
to call. The code says who is expected to; a program has to prove itself.
"""

from __future__ import annotations

from marshmallow import Schema

from providers.adapters.day_capacity import DayCapacity
from providers.adapters.fhir.adapter import Fhir
from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.partner import Desk, Partner
from providers.adapters.settings import About, AdapterSettings
from providers.port import Capabilities, Connection, ProviderAdapter

ADAPTERS: dict[str, type[ProviderAdapter]] = {
    "day_capacity": DayCapacity,
    "desk": Desk,
    "fhir": Fhir,
    "open_protocol": OpenProtocol,
    "partner": Partner,
}


def connect(adapter: str, connection: Connection) -> ProviderAdapter:
    """An adapter for a provider, for use by one thread at a time. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter](connection)


def capabilities(adapter: str) -> Capabilities:
    """What systems of this kind can do. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter].capabilities


def settings_schema(adapter: str) -> type[Schema]:
    """Which settings a provider with such a system has. Raises KeyError for a code that is not registered."""
    return ADAPTERS[adapter].settings_schema


def answering_here() -> list[str]:
    """Codes of the adapters whose providers answer in our own books."""
    return [code for code, adapter in ADAPTERS.items() if adapter.capabilities.answers_here]


def needing_none() -> list[str]:
    """Codes of the adapters whose providers need no certificate: people answer in our own books."""
    return [code for code in answering_here() if not ADAPTERS[code].capabilities.program]


def with_system() -> list[str]:
    """Codes of the adapters that call a system, in the order of the alphabet."""
    return sorted(set(ADAPTERS) - set(answering_here()))


def conversing() -> list[str]:
    """Codes of the adapters through which a provider's own doctors can answer consultations."""
    return [code for code, adapter in ADAPTERS.items() if adapter.capabilities.converses]


def escorting() -> list[str]:
    """Codes of the adapters through which a provider's own system can send escorts and say what they do."""
    return [code for code, adapter in ADAPTERS.items() if adapter.capabilities.escorts]


def about(adapter: str) -> About:
    """What a form says of systems of this kind: one of with_system(). Raises KeyError for a code that is not
    registered."""
    schema = ADAPTERS[adapter].settings_schema
    if not issubclass(schema, AdapterSettings):
        raise KeyError(adapter)
    return schema.about
