"""What every test finds: settings of its own, no way out, and a database where it asks for one.

- `db`: the worker's database with all tables empty; DATABASE_URL and the engines point at it.
- `module_db`: the same, emptied once for all tests of a module.
- `owner_connection`: an autocommit connection to it as the owner, for what the application may not do.
- `other_database(name)`: one more migrated database, for tests that run processes of their own or change the schema.
- `processes_database`: the same as `db`, for tests that start processes of the product.
- `own_server`: a migrated PostgreSQL server of the test's own, for tests that kill it.
"""

from __future__ import annotations

import fcntl
import gc
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from marketplace.core import clock, migrate
from marketplace.core.config import settings, sqlalchemy_url
from marketplace.core.database import db as database
from marketplace.core.database import silence
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, OWNER, SUPERUSER
from tests import examiners, outside, templates
from tests.emptying import Emptying
from tests.eventually import eventually
from tests.keys import forget_keys
from tests.migrated_server import make_once, place_copy
from vip.operators import operators

_TEMPLATE = "migrated"
_RUN = "ANXIANG_TEST_RUN"
_BROKEN = re.compile(r"terminated by (signal|exception)|PANIC|crash of another|[Oo]ut of memory|not yet accepting")
_CONNECTED = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = %s"
_NOWHERE = "postgresql://nobody@127.0.0.1:9/no_test_asked_for_the_db_fixture"


@dataclass(frozen=True)
class TestDatabase:
    """One migrated database, and the environment a process needs to work on it."""

    __test__ = False

    name: str
    database_url: str
    owner_url: str

    @property
    def environment(self) -> dict[str, str]:
        """A whole environment for subprocess: ours with this database."""
        return {**os.environ, "DATABASE_URL": self.database_url, "DATABASE_OWNER_URL": self.owner_url}


silence.WEB_CONNECT_SECONDS = 10
"""A machine that is busy with tests may take longer to let somebody in than a person at a browser should wait."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end: no search for garbage goes through it, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the rooms that are about PostgreSQL itself, before `-m every_postgres` chooses: all of them but what shows
    what processes of ours and the network do."""
    for item in items:
        if {"migrations", "concurrency"} & set(item.path.parts) and not item.get_closest_marker("one_postgres"):
            item.add_marker("every_postgres")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported: one folder a run, shared with the xdist workers, and our own settings."""
    if _RUN not in os.environ:
        folder = tempfile.mkdtemp(prefix="anxiang-run-")
        os.environ[_RUN] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.add_cleanup(lambda: os.environ.pop(_RUN, None))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process of a test compiles the whole product anew
        sys.dont_write_bytecode = False  # and each run all test modules
    keys = ("MASTER_KEY", "MASTER_KEYS", "INDEX_KEY", "INDEX_KEYS", "SECRET_KEY", "SECRET_KEY_FALLBACKS")
    for name in (*keys, "CLOCK_OFFSET_SECONDS", "PUBLIC_URL", "SMS_BACKEND"):
        os.environ.pop(name, None)
    os.environ["ANXIANG_ENV"] = "test"
    os.environ["ANXIANG_STATE_DIR"] = str(_run_folder() / "state")
    os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"] = _NOWHERE
    templates.compile_once(_run_folder() / "templates")
    outside.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say when the run's PostgreSQL lost a process: what failed then has that reason, which nobody else would tell."""
    log = _run_folder() / "postgres" / "server.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    for line in lines:
        if _BROKEN.search(line):
            terminalreporter.write_line(f"PostgreSQL: {line}")


@pytest.fixture(autouse=True)
def no_way_out() -> Iterator[None]:
    """Fail the test that tried to reach another machine, even if the code under test hid it."""
    outside.attempts.clear()
    yield
    assert outside.attempts == [], "this test tried to leave the machine"


@pytest.fixture(autouse=True)
def the_clock_goes() -> Iterator[None]:
    """Fail the test that left the clock stopped: those behind it would live in another year."""
    yield
    stopped, clock._fixed = clock._fixed, None
    assert stopped is None, f"the clock was left standing at {stopped}"


@pytest.fixture(autouse=True)
def keys_as_before() -> Iterator[None]:
    """Keys of a test's own end with it. Set up before any monkeypatch, so torn down after."""
    yield
    forget_keys()


@pytest.fixture(autouse=True, scope="session")
def dear_hashing() -> Iterator[str]:
    """Passwords are hashed at a hundredth of what it costs to guess one; the method in use outside of tests."""
    dear = operators.HASHING
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operators, "HASHING", "scrypt:256:8:1")
        yield dear


@pytest.fixture(autouse=True, scope="session")
def examiners_kept_ready() -> Iterator[None]:
    """Who examines a file is a fork of a process that has the program loaded."""
    with examiners.kept_ready():
        yield


@pytest.fixture
def examiners_anew() -> Iterator[None]:
    """Who examines a file is started from nothing, as in the product."""
    with examiners.started_anew():
        yield


