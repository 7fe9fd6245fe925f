"""The rehearsal of a restore: backup, log, a moment in between, and a copy that does nothing until it is released."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from sqlalchemy import Connection, text

from booking.answering import events
from booking.answering.feed_history import CursorOutlived, HeldBack
from booking.worker.jobs.job import Job
from booking.worker.process import Worker
from marketplace import cli
from marketplace.app import create_app
from marketplace.chain.heads import HeadsWriter
from marketplace.chain.seal import seal_all
from marketplace.core import clock, release
from marketplace.core.config import ROOT, settings
from marketplace.core.database import db as database
from marketplace.core.database import released
from marketplace.core.database.db import reading
from marketplace.core.release import NotReleased
from marketplace.core.sending import email, sms
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, OWNER, SUPERUSER, Server, free_port
from marketplace.development.embedded.programs import RunAs
from providers.adapters.http import Deadline, HttpClient, NoAnswer
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import make_world

SCRIPTS = ROOT / "deploy" / "backup"
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """A command of `flask --app wsgi`."""
    app = create_app()
    cli.install(app)
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


@dataclass
class Backups:
    """A server that archives, its backups, and the copy that is restored from them."""

    server: Server
    folder: Path

    def script(self, name: str, *arguments: object) -> str:
        """Run a script of deploy/backup as the server's user."""
        program = f"PG_BIN={self.server.programs}"
        done = RunAs(self.server.user).run("env", program, "sh", str(self.folder / name), *map(str, arguments))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def base(self) -> str:
        return self.script("base-backup.sh", self.server.url(SUPERUSER, "postgres"), self.folder / "base")

    def archived(self) -> None:
        """Everything until now is in the archive."""
        with psycopg.connect(self.server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
        eventually((self.folder / "wal" / row[0]).exists, 60)

    def restore(self, base: str, until: str) -> Server:
        """A copy of the moment `until`, running."""
        copy = replace(self.server, folder=self.folder / "copy", port=free_port())
        copy.folder.mkdir()
        RunAs(copy.user).give(copy.folder)
        self.script("restore.sh", base, self.folder / "wal", copy.data, until)
        options = f"-p {copy.port} -k '' -c max_connections=300"  # as many as the original, else it does not recover
        self._control(copy, "start", "-w", "-t", "60", "-l", str(copy.folder / "log"), "-o", options)
        with psycopg.connect(copy.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            eventually(lambda: connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,), 60)
        return copy

    def end(self) -> None:
        copy = replace(self.server, folder=self.folder / "copy")
        if copy.data.exists():
            self._control(copy, "stop", "-m", "immediate")

    def _control(self, copy: Server, *words: str) -> None:
        done = RunAs(copy.user).run(str(copy.programs / "pg_ctl"), "-D", str(copy.data), *words)
        assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture
def backups(own_server: DevDatabase) -> Iterator[Backups]:
    """The test's server, archiving."""
    server = own_server.server
    if server.programs.parent.name.startswith("pginstall"):
        pytest.skip("the wheel's pg_basebackup crashes: copies are made with a machine's own programs")
    folder = server.folder / "backups"
    for each in (folder, folder / "base", folder / "wal"):
        each.mkdir()
        RunAs(server.user).give(each)
    for script in SCRIPTS.glob("*.sh"):
        shutil.copy(script, folder)
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        archive = f'sh {folder}/archive-wal.sh "%p" "%f" {folder}/wal'
        connection.execute("ALTER SYSTEM SET archive_mode = on")
        connection.execute(f"ALTER SYSTEM SET archive_command = '{archive}'".encode())
    own_server.kill()
    own_server.start()
    made = Backups(own_server.server, folder)
    yield made
    made.end()
    shutil.rmtree(folder)
    released.note(held_back=False)


@pytest.fixture
def stage(
    backups: Backups, own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once, on the server that archives."""
    with set_stage(own_server, tmp_path, monkeypatch) as made:
        yield made


class Box:
    """A gateway that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, to: str, *text: str, key: str = "") -> None:
        self.sent.append(to)


def bookings() -> set[str]:
    with reading() as session:
        return set(session.execute(text("SELECT public_id FROM booking")).scalars())


def test_a_restored_copy_is_whole_and_does_nothing_until_it_is_released(
    stage: Stage, backups: Backups, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = tmp_path / "heads"
    principal, person, _ = stage.customer(1)
    slots = stage.slots()
    first = stage.submit(principal, person, slots[0])
    base = backups.base()
    second = stage.submit(principal, person, slots[1])
    seal_all(now=clock.now)
    HeadsWriter(heads).write()
    moment = datetime.now(UTC).isoformat()
    kept = events.events(stage.provider.id, cursor=None, limit=50).next
    lost = stage.submit(principal, person, slots[2])
    seen = events.events(stage.provider.id, cursor=kept, limit=50)
    assert [each.booking.id for each in seen.items] == [lost]
    seal_all(now=clock.now)
    HeadsWriter(heads).write()
    backups.archived()
    assert bookings() == {first, second, lost}

    copy = backups.restore(base, moment)
    monkeypatch.setenv("DATABASE_URL", copy.url(APPLICATION, "anxiang"))
    monkeypatch.setenv("DATABASE_OWNER_URL", copy.url(OWNER, "anxiang"))
    settings.cache_clear()
    database.forget_engines()
    assert bookings() == {first, second}
    checked = run("installation", "check")
    assert (checked.exit_code, checked.stdout) == (0, ""), checked.output
    assert "held back" in checked.stderr
    assert run("audit", "verify").exit_code == 0
    against = run("audit", "verify", "--heads", str(heads))
    assert (against.exit_code, against.stdout) == (3, "truncated: the chain (seal 2)\n")

    assert released.held()
    texts, mails = Box(), Box()
    with pytest.raises(NotReleased):
        sms.UnlessHeld(texts).send("+8613800000000", "x")
    with pytest.raises(NotReleased):
        email.UnlessHeld(mails).send("a@example.com", "x", "x", key="k")

    stage.server = _Copy(copy)  # type: ignore[assignment]
    worker = stage.worker()
    log = tmp_path / "worker.log"
    eventually(lambda: "worker.held" in log.read_text(), 60)
    beats = [_beat(after=None)]
    while len(beats) < 4:  # three rounds more, each long enough for ten looks at the outbox
        beats.append(eventually(lambda: _beat(after=beats[-1]), 60))
    assert (stage.sandbox.control().bookings(), texts.sent, mails.sent) == ([], [], [])
    assert "worker.leads" not in log.read_text() and "provider.call" not in log.read_text()

    with pytest.raises(HeldBack):
        events.events(stage.provider.id, cursor=kept, limit=50)
    assert run("installation", "release").output == "Released.\n"
    assert run("installation", "release").output == "It is released already.\n"
    for outlived in (kept, seen.next):
        with pytest.raises(CursorOutlived):
            events.events(stage.provider.id, cursor=outlived, limit=50)
    told = {each.booking.id for each in events.events(stage.provider.id, cursor=None, limit=50).items}
    assert told == {first, second}
    eventually(lambda: stage.live_there(first) == stage.live_there(second) == 1, 60)
    assert stage.live_there(lost) == 0
    sms.UnlessHeld(texts).send("+8613800000000", "x")
    email.UnlessHeld(mails).send("a@example.com", "x", "x", key="k")
    assert (len(texts.sent), len(mails.sent)) == (1, 1)
    worker.stop()
    with reading() as session:
        actions = list(session.execute(text("SELECT action FROM audit_line ORDER BY id DESC LIMIT 1")).scalars())
    assert actions == ["installation.released"]


@dataclass
class _Copy:
    """What Stage asks of its server."""

    server: Server

    @property
    def database_url(self) -> str:
        return self.server.url(APPLICATION, "anxiang")

    @property
    def owner_url(self) -> str:
        return self.server.url(OWNER, "anxiang")


def _beat(after: datetime | None) -> datetime | None:
    """The newest beat, None if it is not after that moment."""
    with reading() as session:
        at: datetime | None = session.execute(text("SELECT max(at) FROM worker_beat")).scalar_one()
    return at if at is not None and (after is None or at > after) else None


def test_a_folder_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "data"
    there.mkdir()
    done = RunAs(None).run("sh", str(SCRIPTS / "restore.sh"), str(tmp_path), str(tmp_path), str(there))
    assert done.returncode == 1 and "nothing was restored" in done.stderr
    assert list(there.iterdir()) == []


def test_a_piece_of_the_log_is_never_replaced_by_another(tmp_path: Path) -> None:
    def archive(words: str) -> int:
        piece = tmp_path / "piece"
        piece.write_text(words)
        run = ("sh", str(SCRIPTS / "archive-wal.sh"), str(piece), "0001", str(tmp_path / "wal"))
        return RunAs(None).run(*run).returncode

    (tmp_path / "wal").mkdir()
    assert [archive("a"), archive("a"), archive("b")] == [0, 0, 1]
    assert [each.name for each in (tmp_path / "wal").iterdir()] == ["0001"]
    assert (tmp_path / "wal" / "0001").read_text() == "a"


@pytest.mark.every_postgres
@pytest.mark.usefixtures("db")
class TestReleased:
    """What the database says of itself."""

    @pytest.fixture(autouse=True)
    def as_before(self) -> Iterator[None]:
        """The process forgets."""
        yield
        released.note(held_back=False)

    def insert(self, cluster: str, timeline: str) -> None:
        with database.transaction() as session:
            session.execute(
                text(
                    f"INSERT INTO installation_release (at, cluster, timeline) SELECT now(), {cluster}, {timeline}"
                    f" FROM ({released.CURRENT}) AS c"
                )
            )

    @pytest.mark.parametrize(
        ("cluster", "timeline", "held"),
        [
            ("c.cluster", "c.timeline", False),
            ("'1'", "c.timeline", True),  # a dump of it in another server
            ("c.cluster", "'00000009'", True),  # restored to a moment, or promoted
        ],
    )
    def test_another_cluster_or_timeline_is_held_back(self, cluster: str, timeline: str, held: bool) -> None:
        self.insert(cluster, timeline)
        assert release.look() is held

    def test_the_newest_release_counts(self) -> None:
        self.insert("'1'", "'00000001'")
        assert release.look()
        assert release.release(now=clock.now())
        assert not release.look()
        assert not release.release(now=clock.now())

    def test_every_new_connection_asks(self) -> None:
        self.insert("'1'", "'00000001'")
        assert not released.held()
        database.forget_engines()
        with reading() as session:
            session.execute(text("SELECT 1"))
        assert released.held()

    def test_where_nobody_released_any_nothing_is_held_back(self) -> None:
        assert not release.look()

    def test_a_provider_is_not_called(self) -> None:
        client = HttpClient("test", "http://127.0.0.1:9", {}, 5)
        released.note(held_back=True)
        with pytest.raises(NoAnswer, match="not released") as failed:
            client.call("GET", "/slots", deadline=Deadline(5))
        assert not failed.value.sent

    def test_a_job_that_was_due_is_not_begun(self) -> None:
        """The database was exchanged since the last beat."""
        begun: list[str] = []
        job = Job("holds", 1, lambda: begun.append("holds") or {})
        worker = Worker()
        released.note(held_back=True)
        worker._run_job(job)
        released.note(held_back=False)
        worker._run_job(job)
        assert begun == ["holds"]


@pytest.mark.every_postgres
@pytest.mark.usefixtures("db")
def test_books_that_do_not_add_up_are_named(run: Run, owner_connection: Connection) -> None:
    world = make_world()
    world.submit(0)
    assert run("installation", "check").exit_code == 0
    owner_connection.exec_driver_sql("UPDATE entitlement SET reserved = reserved + 1, available = available - 1")
    owner_connection.exec_driver_sql("UPDATE slot SET taken = taken + 1 WHERE taken > 0")
    found = run("installation", "check")
    assert found.exit_code == 3
    assert [line.split()[0] for line in found.stdout.splitlines()] == ["entitlement", "slot"]
