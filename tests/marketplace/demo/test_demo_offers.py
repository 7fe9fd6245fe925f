"""The demonstration's offers: at the sample sites or at real tier-3A hospitals, and the sandbox's configuration."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from booking.offers.availability import OfferQuery, search_offers
from marketplace.catalog.importer import import_sites
from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.demo.offers import SAMPLE_SITES, DemoOffers, NotInProduction, place_offers
from marketplace.demo.outside_escorts import SENDER
from tests.sites import load_sites, row

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of the test's own."""
    monkeypatch.setenv("ANXIANG_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield tmp_path / "state"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def loaded(db: Engine, own_state: Path) -> Engine:
    """The sample sites."""
    result = import_sites(SAMPLE_SITES)
    assert (result.inserted, result.refused) == (40, 0)
    return db


def _place() -> DemoOffers:
    return place_offers(
        sandbox_url="http://127.0.0.1:9",
        day_sandbox_url="http://127.0.0.1:7",
        webhooks_url="http://127.0.0.1:8/hooks/",
        now=NOON,
    )


def _accounts(made: DemoOffers) -> list[dict[str, Any]]:
    assert made.day_config is not None
    return [each for path in (made.config, made.day_config) for each in json.loads(path.read_text())["accounts"]]


def _rows(db: Engine) -> list[tuple[object, ...]]:
    tables = {
        "provider": "code, secret_sealed, webhook_secrets_sealed",
        "capacity_pool": "public_id",
        "offer": "public_id, active",
        "site": "public_id, closed_at, updated_at",
    }
    with db.connect() as connection:
        return [
            tuple(found)
            for table, columns in tables.items()
            for found in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY id"))
        ]


def test_every_sample_site_gets_a_pool_and_three_to_five_packages(loaded: Engine) -> None:
    made = _place()
    assert (made.sites, made.pools, made.added) == (40, 40, made.offers)
    with loaded.connect() as connection:
        counts = connection.execute(text("SELECT count(*) FROM offer GROUP BY pool_id")).scalars().all()
        providers = connection.execute(text("SELECT DISTINCT provider_id FROM capacity_pool")).all()
    assert min(counts) >= 3
    assert max(counts) <= 5
    assert len(providers) == 4


def test_one_provider_gives_out_places_per_day_and_is_reached_at_its_own_sandbox(loaded: Engine) -> None:
    _place()
    with loaded.connect() as connection:
        rows = connection.execute(text("SELECT code, adapter, base_url FROM provider ORDER BY code")).all()
    assert {row.adapter for row in rows if row.code != "qinghe"} == {"open_protocol"}
    assert ("qinghe", "day_capacity", "http://127.0.0.1:7/p/qinghe") in [tuple(row) for row in rows]


def test_a_second_run_changes_nothing(loaded: Engine) -> None:
    made = _place()
    before, config = _rows(loaded), made.config.stat().st_mtime_ns
    again = _place()
    assert (again.added, again.changed, again.offers) == (0, 0, made.offers)
    assert _rows(loaded) == before
    assert made.config.stat().st_mtime_ns == config


def test_an_offer_that_was_changed_is_put_right(loaded: Engine) -> None:
    _place()
    with loaded.begin() as connection:
        connection.execute(text("UPDATE offer SET price_minor = 1 WHERE id = (SELECT min(id) FROM offer)"))
    assert _place().changed == 1


def test_the_secrets_are_sealed_in_the_database_and_private_on_disk(loaded: Engine, own_state: Path) -> None:
    made = _place()
    accounts = {each["code"]: each for each in _accounts(made)}
    assert set(accounts) == {"hexin", "mingde", "yunshan", "anxin", "banlu", "qinghe"}
    with loaded.connect() as connection:
        for code, sealed, webhook in connection.execute(
            text("SELECT code, secret_sealed, webhook_secrets_sealed[1] FROM provider")
        ):
            assert crypto.unseal_master(sealed, f"provider:{code}:secret") == accounts[code]["api_keys"][0]
            assert crypto.unseal_master(webhook, f"provider:{code}:webhook") == accounts[code]["webhook_secret"]
    for name in ("config.json", "day-config.json", "secrets.json"):
        assert stat.S_IMODE((own_state / "sandbox" / name).stat().st_mode) == 0o600


def test_the_configuration_names_every_offer_with_its_rules(loaded: Engine) -> None:
    made = _place()
    accounts = _accounts(made)
    checks = [each for each in accounts if each["code"] != SENDER]
    listed = {offer["code"]: offer for each in checks for pool in each["pools"] for offer in pool["offers"]}
    assert accounts[0]["webhook_url"] == "http://127.0.0.1:8/hooks/hexin"
    with loaded.connect() as connection:
        for reference, package in connection.execute(text("SELECT external_ref, package FROM offer WHERE active")):
            rules = listed.pop(reference)
            assert rules.get("sex", "any") == package["sex"]
            assert (rules.get("min_age"), rules.get("max_age")) == (package["age_min"], package["age_max"])
    assert listed == {}


def test_with_real_hospitals_the_offers_move_there_and_the_sample_sites_close(loaded: Engine, tmp_path: Path) -> None:
    _place()
    load_sites(tmp_path, [row("某市第一医院"), row("某市第二医院", tier="二级")])
    made = _place()
    assert made.sites == 1
    cards = search_offers(OfferQuery(), limit=100, now=NOON).items
    assert {card.site_name for card in cards} == {"某市第一医院"}
    assert len(cards) == made.offers
    with loaded.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM site WHERE closed_at IS NOT NULL")).scalar_one() == 40
    assert (_place().added, _place().changed) == (0, 0)


def test_there_is_no_demonstration_in_production(loaded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANXIANG_ENV", "production")
    for name in ("MASTER_KEY", "INDEX_KEY"):
        monkeypatch.setenv(name, "A" * 43 + "=")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    settings.cache_clear()
    with pytest.raises(NotInProduction):
        _place()
