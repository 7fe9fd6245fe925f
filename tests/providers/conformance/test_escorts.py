"""The kit against a provider that sends escorts: it is certified as it is, and each lie is found by its step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from providers.conformance.step import Capability, Outcome
from providers.sandbox import bookings
from providers.sandbox.consultations import rota, say
from providers.sandbox.escorts import dispatch, papers, script, visits
from providers.sandbox.problems import Problem
from tests.providers.conformance.served import Served, failed, limited, names, serve

ESCORTS = Capability.ESCORTS
Planted = Callable[[Served, pytest.MonkeyPatch], None]

STEPS = [
    "escorts-booked",
    "escorts-named",
    "escorts-lines",
    "escorts-picture",
    "escorts-event",
    "escorts-released",
    "escorts-apart",
    "escorts-moved",
    "escorts-cancelled",
]


def test_a_provider_that_keeps_the_contract_is_certified_and_nothing_is_left(tmp_path: Path) -> None:
    with serve(tmp_path, escorts=4) as served:
        result = served.run(ESCORTS, patience=5)
        assert [(each.name, str(each.expected), str(each.came)) for each in failed(result)] == []
        assert result.certified(ESCORTS) and result.capabilities == [ESCORTS]
        assert (result.left, served.live()) == ([], [])
        assert (tmp_path / "made.jsonl").read_text() == ""
        assert names(result.steps) == STEPS


def test_one_who_has_a_single_person_is_certified_too(tmp_path: Path) -> None:
    """Who comes instead cannot be asked of one who has nobody else; all else can."""
    with serve(tmp_path, escorts=1) as served:
        result = served.run(ESCORTS, patience=0.7)
    outcomes = {step.name: step.outcome for step in result.steps}
    assert outcomes["escorts-apart"] is Outcome.PASSED and outcomes["escorts-lines"] is Outcome.PASSED
    assert outcomes["escorts-named"] is not Outcome.PASSED and not result.certified(ESCORTS)


def test_who_does_not_say_that_it_sends_somebody_is_not_asked(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        asked = served.run(ESCORTS)
    assert {step.outcome for step in asked.steps} == {Outcome.NOT_TRIED} and not asked.certified(ESCORTS)


def fault(name: str, command: str = "*", **more: Any) -> Planted:
    """A fault of the sandbox, for as long as the run lasts."""
    return lambda served, _patch: _add(served, {"fault": name, "command": command, "times": None, **more})


def _add(served: Served, wish: dict[str, Any]) -> None:
    served.desk.faults.add(wish)


def listed(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], *, whole: bool = False) -> Planted:
    """Another list than the true one; with `whole` of all lines, whatever number is asked for."""
    true = say.lines_after

    def plant(_served: Served, patch: pytest.MonkeyPatch) -> None:
        def other(tx: Any, row: Any, number: int, most: int) -> list[dict[str, Any]]:
            return change(list(true(tx, row, 0 if whole else number, most)))

        patch.setattr(say, "lines_after", other)

    return plant


def replaced(room: Any, name: str, made: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Planted:
    """Something that the sandbox does, done otherwise."""
    return lambda _served, patch: patch.setattr(room, name, made(getattr(room, name)))


def earlier(lines: list[dict[str, Any]], days: int = 1) -> list[dict[str, Any]]:
    """The same of a day before."""
    return [{**each, "at": str(datetime.fromisoformat(each["at"]) - timedelta(days=days))} for each in lines]


def ever_changing() -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """A list that is another one each time."""
    reads = [0]

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        reads[0] += 1
        return [{**each, "id": f"{each['id']}-{reads[0]}"} for each in lines]

    return change


def forgetting(true: Callable[..., Any]) -> Callable[..., Any]:
    """After the command nothing is known of what was done before."""

    def forgetful(desk: Any, key: str, wish: Any) -> Any:
        reply = true(desk, key, wish)
        with desk.ledger.transaction() as tx:
            tx.execute("DELETE FROM said WHERE account = ?", (desk.account.code,))
        return reply

    return forgetful


def going_on(true: Callable[..., Any]) -> Callable[..., Any]:
    """After a cancel she does something still."""

    def tireless(desk: Any, key: str, wish: Any) -> Any:
        reply = true(desk, key, wish)
        with desk.ledger.transaction() as tx:
            for visit in visits.select(tx, "v.reference = ?", (wish["reference"],)):
                visits.add(desk, tx, visit, "arrived", visit["worker"], {})
        return reply

    return tireless


def cancelling(true: Callable[..., Any]) -> Callable[..., Any]:
    """Who does not come ends the booking."""

    def release(desk: Any, tx: Any, visit: Any, cause: str) -> Any:
        bookings.move(desk, tx, visit["reference"], "cancel")
        return true(desk, tx, visit, cause)

    return release


def eager(true: Callable[..., Any]) -> Callable[..., Any]:
    """Somebody is named with the booking, in test mode too."""

    def tend(desk: Any, tx: Any) -> None:
        true(desk, tx)
        for visit in visits.select(tx, f"v.worker IS NULL AND {visits.LIVE}", ()):
            dispatch.assign(desk, tx, visit)

    return tend


def _anew(desk: Any, _key: str, _wish: Any, act: Callable[[Any], Any]) -> Any:
    with desk.ledger.transaction() as tx:
        return act(tx)


def _worded(true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda desk, tx, visit, wanted="", word="": true(desk, tx, visit, wanted, "青山")


def _same_again(true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda desk, tx, visit, wanted="", word="": true(desk, tx, visit, visit["worker"] or wanted, word)


def _by_another(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "escort": "X"} if each["kind"] == "note" else each for each in lines]


def _of_another(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "our_reference": "kit-another"} for each in lines]


def _other_released(true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda desk, tx, visit, kind, escort, content: true(
        desk, tx, visit, kind, "X" if kind == "released" else escort, content
    )


def _immovable(_true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _desk, _key, _wish: bookings.Reply(409, Problem(409, "too_late", "No").document())


def _one_a_window(true: Callable[..., Any]) -> Callable[..., Any]:
    def reserve(desk: Any, key: str, wish: Any) -> Any:
        with desk.ledger.reading() as tx:
            live = tx.execute(
                "SELECT 1 FROM booking WHERE slot = ? AND our_reference <> ? AND status <> 'cancelled'",
                (wish["slot"], wish["our_reference"]),
            ).fetchone()
        closed = bookings.Reply(409, Problem(409, "closed", "No").document())
        return true(desk, key, wish) if live is None else closed

    return reserve


def _one_id(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "id": "one"} for each in lines]


def _unproved(true: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    return lambda kind: {} if kind == "met" else true(kind)


def _other_picture(_true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *_: papers.sheet("another", "paper")


def _other_event(true: Callable[..., Any]) -> Callable[..., Any]:
    return lambda desk, tx, line: true(desk, tx, {**line, "safe_word": "海豚豚"})


LIES: dict[str, tuple[Planted, str]] = {
    "twice under one key": (replaced(bookings, "once", lambda _true: _anew), "escorts-booked"),
    "names somebody with the booking": (replaced(dispatch, "tend", eager), "escorts-booked"),
    "not found by its key": (replaced(bookings, "by_key", lambda _true: lambda *_: None), "escorts-booked"),
    "the same word": (replaced(dispatch, "assign", _worded), "escorts-named"),
    "the same person": (replaced(dispatch, "assign", _same_again), "escorts-named"),
    "a number left out": (fault("line_gap"), "escorts-lines"),
    "a kind that nobody knows": (fault("line_unreadable"), "escorts-lines"),
    "a stranger": (listed(_by_another), "escorts-lines"),
    "the same ids": (listed(_one_id), "escorts-lines"),
    "another number of ours": (listed(_of_another), "escorts-lines"),
    "ever changing": (listed(ever_changing()), "escorts-lines"),
    "earlier ones too": (listed(lambda lines: lines, whole=True), "escorts-lines"),
    "a clock of yesterday": (listed(earlier), "escorts-lines"),
    "a booking that stays": (lambda _served, patch: patch.setattr(script, "MOVES", {}), "escorts-lines"),
    "a meeting without proof": (replaced(script, "content_of", _unproved), "escorts-lines"),
    "another picture": (replaced(say, "picture", _other_picture), "escorts-picture"),
    "a picture that does not come": (fault("error_before_commit", "paper"), "escorts-picture"),
    "no picture at all": (replaced(script, "pictured", lambda _true: lambda _kind: False), "escorts-picture"),
    "no event": (fault("webhook_drop", "escort.line"), "escorts-event"),
    "another event": (replaced(visits, "_tell", _other_event), "escorts-event"),
    "a cancel instead of a release": (replaced(dispatch, "release", cancelling), "escorts-released"),
    "somebody else is released": (replaced(visits, "add", _other_released), "escorts-released"),
    "a window that closes with its first": (replaced(bookings, "reserve", _one_a_window), "escorts-apart"),
    "two places at once": (fault("escort_double"), "escorts-apart"),
    "moves nothing": (replaced(bookings, "change", _immovable), "escorts-moved"),
    "forgets with a move": (replaced(bookings, "change", forgetting), "escorts-moved"),
    "forgets with a cancel": (replaced(rota, "cancel", forgetting), "escorts-cancelled"),
    "goes on after a cancel": (replaced(rota, "cancel", going_on), "escorts-cancelled"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_by_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    plant, step = LIES[lie]
    with serve(tmp_path, escorts=4) as served:
        plant(served, monkeypatch)
        with limited(step):
            result = served.run(ESCORTS, patience=0.7)
        monkeypatch.undo()
    assert names(failed(result)) == [step], [(each.name, each.outcome, str(each.came)) for each in result.steps]
    assert not result.certified(ESCORTS)
    [found] = failed(result)
    assert found.expected and found.came and found.transcript, found


def test_no_word_and_no_name_stands_in_a_transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(tmp_path, escorts=4) as served:
        LIES["ever changing"][0](served, monkeypatch)
        LIES["another event"][0](served, monkeypatch)
        result = served.run(ESCORTS, patience=0.7)
        people = [each.name for each in served.desk.account.escorts.staff]  # type: ignore[union-attr]
        monkeypatch.undo()
    shown = "\n".join(str(line) for step in failed(result) for line in step.transcript)
    assert "> GET /escorts/" in shown and '"seq": 1' in shown
    for words in ("测试", "药费", "家门口", *script.SAFE_WORDS, *people):
        assert words not in shown
