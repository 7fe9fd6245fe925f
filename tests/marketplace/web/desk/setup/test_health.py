"""What a provider's people see of itself: its figures, what waits for them, what customers are told, and its faults."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from booking.calls.breaker import Call
from booking.discrepancies import open_discrepancy
from booking.health.counts import Came, Counts
from booking.health.own import OWN_FAULTS
from booking.health.slowly import note_slow
from marketplace.core.database.db import transaction
from marketplace.web.desk.setup.fault_words import WORDS
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, set_provider

PAGE = "/desk/setup/health"


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, at the desk."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


def test_nothing_is_told_as_nothing(fang: Visitor) -> None:
    told = main(fang.get(PAGE))
    assert "Nothing waits for you." in told and "all that you sent could be used" in told
    assert "We asked nothing of you" in told and "No call in this time." in told


@pytest.mark.parametrize("window", ["", "1h", "7d", "rubbish"])
def test_its_figures_are_told(fang: Visitor, world: World, window: str) -> None:
    counts = Counts()
    for came in (Came.SUCCEEDED, Came.SUCCEEDED, Came.SUCCEEDED, Came.UNREADABLE):
        counts.add(world.provider.id, Call.SLOTS, came, 90, at=NOON - timedelta(minutes=1))
    counts.write()
    assert "Slots 4 75%" in main(fang.get(f"{PAGE}?window={window}"))
    fang.language = "zh"
    assert "回复无法读取：1" in main(fang.get(PAGE))


def test_who_answers_here_has_no_calls_to_its_system(fang: Visitor, world: World) -> None:
    set_provider(world.provider, adapter="desk")
    told = main(fang.get(PAGE))
    assert "Our calls to your system" not in told and "Your answers to requests" in told


def test_what_waits_and_what_customers_are_told(fang: Visitor, world: World) -> None:
    world.submit(0)
    set_provider(world.provider, paused_at=NOON - timedelta(minutes=4), pause_reason="between us")
    note_slow(now=NOON)
    page = fang.get(PAGE)
    assert "1 message to you waits here" in main(page) and "1 request to answer" in main(page)
    assert "The operator has sent you nothing new since Today, 11:56" in main(page)
    assert "between us" not in page.text


def test_faults_lead_on_to_more_and_a_wrong_cursor_is_refused(
    fang: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.web.desk.setup.health._SHOWN", 2)
    with transaction() as session:
        for number in range(3):
            open_discrepancy(session, world.provider.id, "theirs_only", f"R-{number}", now=NOON)
    first = fang.get(PAGE)
    assert "R-2" in main(first) and "R-0" not in main(first)
    more = first.text.split("cursor=")[1].split("#")[0]
    assert "R-0" in main(fang.get(f"{PAGE}?cursor={more}"))
    assert fang.get(f"{PAGE}?cursor=x").status_code == 422


def test_every_fault_that_is_shown_has_words() -> None:
    assert set(OWN_FAULTS) == set(WORDS)


@pytest.mark.parametrize("role", ["front_desk", "clinician"])
def test_only_who_sets_up_the_connection_finds_it(app: Flask, world: World, role: str) -> None:
    who = at_desk(app, make_member(world.provider.code, login="mei", role=role))  # type: ignore[arg-type]
    assert who.get(PAGE).status_code == 404
