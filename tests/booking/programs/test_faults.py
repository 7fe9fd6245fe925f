"""Faults planted in a program: the kit finds each, and names the step. An honest program passes each of those steps in
the whole run of test_certified.py."""

from __future__ import annotations

import pytest
from flask import Flask

from booking.programs.run import PROGRAM_STEPS
from providers.conformance.step import Outcome
from tests.booking.programs.program import running
from tests.booking.programs.trials import PATIENCE, Stage, certify, failed, living, worker

FAULTS = [
    ("deaf", "program-told"),
    ("silent", "program-confirms"),
    ("stubborn", "program-cancelled"),
    ("mum", "program-sold-out"),
    ("vague", "program-sold-out"),
    ("impatient", "program-429"),
    ("forgetful", "program-twice"),
    ("trusting", "program-forged"),
    ("hasty", "program-order"),
    ("without_report", "program-report"),
    ("overwriting", "program-corrected"),
]


NOTHING_COMES, SOON = ("deaf", "silent", "mum"), 2.0
"""Faults whose step waits for nothing but what will not come, and the seconds that are given to it."""


def test_there_is_a_fault_for_each_step() -> None:
    assert {step for _fault, step in FAULTS} == {step.name for step in PROGRAM_STEPS}


@pytest.mark.parametrize(("fault", "step"), FAULTS)
def test_each_fault_is_found_by_its_step_with_what_was_called(app: Flask, stage: Stage, fault: str, step: str) -> None:
    with running(app, stage.twin.code, fault):
        result = certify(stage, step, patience=SOON if fault in NOTHING_COMES else PATIENCE)
    (found,) = failed(result)
    assert found.name == step and found.expected and found.came and found.transcript, found
    assert not result.certified(found.proves)
    worker(stage)  # which carries the last cancel out
    assert (result.left, living(stage)) == ([], [])


def test_a_correction_that_does_not_come_is_asked_of_somebody_and_proves_nothing(app: Flask, stage: Stage) -> None:
    with running(app, stage.twin.code, "without_correction"):
        result = certify(stage, "program-corrected")
    (step,) = result.steps
    assert step.outcome is Outcome.NOT_TRIED and "somebody at the provider has to correct" in str(step.came)
    assert step.came is not None and "需要服务方的人员配合" in step.came.text().zh
