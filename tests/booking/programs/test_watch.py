"""Only a twin's program is watched, only while it is tried; and what a killed run left goes."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.certifying.carry_out import LEASE, certify_due
from booking.certifying.journal import TableJournal
from booking.idempotency import Repeatable
from booking.programs import watch
from booking.programs.clean import take_back_trials
from booking.programs.kit import ProgramKit, Trial
from booking.states import BookingState
from booking.twins.book import book_for_test
from marketplace.catalog.models import Offer
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.models import ConformanceCall, ConformanceRun
from providers.conformance.step import Failed
from tests.booking.programs.program import running
from tests.booking.programs.trials import Stage, living, quickly, under_way, worker
from tests.eventually import eventually
from tests.processes import run_program


def noted() -> list[tuple[str, str, int]]:
    with reading() as session:
        query = select(ConformanceCall.method, ConformanceCall.route, ConformanceCall.status)
        return [tuple(row) for row in session.execute(query.order_by(ConformanceCall.id))]


def test_calls_are_noted_while_a_run_is_under_way_and_not_otherwise(app: Flask, stage: Stage) -> None:
    with running(app, stage.twin.code) as twins, running(app, stage.world.provider.code) as live:
        twins.call("GET", "/bookings")
        run = under_way(stage)
        twins.call("GET", "/bookings")
        live.call("GET", "/bookings")
        twins.call("GET", "/bookings/bkg_0000000000000000")
        assert noted() == [("GET", "/bookings", 200), ("GET", "/bookings/<id:booking_id>", 404)]
        with transaction() as session:
            session.execute(update(ConformanceRun).values(state="done"))
        twins.call("GET", "/bookings")
        assert len(noted()) == 2
        watch.forget_calls(run)
        assert noted() == []


def test_calls_are_refused_to_order_from_the_first_one_on_and_a_live_program_never(app: Flask, stage: Stage) -> None:
    with running(app, stage.twin.code, "impatient") as twins, running(app, stage.world.provider.code) as live:
        run = under_way(stage)
        watch.refuse_next(run, 30)
        headers = {"Authorization": f"Bearer {twins.token}"}
        now = clock.now()
        with clock.frozen(now):
            refused = app.test_client().get("/partner/v1/bookings", headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
            theirs = {"Authorization": f"Bearer {live.token}"}
            assert app.test_client().get("/partner/v1/bookings", headers=theirs).status_code == 200
        with clock.frozen(now + timedelta(seconds=29)):
            again = app.test_client().get("/partner/v1/bookings", headers=headers)
            assert (again.status_code, again.headers["Retry-After"]) == (429, "1")
        with clock.frozen(now + timedelta(seconds=30)):
            assert app.test_client().get("/partner/v1/bookings", headers=headers).status_code == 200
        watch.refuse_next(run, 30)
        with clock.frozen(clock.now() + LEASE + timedelta(seconds=1)):  # its process was killed
            assert app.test_client().get("/partner/v1/bookings", headers=headers).status_code == 200


def test_a_booking_is_the_programs_yes_once_its_call_is_noted_and_never_where_people_confirm(stage: Stage) -> None:
    run = under_way(stage)
    kit = ProgramKit(Trial(run, stage.twin.id, TableJournal(stage.world.provider.id), clock.now, patience=0.1))
    made = kit.book()
    worker(stage)
    repeat = Repeatable("test", "confirm", bytes(32))
    answer.confirm(ProvidersAnswer(stage.twin.id, made, repeat), now=clock.now())
    assert kit.state(made) is BookingState.CONFIRMED
    with pytest.raises(Failed):
        kit.until_confirmed(made)
    route = "/bookings/<id:booking_id>/confirm"
    watch.note(stage.twin.id, method="POST", route=route, booking=made, status=200, now=clock.now())
    kit.until_confirmed(made)


def test_what_a_run_left_that_was_killed_is_cancelled_by_the_job_and_nothing_else(stage: Stage) -> None:
    with reading() as session:
        offer = session.scalars(select(Offer.public_id).where(Offer.provider_id == stage.twin.id)).one()
    before = book_for_test(stage.twin.id, offer, None, 3, clock.now())
    run = under_way(stage)
    kit = ProgramKit(Trial(run, stage.twin.id, TableJournal(stage.world.provider.id), clock.now))
    mine = kit.book()
    theirs = book_for_test(stage.twin.id, offer, None, 1, clock.now())
    assert take_back_trials(clock.now) == {"providers": 0, "left": 0}, "the run may be alive"
    with transaction() as session:
        session.execute(update(ConformanceRun).values(lease_until=clock.now() - LEASE))
    assert certify_due(clock.now, quickly(stage)) == {"stopped": 1, "runs": 0}
    assert set(living(stage)) == {before, mine, theirs}
    assert take_back_trials(clock.now) == {"providers": 1, "left": 0}
    assert set(living(stage)) == {before, theirs}
    assert take_back_trials(clock.now) == {"providers": 0, "left": 0}


KILLED = """
from booking.certifying.journal import TableJournal
from booking.programs.kit import ProgramKit, Trial
from marketplace.core import clock
from marketplace.core.database.db import bare_app
import os, signal
with bare_app().app_context():
    kit = ProgramKit(Trial({run}, {twin}, TableJournal({provider}), clock.now))
    kit.book()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_half_way_leaves_nothing_for_long(stage: Stage) -> None:
    run = under_way(stage)
    program = KILLED.format(run=run, twin=stage.twin.id, provider=stage.world.provider.id)
    assert run_program(program, {}) == -signal.SIGKILL
    assert len(living(stage)) == 1
    with transaction() as session:
        session.execute(update(ConformanceRun).values(lease_until=clock.now() - LEASE))
    assert certify_due(clock.now, quickly(stage))["stopped"] == 1
    eventually(lambda: take_back_trials(clock.now)["providers"] == 1)
    assert living(stage) == []
