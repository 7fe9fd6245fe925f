"""kill -9 of the provider: what it acknowledged is there after a restart, and so is what it meant to do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Accepted, Confirmed, RetryAfter, Unknown
from providers.reported import RemoteBooking
from tests.providers.wishes import bookable, by_key, reserve
from tests.sandboxes import ROOT, Sandbox, account, eventually, open_inbox, start_sandbox

ACCOUNTS = [account("prompt", "prompt"), account("deliberate", "deliberate", confirm_after=1.0)]


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A server that the test may kill."""
    sandbox = start_sandbox(tmp_path / "own", ACCOUNTS)
    yield sandbox
    sandbox.kill()


def test_every_acknowledged_booking_survives_kill_9(own_sandbox: Sandbox) -> None:
    adapter = OpenProtocol(own_sandbox.connection())
    wishes = [reserve(bookable(adapter, number)) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(OpenProtocol(own_sandbox.connection()).reserve, wish) for wish in wishes]
        eventually(lambda: sum(answer.done() for answer in sent) >= 10)
        own_sandbox.kill()
    acknowledged = [wish for wish, answer in zip(wishes, sent, strict=True) if isinstance(answer.result(), Confirmed)]
    assert len(acknowledged) >= 10
    own_sandbox.restart()
    again = OpenProtocol(own_sandbox.connection())
    for wish in acknowledged:
        assert isinstance(again.look_up(by_key(wish)), RemoteBooking)
    for wish in wishes:
        assert isinstance(again.reserve(wish), Confirmed)
        assert own_sandbox.control().live(wish.our_reference) == 1


def test_a_commit_that_was_not_answered_survives_kill_9(own_sandbox: Sandbox) -> None:
    adapter, hasty = OpenProtocol(own_sandbox.connection()), OpenProtocol(own_sandbox.connection(deadline_seconds=1))
    wish = reserve(bookable(adapter, 3))
    own_sandbox.control().fault("commit_then_hang", "reserve", seconds=60)
    assert isinstance(hasty.reserve(wish), Unknown)
    assert own_sandbox.control().live(wish.our_reference) == 1
    own_sandbox.kill()
    assert isinstance(adapter.look_up(by_key(wish)), RetryAfter)
    own_sandbox.restart()
    assert isinstance(adapter.look_up(by_key(wish)), RemoteBooking)


def test_a_decision_that_was_planned_is_made_after_the_restart(own_sandbox: Sandbox) -> None:
    adapter = OpenProtocol(own_sandbox.connection("deliberate"))
    wish = reserve(bookable(adapter, 3))
    with open_inbox() as inbox:
        own_sandbox.control("deliberate").settings(webhook_url=inbox.url)
        assert isinstance(adapter.reserve(wish), Accepted)
        own_sandbox.kill()
        own_sandbox.restart()
        own_sandbox.control("deliberate").settings(webhook_url=inbox.url)
        eventually(lambda: inbox.kinds() == ["booking.confirmed"])
    found = adapter.look_up(by_key(wish))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"


def test_sigterm_ends_it_promptly_while_a_request_hangs(own_sandbox: Sandbox) -> None:
    adapter, hasty = OpenProtocol(own_sandbox.connection()), OpenProtocol(own_sandbox.connection(deadline_seconds=1))
    own_sandbox.control().fault("commit_then_hang", "reserve", seconds=60)
    assert isinstance(hasty.reserve(reserve(bookable(adapter, 3))), Unknown)
    began = time.monotonic()
    assert own_sandbox.stop() == 0
    assert time.monotonic() - began < 30


def test_a_second_server_on_the_same_ledger_is_refused(own_sandbox: Sandbox) -> None:
    second = _run(own_sandbox.folder / "sandbox.json", own_sandbox.folder / "ledger")
    assert second.returncode == 2 and "in use" in second.stderr


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "accounts"),
        ({"accounts": [{"code": "a"}]}, "no API key"),
        ({"accounts": [{"code": "a", "api_keys": ["k"], "manner": "kind"}]}, "manner"),
        ({"accounts": [{"code": "a", "api_keys": ["k"], "pools": [{"pool": "P", "time_zone": "Mars"}]}]}, "Mars"),
        ({"accounts": [{"code": "a", "api_keys": ["k"], "webhook_secret": "whsec_"}]}, "webhook secret"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, config: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    ended = _run(path, tmp_path / "ledger")
    assert ended.returncode == 2 and complaint in ended.stderr and ended.stderr.count("\n") == 1


def test_a_port_in_use_is_one_clear_line(own_sandbox: Sandbox, tmp_path: Path) -> None:
    port = own_sandbox.url.rsplit(":", 1)[1]
    ended = _run(own_sandbox.folder / "sandbox.json", tmp_path / "ledger", port)
    assert ended.returncode == 3 and port in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["providers.sandbox", "providers.sandbox.day_capacity"])
def test_it_imports_nothing_of_ours(module: str) -> None:
    script = (
        f"import sys, {module}.__main__; print([m for m in sys.modules if m.split('.')[0] in"
        " ('marketplace', 'booking', 'vip') or m.startswith('providers.') and not m.startswith('providers.sandbox')])"
    )
    listed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == "[]"


def _run(config: Path, data: Path, port: str = "0") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "providers.sandbox", "--port", port, "--data", str(data), "--config", str(config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
