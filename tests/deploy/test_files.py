"""The files under deploy/ are ones that work: each program reads its own, and they name settings that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from marketplace.core.config import ROOT, ConfigError, settings
from marketplace.core.database import db as database
from marketplace.core.database.db import apart_engine, engine, leader_engine
from marketplace.development.processes import GIVES_WAY, LIVE
from tests.conftest import TestDatabase
from tests.deploy.proxied import certified, nginx_or_skip
from tests.needs import needs

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
READ_ELSEWHERE = {"PROMETHEUS_MULTIPROC_DIR"}
KEY = "A" * 43 + "="


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The settings of the process are read anew, and as before afterwards."""
    database.forget_engines()
    settings.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    database.forget_engines()
    settings.cache_clear()


def named(file: Path) -> set[str]:
    """The settings that a file gives, a `_FILE` aside."""
    found = re.findall(r"^(?:Environment=)?([A-Z][A-Z_]+)=", file.read_text(), re.MULTILINE)
    return {name.removesuffix("_FILE") if name.endswith("_URL_FILE") or "KEY" in name else name for name in found}


@pytest.mark.parametrize("file", [*UNITS, DEPLOY / "settings.example"], ids=lambda file: file.name)
def test_every_setting_that_a_file_names_is_read(file: Path) -> None:
    read = (ROOT / "marketplace" / "core" / "config.py").read_text()
    names = {name.removesuffix("_FILE") if f'_secret("{name[:-5]}")' in read else name for name in named(file)}
    assert {name for name in names if f'"{name}"' not in read} <= READ_ELSEWHERE


def test_the_web_server_gives_way_to_the_database_as_here() -> None:
    unit = (DEPLOY / "systemd" / "anxiang-web.service").read_text()
    assert re.findall(r"(?m)^Nice=(\d+)$", unit) == [GIVES_WAY[-1]]


def test_streams_are_delivered_as_here() -> None:
    unit = (DEPLOY / "systemd" / "anxiang-live.service").read_text()
    assert LIVE.format(host="127.0.0.1", port=8020) in unit
    assert "proxy_pass http://127.0.0.1:8020;" in (DEPLOY / "nginx" / "anxiang.conf").read_text()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_the_units(unit: Path, tmp_path: Path) -> None:
    """With programs that are there: whether ours are installed in /srv is no matter of the file."""
    needs(shutil.which("systemd-analyze") is not None, "systemd-analyze")
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^(ExecStart(?:Pre)?)=\S+", r"\1=/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    told = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert (done.returncode, told) == (0, [])


def test_nginx_reads_the_proxys_sample(tmp_path: Path) -> None:
    nginx = nginx_or_skip()
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"error_log stderr;\npid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{certified(tmp_path)}\n}}\n")
    done = subprocess.run([nginx, "-t", "-c", str(whole)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_proxy_keeps_metrics_from_the_outside() -> None:
    site = (DEPLOY / "nginx" / "anxiang.conf").read_text()
    assert re.search(r"location = /metrics \{[^}]*return 404;", site)
    assert re.findall(r"location [^{]*/live[^{]*", site) == ["location = /live/stream "], "nor health nor figures of it"


def test_the_handbook_names_every_file() -> None:
    handbook = (ROOT / "docs" / "deployment.md").read_text()
    files = [str(file.relative_to(ROOT)) for file in DEPLOY.rglob("*.*")]
    assert "deploy/nginx/anxiang.conf" in files
    assert [file for file in files if file not in handbook] == []


def test_a_database_without_tls_is_refused_where_it_is_demanded(
    worker_database: TestDatabase, as_in_production: pytest.MonkeyPatch
) -> None:
    """The server of the tests has none, so a connection would show that the setting was dropped on the way."""
    demanding = f"{worker_database.database_url}?sslmode=verify-full&sslrootcert=system"
    as_in_production.setenv("DATABASE_URL", demanding)
    as_in_production.setenv("LEADER_DATABASE_URL", demanding)
    for each in (engine(), leader_engine(), apart_engine()):
        with pytest.raises(OperationalError, match="SSL"):
            each.connect()


def test_the_authority_and_our_certificate_are_passed_on(as_in_production: pytest.MonkeyPatch) -> None:
    files = "sslrootcert=/etc/anxiang/ca.pem&sslcert=/etc/anxiang/client.pem&sslkey=/etc/anxiang/client.key"
    as_in_production.setenv("DATABASE_URL", f"postgresql://a@db.example/x?sslmode=verify-full&{files}")
    _, given = engine().dialect.create_connect_args(engine().url)
    assert given["sslmode"] == "verify-full"
    assert [given[name] for name in ("sslrootcert", "sslcert", "sslkey")] == [
        f"/etc/anxiang/{name}" for name in ("ca.pem", "client.pem", "client.key")
    ]


SECRETS = (
    "DATABASE_URL",
    "SECRET_KEY",
    "MASTER_KEYS",
    "INDEX_KEYS",
    "SMTP_URL",
    "LEADER_DATABASE_URL",
    "METRICS_TOKEN",
)


def test_secrets_are_read_from_files(as_in_production: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {
        "DATABASE_URL": "postgresql://a:secret@db/x",
        "SECRET_KEY": "s" * 32,
        "MASTER_KEYS": f"k1:{KEY}",
        "INDEX_KEYS": f"k1:{KEY}",
        "SMTP_URL": "smtp://m",
        "LEADER_DATABASE_URL": "postgresql://l/x",
        "METRICS_TOKEN": "t" * 20,
    }
    assert set(values) == set(SECRETS)
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        as_in_production.delenv(name, raising=False)
        as_in_production.setenv(f"{name}_FILE", str(tmp_path / name))
    as_in_production.setenv("ANXIANG_ENV", "production")
    read = settings()
    assert (read.secret_key, read.smtp_url, read.metrics_token) == ("s" * 32, "smtp://m", "t" * 20)
    assert (read.database_url, read.leader_database_url) == (
        "postgresql+psycopg://a:secret@db/x",
        "postgresql+psycopg://l/x",
    )
    assert [key.secret for key in (*read.master_keys, *read.index_keys)] == [bytes(32)] * 2


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_cannot_be_read_is_one_sentence(
    name: str, as_in_production: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_in_production.delenv(name, raising=False)
    as_in_production.setenv(f"{name}_FILE", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=f"{name}_FILE names a file that cannot be read"):
        settings()
    (tmp_path / "gone").write_text("x")
    as_in_production.setenv(name, "y")
    with pytest.raises(ConfigError, match=f"{name} and {name}_FILE are both set"):
        settings()
