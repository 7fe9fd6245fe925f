"""What the drill lets providers do by themselves."""

from __future__ import annotations

import threading
import time
import types
from collections import Counter

import pytest

from drill.rig.plan import Kill, Plan, Silence
from drill.rig.trouble import Providers, able_to, next_kill

TODAY, TOMORROW = "2026-03-10", "2026-03-11"


def row(
    reference: str, ours: str, day: str = TODAY, *, status: str = "confirmed", live: bool = True
) -> dict[str, object]:
    return {"reference": reference, "our_reference": ours, "service_date": day, "status": status, "live": live}


@pytest.mark.parametrize("action", ["check_in", "fulfil", "no_show"])
def test_what_belongs_to_a_day_is_done_on_that_day(action: str) -> None:
    assert able_to(action, [row("R1", "bkg_1"), row("R2", "bkg_2", TOMORROW)], TODAY) == ["R1"]
    assert able_to("cancel", [row("R1", "bkg_1"), row("R2", "bkg_2", TOMORROW)], TODAY) == ["R1", "R2"]


def test_nobody_misses_an_hour_that_has_not_come() -> None:
    at_eight = {**row("R1", "bkg_1"), "starts_at": f"{TODAY}T08:00:00+08:00"}
    assert able_to("no_show", [at_eight, {**row("R2", "bkg_2"), "starts_at": None}], TODAY) == ["R2"]
    assert able_to("fulfil", [at_eight], TODAY) == ["R1"]


def test_a_day_that_is_being_given_up_is_served_or_missed_like_any_other() -> None:
    moving = [row("R1", "bkg_1"), row("R2", "bkg_1-4", TOMORROW)]
    for action in ("check_in", "fulfil", "no_show"):
        assert able_to(action, moving, TODAY) == ["R1"]
    moved = [row("R1", "bkg_1", status="cancelled", live=False), row("R2", "bkg_1-4")]
    assert able_to("no_show", moved, TODAY) == ["R2"]


def test_who_is_still_starting_is_killed_once_and_later_however_many_kills_come_meanwhile() -> None:
    to_come, due = [Kill(1, "worker-1"), Kill(2, "worker-1"), Kill(3, "web-1"), Kill(9, "worker-1")], set[str]()
    assert next_kill(to_come, due, 0.5, lambda _: True) is None
    assert next_kill(to_come, due, 3, lambda what: what == "web-1") == "web-1"
    assert next_kill(to_come, due, 4, lambda what: what == "web-1") is None
    assert next_kill(to_come, due, 5, lambda _: True) == "worker-1"
    assert next_kill(to_come, due, 6, lambda _: True) is None
    assert next_kill(to_come, due, 9, lambda _: True) == "worker-1"


def test_a_silence_that_outlasts_the_plan_ends_with_it_so_that_who_was_killed_last_can_start() -> None:
    """Not only when all are at work again: workers start with a beat into the database."""
    heard, over = list[str](), threading.Event()

    def become(mode: str) -> None:
        heard.append(mode)
        over.set()

    where = types.SimpleNamespace(
        proxy=types.SimpleNamespace(become=become),
        fleet=types.SimpleNamespace(kills=Counter[str]()),
        control=lambda *_: {"faults": []},
    )
    Providers(where, Plan(1, 5, 1, silences=[Silence(0, 3600)]), time.monotonic(), over).run()  # type: ignore[arg-type]
    assert heard == ["silent", "pass"]
