"""A run that is asked for is carried out, and its certificates follow from it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from booking.actors import SYSTEM
from booking.certifying import carry_out
from booking.certifying.ask import NothingToProve, queue_certification
from booking.certifying.carry_out import LEASE, certify_due, take_back_left
from booking.certifying.journal import TableJournal
from booking.programs.run import try_program
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import ConformanceMade, ConformanceRun
from providers.conformance.journal import Made
from providers.conformance.kit import REFUSED, Kit
from providers.conformance.step import Capability, RunResult
from providers.conformance.words import told
from tests.booking.certifying.certified import certify, change, connect, ended, offered, proved, runs
from tests.eventually import eventually
from tests.providers.conformance.served import limited, serve
from tests.world import World, make_offer

ALL = [each for each in Capability if each not in issue.NOT_ON_TRUST]
"""What a provider proves whose doctors answer no consultations."""
FEW = (
    *("slots-listed", "booking-cancel-twice", "booking-sold-out", "idempotency-other-body", "change-refused"),
    *("lists-day", "webhooks-signed", "reports-issued"),
)
"""Some steps of each of them, for what becomes of a run; that of all steps is the first test."""
HOUR_AGO = clock.now() - timedelta(hours=1)


def test_a_run_that_passes_gives_dated_certificates_and_the_offer_is_given_out(world: World, tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        connect(world.provider, served)
        assert not offered(world.offer)
        result = certify(world.provider)
        assert result is not None and result.passed
        assert proved(world.provider) == dict.fromkeys(ALL, "passed")
        assert offered(world.offer) and served.live() == []
    (run,) = runs(world.provider)
    assert (run.state, run.reason, run.left_behind) == ("done", "", [])
    assert {step["outcome"] for step in run.steps} == {"passed"}
    with reading() as session:
        lines = session.scalars(select(AuditLine.action).where(AuditLine.action.like("certificate.%"))).all()
        assert lines == ["certificate.given"] * len(ALL)
        assert session.scalars(select(ConformanceMade)).all() == []


def test_a_failed_step_is_kept_with_its_transcript_and_ends_what_was_passed_before(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(tmp_path) as served, limited(*FEW):
        connect(world.provider, served)
        certify(world.provider)
        monkeypatch.setattr("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
        certify(world.provider)
    assert Capability.BOOKING not in proved(world.provider) and not offered(world.offer)
    assert sorted(ended(world.provider)) == ["failed", *["replaced"] * 6]
    step = next(step for step in runs(world.provider)[1].steps if step["outcome"] == "failed")
    assert (step["name"], told(step["expected"]).en) == ("booking-sold-out", "refused (sold_out)")
    assert (step["expected"], told(step["came"])) == (REFUSED(code="sold_out").stored(), Text("已确认", "confirmed"))
    assert any(line.startswith("> POST /bookings") for line in step["transcript"])
    assert "测试" not in json.dumps(step, ensure_ascii=False)


def test_a_provider_that_cannot_be_reached_loses_nothing(world: World, tmp_path: Path) -> None:
    with serve(tmp_path) as served, limited(*FEW):
        connect(world.provider, served)
        certify(world.provider)
    certify(world.provider)
    assert proved(world.provider) == dict.fromkeys(ALL, "passed") and offered(world.offer)
    assert (runs(world.provider)[1].state, runs(world.provider)[1].reason) == ("failed", "not_reached")


def test_settings_that_change_during_a_run_are_given_no_certificate(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = Kit.cancel

    def meanwhile(self: Kit, *args: object) -> object:
        change(world.provider, allotment=True)
        return cancel(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Kit, "cancel", meanwhile)
    with serve(tmp_path) as served, limited(*FEW):
        connect(world.provider, served)
        certify(world.provider)
    assert proved(world.provider) == {} and not offered(world.offer)
    assert runs(world.provider)[0].reason == "settings"


def test_the_lease_of_a_run_is_renewed_while_a_step_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    began, seconds = clock.now(), count()
    leases: set[datetime | None] = set()

    def long_step(*_: object, **__: object) -> RunResult:
        def renewed_twice() -> bool:
            leases.add(runs(world.provider)[0].lease_until)
            return len(leases) > 2

        eventually(renewed_twice, 10)
        return RunResult([])

    monkeypatch.setattr(carry_out, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(carry_out, "run", long_step)
    with transaction() as session:
        queue_certification(session, world.provider.code, SYSTEM, now=began)
    carry_out.carry_out_next(lambda: began + timedelta(seconds=next(seconds)), try_program)
    assert (runs(world.provider)[0].state, runs(world.provider)[0].lease_until) == ("failed", None)


def test_the_lease_of_a_run_that_hangs_is_renewed_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_out, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(carry_out, "LONGEST_SECONDS", 0)
    renewed: list[int] = []
    monkeypatch.setattr(carry_out, "_go_on", lambda run_id, _now: renewed.append(run_id))
    with carry_out._renewed(1, clock.now):
        time.sleep(0.1)
    assert renewed == []
    monkeypatch.setattr(carry_out, "LONGEST_SECONDS", 10)
    with carry_out._renewed(1, clock.now):
        eventually(lambda: renewed, 5)


def test_a_second_run_is_not_asked_for_while_one_is_open(world: World) -> None:
    with transaction() as session:
        assert queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
        assert not queue_certification(session, world.provider.code, SYSTEM, now=clock.now())


def test_who_answers_at_the_desk_or_is_nobody_is_not_certified(world: World) -> None:
    change(world.provider, adapter="desk")
    with transaction() as session, pytest.raises(NothingToProve):
        queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
    with transaction() as session, pytest.raises(NotFound):
        queue_certification(session, "nobody", SYSTEM, now=clock.now())


def test_a_killed_run_is_recorded_and_what_it_made_is_taken_back_by_the_job(world: World, tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        connect(world.provider, served)
        with transaction() as session:
            queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
            session.execute(
                update(ConformanceRun).values(state="running", lease_until=clock.now() - LEASE, started_at=clock.now())
            )
        journal = TableJournal(world.provider.id)
        kit = Kit(served.target(), journal)
        kit.prepare()
        booked = kit.book()
        kit.alter(booked.slot, 1)
        assert served.live() == [booked.wish.our_reference]
        assert [made.what for made in journal.left()] == ["booking", "slot"]
        assert take_back_left() == {"providers": 0, "left": 0}  # the run may be alive
        assert certify_due(clock.now, try_program) == {"stopped": 1, "runs": 0}
        assert take_back_left() == {"providers": 1, "left": 0}
        assert served.live() == [] and journal.left() == []
    assert (runs(world.provider)[0].state, runs(world.provider)[0].reason) == ("failed", "stopped")


def test_a_provider_that_cannot_be_used_keeps_no_other_from_being_cleaned_or_tried(
    world: World, tmp_path: Path
) -> None:
    other, _offer, _slots = make_offer()
    change(other, adapter="fhir", settings={"colour": "blue"})
    for provider in (other, world.provider):
        TableJournal(provider.id).add(Made("booking", f"kit-{provider.id}", HOUR_AGO.isoformat()))
    with serve(tmp_path) as served:
        connect(world.provider, served)
        assert take_back_left() == {"providers": 2, "left": 0}
    assert TableJournal(world.provider.id).left() == [] and len(TableJournal(other.id).left()) == 1
    assert certify(other) is None
    assert (runs(other)[0].state, runs(other)[0].reason) == ("failed", "unusable")


def test_what_was_taken_back_strikes_out_nothing_that_was_made_since(world: World) -> None:
    """A slot that a run alters once more has the name that it had."""
    journal = TableJournal(world.provider.id)
    journal.add(Made("slot", "S1", HOUR_AGO.isoformat()))
    [before] = journal.left()
    journal.gone(before)
    journal.add(Made("slot", "S1", clock.now().isoformat()))
    journal.gone(before)
    [since] = journal.left()
    journal.gone(since)
    assert journal.left() == []


def test_cleaning_stops_where_a_run_begins_meanwhile(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = TableJournal(world.provider.id)
    for number in (1, 2):
        journal.add(Made("booking", f"kit-{number}", HOUR_AGO.isoformat()))
    gone = TableJournal.gone

    def then_asked_for(self: TableJournal, made: Made) -> None:
        gone(self, made)
        with transaction() as session:
            queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
        begun.append(carry_out.carry_out_next(clock.now, try_program))

    begun: list[RunResult | None] = []
    monkeypatch.setattr(TableJournal, "gone", then_asked_for)
    with serve(tmp_path) as served:
        connect(world.provider, served)
        take_back_left()
        assert begun == [None], "nothing begins while something is taken back"
        assert [made.subject for made in journal.left()] == ["kit-2"]
        monkeypatch.undo()
        assert carry_out._claim(clock.now(), None) is not None


def test_cleaning_waits_for_a_run_that_is_just_claimed(world: World) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            issue.lock_provider(session, world.provider.id)
            holding = pool.submit(carry_out._hold, world.provider.id)
            with pytest.raises(TimeoutError):
                holding.result(0.5)
            queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
        assert holding.result(10) is False


def test_a_run_that_is_claimed_while_cleaning_begins_waits_and_does_not_begin(world: World) -> None:
    """Without the lock on the provider's row both would find nobody at work."""
    TableJournal(world.provider.id).add(Made("booking", "kit-1", HOUR_AGO.isoformat()))
    with transaction() as session:
        queue_certification(session, world.provider.code, SYSTEM, now=clock.now())
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            issue.lock_provider(session, world.provider.id)
            session.execute(update(ConformanceMade).values(taken_back_until=clock.now() + carry_out.HOLD))
            claiming = pool.submit(carry_out._claim, clock.now(), None)
            with pytest.raises(TimeoutError):
                claiming.result(0.5)
        assert claiming.result(10) is None
    assert carry_out._claim(clock.now() + carry_out.HOLD, None) is not None, "the control: a cleaner that was killed"


def test_what_cannot_be_taken_back_yet_stays_written_down(world: World, tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        connect(world.provider, served)
    journal = TableJournal(world.provider.id)
    journal.add(Made("booking", "kit-1", (clock.now() - timedelta(hours=1)).isoformat()))
    assert take_back_left() == {"providers": 1, "left": 1}
    assert [made.subject for made in journal.left()] == ["kit-1"]
