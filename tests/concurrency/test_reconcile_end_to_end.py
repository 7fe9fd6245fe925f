"""Differences planted in a real provider's ledger: a real worker finds them all, although it is killed in between."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.discrepancies import Discrepancy
from booking.models import Slot
from booking.reconcile.models import ReconcileRun
from booking.reconcile.queue import ask_for_run
from booking.reconcile.repair import repair
from marketplace.core import clock
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading
from tests.conftest import TestDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, let_its_day_come, set_stage
from tests.world import booking_row
from vip.models import Insurer
from vip.principal import Principal

pytestmark = pytest.mark.one_postgres
OPERATOR = Actor("operator", "opr_1")


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once, and whose look-ups show a command's effect as soon as it is answered."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch, settle_window_seconds=0) as made:
        yield made


def cancel_stray(subject: str) -> None:
    """One click of an operator's."""
    with reading() as session:
        found = session.scalars(
            select(Discrepancy).where(Discrepancy.subject == subject, Discrepancy.closed_at.is_(None))
        ).one()
        insurer = session.scalars(select(Insurer.id)).one()
    operator = Principal("operator", 1, "opr_1", insurer, 1, "Asia/Shanghai", "admin")
    repair(operator, found.public_id, "cancel_there", now=clock.now())


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def runs() -> list[ReconcileRun]:
    with reading() as session:
        return list(session.scalars(select(ReconcileRun).order_by(ReconcileRun.id)))


def cases() -> dict[str, str]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None)))
        return {row.kind: row.subject for row in rows}


def flask_reconcile(stage: Stage) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "reconcile", stage.provider.code],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_planted_differences_are_found_and_repaired_or_shown(stage: Stage) -> None:
    control = stage.sandbox.control()
    worker = stage.worker()
    eventually(lambda: [run.state for run in runs()] == ["done"], 30)
    principal, beneficiary, _ = stage.customer(1)
    booked = [stage.submit(principal, beneficiary, slot) for slot in stage.slots()[:10:2]]
    there = {}
    for public_id in booked:
        eventually(lambda public_id=public_id: state(public_id) == "confirmed", 30)
        there[public_id] = control.bookings(public_id)[0]["reference"]
    cancelled, served, twice, moved, lost = booked
    control.alter(there[cancelled], status="cancelled")
    let_its_day_come(control, served, there[served])
    control.alter(there[served], status="fulfilled", keep_version=True)
    surplus = control.copy(there[twice])["reference"]
    with reading() as session:
        slot = session.scalars(select(Slot).where(Slot.public_id == stage.slots()[20])).one()
    control.alter(there[moved], service_date=slot.service_date.isoformat(), starts_at=str(slot.starts_at))
    control.lose(there[lost])
    strange = control.copy(there[twice], our_reference="somebody-elses")["reference"]

    control.fault("commit_then_hang", "look_up", seconds=30, times=None)
    assert ask_for_run(stage.provider.id, OPERATOR, now=clock.now())
    eventually(lambda: [run.state for run in runs()] == ["done", "running"], 20)
    eventually(lambda: any(fault["struck"] for fault in control.faults()), 20)
    worker.kill()
    control.clear_faults()
    with psycopg.connect(stage.server.owner_url) as connection:
        past: datetime = clock.now() - timedelta(seconds=1)
        connection.execute("UPDATE reconcile_run SET lease_until = %s WHERE state = 'running'", [past])
    assert ask_for_run(stage.provider.id, OPERATOR, now=clock.now())
    stage.worker()
    eventually(lambda: [run.state for run in runs()] == ["done", "failed", "done"], 30)

    assert [state(each) for each in booked] == ["cancelled", "fulfilled", "confirmed", "confirmed", "confirmed"]
    eventually(lambda: control.live(twice) == 1, 20)
    eventually(lambda: "duplicate_there" not in cases(), 20)
    assert [row["reference"] for row in control.bookings(twice) if not row["live"]] == [surplus]
    assert cases() == {"time_differs": moved, "ours_only": lost, "theirs_only": strange}
    assert "standing=3" in flask_reconcile(stage)
    assert cases() == {"time_differs": moved, "ours_only": lost, "theirs_only": strange}
    cancel_stray(strange)
    eventually(lambda: cases() == {"time_differs": moved, "ours_only": lost}, 30)
    assert [row["status"] for row in control.bookings("somebody-elses")] == ["cancelled"]
    stage.assert_books_add_up()
