"""What the drill lets providers do by themselves."""

from __future__ import annotations

import pytest

from drill.rig.trouble import able_to

TODAY, TOMORROW = "2026-03-10", "2026-03-11"


def row(
    reference: str, ours: str, day: str = TODAY, *, status: str = "confirmed", live: bool = True
) -> dict[str, object]:
    return {"reference": reference, "our_reference": ours, "service_date": day, "status": status, "live": live}


@pytest.mark.parametrize("action", ["check_in", "fulfil", "no_show"])
def test_what_belongs_to_a_day_is_done_on_that_day(action: str) -> None:
    assert able_to(action, [row("R1", "bkg_1"), row("R2", "bkg_2", TOMORROW)], TODAY) == ["R1"]
    assert able_to("cancel", [row("R1", "bkg_1"), row("R2", "bkg_2", TOMORROW)], TODAY) == ["R1", "R2"]


def test_a_day_that_is_being_given_up_is_served_or_missed_like_any_other() -> None:
    moving = [row("R1", "bkg_1"), row("R2", "bkg_1-4", TOMORROW)]
    for action in ("check_in", "fulfil", "no_show"):
        assert able_to(action, moving, TODAY) == ["R1"]
    moved = [row("R1", "bkg_1", status="cancelled", live=False), row("R2", "bkg_1-4")]
    assert able_to("no_show", moved, TODAY) == ["R2"]
