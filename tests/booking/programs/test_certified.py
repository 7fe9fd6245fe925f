"""An honest program is certified, and its provider's offers are given out; one that is missing a thing is told so."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import null, select, update

from booking.certifying.ask import NoTestMode, ask_own
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.sending import email
from providers.applying.models import ProviderApplication
from providers.applying.review import approve
from providers.conformance.certificates.models import ConformanceCall, ConformanceMade
from providers.conformance.step import Capability, Outcome
from tests.booking.certifying.certified import offered, proved, runs
from tests.booking.programs.program import running
from tests.booking.programs.trials import Stage, certify, living, make_stage, outcomes, worker
from tests.desk import PASSWORD
from tests.providers.applying.applicants import registered
from tests.world import make_world, set_provider
from vip.operators.operators import create_admin, sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.signin.authentication import authenticate

NEEDED = {Capability.BOOKING: "passed", Capability.WEBHOOKS: "passed", Capability.REPORTS: "passed"}


@pytest.mark.slow
def test_an_honest_program_is_certified_for_all_and_nothing_is_left(app: Flask, db: object) -> None:
    stage = make_stage()
    assert not offered(stage.world.offer)
    with running(app, stage.twin.code):
        result = certify(stage)
    assert set(outcomes(result).values()) == {Outcome.PASSED}, outcomes(result)
    assert proved(stage.world.provider) == NEEDED and offered(stage.world.offer)
    worker(stage)  # which carries the last cancel out
    assert (result.left, living(stage)) == ([], [])
    (run,) = runs(stage.world.provider)
    assert (run.state, run.tried_id, run.left_behind) == ("done", stage.twin.id, [])
    with reading() as session:
        assert session.scalars(select(ConformanceMade)).all() == []
        assert session.scalars(select(ConformanceCall)).all() == []


def test_who_registers_is_certified_in_test_mode_and_sells_once_it_is_approved(
    app: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "backend", lambda: object())
    application = registered(now=clock.now(), answers="partner")
    with transaction() as session:
        session.execute(update(ProviderApplication).values(provider_id=stage.world.provider.id))
        session.execute(update(Provider).where(Provider.id == stage.world.provider.id).values(approved_at=null()))
    proof = ("program-told", "program-confirms", "program-cancelled", "program-sold-out", "program-429")
    with running(app, stage.twin.code, by_feed=True):
        result = certify(stage, *proof, "program-report", "program-corrected")
    assert set(outcomes(result).values()) == {Outcome.PASSED}
    assert set(proved(stage.world.provider)) == {Capability.BOOKING, Capability.REPORTS}
    assert not offered(stage.world.offer), "an administrator has not approved it"
    create_admin("lin", PASSWORD, "林默", now=clock.now())
    signed_in = sign_in_operator("lin", PASSWORD, clock.now())
    assert isinstance(signed_in, OperatorSignedIn)
    approve(authenticate(signed_in.token, now=clock.now()), application, now=clock.now())
    assert offered(stage.world.offer)


@pytest.mark.slow
def test_a_program_that_reads_by_itself_proves_bookings_and_is_not_asked_for_webhooks(app: Flask, db: object) -> None:
    stage = make_stage()
    with running(app, stage.twin.code, by_feed=True):
        result = certify(
            stage, "program-told", "program-confirms", "program-cancelled", "program-sold-out", "program-twice"
        )
    assert outcomes(result) == {
        "program-told": Outcome.PASSED,
        "program-confirms": Outcome.PASSED,
        "program-cancelled": Outcome.PASSED,
        "program-sold-out": Outcome.PASSED,
        "program-twice": Outcome.NOT_TRIED,
    }
    assert set(proved(stage.world.provider)) == {Capability.BOOKING}
    assert not offered(stage.world.offer), "a check-up delivers a report, which was not proved here"


def test_what_has_to_be_done_first_is_said(app: Flask, db: object) -> None:
    stage = make_stage(full_slot=False, today=False)
    with running(app, stage.twin.code):
        result = certify(stage, "program-sold-out", "program-report")
    said = {step.name: str(step.came) for step in result.steps}
    assert "has to publish a slot in test mode whose reference begins with kit-sold-out" in said["program-sold-out"]
    assert "publish slots of today" in said["program-report"]
    assert {step.outcome for step in result.steps} == {Outcome.NOT_TRIED}


def test_without_test_mode_no_run_is_asked_for(db: object) -> None:
    world = make_world()
    set_provider(world.provider, adapter="partner")
    with pytest.raises(NoTestMode):
        ask_own(world.provider.id, "mbr_1", now=clock.now())
    assert runs(world.provider) == []
