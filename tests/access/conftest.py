"""The world of the table, made once for all of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import SUPERUSER
from marketplace.web.pages import csrf
from tests.access.everybody import Everybody, everybody
from tests.access.kept import Kept
from tests.access.trying import Trial
from tests.conftest import TestDatabase
from tests.emptying import Emptying
from tests.people import NOON
from tests.reports import examined_once
from vip.signin.limits import InMemory


@pytest.fixture(scope="module")
def app(worker_database: TestDatabase) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture(scope="package")
def _everybody(
    database_server: DevDatabase, worker_database: TestDatabase, empty_database: Emptying
) -> Iterator[tuple[Everybody, Kept]]:
    empty_database()
    with clock.frozen(NOON):
        world = everybody()
    with closing(Kept(database_server.server.url(SUPERUSER, worker_database.name))) as kept:
        yield world, kept


@pytest.fixture(scope="module")
def _world(app: Flask, _everybody: tuple[Everybody, Kept]) -> Trial:
    """The same world for each module, also after one that emptied the database."""
    world, kept = _everybody
    kept.bring_back()
    return Trial(app, world, kept)


@pytest.fixture
def trial(_world: Trial, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """The world with everybody in it. Nothing is too much: each line is asked a score of times from one address. Forms
    need no token, so that what refuses them is the check that the line is about."""
    monkeypatch.setattr(csrf, "protect", lambda: None)
    monkeypatch.setattr(InMemory, "take", lambda *_key: 1)
    monkeypatch.setattr(InMemory, "look", lambda *_key: None)
    with clock.frozen(NOON), examined_once():
        yield _world
