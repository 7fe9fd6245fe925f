"""The rows of messages and commands run, at a tiny size, on a database and with processes of their own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench import data
from bench.data import Loaded
from bench.providers import commands, webhooks
from bench.stage import CannotMeasure, Stage
from marketplace.catalog.site_rows import COLUMNS
from marketplace.core.config import settings
from marketplace.core.database import db as database
from marketplace.development.database import DevDatabase
from tests.eventually import eventually
from tests.processes import killed_afterwards, start_web, start_worker

pytestmark = pytest.mark.slow

SITES = 2


@pytest.fixture
def where(own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The settings point at a database of our own, and at a list of two hospitals."""
    with (tmp_path / "hospitals.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS, restval="")
        lines.writeheader()
        for n in range(SITES):
            lines.writerow({"name": f"示范第{n}医院", "province": "示范省", "city": "示范市", "source": "sample"})
    monkeypatch.setenv("HOSPITALS_CSV", str(tmp_path / "hospitals.csv"))
    monkeypatch.setenv("DATABASE_URL", own_server.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", own_server.owner_url)
    monkeypatch.setattr(commands, "WARM_UP", 2)  # how fast anything is isn't asked here
    _forget()
    yield Stage(own_server, tmp_path)
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    database.forget_engines()
    settings.cache_clear()


@pytest.fixture
def loaded(where: Stage) -> Loaded:
    """Two pools of slots and a few customers."""
    return data.load(where, slots=SITES * data.A_POOL, customers=6)


def environment(where: Stage) -> dict[str, str]:
    return {"DATABASE_URL": where.database.database_url, "DATABASE_OWNER_URL": where.database.owner_url}


def test_messages_are_seen_by_customers_and_commands_pass_a_dead_provider(where: Stage, loaded: Loaded) -> None:
    told = webhooks.sender(where)
    web = start_web(environment(where), where.folder / "web.log")
    with killed_afterwards(web):
        port = int(web.url.rsplit(":", 1)[1])
        seen = webhooks.measure(where, loaded, port, told, per_second=50, seconds=0.2, clients=3)
        stranger = webhooks.Sender(told.secret[:-4] + "AAA=")
        with pytest.raises(CannotMeasure, match="'401': 2"):
            webhooks.measure(where, loaded, port, stranger, per_second=20, seconds=0.1, clients=2)
        commands.queue(where, loaded, port, rounds=1, seconds=0.6, clients=3)
    assert (len(seen.answered), len(seen.shown), seen.statuses) == (10, 2, {"200": 10})
    assert seen.reads >= 2 and min(seen.shown) > min(seen.answered)
    with commands.rig(where) as rig:
        with psycopg.connect(where.superuser_url) as connection:
            connection.execute("UPDATE provider SET deadline_seconds = 1 WHERE code = 'dead'")
        worker = start_worker(environment(where), where.folder / "worker.log")
        with killed_afterwards(worker):
            eventually(lambda: where.count("SELECT count(*) FROM worker_beat"), 40)
            commands.warm_up(where)
            found = commands.measure(where, rig, seconds=0.6)
    assert [len(each) for each in (found.alone, *found.beside.values())] == [3, 3, 3]
    assert set(found.tried) == set(commands.DEAD) and min(found.tried.values()) > 0
    assert where.count("SELECT count(*) FROM booking WHERE state = 'confirmed'") == commands.WARM_UP + 9
