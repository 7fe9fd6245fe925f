"""The kit against our two sandboxes as they are: all is certified, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.conformance.step import Capability, Outcome
from providers.sandbox.problems import Problem
from tests.providers.conformance.served import failed, names, serve


@pytest.mark.parametrize("manner", ["prompt", "deliberate"])
def test_the_open_sandbox_is_certified_for_all_that_it_declares(tmp_path: Path, manner: str) -> None:
    with serve(tmp_path, manner=manner, doctors=3, escorts=3) as served:
        result = served.run(patience=10)
        assert names(failed(result)) == []
        assert result.passed and result.capabilities == list(Capability)
        assert (result.left, served.live()) == ([], [])
        assert (tmp_path / "made.jsonl").read_text() == ""


def test_without_doctors_no_consultation_is_tried(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        result = served.run(Capability.CONSULTATIONS, Capability.LISTS)
        assert result.certified(Capability.LISTS) and not result.certified(Capability.CONSULTATIONS)


@pytest.mark.parametrize("fault", ["line_gap", "line_stranger", "line_unreadable"])
def test_doctors_who_break_the_contract_are_not_certified(tmp_path: Path, fault: str) -> None:
    with serve(tmp_path, doctors=3) as served:
        served.desk.faults.add({"fault": fault, "times": None})
        result = served.run(Capability.CONSULTATIONS)
        assert names(failed(result)) != [] and not result.certified(Capability.CONSULTATIONS)
        assert (result.left, served.live()) == ([], [])


def test_the_day_capacity_sandbox_is_certified_for_all_that_it_declares(tmp_path: Path) -> None:
    with serve(tmp_path, adapter="day_capacity") as served:
        result = served.run(patience=10)
        assert names(failed(result)) == []
        wanted = [Capability.SLOTS, Capability.BOOKING, Capability.LISTS, Capability.REPORTS]
        assert result.passed and result.capabilities == wanted
        assert (result.left, served.live()) == ([], [])


def test_without_a_test_mode_what_needs_one_is_not_tried_and_not_certified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.sandbox.test_mode.suggested", lambda _desk: 1 / 0)
    with serve(tmp_path) as served:
        result = served.run(Capability.BOOKING, Capability.WEBHOOKS)
        assert {step.outcome for step in result.steps} == {Outcome.NOT_TRIED}  # no offer is known either
        assert not result.certified(Capability.BOOKING) and not result.certified(Capability.WEBHOOKS)


def test_a_provider_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        pass
    result = served.run()
    assert {step.outcome for step in result.steps} == {Outcome.NOT_TRIED}
    assert all("could not be reached" in str(step.came) for step in result.steps)


def test_a_test_mode_without_a_part_leaves_those_steps_untried_and_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise Problem(404, "http_error", "Not Found")

    monkeypatch.setattr("providers.sandbox.test_mode.set_slot", missing)
    with serve(tmp_path) as served:
        result = served.run(Capability.SLOTS, Capability.CHANGE)
        outcomes = {step.name: step.outcome for step in result.steps}
        assert outcomes.pop("slots-listed") is Outcome.PASSED
        assert set(outcomes.values()) == {Outcome.NOT_TRIED}
        assert (result.left, served.live()) == ([], [])
