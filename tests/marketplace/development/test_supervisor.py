"""Processes that start, log and stop together, with small programs in the places of the real ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.core.config import ROOT
from marketplace.development.children import command_line

HOUSE = """
import json, os, sys, pathlib
from marketplace.development.supervisor import Service, Supervisor
folder = pathlib.Path(sys.argv[1])
given = json.loads(sys.argv[2])
command = [sys.executable, "-u", "-c"]
services = [Service(name, [*command, program, str(folder)], again=70) for name, program in given["programs"].items()]
sys.exit(Supervisor(
    services, dict(os.environ), folder,
    ready=lambda: len(list(folder.glob("*.pid"))) == given["pids"],
    on_ready=lambda: print("ready", flush=True),
    ready_seconds=given.get("ready_seconds", 30), grace=given.get("grace", 10), pause=0.2,
).run())
"""
NOTE = "import os, sys, time, signal, pathlib; here = pathlib.Path(sys.argv[1])\n"
TALKS = NOTE + "print('hello 你好'); (here / f'{os.getpid()}.pid').touch(); time.sleep(60)"
STUBBORN = NOTE + (
    "signal.signal(signal.SIGTERM, lambda *_: (here / 'asked').touch()); (here / f'{os.getpid()}.pid').touch()\n"
    "while True: time.sleep(1)"
)
PARENT = NOTE + (
    "child = os.fork()\n"
    "(here / f'{os.getpid()}.pid').touch()\n"
    "if child == 0: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "time.sleep(60)"
)
DIES = NOTE + (
    "(here / f'{os.getpid()}.pid').touch()\n"
    "while not (here / 'go').exists(): time.sleep(0.02)\n"
    "print('last words'); sys.exit(7)"
)


def _start(folder: Path, programs: dict[str, str], *, pids: int, **more: float) -> subprocess.Popen[str]:
    given = json.dumps({"programs": programs, "pids": pids, **more})
    house = subprocess.Popen(
        [sys.executable, "-c", HOUSE, str(folder), given],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert house.stdout is not None
    while (line := house.stdout.readline()) and line != "ready\n":
        house.said = [*getattr(house, "said", []), line]  # type: ignore[attr-defined]
    assert line == "ready\n", house.communicate()
    return house


def _pids(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.pid")]


def _until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _all_gone(folder: Path) -> bool:
    return not any(command_line(pid) for pid in _pids(folder))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_and_every_line_carries_its_process(tmp_path: Path, how: signal.Signals) -> None:
    house = _start(tmp_path, {"web": TALKS, "worker": TALKS}, pids=2)
    house.send_signal(how)
    out, err = house.communicate(timeout=30)
    said = "".join(getattr(house, "said", [])) + out
    assert "web     | hello 你好\n" in said
    assert "worker  | hello 你好\n" in said
    assert (house.returncode, err) == (0, "")
    assert _all_gone(tmp_path)


def test_children_of_children_and_those_that_ignore_the_signal_are_stopped_too(tmp_path: Path) -> None:
    house = _start(tmp_path, {"web": PARENT, "worker": STUBBORN}, pids=3, grace=0.5)
    house.send_signal(signal.SIGINT)
    house.communicate(timeout=30)
    assert house.returncode == 0
    assert _until(lambda: _all_gone(tmp_path))


def test_a_second_ctrl_c_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    house = _start(tmp_path, {"worker": STUBBORN}, pids=1, grace=50)
    house.send_signal(signal.SIGINT)
    assert _until(lambda: (tmp_path / "asked").exists()), "the first one is being obeyed"
    assert house.poll() is None
    house.send_signal(signal.SIGINT)
    house.communicate(timeout=20)
    assert house.returncode == 0
    assert _all_gone(tmp_path)


def test_when_one_dies_one_sentence_says_so_and_the_others_are_stopped(tmp_path: Path) -> None:
    house = _start(tmp_path, {"web": TALKS, "worker": DIES}, pids=2)
    (tmp_path / "go").touch()
    out, err = house.communicate(timeout=30)
    assert "worker  | last words\n" in out
    assert err == "worker stopped by itself (exit code 7); the others are stopped too.\n"
    assert house.returncode == 1
    assert _all_gone(tmp_path)


def test_one_that_ended_itself_is_started_anew_and_the_others_go_on(tmp_path: Path) -> None:
    once = (
        NOTE
        + "first = not (here / 'once').exists(); (here / 'once').touch(); (here / f'{os.getpid()}.pid').touch()\n"
        + "while first and not (here / 'go').exists(): time.sleep(0.02)\n"
        + "if first: sys.exit(70)\ntime.sleep(60)"
    )
    house = _start(tmp_path, {"web": TALKS, "worker": once}, pids=2)
    before = set(_pids(tmp_path))
    (tmp_path / "go").touch()
    assert _until(lambda: len(_pids(tmp_path)) == 3)
    assert sum(bool(command_line(pid)) for pid in before) == 1
    house.send_signal(signal.SIGTERM)
    _, err = house.communicate(timeout=30)
    assert (house.returncode, err) == (0, "worker ended itself (exit code 70) and is started anew.\n")
    assert _until(lambda: _all_gone(tmp_path))


def test_kill_9_of_the_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    house = _start(tmp_path, {"web": TALKS, "worker": TALKS}, pids=2)
    assert len(_pids(tmp_path)) == 2
    os.kill(house.pid, signal.SIGKILL)
    house.communicate(timeout=30)
    assert _until(lambda: _all_gone(tmp_path))


def test_processes_that_never_get_ready_are_stopped_with_one_sentence(tmp_path: Path) -> None:
    given = json.dumps({"programs": {"web": TALKS}, "pids": 99, "ready_seconds": 1})
    done = subprocess.run(
        [sys.executable, "-c", HOUSE, str(tmp_path), given], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "Nothing answers after 1 seconds; everything is stopped.\n")
    assert _all_gone(tmp_path)
