"""How a provider is reached: what opens, what does not, and which one is meant."""

from __future__ import annotations

import pytest

from booking.calls.connections import ProviderConnection, connection_by_code, provider_connections
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from providers.registry import connect
from tests.world import make_world, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_a_provider_that_cannot_be_called_is_named_and_keeps_no_other_from_it() -> None:
    broken, well = make_world().provider, make_world(phone="13800000099").provider
    set_provider(broken, secret_sealed=b"not sealed by us")
    with reading() as session:
        usable, unusable = provider_connections(session)
    assert [each.id for each in usable] == [well.id]
    assert [(each.id, each.code, each.reason) for each in unusable] == [(broken.id, broken.code, "Unreadable")]


def test_a_provider_is_found_by_its_own_code_only() -> None:
    make_world()
    provider = make_world(phone="13800000099").provider
    set_provider(provider, deadline_seconds=10)
    with reading() as session:
        known: ProviderConnection = connection_by_code(session, provider.code)
        with pytest.raises(NotFound) as missing:
            connection_by_code(session, "nobody")
    assert missing.value.at == "provider"
    assert (known.id, known.connection.provider, known.connection.deadline_seconds) == (provider.id, provider.code, 10)
    assert type(known.open()) is type(connect(known.adapter, known.connection))
