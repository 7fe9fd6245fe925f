"""A live provider and its twin are never joined to one system, whichever comes first and however it is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.calls.apart import place
from booking.calls.join import System, connection_to, write_system
from booking.twins.open import Twin, open_test_mode
from marketplace.catalog.models import Provider
from marketplace.core.database.db import bare_app, reading, transaction
from marketplace.core.errors import Invalid
from tests.booking.twins.stage import BY
from tests.people import NOON
from tests.world import World, make_world, set_provider

pytestmark = pytest.mark.usefixtures("db")

LIVE_AT, TEST_AT = "https://clinic.example/api", "https://trial.clinic.example/api"
WHO = Actor("operator", "test")


@pytest.fixture
def world() -> World:
    """A provider whose system is at LIVE_AT; its twin's is at TEST_AT."""
    return make_world(base_url=LIVE_AT)


@pytest.fixture
def twin(world: World) -> Twin:
    """See `world`."""
    twin = open_test_mode(world.provider.id, BY, NOON)
    write(twin.id, System("open_protocol", TEST_AT, {}, "s"))
    return twin


def write(provider_id: int, system: System) -> None:
    with transaction() as session:
        write_system(session, provider_id, system, WHO, now=NOON)


def refused(provider_id: int, system: System) -> tuple[str | None, object]:
    """The field and the reason, the same when it is asked for and when it is written."""
    with reading() as session, pytest.raises(Invalid) as asked:
        connection_to(session, session.get_one(Provider, provider_id), system)
    with pytest.raises(Invalid) as written:
        write(provider_id, system)
    found = [(each.value.at, each.value.facts["reason"]) for each in (asked, written)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    "written",
    [
        LIVE_AT,
        f"{LIVE_AT}/",
        "https://CLINIC.Example/api",
        "https://clinic.example:443/api",
        "https://clinic.example/other/../api",
        "https://clinic.example/%61pi",
    ],
)
def test_a_twin_does_not_get_the_live_systems_address(twin: Twin, written: str) -> None:
    assert refused(twin.id, System("open_protocol", written, {}, "s")) == ("base_url", "live_system")


def test_nor_does_the_live_one_get_the_twins(world: World, twin: Twin) -> None:
    there = System("open_protocol", f"{TEST_AT}/", {}, "s")
    assert refused(world.provider.id, there) == ("base_url", "test_system")


def test_a_twin_is_not_tried_at_the_live_system(twin: Twin) -> None:
    there = System("open_protocol", TEST_AT, {"test_url": LIVE_AT}, "s")
    assert refused(twin.id, there) == ("test_url", "live_system")


def test_other_addresses_count_too(world: World, twin: Twin) -> None:
    set_provider(world.provider, adapter="fhir", settings={"token_url": "https://clinic.example/token"})
    there = System("open_protocol", "https://clinic.example/token", {}, "s")
    assert refused(twin.id, there) == ("base_url", "live_system")


@pytest.mark.parametrize("at", ["https://clinic.example/test", "https://clinic.example:8443/api", TEST_AT])
def test_any_other_address_is_its_own(world: World, twin: Twin, at: str) -> None:
    """Also where the live one is tried: that is a system for tests."""
    set_provider(world.provider, settings={"test_url": TEST_AT})
    write(twin.id, System("open_protocol", at, {}, "s"))
    with reading() as session:
        assert session.scalar(select(Provider.base_url).where(Provider.id == twin.id)) == at


def test_both_may_ask_for_tokens_at_one_place(world: World, twin: Twin) -> None:
    tokens = {"token_url": "https://clinic.example/token"}
    set_provider(world.provider, adapter="fhir", settings=tokens)
    with reading() as session:
        connection_to(session, session.get_one(Provider, twin.id), System("fhir", TEST_AT, tokens, ""))


def test_of_both_sides_that_are_joined_at_once_one_is_refused(world: World, twin: Twin) -> None:
    there, both = System("open_protocol", "https://new.clinic.example/api", {}, "s"), Barrier(2)

    def join(provider_id: int) -> str:
        with bare_app().app_context():
            both.wait()
            try:
                write(provider_id, there)
            except Invalid as no:
                return str(no.facts["reason"])
        return "joined"

    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(join, (world.provider.id, twin.id)))
    assert found in (["joined", "live_system"], ["joined", "test_system"])


def test_a_place_has_one_form() -> None:
    assert place("https://clinic.example") == place("https://Clinic.example.:443/") != place("http://clinic.example")
