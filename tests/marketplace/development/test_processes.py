"""What `make run` says when it cannot start, and what it would start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.core.config import ROOT, state_dir
from marketplace.development.embedded.postgres import free_port
from marketplace.development.processes import CannotRun, Options, compile_translations, environment_of, services


def _run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "marketplace.development.processes", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=90,
    )


PORTS = ("ANXIANG_PORT", "ANXIANG_LIVE_PORT", "ANXIANG_SANDBOX_PORT", "ANXIANG_DAY_SANDBOX_PORT")


def _free_ports() -> dict[str, str]:
    return {setting: str(free_port()) for setting in PORTS}


@pytest.mark.parametrize("setting", PORTS)
def test_a_port_that_is_taken_is_one_sentence_before_anything_starts(setting: str, tmp_path: Path) -> None:
    ports = _free_ports()
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports[setting] = str(other.getsockname()[1])
        done = _run("run", **ports, ANXIANG_STATE_DIR=str(tmp_path / "state"), DATABASE_URL="")
    assert done.returncode == 1
    assert done.stderr == (
        f"Cannot listen on 127.0.0.1 port {ports[setting]} (Address already in use): "
        f"free it, or choose another with {setting}.\n"
    )
    assert done.stdout == ""
    assert not (tmp_path / "state").exists()


def test_a_database_that_does_not_answer_is_one_sentence_without_the_password() -> None:
    address = f"postgresql://anxiang_app:hidden@127.0.0.1:{free_port()}/anxiang"
    ports = _free_ports()
    done = _run("run", DATABASE_URL=address, **ports)
    assert done.returncode == 1
    assert done.stderr.startswith("The database of DATABASE_URL does not answer: ")
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_a_missing_kind_of_postgresql_is_one_sentence(tmp_path: Path) -> None:
    ports = _free_ports()
    done = _run("run", DATABASE_URL="", ANXIANG_PG="none", ANXIANG_STATE_DIR=str(tmp_path), **ports)
    assert (done.returncode, done.stderr) == (1, "ANXIANG_PG must be machine or wheel, not 'none'.\n")


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "８０"])
def test_a_port_that_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(CannotRun, match="ANXIANG_PORT must be a number from 1 to 65535"):
        Options.read({"ANXIANG_PORT": text})


def test_addresses_and_commands_follow_the_environment() -> None:
    options = Options.read(
        {
            "ANXIANG_HOST": "0.0.0.0",
            "ANXIANG_PORT": "9001",
            "ANXIANG_WEB_COMMAND": "serve --at {host}:{port} x{workers}",
        }
    )
    web, live, worker, sandbox, days = services(options)
    assert options.address == "http://127.0.0.1:9001"
    assert web.command == ["nice", "-n", "5", "serve", "--at", "0.0.0.0:9001", "x2"]
    assert live.command[1:7] == ["--interface", "asgi", "--host", "0.0.0.0", "--port", "8020"]
    assert options.live_address == "http://127.0.0.1:8020"
    assert worker.command[1:] == ["-m", "booking.worker"]
    assert sandbox.command[1:5] == ["-m", "providers.sandbox", "--port", "8010"]
    assert days.command[1:5] == ["-m", "providers.sandbox.day_capacity", "--port", "8011"]


def test_without_demonstration_there_is_no_sandbox() -> None:
    assert [service.name for service in services(Options.read({"ANXIANG_DEMO": "no"}))] == ["web", "live", "worker"]


@pytest.mark.parametrize(
    ("settings", "moved"),
    [
        ({}, True),
        ({"ANXIANG_HOST": "::1"}, True),
        ({"ANXIANG_HOST": "localhost"}, True),
        ({"ANXIANG_DEMO": "no"}, False),
        ({"ANXIANG_DEMO": "no", "ANXIANG_DEMO_CLOCK": "yes"}, False),
        ({"ANXIANG_HOST": "0.0.0.0"}, False),
        ({"ANXIANG_HOST": "::"}, False),
        ({"ANXIANG_HOST": "demo.example"}, False),
        ({"ANXIANG_HOST": "0.0.0.0", "ANXIANG_DEMO_CLOCK": "yes"}, True),
    ],
)
def test_the_clock_is_moved_in_the_demonstration_by_this_machine_unless_others_are_asked_for(
    settings: dict[str, str], moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_CLOCK_FILE", "/tmp/from-outside")
    given = environment_of(Options.read(settings), "postgresql://a@127.0.0.1/a", "postgresql://o@127.0.0.1/a")
    assert given.get("DEMO_CLOCK_FILE") == (str(state_dir().absolute() / "clock") if moved else None)


def test_exec_runs_a_command_on_the_embedded_database_and_stops_it(tmp_path: Path) -> None:
    question = (
        "import os, psycopg; connection = psycopg.connect(os.environ['DATABASE_URL'])\n"
        "print(connection.execute('SELECT current_user').fetchone())"
    )
    environment = {"DATABASE_URL": "", "DATABASE_OWNER_URL": "", "ANXIANG_STATE_DIR": str(tmp_path)}
    done = _run("exec", sys.executable, "-W", "ignore", "-c", question, **environment)
    assert (done.stdout, done.returncode) == ("('anxiang_app',)\n", 0), done.stderr
    state = _run("exec", sys.executable, "-c", "import sys; sys.exit(3)", **environment)
    assert state.returncode == 3
    command = [sys.executable, "-m", "marketplace.development.database"]
    status = subprocess.run([*command, "status", "--state", str(tmp_path / "postgres")], cwd=ROOT, capture_output=True)
    assert status.stdout == b"The embedded database does not run.\n"
    assert subprocess.run([*command, "remove", "--state", str(tmp_path / "postgres")], cwd=ROOT).returncode == 0


def test_translations_are_compiled_once_and_again_when_they_change(tmp_path: Path) -> None:
    source = tmp_path / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Home"\nmsgstr "首页"\n')
    assert compile_translations(tmp_path) == 1
    assert "首页".encode() in source.with_suffix(".mo").read_bytes()
    assert compile_translations(tmp_path) == 0
    newer = source.with_suffix(".mo").stat().st_mtime + 10
    os.utime(source, (newer, newer))
    assert compile_translations(tmp_path) == 1
    shutil.rmtree(tmp_path)
