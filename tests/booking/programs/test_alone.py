"""A run that certifies a program and a rehearsal at the same twin exclude each other, whoever asks first."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update

from booking.actors import SYSTEM, Actor
from booking.certifying.ask import NothingToProve, ask_own, queue_certification
from booking.certifying.carry_out import certify_due
from booking.certifying.journal import TableJournal
from booking.certifying.subject import CertificationUnderWay, RehearsalUnderWay
from booking.faults.kinds import Kind
from booking.faults.models import Rehearsal
from booking.programs.clean import take_back_trials
from booking.programs.kit import ProgramKit, Trial
from booking.rehearsals.ask import Wanted, ask, end_early
from booking.twins.open import open_test_mode
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal
from providers.conformance.certificates.models import ConformanceRun
from tests.booking.certifying.certified import runs
from tests.booking.programs.trials import Stage, quickly, under_way
from tests.world import make_world

BY = Actor("provider", "mbr_1")


def rehearse(stage: Stage) -> str:
    return ask(stage.twin.id, Wanted([Kind.GONE], 1, 7), BY, now=clock.now())


def certify(stage: Stage) -> bool:
    with transaction() as session:
        return queue_certification(session, stage.world.provider.code, SYSTEM, now=clock.now())


def open_rehearsals() -> int:
    with reading() as session:
        open_ones = Rehearsal.state.in_(("queued", "running"))
        return session.scalar(select(func.count()).select_from(Rehearsal).where(open_ones)) or 0


def test_no_rehearsal_begins_while_a_run_is_asked_for_or_under_way(stage: Stage) -> None:
    assert certify(stage)
    for state in ("queued", "running"):
        with transaction() as session:
            session.execute(update(ConformanceRun).values(state=state))
        with pytest.raises(CertificationUnderWay):
            rehearse(stage)
    with transaction() as session:
        session.execute(update(ConformanceRun).values(state="done"))
    rehearse(stage)


def test_no_rehearsal_begins_before_what_a_killed_run_booked_is_cancelled(stage: Stage) -> None:
    run = under_way(stage)
    ProgramKit(Trial(run, stage.twin.id, TableJournal(stage.world.provider.id), clock.now)).book()
    with transaction() as session:
        session.execute(update(ConformanceRun).values(lease_until=clock.now()))
    certify_due(clock.now, quickly(stage))
    with pytest.raises(CertificationUnderWay):
        rehearse(stage)
    assert take_back_trials(clock.now) == {"providers": 1, "left": 0}
    rehearse(stage)


def test_no_run_is_asked_for_while_a_rehearsal_is_open(stage: Stage) -> None:
    rehearsal = rehearse(stage)
    with pytest.raises(RehearsalUnderWay) as refused:
        certify(stage)
    assert refused.value.facts == {"rehearsal": rehearsal} and runs(stage.world.provider) == []
    end_early(stage.twin.id, rehearsal, now=clock.now())
    assert certify(stage)


def test_of_both_at_once_one_is_begun(stage: Stage) -> None:
    together, refused = Barrier(2), []

    def one(does: object) -> None:
        together.wait()
        try:
            assert callable(does)
            does(stage)
        except Refusal as refusal:
            refused.append(refusal.code)

    for _turn in range(5):
        threads = [Thread(target=one, args=(each,)) for each in (rehearse, certify)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        open_runs = [run for run in runs(stage.world.provider) if run.state == "queued"]
        assert open_rehearsals() + len(open_runs) == 1, refused
        with transaction() as session:
            session.execute(update(Rehearsal).values(state="stopped", finished_at=clock.now()))
            session.execute(update(ConformanceRun).values(state="done", finished_at=clock.now()))
    assert len(refused) == 5


def test_a_run_asked_for_in_test_mode_is_the_live_providers(stage: Stage) -> None:
    assert ask_own(stage.twin.id, "mbr_1", now=clock.now())
    (run,) = runs(stage.world.provider)
    assert (run.actor_kind, run.actor) == ("provider", "mbr_1")
    assert not ask_own(stage.world.provider.id, "mbr_1", now=clock.now()), "it is asked for already"


def test_the_twin_of_one_whose_system_is_called_has_nothing_to_prove(db: object) -> None:
    world = make_world()
    twin = open_test_mode(world.provider.id, SYSTEM, clock.now())
    with pytest.raises(NothingToProve):
        ask_own(twin.id, "mbr_1", now=clock.now())
    assert runs(world.provider) == []
