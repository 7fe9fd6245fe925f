"""The kit against a clinic that answers consultations: it is certified as it is, and each planted fault is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.conformance.step import Capability, Outcome
from tests.providers.conformance.clinic import ROSTER, at_work
from tests.providers.conformance.served import failed, limited, names

CONSULTATIONS = Capability.CONSULTATIONS


@pytest.mark.parametrize("reopens", [True, False])
def test_a_clinic_that_keeps_the_contract_is_certified_and_nothing_is_left(tmp_path: Path, reopens: bool) -> None:
    with at_work(tmp_path, reopens=reopens) as there:
        result = there.run(CONSULTATIONS, patience=5)
        assert names(failed(result)) == []
        assert result.certified(CONSULTATIONS) and result.capabilities == [CONSULTATIONS]
        assert (result.left, there.clinic.live(), there.clinic.webhook) == ([], [], "")
        assert (tmp_path / "made.jsonl").read_text() == ""


def test_consultations_are_tried_where_the_provider_says_that_it_answers_some(tmp_path: Path) -> None:
    with at_work(tmp_path) as there:
        assert CONSULTATIONS in there.run().capabilities


def test_who_does_not_say_so_is_not_asked_and_proves_nothing(tmp_path: Path) -> None:
    with at_work(tmp_path, says=False) as there:
        assert CONSULTATIONS not in there.run(patience=0.2).capabilities
        asked = there.run(CONSULTATIONS)
    ways = {step.name: step.outcome for step in asked.steps}
    assert ways.pop("consultations-roster") is Outcome.PASSED
    assert set(ways.values()) == {Outcome.NOT_TRIED}
    assert not asked.passed and not asked.certified(CONSULTATIONS)


def test_a_test_mode_in_which_no_doctor_answers_certifies_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    with at_work(tmp_path, "no-say", "no-picture", "no-summarise") as there:
        result = there.run(CONSULTATIONS)
        assert names(failed(result)) == [] and not result.certified(CONSULTATIONS)
        assert (result.left, there.clinic.live()) == ([], [])


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("opens-again", "consultations-once"),
        ("takes-other-body", "consultations-once"),
        ("no-look-up", "consultations-time-out"),
        ("no-cancel", "consultations-cancel"),
        ("never-closed", "consultations-cancel"),
        ("closes-once", "consultations-close"),
        ("stays-open", "consultations-close"),
        ("refuses-again", "consultations-message-once"),
        ("takes-any-body", "consultations-message-once"),
        ("gap", "consultations-lines"),
        ("same-ids", "consultations-lines"),
        ("stranger", "consultations-lines"),
        ("changes", "consultations-lines"),
        ("all", "consultations-lines"),
        ("unreadable", "consultations-lines"),
        ("hides-last", "consultations-lines"),
        ("stays-in-queue", "consultations-lines"),
        ("other-hash", "consultations-picture"),
        ("no-events", "consultations-event"),
        ("event-otherwise", "consultations-event"),
        ("forged", "consultations-event"),
        ("numbers-anew", "consultations-end"),
    ],
)
def test_a_fault_is_found_by_its_step(tmp_path: Path, fault: str, step: str) -> None:
    with at_work(tmp_path, fault) as there, limited(step):
        result = there.run(CONSULTATIONS, patience=0.7)
    [found] = failed(result)
    assert found.name == step and found.expected and found.came and found.transcript, found
    assert not result.certified(CONSULTATIONS)


@pytest.mark.parametrize(
    "roster", [[], [{**ROSTER[0], "licence": "1234"}, ROSTER[1]], [ROSTER[1], {**ROSTER[1], "name": "王"}]]
)
def test_a_roster_that_cannot_be_read_as_a_whole_is_found(tmp_path: Path, roster: list[dict[str, str]]) -> None:
    with at_work(tmp_path) as there:
        there.clinic.roster = roster
        result = there.run(CONSULTATIONS)
    assert "consultations-roster" in names(failed(result))


def test_no_word_that_was_said_stands_in_a_transcript(tmp_path: Path) -> None:
    with at_work(tmp_path, "changes", "event-otherwise", "never-closed", "stays-open") as there:
        result = there.run(CONSULTATIONS)
    shown = "\n".join(str(line) for step in failed(result) for line in step.transcript)
    assert "> GET /consultations/" in shown and '"seq": 1' in shown
    for words in ("您好", "测试", "感冒", "林晚晴", "110101199003071"):
        assert words not in shown
