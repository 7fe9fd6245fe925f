"""The leader's jobs: sealing within seconds, the alarm, and one verification a night."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marketplace import cli
from marketplace.app import create_app
from marketplace.chain import seal
from marketplace.chain.heads import HeadsFile, HeadsWriter
from marketplace.chain.seal import seal_all
from marketplace.chain.watch import Sealer, last_verification, unsealed_seconds, verify_nightly
from marketplace.core.config import settings
from marketplace.core.errors import Busy
from tests.marketplace.chain.conftest import Logged, Superuser
from tests.marketplace.chain.lines import write
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_job_seals_and_writes_the_head(tmp_path: Path) -> None:
    write("a")
    sealer = Sealer(tmp_path / "heads", lambda: NOON, lambda: False)
    assert sealer.run() == {"lines": 1, "heads_file": HeadsFile.WELL}
    assert (tmp_path / "heads").read_text().startswith("1 ")


def test_lines_that_wait_longer_than_a_minute_are_an_alarm(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    """Another process holds the sealer's lock and does not go on."""
    write("a")
    now = NOON
    sealer = Sealer(None, lambda: now, lambda: False)

    def alarms(seconds: float) -> bool:
        nonlocal now
        now = later(seconds)
        with suppress(Busy):
            sealer.run()
        return any(event.startswith("audit.unsealed") for event in logged.take())

    with monkeypatch.context() as patch:
        patch.setattr(seal, "_alone", lambda session: False)
        assert [alarms(0), alarms(60), alarms(61), alarms(66)] == [False, False, True, True]
    assert [alarms(70), alarms(75)] == [True, False]


def test_a_line_waits_at_most_since_the_last_sealing_began() -> None:
    """A long job's line has the time of the job's start."""
    write("a", later(-500))
    assert unsealed_seconds(now=NOON, sealed_until=None) == 500
    assert unsealed_seconds(now=NOON, sealed_until=later(-5)) == 5
    seal_all(now=lambda: NOON)
    assert unsealed_seconds(now=later(900), sealed_until=None) == 0


def test_the_chain_is_verified_once_a_night(superuser: Superuser, logged: Logged) -> None:
    """The night of Shanghai: three o'clock there is seven in the evening in UTC."""

    def ask(day: int, hour: int) -> bool:
        at = datetime(2026, 3, day, hour, 30, tzinfo=UTC)
        return bool(verify_nightly(heads_file=None, now=lambda: at, stopping=lambda: False))

    write("a")
    seal_all(now=lambda: NOON)
    assert [ask(2, 10), ask(2, 18), ask(2, 19), ask(2, 23), ask(3, 18)] == [True, False, True, False, False]
    superuser("UPDATE audit_line SET subject = 'b'")
    logged.take()
    assert ask(3, 20)
    assert logged.take() == ["audit.finding changed audit_line 1 1"]
    last = last_verification()
    assert last is not None
    assert (last.lines, last.found, last.findings) == (1, 1, ("changed: audit_line 1 (seal 1)",))


def test_a_file_of_heads_that_is_not_there_stops_no_verification(tmp_path: Path) -> None:
    assert verify_nightly(heads_file=tmp_path / "none", now=lambda: NOON, stopping=lambda: False) != {}


def test_the_command_has_an_exit_code_for_each_end(
    tmp_path: Path, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app()
    cli.install(app)
    run = app.test_cli_runner()
    file = tmp_path / "heads"
    write("a")
    seal_all(now=lambda: NOON)
    well = run.invoke(args=["audit", "verify"])
    assert (well.exit_code, well.stdout) == (0, "")
    assert "1 seals, 1 lines, 0 findings; not compared" in well.stderr
    assert run.invoke(args=["audit", "verify", "--heads", str(file)]).exit_code == 2
    HeadsWriter(file).write()
    assert run.invoke(args=["audit", "verify", "--heads", str(file)]).exit_code == 0
    superuser("DELETE FROM audit_line")
    found = run.invoke(args=["audit", "verify"])
    assert (found.exit_code, found.stdout) == (3, "missing: audit_line 1 (seal 1)\n")
    monkeypatch.setenv("AUDIT_HEADS_FILE", str(tmp_path / "gone"))
    settings.cache_clear()
    assert run.invoke(args=["audit", "verify"]).exit_code == 1
    monkeypatch.undo()
    settings.cache_clear()
