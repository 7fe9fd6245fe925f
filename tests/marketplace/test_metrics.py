"""The web's figures: for who has the token, and added up over its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from marketplace import metrics
from marketplace.app import create_app
from marketplace.core.config import ROOT, ConfigError, settings
from marketplace.metrics import FOLDER
from tests.conftest import TestDatabase
from tests.processes import start_web
from tests.sandboxes import eventually

pytestmark = pytest.mark.usefixtures("db")
TOKEN = "a-token-of-twenty-or-more"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """METRICS_TOKEN is set."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def client(token: None) -> FlaskClient:
    """A browser, or Prometheus."""
    return create_app().test_client()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer é"}])
def test_without_the_token_there_is_no_such_page(client: FlaskClient, headers: dict[str, str]) -> None:
    there = client.get("/no-such-page", headers=headers)
    assert (client.get("/metrics", headers=headers).status_code, there.status_code) == (404, 404)


def test_without_the_setting_nobody_sees_it() -> None:
    client = create_app().test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_requests_are_counted_by_pattern_and_never_by_address(client: FlaskClient) -> None:
    client.get("/healthz")
    client.get("/shared/a-secret-of-somebody")
    client.open("/healthz", method="STRANGE")
    told = client.get("/metrics", headers=SHOWN).text
    assert 'anxiang_http_request_seconds_count{method="GET",route="/healthz",status="200"}' in told
    assert 'method="other"' in told
    assert "a-secret-of-somebody" not in told and "STRANGE" not in told


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "short")
    settings.cache_clear()
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        settings()
    monkeypatch.undo()
    settings.cache_clear()


SERVE = """
import os, sys
from marketplace import metrics
from marketplace.app import create_app
client = create_app().test_client()
for wiped in (True, False, True):
    assert not wiped or metrics.main() == 0
    sys.stdout.flush()
    if (process := os.fork()) == 0:
        client.get("/healthz")
        print(client.get("/metrics", headers={"Authorization": "Bearer a-token-of-twenty-or-more"}).text, "END")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(process, 0)
"""
"""Three processes, one after another, that answer a request and tell of it; the first and the last after a start."""


def test_all_processes_are_added_up_and_a_start_wipes_what_was(
    token: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    monkeypatch.setenv(FOLDER, str(folder))

    done = subprocess.run(
        [sys.executable, "-c", SERVE], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert [_healthz(told) for told in done.stdout.split("END")[:-1]] == [1, 2, 1]
    assert folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv(FOLDER, "")
    assert metrics.main() == 1


def test_one_process_of_the_server_tells_of_the_others(
    token: None, other_database: Callable[[str], TestDatabase], tmp_path: Path
) -> None:
    """The one that answered first is stopped, so that another one has to."""
    folder = tmp_path / "metrics"
    environment = {**other_database("metrics").environment, FOLDER: str(folder)}
    subprocess.run([sys.executable, "-m", "marketplace.metrics"], cwd=ROOT, env=environment, check=True)
    web = start_web(environment, tmp_path / "web.log", anew=True)

    def told() -> float | None:
        try:
            return _healthz(requests.get(f"{web.url}/metrics", headers=SHOWN, timeout=2).text)
        except requests.RequestException:
            return None  # the kernel gave this connection to the one that is stopped

    try:
        first = set(folder.glob("histogram_*.db"))
        for each in first:
            pid = int(each.stem.removeprefix("histogram_"))
            os.kill(pid, signal.SIGSTOP)
            eventually(lambda pid=pid: _stands(pid))  # type: ignore[misc]
        if len(first) == 1:
            assert eventually(told, 60) >= 1
            assert len(set(folder.glob("histogram_*.db")) - first) == 1
    finally:
        web.kill()


def _stands(pid: int) -> bool:
    """Whether no thread of it runs: the signal reaches one first, and the others answer meanwhile."""
    threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return {each.rpartition(")")[2].split()[0] for each in threads} == {"T"}


def _healthz(exported: str) -> float:
    (line,) = [line for line in exported.splitlines() if '_count{method="GET",route="/healthz"' in line]
    return float(line.split()[-1])
