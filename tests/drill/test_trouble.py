"""What the drill lets providers do by themselves."""

from __future__ import annotations

import pytest

from drill.trouble import able_to


def row(reference: str, ours: str, *, status: str = "confirmed", live: bool = True) -> dict[str, object]:
    return {"reference": reference, "our_reference": ours, "status": status, "live": live}


@pytest.mark.parametrize("action", ["check_in", "fulfil", "no_show"])
def test_nobody_is_served_on_a_day_that_is_being_given_up(action: str) -> None:
    moving = [row("R1", "bkg_1"), row("R2", "bkg_1-4")]
    assert able_to(action, [*moving, row("R3", "bkg_2")]) == ["R3"]
    moved = [row("R1", "bkg_1", status="cancelled", live=False), row("R2", "bkg_1-4")]
    assert able_to(action, moved) == ["R2"]
    assert able_to("cancel", moving) == ["R1", "R2"]
