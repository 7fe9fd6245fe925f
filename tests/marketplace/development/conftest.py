"""Embedded servers of both kinds of programs, begun with data of before where nothing is asked about a first start."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from marketplace.development.database import DevDatabase
from marketplace.development.embedded import guard, postgres
from tests.migrated_server import keep, place_copy
from tests.needs import needs


@pytest.fixture(params=["machine", "wheel"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each kind of programs in turn. Where the machine has none, that is a failure in CI and a skip elsewhere."""
    wanted: str = request.param
    if wanted == "machine":
        needs(_machine_has_postgres(), "PostgreSQL")
    monkeypatch.setenv("ANXIANG_PG", wanted)
    return wanted


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where the data of a server that was started once and stopped is kept, for each kind: initdb is what costs."""

    @cache
    def kept(kind: str) -> Path:
        folder: Path = tmp_path_factory.mktemp(kind or "any")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANXIANG_PG", kind)
            keep(folder)
        return folder

    return kept


@pytest.fixture
def old(kind: str, made: Callable[[str], Path], state: Path) -> Path:
    """The state folder of a server that ran before."""
    place_copy(made(kind), state)
    return state


@pytest.fixture(scope="module")
def all_started(
    made: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], DevDatabase]]:
    """A running server of each kind, for tests that neither stop it nor look at its processes."""
    with ExitStack() as stack:

        @cache
        def started(kind: str) -> DevDatabase:
            state = tmp_path_factory.mktemp("started") / kind
            place_copy(made(kind), state)
            return stack.enter_context(DevDatabase(state, ephemeral=True, fsync=False))

        yield started


@pytest.fixture
def started(kind: str, all_started: Callable[[str], DevDatabase]) -> DevDatabase:
    """One that runs."""
    return all_started(kind)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever a failed test left running ends here."""
    yield tmp_path / "postgres"
    described = postgres.Server.read(tmp_path / "postgres")
    if described is not None:
        postgres.kill(described)
        guard.collect(tmp_path / "postgres")
        shutil.rmtree(described.folder, ignore_errors=True)


def _machine_has_postgres() -> bool:
    return shutil.which("postgres") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
