"""The timeline of an escort: the times of the deeds, what is now, and what comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from booking.escort.shown.steps import PLANNED, Sent, StepDeed, signed_off, steps

EIGHT = datetime(2026, 3, 10, 0, tzinfo=UTC)


def deed(kind: str, minute: int = 0) -> StepDeed:
    return StepDeed(kind, EIGHT + timedelta(minutes=minute))


def told(*sent: Sent, over: bool = False) -> list[tuple[str, str]]:
    return [(step.what, step.state) for step in steps(sent, over=over)]


@pytest.mark.parametrize(
    ("kinds", "now"),
    [
        ((), "on_the_way"),
        (("on_the_way",), "arrived"),
        (("on_the_way", "arrived"), "met"),
        (("on_the_way", "met"), "registered"),  # she forgot to say that she arrived: it is passed over
        (("on_the_way", "arrived", "met", "registered", "consulted", "medicines_fetched"), "back_home"),
        (PLANNED[:-1], "handed_over"),
    ],
)
def test_what_is_now_follows_the_last_deed(kinds: tuple[str, ...], now: str) -> None:
    lines = told(Sent("何静", tuple(deed(kind) for kind in kinds)))
    assert [what for what, state in lines if state == "done"] == list(kinds)
    assert [what for what, state in lines if state == "now"] == [now]
    assert [what for what, state in lines if state == "next"] == list(PLANNED[PLANNED.index(now) + 1 :])


def test_a_step_has_the_time_of_its_deed() -> None:
    line, *_rest = steps([Sent("何静", (StepDeed("arrived", EIGHT, "within", by_code=True),))], over=False)
    assert (line.at, line.position, line.by_code) == (EIGHT, "within", True)


def test_what_was_done_twice_is_told_twice_and_notes_are_no_steps() -> None:
    lines = told(Sent("何静", (deed("met"), deed("note"), deed("consulted"), deed("examined"), deed("consulted", 9))))
    assert [what for what, state in lines if state == "done"] == ["met", "consulted", "examined", "consulted"]


@pytest.mark.parametrize("last", ["handed_over", "signed"])
def test_nothing_comes_after_the_end(last: str) -> None:
    sent = Sent("何静", (deed("met"), deed(last, 5)))
    assert {state for _what, state in told(sent)} == {"done"}
    assert signed_off([sent]) == EIGHT + timedelta(minutes=5)


def test_nothing_comes_where_it_is_over() -> None:
    assert told(Sent("何静", (deed("met"),)), over=True) == [("met", "done")]
    assert signed_off([Sent("何静", (deed("met"),))]) is None


def test_whoever_takes_over_sets_out_anew() -> None:
    first = Sent("何静", (deed("on_the_way"),), EIGHT + timedelta(minutes=3))
    lines = told(first, Sent("周岚"))
    assert lines[:3] == [("on_the_way", "done"), ("replaced", "done"), ("on_the_way", "now")]
    assert [what for what, _state in lines[3:]] == list(PLANNED[1:])


def test_whoever_takes_over_in_the_middle_meets_first_and_goes_on_there() -> None:
    begun = (deed("on_the_way"), deed("arrived"), deed("met"), deed("registered"))
    first = Sent("何静", begun, EIGHT + timedelta(minutes=30))
    ahead = [what for what, state in told(first, Sent("周岚", (deed("on_the_way", 31),))) if state != "done"]
    assert ahead == ["arrived", "met", "consulted", "examined", "medicines_fetched", "back_home", "handed_over"]
    met = Sent("周岚", (deed("on_the_way", 31), deed("met", 40)))
    assert [what for what, state in told(first, met) if state == "now"] == ["consulted"]


def test_while_nobody_comes_nothing_is_now() -> None:
    assert told() == [(kind, "next") for kind in PLANNED]
    gone = Sent("何静", (deed("on_the_way"),), EIGHT)
    assert [state for _what, state in told(gone)][:3] == ["done", "done", "next"]


def test_that_it_is_over_is_said_by_who_comes_and_once_it_has_begun() -> None:
    early = StepDeed("signed", EIGHT, early=True)
    assert told(Sent("何静", (early,)))[1] == ("on_the_way", "now")
    assert signed_off([Sent("何静", (early,))]) is None
    former = Sent("何静", (deed("on_the_way"), deed("met"), deed("handed_over"), deed("signed")), EIGHT)
    lines = told(former, Sent("周岚", (deed("on_the_way", 31), deed("met", 40))))
    assert [what for what, state in lines if state == "now"] == ["registered"]
    assert lines[-1] == ("handed_over", "next")
    assert signed_off([former, Sent("周岚")]) is None
