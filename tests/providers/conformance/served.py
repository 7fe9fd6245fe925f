"""A sandbox in this process, for a test to plant a fault in, and a run of the kit against it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from providers.conformance import run as running
from providers.conformance.journal import FileJournal
from providers.conformance.kit import Target
from providers.conformance.listening import Listener
from providers.conformance.run import run
from providers.conformance.step import Capability, Outcome, RunResult, StepResult
from providers.port import Connection
from providers.sandbox import app, slots
from providers.sandbox.bookings import Desk
from providers.sandbox.clockwork import Clockwork
from providers.sandbox.config import Account, Pool
from providers.sandbox.consultations.doctors import made_doctors, register
from providers.sandbox.consultations.practice import Practice
from providers.sandbox.day_capacity import app as day_app
from providers.sandbox.day_capacity.silence import Silence
from providers.sandbox.escorts import staff
from providers.sandbox.escorts.way import Way
from providers.sandbox.faults import Faults
from providers.sandbox.ledger import Ledger
from providers.sandbox.serving import Handler
from providers.sandbox.webhooks import Sender

KEY = "key-of-the-kit"
WEBHOOK_SECRET = "whsec_Y29uZm9ybWFuY2Uta2l0LXNlY3JldC0xMjM0NTY="


@dataclass
class Served:
    """A sandbox that runs, and what it takes to try it."""

    url: str
    desk: Desk
    folder: Path
    adapter: str

    def target(self, patience: float = 3.0) -> Target:
        """The account as the kit is told of it."""
        secrets = (WEBHOOK_SECRET,) if self.adapter == "open_protocol" else ()
        link = Connection("kit", f"{self.url}/p/kit", KEY, secrets, deadline_seconds=5)
        return Target(self.adapter, link, patience=patience)

    def run(self, *only: Capability, patience: float = 3.0) -> RunResult:
        """A run of the kit, of some capabilities or of all."""
        journal, listener = FileJournal(self.folder / "made.jsonl"), Listener()
        try:
            return run(self.target(patience), journal, listener, only=only or None)
        finally:
            listener.close()
            journal.close()

    def live(self) -> list[str]:
        """Our references of the bookings that live there."""
        with self.desk.ledger.reading() as tx:
            query = "SELECT our_reference FROM booking WHERE status NOT IN ('cancelled', 'rejected')"
            return [row["our_reference"] for row in tx.execute(query)]


@contextmanager
def serve(
    folder: Path, *, adapter: str = "open_protocol", manner: str = "prompt", doctors: int = 0, escorts: int = 0
) -> Iterator[Served]:
    """A sandbox with one account, on a free port of loopback; with `doctors` it answers consultations, with
    `escorts` it has so many to send."""
    account = Account("kit", (KEY,), manner=manner, confirm_after=0.05, webhook_secret=WEBHOOK_SECRET)
    ledger, faults = Ledger(folder / "ledger"), Faults()
    if doctors:
        account.consultations = Practice(("CONSULT",), made_doctors("kit", doctors), answer_after=(0.0, 0.1))
        register(ledger, "kit", account.consultations.doctors)
    by_day = adapter == "day_capacity"
    pattern = "day" if by_day else "four_a_day"
    pools = [Pool("P1", {"BASIC": {}}, pattern=pattern, capacity=5)]
    if escorts:
        account.escorts = Way(("ESCORT",), staff.made_staff("kit", "HZ", escorts), every=0.0)
        staff.register(ledger, "kit", account.escorts.staff)
        pools.append(Pool("HZ", {"ESCORT": {}}, pattern="half_days", capacity=escorts))
    slots.register(ledger, "kit", pools, replace=True)
    sender = (Silence if by_day else Sender)(ledger, account, faults)
    desk = Desk(account, ledger, faults, sender)
    create: Callable[..., Flask] = day_app.create_app if by_day else app.create_app
    server = make_server("127.0.0.1", 0, create({"kit": desk}), threaded=True, request_handler=Handler)
    clockwork = Clockwork(ledger, {"kit": desk})
    clockwork.start()
    sender.start()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.port}", desk, folder, adapter)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        clockwork.stop()
        sender.stop()
        ledger.close()


@contextmanager
def limited(*wanted: str) -> Iterator[None]:
    """Inside the block a run has these steps alone: a step makes what it needs itself, and depends on no other. That
    all of them pass where nothing is wrong is shown by whole runs."""
    chosen = [step for step in running.STEPS if step.name in wanted]
    assert {step.name for step in chosen} == set(wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "STEPS", chosen)
        yield


def failed(result: RunResult) -> list[StepResult]:
    """The steps that failed."""
    return [step for step in result.steps if step.outcome is Outcome.FAILED]


def names(steps: Sequence[StepResult]) -> list[str]:
    """The names of the steps."""
    return [step.name for step in steps]