@pytest.fixture(scope="session")
def database_server() -> Iterator[DevDatabase]:
    """The run's one server with its migrated template; the first worker to come makes both."""
    with DevDatabase(_run_folder() / "postgres", ephemeral=True, fsync=False) as server:
        with _one_at_a_time(), psycopg.connect(server.server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone():
                draft = f"{_TEMPLATE}_draft"
                server.drop_database(draft)
                server.create_database(draft)
                migrate.upgrade(server.url(draft, role=OWNER), application_role=APPLICATION)
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(_TEMPLATE)))
        yield server


@pytest.fixture(scope="session")
def worker_database(database_server: DevDatabase) -> Iterator[TestDatabase]:
    """This xdist worker's database; the settings of the process point at it from now on."""
    made = _make(database_server, f"test_{_worker()}")
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = made.database_url, made.owner_url
    _forget_settings()
    yield made
    _forget_settings()
    os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"] = _NOWHERE


@pytest.fixture(scope="session")
def _owner_engine(worker_database: TestDatabase) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(worker_database.owner_url), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def owner_connection(_owner_engine: Engine) -> Iterator[Connection]:
    """An autocommit connection as the owner. Do not change the schema with it: use other_database for that."""
    with _owner_engine.connect() as connection:
        connection.execute(
            text("SET lock_timeout = '10s'")
        )  # a test that left a transaction open is named, not waited for
        yield connection


@pytest.fixture(scope="session")
def empty_database(database_server: DevDatabase, worker_database: TestDatabase) -> Iterator[Emptying]:
    """Empties the worker's database when called."""
    with closing(Emptying(database_server.server.url(SUPERUSER, worker_database.name))) as emptying:
        yield emptying


@pytest.fixture
def db(worker_database: TestDatabase, empty_database: Emptying) -> Engine:
    """All tables empty, and the application's engine on them. Rows stay after the test, for looking at a failure. That
    an earlier test met a silent server says nothing of this one's."""
    return _emptied(empty_database)


@pytest.fixture(scope="module")
def module_db(worker_database: TestDatabase, empty_database: Emptying) -> Engine:
    """The same once for a module whose tests change nothing that another of them reads; none of them takes `db`."""
    return _emptied(empty_database)


def _emptied(empty_database: Emptying) -> Engine:
    empty_database()
    silence.forget()
    return database.engine()


@pytest.fixture
def processes_database(db: Engine, worker_database: TestDatabase) -> Iterator[TestDatabase]:
    """The worker's database with all tables empty, for processes of the test's own that harm no server. Who comes next
    finds none of their connections: what a process sent last before it was killed is done or was never begun."""
    with psycopg.connect(worker_database.owner_url, autocommit=True) as connection:
        before = set(connection.execute(_CONNECTED, [APPLICATION]))
        yield worker_database
        database.forget_engines()
        eventually(lambda: set(connection.execute(_CONNECTED, [APPLICATION])) <= before)


@pytest.fixture
def other_database(database_server: DevDatabase) -> Iterator[Callable[..., TestDatabase]]:
    """Make migrated databases, `other_database("crash")`, or copies of one, `other_database("crash", original.name)`;
    they are dropped after the test."""
    yield from _others(database_server)


@pytest.fixture(scope="module")
def module_database(database_server: DevDatabase) -> Iterator[Callable[..., TestDatabase]]:
    """The same for what all tests of a module use; nobody may be in what is copied."""
    yield from _others(database_server)


def _others(server: DevDatabase) -> Iterator[Callable[..., TestDatabase]]:
    made: list[str] = []

    def make(name: str, original: str = _TEMPLATE) -> TestDatabase:
        made.append(f"{name}_{_worker()}")
        return _make(server, made[-1], original)

    yield make
    for name in made:
        server.drop_database(name)


def _migrated_server() -> Path:
    made = _run_folder() / "own_server"
    with _one_at_a_time():
        make_once(made)
    return made


@pytest.fixture(scope="session")
def migrated_server() -> Path:
    """What `place_copy` makes servers of a test's own from; whoever needs it first makes it."""
    return _migrated_server()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[DevDatabase]:
    """A server of the test's own, with a migrated database at its `database_url`: kill() and start() as you like."""
    with running_server(tmp_path / "postgres") as server:
        yield server


@contextmanager
def running_server(state: Path) -> Iterator[DevDatabase]:
    """What `own_server` is, described in `state`: for a module whose tests share one."""
    place_copy(_migrated_server(), state)
    with DevDatabase(state, ephemeral=True, fsync=False) as server:
        yield server


def _run_folder() -> Path:
    return Path(os.environ[_RUN])


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _make(server: DevDatabase, name: str, original: str = _TEMPLATE) -> TestDatabase:
    with _one_at_a_time():  # PostgreSQL copies a template only while nobody else does
        server.drop_database(name)
        server.create_database(name, template=original)
    return TestDatabase(name, server.url(name), server.url(name, role=OWNER))


def _forget_settings() -> None:
    database.forget_engines()
    settings.cache_clear()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (_run_folder() / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
