"""Two workers at one import, and kill -9 in its middle: each line is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from marketplace.core.config import ROOT, settings
from marketplace.core.database.db import reading
from tests.people import NOON
from tests.vip.imports.stage import THINGS, WAIT, made, operator, things, uploaded, work
from vip.imports import kinds, run
from vip.imports.models import BulkImport
from vip.imports.steer import steer
from vip.imports.view import one_import
from vip.imports.work import work_imports

pytestmark = pytest.mark.usefixtures("db")

WORKER = """
from tests.people import NOON
from tests.vip.imports.stage import THINGS, WAIT
from vip.imports import kinds
from vip.imports.work import work_imports

kinds.KINDS["things"] = THINGS
WAIT["seconds"] = 0.01
work_imports(lambda: NOON, seconds=60)
"""


@pytest.fixture(autouse=True)
def things_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "things", THINGS)  # type: ignore[arg-type]


@pytest.mark.one_postgres
def test_an_import_whose_worker_was_killed_goes_on_and_does_each_line_once() -> None:
    lin = operator()
    it = uploaded(lin, things(300))
    steer(lin, it, "start", now=NOON)
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    with subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment) as process:
        until = time.monotonic() + 60
        while not made() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    before = made()
    assert 0 < len(before) < 300, "it was in the middle"
    assert one_import(lin, it, now=NOON).processed == len(before), "what was done is marked, and nothing else"
    work()
    assert one_import(lin, it, now=NOON).line.counts == {"made": 300}
    assert len(made()) == 300 and set(made().values()) == {1}


def test_two_workers_do_each_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WAIT, "seconds", 0.002)
    monkeypatch.setattr(run, "BATCH", 7)
    lin = operator()
    both = [uploaded(lin, things(60)), uploaded(lin, things(60, begin=60))]
    for each in both:
        steer(lin, each, "start", now=NOON)
    with ThreadPoolExecutor(3) as workers:
        list(workers.map(lambda _: work_imports(lambda: NOON, seconds=30), range(3)))
    work()
    assert [one_import(lin, each, now=NOON).line.counts for each in both] == [{"made": 60}, {"made": 60}]
    assert len(made()) == 120 and set(made().values()) == {1}


def test_who_works_on_an_import_has_it_alone_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lin = operator()
    it = uploaded(lin, things(3))
    steer(lin, it, "start", now=NOON)
    with reading() as session:
        number = session.scalars(select(BulkImport.id)).one()
    seen = list[int]()
    done = run._done

    def while_it_works(*given):  # type: ignore[no-untyped-def]
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(run.work_on, number, lambda: NOON).result(timeout=30))
        return done(*given)

    monkeypatch.setattr(run, "_done", while_it_works)
    assert run.work_on(number, lambda: NOON) == 3
    assert seen == [0] and len(made()) == 3
